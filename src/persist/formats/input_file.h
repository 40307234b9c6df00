#pragma once

/// \file
/// A regular file, open for reading.

#include <vecdb/status.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace vecdb {

/// Read a regular file at given offsets. Messages of failures do not name the path.
/// Threads: const methods may run concurrently.
class InputFile {
  public:
    /// Open without waiting: a FIFO or a device is refused, not read.
    /// Returns kNotFound, kInvalidArgument (not a regular file), kIoError.
    [[nodiscard]] static Result<std::unique_ptr<InputFile>> open(const std::filesystem::path& path);

    ~InputFile();
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    /// Return the size that the file had when it was opened.
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    /// Fill `out` from `offset` on. Returns kCorruption when the file ends before that, kIoError.
    [[nodiscard]] Status read_at(std::uint64_t offset, std::span<std::byte> out) const;

  private:
    explicit InputFile(std::filesystem::path path) noexcept;

    std::filesystem::path path_;
    int descriptor_ = -1;
    std::uint64_t size_ = 0;
};

}  // namespace vecdb
