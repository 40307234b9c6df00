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
    explicit GrowingSegment(const VectorFormat& format) : store(format), map(store) {}

    RowStore store;
    IdMap map;
};

}  // namespace vecdb::collection
