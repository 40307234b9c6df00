#include "persist/formats/input_file.h"

#include "check.h"
#include "persist/errors.h"
#include "persist/posix_calls.h"

#include <cerrno>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vecdb {

namespace {

int open_for_reading(const char* path) noexcept {
    // O_NONBLOCK: opening a FIFO would otherwise wait for its writer. Regular files ignore it.
    constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    return persist::retried([path] { return ::open(path, kFlags); });
}

}  // namespace

InputFile::InputFile(std::filesystem::path path) noexcept : path_(std::move(path)) {}

InputFile::~InputFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::unique_ptr<InputFile>> InputFile::open(const std::filesystem::path& path) {
    VECDB_TRY(persist::check_path(path));
    std::unique_ptr<InputFile> file(new InputFile(path));
    file->descriptor_ = open_for_reading(path.c_str());
    if (file->descriptor_ < 0) {
        if (errno == ENOENT || errno == ENOTDIR) {
            return Status(StatusCode::kNotFound, "no such file");
        }
        return persist::io_error("cannot open", errno);
    }
    struct stat about = {};
    if (::fstat(file->descriptor_, &about) != 0) return persist::io_error("cannot stat", errno);
    if (!S_ISREG(about.st_mode)) {
        const char* found = S_ISDIR(about.st_mode) ? "a directory" : "no regular file";
        return Status(StatusCode::kInvalidArgument,
                      std::string("is ") + found + ", expected a regular file");
    }
    file->size_ = static_cast<std::uint64_t>(about.st_size);
    return file;
}

Status InputFile::read_at(std::uint64_t offset, std::span<std::byte> out) const {
    return persist::read_all(descriptor_, offset, out);
}

}  // namespace vecdb
