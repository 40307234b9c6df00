#pragma once

/// \file
/// A file that appears whole or not at all.

#include <vecdb/status.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace vecdb {

/// Write a temporary file beside the target and rename it on commit. Messages of failures do not
/// name the target. Threads: needs exclusive access.
class OutputFile {
  public:
    /// Begin a file at `path`, or at the file that the symbolic link there names.
    /// Returns kInvalidArgument when something else than a regular file is there, kIoError.
    [[nodiscard]] static Result<std::unique_ptr<OutputFile>> create(
        const std::filesystem::path& path);

    /// Remove the temporary file unless commit() succeeded.
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

    /// Append bytes, through a buffer.
    [[nodiscard]] Status append(std::span<const std::byte> bytes);
    /// Replace the file's first bytes, which must have been appended before.
    [[nodiscard]] Status rewrite_start(std::span<const std::byte> bytes);
    /// Sync the bytes and rename the file to the target.
    [[nodiscard]] Status commit();

  private:
    OutputFile() noexcept = default;
    [[nodiscard]] Status open_temporary();
    [[nodiscard]] Status flush();

    std::filesystem::path path_;
    std::filesystem::path target_;
    std::filesystem::path temporary_;
    std::vector<std::byte> buffer_;
    std::uint64_t written_ = 0;
    int descriptor_ = -1;
    bool must_remove_ = false;
};

}  // namespace vecdb
