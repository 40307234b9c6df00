#pragma once

/// \file
/// Whether the files of a database are what was written, and what to do if they are not.

#include <vecdb/open_options.h>
#include <vecdb/status.h>

#include <string>

namespace vecdb::collection {

/// As Database::verify; options.storage is set. Throws std::bad_alloc.
[[nodiscard]] Result<VerifyReport> verify(const std::string& directory, const OpenOptions& options);

/// As Database::repair; options.storage is set. Throws std::bad_alloc.
[[nodiscard]] Result<RepairReport> repair(const std::string& directory, const OpenOptions& options);

}  // namespace vecdb::collection
