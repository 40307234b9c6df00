#pragma once

/// \file
/// From collections in memory to files.

#include "collection/storage/store.h"

#include <vecdb/status.h>

namespace vecdb {

class DatabaseState;

namespace collection {

/// Save the rows of all collections that are not in files yet, as they are at one moment, and begin
/// the log anew. Errors as of Database::checkpoint. Throws std::bad_alloc.
[[nodiscard]] Status checkpoint(DatabaseState& state);
/// The same, by somebody who goes on with what was committed.
[[nodiscard]] Status checkpoint(DatabaseState& state, Store& store)
    VECDB_REQUIRES(store.committing());

}  // namespace collection
}  // namespace vecdb
