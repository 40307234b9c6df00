#pragma once

/// \file
/// Files in memory, whose bytes a test may change.

#include <vecdb/storage.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vecdb::test {

/// Paths are names; directories are not looked at.
/// Threads: calls may run concurrently, but not with changes of bytes() and with refuse_writes().
class MemoryStorage : public Storage {
  public:
    using Bytes = std::vector<std::byte>;

    /// Return the bytes of a file, to look at or to change; an empty file is made if there is none.
    Bytes& bytes(const std::string& path) {
        auto& file = files_[path];
        if (file == nullptr) file = std::make_shared<Bytes>();
        return *file;
    }
    /// Let what is written from now on fail, or no longer.
    void refuse_writes(bool refuse) { refused_ = refuse; }
    /// Return how often files were synced.
    [[nodiscard]] std::size_t syncs() const {
        const std::lock_guard lock(mutex_);
        return syncs_;
    }
    /// Return the files as they are now, as if the process that writes them ended here.
    [[nodiscard]] std::shared_ptr<MemoryStorage> copy() const {
        const std::lock_guard lock(mutex_);
        auto made = std::make_shared<MemoryStorage>();
        for (const auto& [name, file] : files_)
            made->files_[name] = std::make_shared<Bytes>(*file);
        return made;
    }
    /// Return the bytes of a file, which is there.
    [[nodiscard]] Bytes content(const std::string& path) const {
        const std::lock_guard lock(mutex_);
        return *files_.at(path);
    }
    /// Return the names of all files.
    [[nodiscard]] std::vector<std::string> names() const {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> names;
        for (const auto& [name, file] : files_)
            names.push_back(name);
        return names;
    }

    Result<std::unique_ptr<ReadableFile>> open(const std::string& path) override {
        const std::lock_guard lock(mutex_);
        const auto file = files_.find(path);
        if (file == files_.end()) return missing(path);
        return std::unique_ptr<ReadableFile>(std::make_unique<Readable>(*this, file->second));
    }
    Result<std::unique_ptr<WritableFile>> create(const std::string& path) override {
        const std::lock_guard lock(mutex_);
        if (files_.find(path) != files_.end()) return Status(StatusCode::kAlreadyExists, path);
        const auto file = std::make_shared<Bytes>();
        auto made = std::make_unique<Writable>(*this, file);
        files_.emplace(path, file);
        return std::unique_ptr<WritableFile>(std::move(made));
    }
    Result<std::unique_ptr<WritableFile>> resume(const std::string& path,
                                                 std::uint64_t size) override {
        const std::lock_guard lock(mutex_);
        const auto file = files_.find(path);
        if (file == files_.end()) return missing(path);
        if (file->second->size() < size) return Status(StatusCode::kInvalidArgument, path);
        file->second->resize(size);
        return std::unique_ptr<WritableFile>(std::make_unique<Writable>(*this, file->second));
    }
    Status rename(const std::string& from, const std::string& to) override {
        const std::lock_guard lock(mutex_);
        const auto file = files_.find(from);
        if (file == files_.end()) return missing(from);
        auto& place = files_[to];
        place = std::move(file->second);
        files_.erase(file);
        return {};
    }
    Status link(const std::string& /*from*/, const std::string& to) override {
        return {StatusCode::kUnsupported, to};
    }
    Status remove(const std::string& path) override {
        const std::lock_guard lock(mutex_);
        return files_.erase(path) != 0 ? Status() : missing(path);
    }
    Status make_directory(const std::string& /*path*/) override { return {}; }
    Result<std::vector<std::string>> list(const std::string& path) override {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> names;
        for (const auto& [name, file] : files_) {
            if (name.starts_with(path + '/')) names.push_back(name.substr(path.size() + 1));
        }
        return names;
    }
    Status sync_directory(const std::string& /*path*/) override { return {}; }
    Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
        const std::lock_guard lock(mutex_);
        const auto [place, free] = locks_.insert(path);
        if (!free) return Status(StatusCode::kFailedPrecondition, path);
        try {
            return std::unique_ptr<FileLock>(std::make_unique<Lock>(*this, path));
        } catch (...) {
            locks_.erase(place);
            throw;
        }
    }

  private:
    static Status missing(const std::string& path) { return {StatusCode::kNotFound, path}; }

    class Readable final : public ReadableFile {
      public:
        Readable(MemoryStorage& storage, std::shared_ptr<const Bytes> bytes)
            : storage_(storage), bytes_(std::move(bytes)), size_(bytes_->size()) {}

        [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
        [[nodiscard]] Status read_at(std::uint64_t offset,
                                     std::span<std::byte> out) const override {
            const std::lock_guard lock(storage_.mutex_);
            if (offset > bytes_->size() || out.size() > bytes_->size() - offset)
                return {StatusCode::kCorruption, "ends too early"};
            if (!out.empty()) std::memcpy(out.data(), bytes_->data() + offset, out.size());
            return {};
        }
        [[nodiscard]] Result<std::span<const std::byte>> map() const override {
            return Status(StatusCode::kUnsupported, "files in memory are not mapped");
        }

      private:
        MemoryStorage& storage_;
        std::shared_ptr<const Bytes> bytes_;
        std::uint64_t size_;
    };

    class Writable final : public WritableFile {
      public:
        Writable(MemoryStorage& storage, std::shared_ptr<Bytes> bytes)
            : storage_(storage), bytes_(std::move(bytes)) {}

        [[nodiscard]] Status append(std::span<const std::byte> bytes) override {
            const std::lock_guard lock(storage_.mutex_);
            if (storage_.refused_) return {StatusCode::kIoError, "no space left"};
            bytes_->insert(bytes_->end(), bytes.begin(), bytes.end());
            return {};
        }
        [[nodiscard]] Status sync() override {
            const std::lock_guard lock(storage_.mutex_);
            if (storage_.refused_) return {StatusCode::kIoError, "cannot sync"};
            ++storage_.syncs_;
            return {};
        }

      private:
        MemoryStorage& storage_;
        std::shared_ptr<Bytes> bytes_;
    };

    class Lock final : public FileLock {
      public:
        Lock(MemoryStorage& storage, std::string path)
            : storage_(storage), path_(std::move(path)) {}
        ~Lock() override {
            const std::lock_guard lock(storage_.mutex_);
            storage_.locks_.erase(path_);
        }

      private:
        MemoryStorage& storage_;
        std::string path_;
    };

    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Bytes>> files_;
    std::set<std::string> locks_;
    bool refused_ = false;
    std::size_t syncs_ = 0;
};

}  // namespace vecdb::test
