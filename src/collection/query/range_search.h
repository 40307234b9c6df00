#pragma once

/// \file
/// Search of one version of a collection for all rows within a radius.

#include "collection/query/segment_targets.h"

#include <vecdb/search.h>
#include <vecdb/status.h>
#include <vecdb/types.h>

#include <cstddef>
#include <optional>

namespace vecdb::collection {

/// Check a radius in the metric's own terms. Returns kInvalidArgument naming value and limit.
[[nodiscard]] Status check_radius(Metric metric, float radius);

/// Check an inner radius, if there is one, against the radius. Returns kInvalidArgument.
[[nodiscard]] Status check_ring(Metric metric, std::optional<float> inner, float radius);

/// Find every allowed row whose score is not worse than `radius`, nearest first. `query` as in
/// search_one().
[[nodiscard]] Hits range_search(const SearchTarget& target,
                                const void* query,
                                float radius,
                                std::size_t threads);

}  // namespace vecdb::collection
