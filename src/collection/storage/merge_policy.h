#pragma once

/// \file
/// Which segments to put together next.

#include "collection/version.h"

#include <vecdb/schema.h>
#include <vecdb/segments.h>

#include <cstddef>
#include <span>
#include <vector>

namespace vecdb::collection {

/// Return the segments of a partition, by number, that are to become one sealed segment now; none
/// when all is well. `seal_rows` live rows are enough to seal a growing segment. Then come sealed
/// segments that are full of removed rows, then those that belong together, smaller ones first.
///
/// Where the indexes of the vector fields can be built on others (Index::build_on_ratio), growing
/// rows go to the largest sealed segment for which they are enough, and so do smaller segments.
/// Where one cannot, segments of one size are put together when they are policy.merge_segments.
/// Sizes are policy.seal_rows and each factor of policy.merge_segments above.
[[nodiscard]] std::vector<std::size_t> next_rewrite(const PartitionVersion& partition,
                                                    const SegmentPolicy& policy,
                                                    std::span<const VectorField> fields,
                                                    std::size_t seal_rows);

}  // namespace vecdb::collection
