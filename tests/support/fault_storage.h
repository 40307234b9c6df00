#pragma once

/// \file
/// Files whose calls fail when a test says so.

#include "support/memory_storage.h"

#include <vecdb/storage.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vecdb::test {

/// How a call fails.
enum class Fault : std::uint8_t {
    kRefused,  ///< Nothing is done.
    kPartial,  ///< Half of the bytes are written; whatever else is asked for is done all the same.
    kNoSpace,  ///< What takes space fails: files that are made and bytes. Everything else works.
    kEnd,
};

/// Which calls may fail.
enum class Calls : std::uint8_t {
    kChanges,  ///< Those that change something, and locks.
    kReads,    ///< Those that only read.
};

/// What is to fail.
struct FaultPlan {
    Fault fault = Fault::kRefused;
    Calls calls = Calls::kChanges;
    std::size_t first = 0;  ///< Of such calls, counted from 0.
    bool for_ever = false;  ///< Those that follow fail too.
};

/// The files of another storage, where calls fail as planned.
/// Threads: needs exclusive access.
class FaultStorage final : public Storage {
  public:
    /// \param files  outlives this and all files that it opens
    explicit FaultStorage(MemoryStorage& files) : files_(files) {}

    /// Begin to count calls, and let some of them fail.
    void plan(const FaultPlan& plan) {
        plan_ = plan;
        calls_ = 0;
        failed_.clear();
        failed_writes_.clear();
    }
    /// Let no call fail any more.
    void mend() { plan_.reset(); }
    /// Return how many calls there were that may fail, since plan().
    [[nodiscard]] std::size_t calls() const { return calls_; }
    /// Return the paths of the calls that failed since plan(), in their order.
    [[nodiscard]] const std::vector<std::string>& failed() const { return failed_; }
    /// The same, without those that only removed a file.
    [[nodiscard]] const std::vector<std::string>& failed_writes() const { return failed_writes_; }

    Result<std::unique_ptr<ReadableFile>> open(const std::string& path) override {
        if (const Fails fails = next(Calls::kReads, path)) return fails.status_of(path);
        auto file = files_.open(path);
        if (!file.ok()) return file;
        return std::unique_ptr<ReadableFile>(
            std::make_unique<Readable>(*this, path, *std::move(file)));
    }
    Result<std::unique_ptr<WritableFile>> create(const std::string& path) override {
        const Fails fails = next(Calls::kChanges, path, What::kTakesSpace);
        if (fails && !fails.done) return fails.status_of(path);
        auto file = files_.create(path);
        if (fails) return fails.status_of(path);
        return writable(path, std::move(file));
    }
    Result<std::unique_ptr<WritableFile>> resume(const std::string& path,
                                                 std::uint64_t size) override {
        const Fails fails = next(Calls::kChanges, path);
        if (fails && !fails.done) return fails.status_of(path);
        auto file = files_.resume(path, size);
        if (fails) return fails.status_of(path);
        return writable(path, std::move(file));
    }
    Status rename(const std::string& from, const std::string& to) override {
        return change(to, [&] { return files_.rename(from, to); });
    }
    Status link(const std::string& from, const std::string& to) override {
        return change(to, [&] { return files_.link(from, to); });
    }
    Status remove(const std::string& path) override {
        return change(
            path, [&] { return files_.remove(path); }, What::kRemove);
    }
    Status make_directory(const std::string& path) override {
        return change(path, [&] { return files_.make_directory(path); });
    }
    Result<std::vector<std::string>> list(const std::string& path) override {
        if (const Fails fails = next(Calls::kReads, path)) return fails.status_of(path);
        return files_.list(path);
    }
    Status sync_directory(const std::string& path) override {
        return change(path, [&] { return files_.sync_directory(path); });
    }
    Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
        if (const Fails fails = next(Calls::kChanges, path)) return fails.status_of(path);
        return files_.lock(path);
    }

  private:
    enum class What : std::uint8_t { kTakesSpace, kRemove, kOther };

    /// Whether a call fails, and how.
    struct Fails {
        Status status = {};
        bool done = false;  ///< What was asked for is done all the same, or half of it.

        explicit operator bool() const { return !status.ok(); }
        [[nodiscard]] Status status_of(const std::string& path) const {
            return {status.code(), '"' + path + "\": " + status.message()};
        }
    };

    class Readable final : public ReadableFile {
      public:
        Readable(FaultStorage& storage, std::string path, std::unique_ptr<ReadableFile> file)
            : storage_(storage), path_(std::move(path)), file_(std::move(file)) {}

        [[nodiscard]] std::uint64_t size() const noexcept override { return file_->size(); }
        [[nodiscard]] Status read_at(std::uint64_t offset,
                                     std::span<std::byte> out) const override {
            if (const Fails fails = storage_.next(Calls::kReads, path_)) return fails.status;
            return file_->read_at(offset, out);
        }
        [[nodiscard]] Result<std::span<const std::byte>> map() const override {
            return file_->map();
        }

      private:
        FaultStorage& storage_;
        std::string path_;
        std::unique_ptr<ReadableFile> file_;
    };

    class Writable final : public WritableFile {
      public:
        Writable(FaultStorage& storage, std::string path, std::unique_ptr<WritableFile> file)
            : storage_(storage), path_(std::move(path)), file_(std::move(file)) {}

        [[nodiscard]] Status append(std::span<const std::byte> bytes) override {
            const Fails fails = storage_.next(Calls::kChanges, path_, What::kTakesSpace);
            if (!fails) return file_->append(bytes);
            if (fails.done) file_->append(bytes.first(bytes.size() / 2)).check();
            return fails.status;
        }
        [[nodiscard]] Status sync() override {
            const Fails fails = storage_.next(Calls::kChanges, path_);
            if (!fails || fails.done) file_->sync().check();
            return fails.status;
        }

      private:
        FaultStorage& storage_;
        std::string path_;
        std::unique_ptr<WritableFile> file_;
    };

    Fails next(Calls calls, const std::string& path, What what = What::kOther) {
        if (!plan_ || plan_->calls != calls) return {};
        const bool spared = plan_->fault == Fault::kNoSpace && what != What::kTakesSpace;
        if (spared) return {};
        const std::size_t call = calls_++;
        const bool fails = call == plan_->first || (plan_->for_ever && call > plan_->first);
        if (!fails) return {};
        failed_.push_back(path);
        if (what != What::kRemove) failed_writes_.push_back(path);
        return {.status = {StatusCode::kIoError, "failure " + std::to_string(call)},
                .done = plan_->fault == Fault::kPartial};
    }
    template <class Call>
    Status change(const std::string& path, Call call, What what = What::kOther) {
        const Fails fails = next(Calls::kChanges, path, what);
        if (!fails) return call();
        if (fails.done) (void)call();
        return fails.status_of(path);
    }
    Result<std::unique_ptr<WritableFile>> writable(const std::string& path,
                                                   Result<std::unique_ptr<WritableFile>> file) {
        if (!file.ok()) return file;
        return std::unique_ptr<WritableFile>(
            std::make_unique<Writable>(*this, path, *std::move(file)));
    }

    MemoryStorage& files_;
    std::optional<FaultPlan> plan_;
    std::size_t calls_ = 0;
    std::vector<std::string> failed_;
    std::vector<std::string> failed_writes_;
};

}  // namespace vecdb::test
