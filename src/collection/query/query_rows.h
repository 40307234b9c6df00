#pragma once

/// \file
/// Rows by their values.

#include "collection/query/segment_targets.h"

#include <vecdb/query.h>

#include <cstddef>
#include <span>
#include <vector>

namespace vecdb::collection {

/// Return the rows with the smallest ids of all that the segments offer, as `options` say, with the
/// values of fields `fields`. Throws std::bad_alloc.
[[nodiscard]] QueriedRows query_rows(std::span<const SegmentTarget> segments,
                                     const QueryOptions& options,
                                     std::span<const std::size_t> fields);

}  // namespace vecdb::collection
