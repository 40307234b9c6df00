#pragma once

/// \file
/// Where a database keeps its files: about a dozen calls, which a program may serve itself to keep
/// them elsewhere than in the file system.

#include <vecdb/export.h>
#include <vecdb/status.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vecdb {

/// A file that is open for reading and that nobody changes, except that it may get longer. It stays
/// readable when its name is removed. Failures do not name the path.
/// Threads: const methods may run concurrently.
class VECDB_EXPORT ReadableFile {
  public:
    ReadableFile() = default;
    ReadableFile(const ReadableFile&) = delete;
    ReadableFile& operator=(const ReadableFile&) = delete;
    virtual ~ReadableFile() = default;

    /// Return the size in bytes that the file had when it was opened.
    [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;
    /// Fill `out` from `offset` on. Returns kCorruption when the file ends before that, kIoError.
    [[nodiscard]] virtual Status read_at(std::uint64_t offset, std::span<std::byte> out) const = 0;
    /// View all size() bytes, aligned to 64 bytes, for as long as this object lives. Returns
    /// kUnsupported where files cannot be seen as memory, kIoError.
    [[nodiscard]] virtual Result<std::span<const std::byte>> map() const = 0;
};

/// A file that is being written, from its end on. Failures do not name the path; after one nothing
/// is known of the bytes that were not synced before.
/// Threads: needs exclusive access.
class VECDB_EXPORT WritableFile {
  public:
    WritableFile() = default;
    WritableFile(const WritableFile&) = delete;
    WritableFile& operator=(const WritableFile&) = delete;
    virtual ~WritableFile() = default;

    /// Add bytes at the end. Returns kIoError.
    [[nodiscard]] virtual Status append(std::span<const std::byte> bytes) = 0;
    /// Return when all bytes will be there after a loss of power. Returns kIoError.
    [[nodiscard]] virtual Status sync() = 0;
};

/// Keeps other processes, and other holders in this one, from the same lock until it is destroyed.
/// The system lets go of it when the process ends.
class VECDB_EXPORT FileLock {
  public:
    FileLock() = default;
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;
    virtual ~FileLock() = default;
};

/// Files by path, parts separated by '/'. What was renamed, made or removed is there after a loss
/// of power once its directory was synced.
///
/// All calls return kInvalidArgument for a path that is empty or has a zero byte, kIoError for what
/// the system says, and name the path.
/// Threads: calls may run concurrently.
class VECDB_EXPORT Storage {
  public:
    Storage() = default;
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;
    virtual ~Storage() = default;

    /// Open a regular file, not through a link. Returns kNotFound, kInvalidArgument (something
    /// else is there).
    [[nodiscard]] virtual Result<std::unique_ptr<ReadableFile>> open(const std::string& path) = 0;
    /// Make a file that only its owner may read. Returns kAlreadyExists.
    [[nodiscard]] virtual Result<std::unique_ptr<WritableFile>> create(const std::string& path) = 0;
    /// Go on at the end of a regular file, not through a link, after cutting it to its first `size`
    /// bytes. Returns kNotFound, kInvalidArgument (something else is there, or it is shorter).
    [[nodiscard]] virtual Result<std::unique_ptr<WritableFile>> resume(const std::string& path,
                                                                       std::uint64_t size) = 0;
    /// Give a file another name, in place of what has that name.
    [[nodiscard]] virtual Status rename(const std::string& from, const std::string& to) = 0;
    /// Give a file a second name. Returns kUnsupported where that is not possible, kAlreadyExists.
    [[nodiscard]] virtual Status link(const std::string& from, const std::string& to) = 0;
    /// Remove a file. Returns kNotFound.
    [[nodiscard]] virtual Status remove(const std::string& path) = 0;
    /// Make a directory that only its owner may enter; nothing happens if there is one.
    [[nodiscard]] virtual Status make_directory(const std::string& path) = 0;
    /// Return the names in a directory, sorted. Returns kNotFound.
    [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
    /// Return when names made, changed and removed in a directory so far are durable.
    [[nodiscard]] virtual Status sync_directory(const std::string& path) = 0;
    /// Lock a file, which is made if it is not there; its existence means nothing. Returns
    /// kFailedPrecondition when somebody holds the lock.
    [[nodiscard]] virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

/// Return the files of the operating system.
[[nodiscard]] VECDB_EXPORT Storage& posix_storage() noexcept;

}  // namespace vecdb
