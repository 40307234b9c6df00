#pragma once

/// \file
/// Databases in directories, as the commands open them. All functions throw CommandError: code 3
/// when there is no database or it cannot be believed, 5 when another writer holds it or the
/// directory cannot be written.

#include "exit_code.h"

#include <vecdb/collection.h>
#include <vecdb/database.h>
#include <vecdb/open_options.h>
#include <vecdb/status.h>

#include <cstdint>
#include <string>
#include <vector>

namespace vecdb::cli {

/// Open a database to be read; a writer may be at work.
[[nodiscard]] Database open_to_read(const std::string& directory);

/// Open a database, which is there, to be written.
[[nodiscard]] Database open_to_write(const std::string& directory);

/// Throw CommandError unless a write went well. What the system refuses is not the input's fault
/// then: code 5.
void check_write(const Status& status, ExitCode invalid = ExitCode::kOther);

/// Return the collection or the alias `name`; when it is empty, the only collection that there is.
/// With several that is a wrong command line, and the error lists them.
[[nodiscard]] Collection choose_collection(const Database& db,
                                           const std::string& directory,
                                           const std::string& name);

/// The files of a directory.
struct DirectorySize {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
};

/// Count the files in a directory and their bytes, not those of directories in it. Files that go
/// meanwhile are passed over.
[[nodiscard]] DirectorySize size_of(const std::string& directory);

/// Say "1 file" or "2 files".
[[nodiscard]] std::string counted(std::uint64_t count, const std::string& one);

}  // namespace vecdb::cli
