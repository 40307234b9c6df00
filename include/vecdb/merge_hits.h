#pragma once

/// \file
/// One answer of several: for programs that search several collections or databases themselves.

#include <vecdb/export.h>
#include <vecdb/search.h>
#include <vecdb/status.h>
#include <vecdb/types.h>

#include <cstddef>
#include <span>

namespace vecdb {

/// Merge answers to one query into the k nearest hits: nearest first, equal scores by ascending id.
/// An id that stands several times comes once, with its best score.
///
/// \param metric  of all lists
/// \param lists   each as a search returns it: nearest first, equal scores by ascending id; a hit
///                with id kNoId, as padding has, ends its list
/// \param k       most hits returned
/// Returns kOutOfMemory. Threads: any. Cost: about (k + lists) * log2(lists) comparisons, and a
/// look-up for each hit.
[[nodiscard]] VECDB_EXPORT Result<Hits> merge_hits(Metric metric,
                                                   std::span<const std::span<const Hit>> lists,
                                                   std::size_t k);

}  // namespace vecdb
