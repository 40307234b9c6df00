#pragma once

/// \file
/// What a search did and why: the answer to "explain".

#include <vecdb/export.h>
#include <vecdb/index.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vecdb {

/// What a search did in one segment.
struct SegmentReport {
    std::string partition;
    /// The index that was asked; empty where there is none: growing rows, rows too few for it,
    /// SearchOptions::exact.
    std::string index;
    std::size_t rows = 0;          ///< Stored, removed ones included.
    std::size_t live_rows = 0;     ///< Not removed.
    std::size_t allowed_rows = 0;  ///< Live, and allowed by the filter.
    /// What was done: that of the last query where they differ.
    SearchPlan plan = SearchPlan::kNone;
    /// Why, in a sentence with the numbers that decided.
    std::string reason;
    /// Of all queries together.
    SearchCounters counters;
    /// In this segment, of all threads together.
    double microseconds = 0;
};

/// What a search did. Made by a search whose SearchOptions::report points to it.
/// Threads: a value.
struct SearchReport {
    std::string field;  ///< The vector field that was searched.
    std::string metric;
    std::string simd_level;     ///< Of the kernels, as active_simd_level() has it.
    std::size_t queries = 0;    ///< In the call.
    std::size_t k = 0;          ///< Rows wanted of each.
    std::size_t hits = 0;       ///< Found, of all queries.
    std::size_t threads = 0;    ///< At work.
    std::size_t rounds = 0;     ///< Searches made: more than 1 only for group_by.
    std::size_t live_rows = 0;  ///< In the partitions searched.
    std::size_t allowed_rows = 0;

    // The stages, one after the other, in microseconds of wall time. Their sum is the total but for
    // what it takes to call and return.
    double prepare_us = 0;  ///< Check and normalise queries, choose the version.
    double filter_us = 0;   ///< Work out which rows are allowed.
    double index_us = 0;    ///< Search indexes.
    double scan_us = 0;     ///< Compare rows that have no index.
    double finish_us = 0;   ///< Sort, turn distances into scores, page, group.
    double total_us = 0;

    /// By partition; of each that with most live rows first, as they were searched.
    std::vector<SegmentReport> segments;

    /// Return the report as lines of text to read, or as one JSON object whose names are those
    /// above. Throws std::bad_alloc.
    [[nodiscard]] VECDB_EXPORT std::string to_text() const;
    [[nodiscard]] VECDB_EXPORT std::string to_json() const;
};

}  // namespace vecdb
