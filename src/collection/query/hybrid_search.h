#pragma once

/// \file
/// Search of one version of a collection in several vector fields.

#include "collection/collection_state.h"

#include <vecdb/hybrid_search.h>
#include <vecdb/search.h>
#include <vecdb/status.h>

#include <span>

namespace vecdb::collection {

/// As ReadHandle::hybrid_search, in `pinned` if it is not null. Throws std::bad_alloc and what a
/// predicate throws.
[[nodiscard]] Result<Hits> hybrid_search(const CollectionState& state,
                                         const CollectionState::VersionPointer& pinned,
                                         const PartitionInfo* partition,
                                         std::span<const FieldQuery> parts,
                                         const FusionOptions& how);

}  // namespace vecdb::collection
