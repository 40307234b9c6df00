#pragma once

/// \file
/// The part of a ranking that was asked for.

#include <vecdb/search.h>
#include <vecdb/types.h>

#include <cstddef>
#include <span>

namespace vecdb::collection {

/// Return how many hits a search must find for the k behind the offset; 0 if k is.
[[nodiscard]] constexpr std::size_t hits_wanted(const SearchOptions& options) noexcept {
    return options.k == 0 ? 0 : options.k + options.offset;
}

/// Tell whether a score is better than another one; not so for NaN.
[[nodiscard]] constexpr bool is_better(Metric metric, float score, float other) noexcept {
    return larger_is_nearer(metric) ? score > other : score < other;
}

/// Return how many hits of a ranking, nearest first, are not worse than the threshold.
[[nodiscard]] std::size_t count_within(Metric metric,
                                       float threshold,
                                       std::span<const Hit> hits) noexcept;

/// Move the hits that are behind the offset and within the threshold to the front; returns their
/// number. \param hits  nearest first, no padding
std::size_t keep_page(Metric metric, const SearchOptions& options, std::span<Hit> hits) noexcept;

}  // namespace vecdb::collection
