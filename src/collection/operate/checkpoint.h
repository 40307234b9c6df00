#pragma once

/// \file
/// From collections in memory to files.

#include <vecdb/status.h>

namespace vecdb {

class DatabaseState;

namespace collection {

/// Save the rows of all collections that are not in files yet, as they are at one moment, and begin
/// the log anew. Errors as of Database::checkpoint. Throws std::bad_alloc.
[[nodiscard]] Status checkpoint(DatabaseState& state);

}  // namespace collection
}  // namespace vecdb
