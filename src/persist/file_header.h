#pragma once

/// \file
/// The first 64 bytes of every file of a database.

#include <vecdb/status.h>
#include <vecdb/storage.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace vecdb::persist {

inline constexpr std::size_t kHeaderBytes = 64;

/// What a file is for. The numbers stand in files and are never used again.
enum class FileKind : std::uint32_t {
    kCurrent = 1,   ///< Names the manifest.
    kManifest = 2,  ///< What the database consists of.
    kLog = 3,       ///< What was written since.
    kRows = 4,      ///< Rows of a sealed segment.
    kIndex = 5,     ///< The index of one.
    kGrowing = 6,   ///< Growing rows and removed rows of many partitions.
};

/// Drawn at random when a database is made, so that its files cannot be taken for another's.
using DatabaseId = std::array<std::byte, 16>;

/// What tells a file from all others of this and of other databases.
struct FileHeader {
    FileKind kind;
    DatabaseId database;
    std::uint64_t number;  ///< Of this file; none is used again.

    friend bool operator==(const FileHeader&, const FileHeader&) = default;

    [[nodiscard]] std::array<std::byte, kHeaderBytes> encode() const noexcept;
    /// Read a header. Returns kCorruption, kUnsupported (a newer version wrote it).
    [[nodiscard]] static Result<FileHeader> decode(std::span<const std::byte, kHeaderBytes> bytes);
    /// Check that this, which was found, is what was looked for. Returns kCorruption.
    [[nodiscard]] Status check(const FileHeader& expected) const;
    /// Return a number that is not that of another file, for checksums inside the file.
    [[nodiscard]] std::uint64_t seed() const noexcept;
};

/// Check that a file begins with `header`. Returns kCorruption, kUnsupported (a newer version wrote
/// it), kIoError.
[[nodiscard]] Status check_header(const ReadableFile& file, const FileHeader& header);

/// Say that a checksum does not fit, with both numbers.
[[nodiscard]] Status wrong_checksum(const std::string& of,
                                    std::uint64_t expected,
                                    std::uint64_t found);

}  // namespace vecdb::persist
