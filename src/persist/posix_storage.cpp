#include "check.h"
#include "mutex.h"
#include "persist/errors.h"
#include "persist/posix_calls.h"

#include <vecdb/storage.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vecdb {
namespace {

using persist::retried;

constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirectoryMode = 0700;

/// Say what failed, with the text of `error`, an errno.
Status failed(const std::string& what, int error) {
    const auto code = [error] {
        switch (error) {
            case ENOENT:
            case ENOTDIR:
                return StatusCode::kNotFound;
            case EEXIST:
                return StatusCode::kAlreadyExists;
            case ELOOP:
                return StatusCode::kInvalidArgument;
            default:
                return StatusCode::kIoError;
        }
    }();
    return {code, what + ": " + std::error_code(error, std::system_category()).message()};
}

Status failed_at(const char* what, const std::string& path, int error) {
    return failed('"' + path + "\": cannot " + what, error);
}

class Descriptor {
  public:
    explicit Descriptor(int number) noexcept : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&&) = delete;
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    [[nodiscard]] int get() const noexcept { return number_; }

  private:
    int number_;
};

struct Opened {
    Descriptor descriptor;
    std::uint64_t size;
};

/// Open a regular file; a FIFO or a device is refused without waiting for it, and so is a link.
Result<Opened> open_regular(const std::string& path, int flags) {
    VECDB_TRY(persist::check_path(path));
    constexpr int kAlways = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    Descriptor descriptor(
        retried([&] { return ::open(path.c_str(), flags | kAlways, kFileMode); }));
    if (descriptor.get() < 0) return failed_at("open it", path, errno);
    struct stat about = {};
    if (::fstat(descriptor.get(), &about) != 0) return failed_at("stat it", path, errno);
    if (!S_ISREG(about.st_mode)) {
        const char* found = S_ISDIR(about.st_mode) ? "a directory" : "no regular file";
        return Status(StatusCode::kInvalidArgument,
                      '"' + path + "\": is " + found + ", expected a regular file");
    }
    return Opened{std::move(descriptor), static_cast<std::uint64_t>(about.st_size)};
}

class PosixReadable final : public ReadableFile {
  public:
    explicit PosixReadable(Opened file) : file_(std::move(file)) {}
    PosixReadable(const PosixReadable&) = delete;
    PosixReadable& operator=(const PosixReadable&) = delete;
    ~PosixReadable() override {
        if (mapping_ != nullptr) ::munmap(mapping_, file_.size);
    }

    [[nodiscard]] std::uint64_t size() const noexcept override { return file_.size; }

    [[nodiscard]] Status read_at(std::uint64_t offset, std::span<std::byte> out) const override {
        return persist::read_all(file_.descriptor.get(), offset, out);
    }

    [[nodiscard]] Result<std::span<const std::byte>> map() const override {
        const Lock lock(mutex_);
        if (mapping_ == nullptr && file_.size != 0) {
            void* memory =
                ::mmap(nullptr, file_.size, PROT_READ, MAP_SHARED, file_.descriptor.get(), 0);
            if (memory == MAP_FAILED) return failed("cannot map", errno);
            mapping_ = memory;
        }
        return std::span(static_cast<const std::byte*>(mapping_), file_.size);
    }

  private:
    Opened file_;
    mutable Mutex mutex_;
    mutable void* mapping_ VECDB_GUARDED_BY(mutex_) = nullptr;
};

class PosixWritable final : public WritableFile {
  public:
    explicit PosixWritable(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

    [[nodiscard]] Status append(std::span<const std::byte> bytes) override {
        while (!bytes.empty()) {
            const ssize_t put =
                retried([&] { return ::write(descriptor_.get(), bytes.data(), bytes.size()); });
            if (put < 0) return failed("cannot write", errno);
            bytes = bytes.subspan(static_cast<std::size_t>(put));
        }
        return {};
    }

    [[nodiscard]] Status sync() override {
        if (retried([&] { return ::fdatasync(descriptor_.get()); }) == 0) return {};
        return failed("cannot sync", errno);
    }

  private:
    Descriptor descriptor_;
};

class PosixLock final : public FileLock {
  public:
    explicit PosixLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  private:
    Descriptor descriptor_;
};

class PosixStorage final : public Storage {
  public:
    [[nodiscard]] Result<std::unique_ptr<ReadableFile>> open(const std::string& path) override {
        VECDB_ASSIGN(Opened file, open_regular(path, O_RDONLY));
        return std::unique_ptr<ReadableFile>(std::make_unique<PosixReadable>(std::move(file)));
    }

    [[nodiscard]] Result<std::unique_ptr<WritableFile>> create(const std::string& path) override {
        VECDB_ASSIGN(Opened file, open_regular(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL));
        return writable(std::move(file));
    }

    [[nodiscard]] Result<std::unique_ptr<WritableFile>> resume(const std::string& path,
                                                               std::uint64_t size) override {
        VECDB_ASSIGN(Opened file, open_regular(path, O_WRONLY | O_APPEND));
        if (file.size < size) {
            return Status(StatusCode::kInvalidArgument,
                          '"' + path + "\": has " + std::to_string(file.size) +
                              " bytes, expected " + std::to_string(size) + " or more");
        }
        const auto cut = [&] {
            return ::ftruncate(file.descriptor.get(), static_cast<off_t>(size));
        };
        if (file.size > size && retried(cut) != 0) return failed_at("cut it", path, errno);
        return writable(std::move(file));
    }

    [[nodiscard]] Status rename(const std::string& from, const std::string& to) override {
        VECDB_TRY(persist::check_path(from));
        VECDB_TRY(persist::check_path(to));
        if (::rename(from.c_str(), to.c_str()) == 0) return {};
        return failed_at("rename it", from, errno);
    }

    [[nodiscard]] Status link(const std::string& from, const std::string& to) override {
        VECDB_TRY(persist::check_path(from));
        VECDB_TRY(persist::check_path(to));
        if (::link(from.c_str(), to.c_str()) == 0) return {};
        const int error = errno;
        const bool impossible =
            error == EXDEV || error == EPERM || error == EOPNOTSUPP || error == EMLINK;
        Status status = failed_at("link it", from, error);
        return impossible ? Status(StatusCode::kUnsupported, status.message()) : status;
    }

    [[nodiscard]] Status remove(const std::string& path) override {
        VECDB_TRY(persist::check_path(path));
        if (::unlink(path.c_str()) == 0) return {};
        return failed_at("remove it", path, errno);
    }

    [[nodiscard]] Status make_directory(const std::string& path) override {
        VECDB_TRY(persist::check_path(path));
        if (::mkdir(path.c_str(), kDirectoryMode) == 0) return {};
        const int error = errno;
        struct stat about = {};
        const bool there = error == EEXIST && ::stat(path.c_str(), &about) == 0;
        if (there && S_ISDIR(about.st_mode)) return {};
        return failed_at("make a directory of it", path, error);
    }

    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) override {
        VECDB_TRY(persist::check_path(path));
        std::error_code error;
        std::filesystem::directory_iterator entries(path, error);
        while (error == std::errc::interrupted)
            entries = std::filesystem::directory_iterator(path, error);
        std::vector<std::string> names;
        for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error))
            names.push_back(entries->path().filename().string());
        if (error) return failed_at("list it", path, error.value());
        std::sort(names.begin(), names.end());
        return names;
    }

    [[nodiscard]] Status sync_directory(const std::string& path) override {
        VECDB_TRY(persist::check_path(path));
        const Descriptor descriptor(
            retried([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
        if (descriptor.get() < 0) return failed_at("open it", path, errno);
        if (retried([&] { return ::fsync(descriptor.get()); }) == 0) return {};
        return failed_at("sync it", path, errno);
    }

    [[nodiscard]] Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
        VECDB_ASSIGN(Opened file, open_regular(path, O_RDWR | O_CREAT));
        // Of the open file, not of the process: a second one in this process is refused too.
        if (retried([&] { return ::flock(file.descriptor.get(), LOCK_EX | LOCK_NB); }) == 0) {
            return std::unique_ptr<FileLock>(
                std::make_unique<PosixLock>(std::move(file.descriptor)));
        }
        if (errno != EWOULDBLOCK) return failed_at("lock it", path, errno);
        return Status(StatusCode::kFailedPrecondition,
                      '"' + path + "\": another writer holds the lock");
    }

  private:
    static std::unique_ptr<WritableFile> writable(Opened file) {
        return std::make_unique<PosixWritable>(std::move(file.descriptor));
    }
};

}  // namespace

Storage& posix_storage() noexcept {
    static PosixStorage storage;
    return storage;
}

}  // namespace vecdb
