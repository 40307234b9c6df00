#pragma once

/// \file
/// A model of a disk that loses power: files and names that were synced are there afterwards, all
/// others may be or not, in any combination, cut at any sector.

#include "support/memory_storage.h"

#include <vecdb/storage.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vecdb::test {

/// Keeps, for every file, what was synced and what was written since, and for every directory the
/// names that were synced and what became of them since.
/// Threads: needs exclusive access.
class DiskModel final : public Storage {
  public:
    using Bytes = std::vector<std::byte>;

    /// What is left after a loss of power of all that was not synced.
    enum class Left : std::uint8_t {
        kNothing,
        kEverything,
        kNames,     ///< Names, and nothing of the bytes.
        kBytes,     ///< Bytes, and no names.
        kTorn,      ///< Everything, but of the last write only whole sectors, up to a random one.
        kZeros,     ///< Everything, but of the last write only the length.
        kSome,      ///< Each write and each name by chance.
        kSomeTorn,  ///< The same, and each write cut at a sector by chance.
        kEnd,
    };

    DiskModel() = default;
    /// Begin with files that are there, and durable.
    explicit DiskModel(const MemoryStorage& files) {
        for (const std::string& name : files.names()) {
            auto file = std::make_shared<File>();
            file->bytes = files.content(name);
            file->durable = file->bytes;
            names_[name] = std::move(file);
        }
        durable_ = names_;
    }

    /// Let the power fail after so many more calls that change something: they fail from then on.
    void fail_after(std::size_t calls) {
        calls_left_ = calls;
        limited_ = true;
    }
    /// Return the calls so far that changed something.
    [[nodiscard]] std::size_t calls() const { return calls_; }

    /// Put into `to` what may be there when the power is back. The model goes on as it was.
    void lose_power(Left left, std::uint64_t seed, MemoryStorage& to) const {
        std::mt19937_64 random(seed);
        const auto by_chance = [&](bool all, bool some) {
            return all || (some && random() % 2 == 0);
        };
        const bool some = left == Left::kSome || left == Left::kSomeTorn;
        Names names = durable_;
        const bool all_names = left != Left::kNothing && left != Left::kBytes && !some;
        for (const NameChange& change : pending_) {
            if (by_chance(all_names, some)) apply(change, names);
        }
        for (const auto& [name, file] : names)
            to.bytes(name) = content(*file, left, random);
    }

    Result<std::unique_ptr<ReadableFile>> open(const std::string& path) override {
        const auto file = names_.find(path);
        if (file == names_.end()) return missing(path);
        MemoryStorage& storage = *view_;
        storage.bytes(path) = file->second->bytes;
        auto opened = storage.open(path);
        storage.remove(path).check();
        return opened;
    }
    Result<std::unique_ptr<WritableFile>> create(const std::string& path) override {
        if (names_.find(path) != names_.end()) return Status(StatusCode::kAlreadyExists, path);
        if (!go_on()) return no_power();
        change({path, std::make_shared<File>()});
        return std::unique_ptr<WritableFile>(std::make_unique<Writable>(*this, names_[path]));
    }
    Result<std::unique_ptr<WritableFile>> resume(const std::string& path,
                                                 std::uint64_t size) override {
        const auto file = names_.find(path);
        if (file == names_.end()) return missing(path);
        if (!go_on()) return no_power();
        file->second->cut(static_cast<std::size_t>(size));
        return std::unique_ptr<WritableFile>(std::make_unique<Writable>(*this, file->second));
    }
    Status rename(const std::string& from, const std::string& to) override {
        const auto file = names_.find(from);
        if (file == names_.end()) return missing(from);
        if (!go_on()) return no_power();
        change({to, file->second, from});
        return {};
    }
    Status link(const std::string& /*from*/, const std::string& to) override {
        return {StatusCode::kUnsupported, to};
    }
    Status remove(const std::string& path) override {
        if (names_.find(path) == names_.end()) return missing(path);
        if (!go_on()) return no_power();
        change({path, nullptr});
        return {};
    }
    Status make_directory(const std::string& /*path*/) override { return {}; }
    Result<std::vector<std::string>> list(const std::string& path) override {
        std::vector<std::string> names;
        for (const auto& [name, file] : names_) {
            if (name.starts_with(path + '/')) names.push_back(name.substr(path.size() + 1));
        }
        return names;
    }
    /// There is one directory.
    Status sync_directory(const std::string& /*path*/) override {
        if (!go_on()) return no_power();
        durable_ = names_;
        pending_.clear();
        return {};
    }
    Result<std::unique_ptr<FileLock>> lock(const std::string& /*path*/) override {
        return std::make_unique<FileLock>();
    }

  private:
    static constexpr std::size_t kSector = 512;

    struct File {
        struct Write {
            std::size_t at;
            std::size_t size;
        };

        Bytes bytes;
        Bytes durable;
        std::vector<Write> writes;  // since the last sync

        void cut(std::size_t size) {
            bytes.resize(std::min(bytes.size(), size));
            // That the old end is seen again would be no different from a torn tail.
            durable.resize(std::min(durable.size(), size));
        }
    };
    using Names = std::map<std::string, std::shared_ptr<File>>;

    struct NameChange {
        std::string name;
        std::shared_ptr<File> file;  // null: the name is gone
        std::string from = {};       // not empty: that name is gone at the same time
    };

    class Writable final : public WritableFile {
      public:
        Writable(DiskModel& disk, std::shared_ptr<File> file)
            : disk_(disk), file_(std::move(file)) {}

        [[nodiscard]] Status append(std::span<const std::byte> bytes) override {
            // The call in which the power fails may have come anywhere.
            const bool on = disk_.go_on();
            if (on || !std::exchange(disk_.interrupted_, true)) {
                file_->writes.push_back({file_->bytes.size(), bytes.size()});
                file_->bytes.insert(file_->bytes.end(), bytes.begin(), bytes.end());
            }
            return on ? Status() : no_power();
        }
        [[nodiscard]] Status sync() override {
            if (!disk_.go_on()) return no_power();
            file_->durable = file_->bytes;
            file_->writes.clear();
            return {};
        }

      private:
        DiskModel& disk_;
        std::shared_ptr<File> file_;
    };

    static Status missing(const std::string& path) { return {StatusCode::kNotFound, path}; }
    static Status no_power() { return {StatusCode::kIoError, "the power is off"}; }

    bool go_on() {
        if (limited_ && calls_left_ == 0) return false;
        if (limited_) --calls_left_;
        ++calls_;
        return true;
    }

    static void apply(const NameChange& change, Names& names) {
        if (!change.from.empty()) names.erase(change.from);
        if (change.file != nullptr) {
            names[change.name] = change.file;
        } else {
            names.erase(change.name);
        }
    }
    void change(NameChange change) {
        apply(change, names_);
        pending_.push_back(std::move(change));
    }

    static Bytes content(const File& file, Left left, std::mt19937_64& random) {
        if (left == Left::kNothing || left == Left::kNames) return file.durable;
        if (left == Left::kEverything || left == Left::kBytes) return file.bytes;
        Bytes bytes = file.durable;
        for (const File::Write& write : file.writes) {
            const bool last = &write == &file.writes.back();
            const bool some = left == Left::kSome || left == Left::kSomeTorn;
            std::size_t kept = write.size;
            if (left == Left::kZeros && last) kept = 0;
            if (some && random() % 2 == 0) kept = 0;
            if ((left == Left::kTorn && last) || left == Left::kSomeTorn)
                kept = std::min<std::size_t>(kept, random() % (write.size / kSector + 1) * kSector);
            // A file is as long as its last write that is there, with zeros before it.
            const bool there = kept != 0 || (left == Left::kZeros && last);
            if (there) bytes.resize(std::max(bytes.size(), write.at + write.size));
            if (left == Left::kTorn && last) bytes.resize(write.at + kept);
            if (kept == 0) continue;
            std::copy_n(file.bytes.begin() + static_cast<std::ptrdiff_t>(write.at),
                        kept,
                        bytes.begin() + static_cast<std::ptrdiff_t>(write.at));
        }
        return bytes;
    }

    std::unique_ptr<MemoryStorage> view_ = std::make_unique<MemoryStorage>();
    Names names_;
    Names durable_;
    std::vector<NameChange> pending_;  // from durable_ to names_
    std::size_t calls_ = 0;
    std::size_t calls_left_ = 0;
    bool limited_ = false;
    bool interrupted_ = false;
};

}  // namespace vecdb::test
