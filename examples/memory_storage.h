#pragma once

/// \file
/// A vecdb::Storage of one's own: the files of a database, in memory.

#include <vecdb/status.h>
#include <vecdb/storage.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace memory_files {

using vecdb::Result;
using vecdb::Status;
using vecdb::StatusCode;

/// The bytes of one file. Its names and all who have it open share it, so it stays readable when
/// its last name is removed.
/// Threads: internally synchronised.
class File {
  public:
    [[nodiscard]] std::uint64_t size() const {
        const std::lock_guard guard(mutex_);
        return bytes_.size();
    }
    void append(std::span<const std::byte> bytes) {
        const std::lock_guard guard(mutex_);
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    }
    /// Cut to the first `size` bytes; false when there are fewer.
    [[nodiscard]] bool cut(std::uint64_t size) {
        const std::lock_guard guard(mutex_);
        if (size > bytes_.size()) return false;
        bytes_.resize(static_cast<std::size_t>(size));
        return true;
    }
    /// Copy bytes from `offset` on; false when the file ends before that.
    [[nodiscard]] bool read(std::uint64_t offset, std::span<std::byte> out) const {
        const std::lock_guard guard(mutex_);
        if (offset > bytes_.size() || out.size() > bytes_.size() - offset) return false;
        std::copy_n(bytes_.data() + offset, out.size(), out.data());
        return true;
    }
    /// Take the lock; false when somebody has it.
    [[nodiscard]] bool try_lock() {
        const std::lock_guard guard(mutex_);
        return !std::exchange(locked_, true);
    }
    void unlock() {
        const std::lock_guard guard(mutex_);
        locked_ = false;
    }

  private:
    mutable std::mutex mutex_;
    std::vector<std::byte> bytes_;
    bool locked_ = false;
};

class Readable final : public vecdb::ReadableFile {
  public:
    explicit Readable(std::shared_ptr<const File> file)
        : file_(std::move(file)), size_(file_->size()) {}

    [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
    [[nodiscard]] Status read_at(std::uint64_t offset, std::span<std::byte> out) const override {
        if (file_->read(offset, out)) return {};
        return {StatusCode::kCorruption,
                "ends before byte " + std::to_string(offset) + " + " + std::to_string(out.size())};
    }
    /// The bytes of a file that grows may move, so there is nothing to view; vecdb copies then.
    [[nodiscard]] Result<std::span<const std::byte>> map() const override {
        return Status(StatusCode::kUnsupported, "files in memory are not mapped");
    }

  private:
    std::shared_ptr<const File> file_;
    std::uint64_t size_;
};

class Writable final : public vecdb::WritableFile {
  public:
    explicit Writable(std::shared_ptr<File> file) : file_(std::move(file)) {}

    [[nodiscard]] Status append(std::span<const std::byte> bytes) override {
        file_->append(bytes);
        return {};
    }
    /// Memory is as durable as it gets.
    [[nodiscard]] Status sync() override { return {}; }

  private:
    std::shared_ptr<File> file_;
};

class HeldLock final : public vecdb::FileLock {
  public:
    explicit HeldLock(std::shared_ptr<File> file) : file_(std::move(file)) {}
    ~HeldLock() override { file_->unlock(); }
    HeldLock(const HeldLock&) = delete;
    HeldLock& operator=(const HeldLock&) = delete;

  private:
    std::shared_ptr<File> file_;
};

/// Keeps files in memory for as long as it, or a database on it, lives. As in a file system, a
/// directory must have been made before anything is put into it. What runs out of memory throws
/// std::bad_alloc, which vecdb turns into kOutOfMemory.
/// Threads: calls may run concurrently.
class MemoryStorage final : public vecdb::Storage {
  public:
    /// Return the bytes of all files; those of several names count once a name.
    [[nodiscard]] std::uint64_t bytes() const {
        const std::lock_guard guard(mutex_);
        std::uint64_t sum = 0;
        for (const auto& [path, file] : entries_)
            sum += file == nullptr ? 0 : file->size();
        return sum;
    }

    [[nodiscard]] Result<std::unique_ptr<vecdb::ReadableFile>> open(
        const std::string& path) override {
        const std::lock_guard guard(mutex_);
        const auto file = find_file(path);
        if (!file.ok()) return file.status();
        return std::unique_ptr<vecdb::ReadableFile>(std::make_unique<Readable>(*file));
    }

    [[nodiscard]] Result<std::unique_ptr<vecdb::WritableFile>> create(
        const std::string& path) override {
        const std::lock_guard guard(mutex_);
        const auto file = add_file(path, std::make_shared<File>());
        if (!file.ok()) return file.status();
        return std::unique_ptr<vecdb::WritableFile>(std::make_unique<Writable>(*file));
    }

    [[nodiscard]] Result<std::unique_ptr<vecdb::WritableFile>> resume(const std::string& path,
                                                                      std::uint64_t size) override {
        const std::lock_guard guard(mutex_);
        const auto file = find_file(path);
        if (!file.ok()) return file.status();
        if (!(*file)->cut(size)) {
            return fail(StatusCode::kInvalidArgument,
                        path,
                        "has " + std::to_string((*file)->size()) + " bytes, expected " +
                            std::to_string(size) + " or more");
        }
        return std::unique_ptr<vecdb::WritableFile>(std::make_unique<Writable>(*file));
    }

    [[nodiscard]] Status rename(const std::string& from, const std::string& to) override {
        const std::lock_guard guard(mutex_);
        const auto file = find_file(from);
        if (!file.ok()) return file.status();
        Status place = check_place(to);
        if (!place.ok()) return place;
        if (is_directory(to)) return fail(StatusCode::kIoError, to, "is a directory");
        entries_.erase(from);
        entries_[to] = *file;
        return {};
    }

    [[nodiscard]] Status link(const std::string& from, const std::string& to) override {
        const std::lock_guard guard(mutex_);
        const auto file = find_file(from);
        return file.ok() ? add_file(to, *file).status() : file.status();
    }

    [[nodiscard]] Status remove(const std::string& path) override {
        const std::lock_guard guard(mutex_);
        const auto file = find_file(path);
        if (file.ok()) entries_.erase(path);
        return file.status();
    }

    [[nodiscard]] Status make_directory(const std::string& path) override {
        const std::lock_guard guard(mutex_);
        Status place = check_place(path);
        if (!place.ok() || is_directory(path)) return place;
        if (entries_.contains(path)) return fail(StatusCode::kAlreadyExists, path, "is a file");
        entries_[path] = nullptr;
        return {};
    }

    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) override {
        const std::lock_guard guard(mutex_);
        Status place = check_directory(path);
        if (!place.ok()) return place;
        std::vector<std::string> names;  // sorted, as the paths are
        const std::string start = path + '/';
        for (auto entry = entries_.lower_bound(start);
             entry != entries_.end() && entry->first.starts_with(start);
             ++entry) {
            const std::string name = entry->first.substr(start.size());
            if (name.find('/') == std::string::npos) names.push_back(name);
        }
        return names;
    }

    [[nodiscard]] Status sync_directory(const std::string& path) override {
        const std::lock_guard guard(mutex_);
        return check_directory(path);
    }

    [[nodiscard]] Result<std::unique_ptr<vecdb::FileLock>> lock(const std::string& path) override {
        const std::lock_guard guard(mutex_);
        auto file = find_file(path);
        if (file.status().code() == StatusCode::kNotFound) {
            file = add_file(path, std::make_shared<File>());
        }
        if (!file.ok()) return file.status();
        if (!(*file)->try_lock()) {
            return fail(StatusCode::kFailedPrecondition, path, "another writer holds the lock");
        }
        return std::unique_ptr<vecdb::FileLock>(std::make_unique<HeldLock>(*file));
    }

  private:
    // All of these are called with the mutex held.

    static Status fail(StatusCode code, const std::string& path, const std::string& what) {
        return {code, '"' + path + "\": " + what};
    }

    static Status check_path(const std::string& path) {
        if (path.empty()) return {StatusCode::kInvalidArgument, "the path is empty"};
        if (path.find('\0') == std::string::npos) return {};
        return fail(StatusCode::kInvalidArgument, path, "has a zero byte");
    }

    [[nodiscard]] bool is_directory(const std::string& path) const {
        const auto entry = entries_.find(path);
        return entry != entries_.end() && entry->second == nullptr;
    }

    [[nodiscard]] Status check_directory(const std::string& path) const {
        Status status = check_path(path);
        if (!status.ok() || is_directory(path)) return status;
        return fail(StatusCode::kNotFound, path, "there is no such directory");
    }

    /// Check a path at which something may be put: its directory is there, or it has none.
    [[nodiscard]] Status check_place(const std::string& path) const {
        Status status = check_path(path);
        if (!status.ok()) return status;
        const std::size_t slash = path.rfind('/');
        if (slash == std::string::npos || slash == 0) return {};
        return check_directory(path.substr(0, slash));
    }

    [[nodiscard]] Result<std::shared_ptr<File>> find_file(const std::string& path) const {
        Status status = check_path(path);
        if (!status.ok()) return status;
        const auto entry = entries_.find(path);
        if (entry == entries_.end()) return fail(StatusCode::kNotFound, path, "there is no file");
        if (entry->second == nullptr) {
            return fail(StatusCode::kInvalidArgument, path, "is a directory, expected a file");
        }
        return entry->second;
    }

    [[nodiscard]] Result<std::shared_ptr<File>> add_file(const std::string& path,
                                                         std::shared_ptr<File> file) {
        Status status = check_place(path);
        if (!status.ok()) return status;
        if (!entries_.emplace(path, file).second) {
            return fail(StatusCode::kAlreadyExists, path, "is there already");
        }
        return file;
    }

    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<File>> entries_;  // by path; null: a directory
};

}  // namespace memory_files
