#pragma once

/// \file
/// How fast a collection answers. All functions throw CommandError.

#include <vecdb/collection.h>
#include <vecdb/search.h>
#include <vecdb/types.h>
#include <vecdb/views.h>

#include <vector>

namespace vecdb::cli {

/// One query at a time. Times in milliseconds.
struct SingleTiming {
    double qps = 0;
    double p50_ms = 0;
    double p95_ms = 0;
    double p99_ms = 0;
    /// Of the first pass over the queries, the true hits of each one after the other.
    std::vector<Hit> answers;
};

/// All queries in one call.
struct BatchTiming {
    double qps = 0;
    /// As SingleTiming::answers.
    std::vector<Hit> answers;
};

/// Warm up, then pass over `queries` one at a time until `seconds` are measured, at least
/// once.
[[nodiscard]] SingleTiming time_single(const Collection& collection,
                                       const MatrixView& queries,
                                       const SearchOptions& options,
                                       double seconds);

/// Search the whole matrix, once to warm up and then until `seconds` are measured, at least once.
[[nodiscard]] BatchTiming time_batch(const Collection& collection,
                                     const MatrixView& queries,
                                     const SearchOptions& options,
                                     double seconds);

}  // namespace vecdb::cli
