#pragma once

/// \file
/// Exact search by codes: the nearest of all rows, or of the few that a mask allows. A row's code
/// gives a lower bound of its distance; only rows whose bound is not above the farthest of the k
/// nearest so far are compared by their floats. The hits are those of scan_allowed(), bit by bit.
///
/// Rows are taken in chunks. Of a chunk's survivors those with the smallest bounds are compared
/// first, which lowers the threshold for the rest. When too many survive, as in data that codes
/// cannot tell apart, the scan goes on with the floats alone.
/// The later stages are in coded_rescorer.h.

#include "index/codes.h"
#include "index/top_k.h"

#include <vecdb/index.h>
#include <vecdb/types.h>

#include <cstddef>
#include <span>
#include <vector>

namespace vecdb::index {

/// The codes that a scan may use, first stage first. All views; null where there are none.
struct CodedStages {
    const CodeSpace* space = nullptr;
    const CodeTable* blocks = nullptr;  ///< Of `space`, kBlock4: for all rows.
    const CodeTable* listed = nullptr;  ///< Of `space`, in a row layout: for lists of rows.
    /// Finer codes in a row layout, compared before the floats where those are long.
    const CodeSpace* middle_space = nullptr;
    const CodeTable* middle = nullptr;
};

/// Offer to best[i] the nearest to queries[i] of all rows that `filter` allows, by stages.blocks.
/// Good when most are allowed. One query allocates nothing after the first calls of a thread.
void scan_all_coded(const CodedStages& stages,
                    const IndexRows& rows,
                    std::span<const void* const> queries,
                    const RowFilter& filter,
                    std::span<TopK> best,
                    SearchCounters* counters);

/// The same for one query by stages.listed, `allowed_rows` rows: looks at allowed rows only. Good
/// when few are allowed.
void scan_listed_coded(const CodedStages& stages,
                       const IndexRows& rows,
                       const float* query,
                       const RowFilter& filter,
                       std::size_t allowed_rows,
                       TopK& best,
                       SearchCounters* counters);

/// Append every allowed row within `radius`, by stages.blocks.
void range_coded(const CodedStages& stages,
                 const IndexRows& rows,
                 const float* query,
                 float radius,
                 const RowFilter& filter,
                 std::vector<Hit>& hits,
                 SearchCounters* counters);

}  // namespace vecdb::index
