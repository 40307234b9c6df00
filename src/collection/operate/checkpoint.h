#pragma once

/// \file
/// From collections in memory to files.

#include "collection/storage/store.h"

#include <vecdb/status.h>

#include <memory>
#include <vector>

namespace vecdb {

class CollectionState;
class DatabaseState;

namespace collection {

/// Save the rows of all collections that are not in files yet, as they are at one moment, and begin
/// the log anew. Errors as of Database::checkpoint. Throws std::bad_alloc.
[[nodiscard]] Status checkpoint(DatabaseState& state);
/// Collections that were looked at, to be let go without locks: the last who lets go of one waits
/// for its work in the background, which may wait for a lock.
using HeldCollections = std::vector<std::shared_ptr<CollectionState>>;
/// The same, by somebody who goes on with what was committed.
[[nodiscard]] Status checkpoint(DatabaseState& state, Store& store, HeldCollections& held)
    VECDB_REQUIRES(store.committing());

}  // namespace collection
}  // namespace vecdb
