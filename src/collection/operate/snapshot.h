#pragma once

/// \file
/// Copies of a database.

#include <vecdb/open_options.h>
#include <vecdb/status.h>

#include <string>

namespace vecdb {

class DatabaseState;

namespace collection {

/// As Database::snapshot_to. Throws std::bad_alloc.
[[nodiscard]] Status snapshot(DatabaseState& state, const std::string& directory);

/// As Database::restore; options.storage is set. Throws std::bad_alloc.
[[nodiscard]] Status restore(const std::string& from,
                             const std::string& directory,
                             const OpenOptions& options);

}  // namespace collection
}  // namespace vecdb
