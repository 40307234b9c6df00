#pragma once

/// \file
/// The first 64 bytes of a database's files. src/persist/FORMAT.md says what they mean.

#include <cstdint>
#include <optional>
#include <string>

namespace vecdb::cli {

/// What a file of a database says of itself. Its checksums are not looked at: `vecdb verify` does.
struct DatabaseFile {
    std::uint32_t version = 0;         ///< Of the format that wrote it.
    std::uint32_t reader_version = 0;  ///< That a reader must know.
    std::uint32_t kind = 0;
    std::string database;      ///< Its id, 32 hexadecimal digits.
    std::uint64_t number = 0;  ///< Of the file; in CURRENT that of the manifest.
    std::uint64_t bytes = 0;   ///< Of the whole file.

    /// Name the kind: "current", "manifest", "log", "rows", "index", "growing" or "unknown".
    [[nodiscard]] std::string kind_name() const;
};

/// Read a file's header; none if it does not begin as the files of a database do, or cannot be
/// read. Throws CommandError(kInput) when it begins so and ends within the header.
[[nodiscard]] std::optional<DatabaseFile> read_database_file(const std::string& path);

}  // namespace vecdb::cli
