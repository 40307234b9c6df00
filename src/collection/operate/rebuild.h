#pragma once

/// \file
/// The guarded rebuild of what an alias stands for.

#include "collection/database_state.h"

#include <vecdb/database.h>
#include <vecdb/rebuild.h>
#include <vecdb/status.h>

#include <string_view>

namespace vecdb::collection {

/// As Database::rebuild; `state` is that of `database`. May throw std::bad_alloc, and then has
/// cleaned up as after a failure.
[[nodiscard]] Result<RebuildReport> rebuild(Database& database,
                                            DatabaseState& state,
                                            std::string_view alias,
                                            const RebuildSource& source,
                                            const RebuildOptions& options);

}  // namespace vecdb::collection
