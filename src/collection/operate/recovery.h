#pragma once

/// \file
/// From files to collections in memory.

#include <vecdb/status.h>

#include <memory>

namespace vecdb {

class DatabaseState;

namespace collection {

/// Make the collections and aliases that were found in the files of a database that was just made,
/// do again what the log says, and begin to write. state.report says what was found. Errors as of
/// Database::open. Throws std::bad_alloc.
[[nodiscard]] Status recover(DatabaseState& state);

}  // namespace collection
}  // namespace vecdb
