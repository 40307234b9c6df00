#pragma once

/// \file
/// Search of one version of a collection for nearest rows.

#include "collection/query/segment_targets.h"
#include "index/top_k.h"

#include <vecdb/search.h>
#include <vecdb/types.h>

#include <cstddef>
#include <span>

namespace vecdb::collection {

/// Search one query of the field's type (a unit vector under cosine) with k = hits.size() >= 1 on
/// `threads` >= 1 threads. Writes the hits as the user sees them, padded; returns their true
/// number. Allocates nothing when threads is 1.
std::size_t search_one(const SearchTarget& target,
                       const void* query,
                       std::size_t threads,
                       std::span<Hit> hits);

/// Offer to `best` what it takes of a search of one query on the calling thread: distances, not yet
/// scores. Allocates nothing.
void search_one(const SearchTarget& target, const void* query, index::TopK& best);

/// Search result.queries() packed queries, k = result.k() >= 1.
void search_many(const SearchTarget& target,
                 const void* queries,
                 std::size_t threads,
                 SearchResult& result);

/// Turn distances into the metric's scores.
void to_scores(Metric metric, std::span<Hit> hits) noexcept;

/// Sort hits that have scores: nearest first, equal ones by ascending id.
void sort_by_score(Metric metric, std::span<Hit> hits) noexcept;

/// Fill `hits` with kNoId and the metric's worst score.
void pad(Metric metric, std::span<Hit> hits) noexcept;

}  // namespace vecdb::collection
