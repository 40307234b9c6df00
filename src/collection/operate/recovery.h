#pragma once

/// \file
/// From files to collections in memory.

#include "collection/database_state.h"
#include "collection/storage/store.h"

#include <vecdb/status.h>

namespace vecdb::collection {

/// Make the collections of `state` and the aliases that are found in the files of `store`, do again
/// what the log says, and end the opening. With `verify` kLazy, rows are loaded when a collection
/// is first asked for, unless the log has some of them. Segments that `known` names are used as
/// they are. Errors as of Database::open. Throws std::bad_alloc.
[[nodiscard]] Result<DatabaseState::Opened> recover(const DatabaseState& state,
                                                    Store& store,
                                                    Verify verify,
                                                    KnownSegments known,
                                                    Damaged damaged = Damaged::kLeaveOut);

/// The same for a database that is read only, of files as they are now. Files of the log may go
/// while it is read: then it begins again.
[[nodiscard]] Result<DatabaseState::Opened> recover_beside_writer(const DatabaseState& state,
                                                                  const Store& like,
                                                                  const KnownSegments& known);

}  // namespace vecdb::collection
