#pragma once

/// \file
/// Which segments to put together next.

#include "collection/version.h"

#include <vecdb/segments.h>

#include <cstddef>
#include <vector>

namespace vecdb::collection {

/// Return the segments of a partition, by number, that are to become one sealed segment now; none
/// when all is well. `seal_rows` live rows are enough to seal a growing segment. Sealed segments
/// come before that are full of removed rows, then those of one size, the smallest size first.
/// Sizes are policy.seal_rows and each factor of policy.merge_segments above.
[[nodiscard]] std::vector<std::size_t> next_rewrite(const PartitionVersion& partition,
                                                    const SegmentPolicy& policy,
                                                    std::size_t seal_rows);

}  // namespace vecdb::collection
