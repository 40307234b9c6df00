#pragma once

/// \file
/// The guarded rebuild of what an alias stands for.

#include "collection/database_state.h"

#include <vecdb/collection.h>
#include <vecdb/rebuild.h>
#include <vecdb/status.h>

#include <functional>
#include <memory>
#include <string_view>

namespace vecdb::collection {

/// Makes a handle on a collection, which only a Database can.
using MakeHandle = std::function<Collection(std::shared_ptr<CollectionState>)>;

/// As Database::rebuild.
[[nodiscard]] Result<RebuildReport> rebuild(DatabaseState& state,
                                            const MakeHandle& handle_of,
                                            std::string_view alias,
                                            const RebuildSource& source,
                                            const RebuildOptions& options);

}  // namespace vecdb::collection
