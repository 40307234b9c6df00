#include "persist/formats/output_file.h"

#include "check.h"
#include "persist/errors.h"
#include "persist/posix_calls.h"

#include <atomic>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vecdb {

namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 18U;

// A fixed, short name: target name plus suffix could be longer than the file system allows.
std::string temporary_name() {
    static std::atomic<unsigned> counter = 0;
    return ".vecdb-" + std::to_string(::getpid()) + "-" + std::to_string(counter++) + ".tmp";
}

Status check_target(const std::filesystem::path& target) {
    VECDB_TRY(persist::check_path(target));
    struct stat about = {};
    if (::stat(target.c_str(), &about) != 0 || S_ISREG(about.st_mode)) return {};
    const char* found = S_ISDIR(about.st_mode) ? "a directory" : "no regular file";
    return {StatusCode::kInvalidArgument,
            std::string("is ") + found + ", expected a regular file or nothing"};
}

// Renaming onto a link would replace the link, /dev/stdout for example, and not the file it names.
Result<std::filesystem::path> resolve_link(const std::filesystem::path& path) {
    std::error_code error;
    if (!std::filesystem::is_symlink(path, error)) return path;
    std::filesystem::path target = std::filesystem::canonical(path, error);
    if (error) return persist::io_error("cannot follow the symbolic link", error.value());
    return target;
}

Status write_at(int descriptor, std::uint64_t offset, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t put =
            ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return persist::io_error("cannot write", errno);
        offset += static_cast<std::uint64_t>(put);
        bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
    return {};
}

Status sync(int descriptor) {
    return persist::retried([descriptor] { return ::fsync(descriptor); }) == 0
               ? Status()
               : persist::io_error("cannot sync", errno);
}

}  // namespace

Result<std::unique_ptr<OutputFile>> OutputFile::create(const std::filesystem::path& path) {
    VECDB_TRY(check_target(path));
    VECDB_ASSIGN(std::filesystem::path target, resolve_link(path));
    std::unique_ptr<OutputFile> file(new OutputFile);
    file->path_ = path;
    file->target_ = std::move(target);
    file->buffer_.reserve(kBufferBytes);
    VECDB_TRY(file->open_temporary());
    return file;
}

Status OutputFile::open_temporary() {
    constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    constexpr int kAttempts = 100;  // names left over by processes that had our number and crashed
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        temporary_ = target_.parent_path() / temporary_name();
        descriptor_ = persist::retried([&] { return ::open(temporary_.c_str(), kFlags, 0666); });
        if (descriptor_ >= 0 || errno != EEXIST) break;
    }
    if (descriptor_ < 0) return persist::io_error("cannot create a file in its directory", errno);
    must_remove_ = true;
    return {};
}

OutputFile::~OutputFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (must_remove_) ::unlink(temporary_.c_str());
}

Status OutputFile::append(std::span<const std::byte> bytes) {
    if (buffer_.size() + bytes.size() > kBufferBytes) VECDB_TRY(flush());
    if (bytes.size() >= kBufferBytes) {
        VECDB_TRY(write_at(descriptor_, written_, bytes));
        written_ += bytes.size();
        return {};
    }
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    return {};
}

Status OutputFile::flush() {
    VECDB_TRY(write_at(descriptor_, written_, buffer_));
    written_ += buffer_.size();
    buffer_.clear();
    return {};
}

Status OutputFile::rewrite_start(std::span<const std::byte> bytes) {
    VECDB_TRY(flush());
    VECDB_ASSERT(bytes.size() <= written_);
    return write_at(descriptor_, 0, bytes);
}

Status OutputFile::commit() {
    VECDB_TRY(flush());
    VECDB_TRY(sync(descriptor_));
    const int closed = ::close(descriptor_);
    descriptor_ = -1;  // whatever close answered, the descriptor is gone
    if (closed != 0 && errno != EINTR) return persist::io_error("cannot close", errno);
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
        return persist::io_error("cannot rename the finished file", errno);
    }
    must_remove_ = false;
    return {};
}

}  // namespace vecdb
