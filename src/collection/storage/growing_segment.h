#pragma once

/// \file
/// Rows that are still being added to.

#include "collection/storage/id_map.h"
#include "collection/storage/row_store.h"

#include <cstddef>

namespace vecdb::collection {

/// The growing segment's rows and the map from the ids of live ones to them.
/// Threads: as its parts say.
struct GrowingSegment {
    explicit GrowingSegment(std::size_t dim) : store(dim), map(store) {}

    RowStore store;
    IdMap map;
};

}  // namespace vecdb::collection
