#pragma once

/// \file
/// What a search runs on: the segments of one version that have rows to offer.

#include "collection/query/filter_state.h"
#include "collection/query/search_recorder.h"
#include "collection/version.h"
#include "simd/kernel_table.h"

#include <vecdb/filter.h>
#include <vecdb/index.h>
#include <vecdb/schema.h>
#include <vecdb/search.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace vecdb::collection {

/// A segment and the rows of it that may be returned.
struct SegmentTarget {
    const PartitionVersion* partition;  ///< That it belongs to.
    const SegmentVersion* segment;      ///< Lives as long as the version does.
    std::size_t field;                  ///< The vector field that is searched.
    const Index* index;                 ///< To be searched; null: rows are compared one by one.
    std::shared_ptr<const FilterRows> allowed;  ///< In the order of the field; null: every row.
    std::size_t live;                           ///< Rows that may be returned, at least 1.

    /// View block i; may throw std::bad_alloc, as SegmentVersion::block().
    [[nodiscard]] index::FlatBlock block(std::size_t i) const {
        return segment->block(
            i, allowed != nullptr ? allowed->allowed.words().data() : nullptr, field);
    }

    /// Call visit(row) for every row that may be returned, in order; `field` is 0. May throw
    /// std::bad_alloc.
    template <class Visit>
    void for_each_row(Visit&& visit) const {
        segment->for_each_row(allowed != nullptr ? allowed->allowed.words().data() : nullptr,
                              visit);
    }
};

/// Append the segments of a partition of which the options allow live rows, those with most live
/// rows first. Throws std::bad_alloc and what a predicate throws.
/// \param field     number of the vector field that is to be searched
/// \param recorder  takes note of all segments that have live rows; may be null
void find_targets(const PartitionVersion& partition,
                  std::size_t field,
                  const SearchOptions& options,
                  std::vector<SegmentTarget>& out,
                  SearchRecorder* recorder = nullptr);

/// What a search runs on. References must outlive it.
struct SearchTarget {
    const simd::KernelTable& kernels;
    const VectorField& field;
    const SearchOptions& options;
    std::span<const SegmentTarget> segments;
    SearchRecorder* recorder = nullptr;  ///< Takes notes, if not null.

    /// Note that a stage begins.
    void enter(SearchRecorder::Stage stage) const noexcept {
        if (recorder != nullptr) recorder->enter(stage);
    }
    /// Note that all rows without index are compared with so many queries.
    void note_scanned(std::size_t queries) const;

    /// Return how the index of a segment is to search it, whose only block is `block`.
    [[nodiscard]] IndexSearch index_search(const SegmentTarget& segment,
                                           const index::FlatBlock& block) const noexcept;
};

/// Cut the rows that are scanned, of segments without index, into pieces for parallel work.
[[nodiscard]] std::vector<index::FlatBlock> scanned_slices(const SearchTarget& target);

/// Return the number of threads, at least 1, above which starting another costs more than it saves.
[[nodiscard]] std::size_t useful_threads(const SearchTarget& target, std::size_t queries) noexcept;

}  // namespace vecdb::collection
