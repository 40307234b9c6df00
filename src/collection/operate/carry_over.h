#pragma once

/// \file
/// Repeating the writes to one collection on another.

#include "collection/collection_state.h"

#include <vecdb/status.h>

#include <cstddef>

namespace vecdb::collection {

/// Write to `to` what `after` has otherwise than `before`, two versions of `from`: rows of other
/// vectors or in other partitions, rows that came and rows that went. Partitions are made where
/// they are missing, unless a rule of `to` routes rows. Returns the number of rows written or
/// removed. Compares the vectors of rows that are in other segments than before.
[[nodiscard]] Result<std::size_t> carry_over(const CollectionState& from,
                                             const CollectionState::VersionPointer& before,
                                             const CollectionState::VersionPointer& after,
                                             CollectionState& to);

}  // namespace vecdb::collection
