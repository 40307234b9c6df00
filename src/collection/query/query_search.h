#pragma once

/// \file
/// One call that searches: from the options and queries of the user to the hits.

#include "collection/collection_state.h"
#include "collection/query/scratch.h"
#include "collection/query/search_recorder.h"
#include "collection/query/segment_targets.h"
#include "collection/query/source.h"

#include <vecdb/search.h>
#include <vecdb/status.h>
#include <vecdb/views.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace vecdb::collection {

/// The rows of one version that a call may return.
/// Threads: single-threaded.
class SearchedRows {
  public:
    /// \param recorder  may be null
    SearchedRows(const CollectionState& state,
                 const SearchOptions& options,
                 SearchRecorder* recorder = nullptr) noexcept
        : state_(state), options_(options), recorder_(recorder) {}

    /// Choose the version, the one that is pinned if not null, and find the segments that have rows
    /// to offer. Returns the errors of SearchOptions::as_of, partitions and filter.
    /// \param field  number of the vector field to be searched
    Status find(const CollectionState::VersionPointer& pinned,
                const PartitionInfo* partition,
                std::size_t field = 0);
    /// Find them again in the same version under another filter, which fits the fields.
    Status find_again(const SearchOptions& options);

    /// Return how many rows may be returned.
    [[nodiscard]] std::size_t count();
    [[nodiscard]] const Source& source() const noexcept { return source_; }
    [[nodiscard]] SearchTarget target() {
        return {state_.kernels(), state_.field(field_), options_, *segments_, recorder_};
    }

  private:
    const CollectionState& state_;
    const SearchOptions& options_;
    SearchRecorder* recorder_;
    std::size_t field_ = 0;
    Source source_{};  // outlives what the segments keep of it
    Scratch<SegmentTarget> segments_;
};

/// Take the threads that a search is worth, of those that the options allow.
[[nodiscard]] CallThreads threads_for(const CollectionState& state,
                                      const SearchTarget& target,
                                      std::size_t queries);

/// A search of one query or of several. References must outlive it.
/// Threads: single-threaded.
class QuerySearch {
  public:
    QuerySearch(const CollectionState& state, const SearchOptions& options)
        : state_(state),
          options_(options),
          recorder_(options.report),
          rows_(state, options_, recorder_.on() ? &recorder_ : nullptr) {}

    /// Check options and queries, and find the rows. Returns the errors of ReadHandle::search.
    Status begin(const CollectionState::VersionPointer& pinned,
                 const PartitionInfo* partition,
                 MatrixView queries);

    /// Return the field that is searched.
    [[nodiscard]] const VectorField& field() const noexcept { return state_.field(field_); }
    /// Return the most hits that one query can have.
    [[nodiscard]] std::size_t most_hits() { return std::min(options_.k, rows_.count()); }

    /// Answer the only query: write at most hits.size() <= k hits to the front; returns their
    /// number. Allocates nothing without offset, group_by and further threads.
    Result<std::size_t> search(std::span<Hit> hits);
    /// Answer all queries.
    Status search(SearchResult& result);
    /// Answer the only query by radius.
    Result<Hits> range_search(float radius);

    /// Compare rows of the version searched with the only query, wherever they are and whether they
    /// are allowed or not. Returns their scores in that order.
    Result<Hits> score(std::span<const Id> ids);

    /// Return the values of fields that hits of the rows searched have.
    [[nodiscard]] Result<std::vector<ScalarColumn>> values(
        std::span<const Hit> hits, std::span<const std::string> fields) const;

  private:
    [[nodiscard]] const Source& source() const noexcept { return rows_.source(); }
    [[nodiscard]] const std::byte* query(std::size_t number) noexcept;
    Result<std::size_t> search_one(const std::byte* query, std::span<Hit> hits);
    /// Find the nearest rows of at least as many groups as are wanted, if there are, nearest first.
    Result<Hits> search_groups(const std::byte* query);
    /// Return the values of group_by that hits have.
    [[nodiscard]] Result<std::vector<Scalar>> group_values(std::span<const Hit> hits) const;
    /// Search without offset, threshold and groups: the nearest, padded.
    std::size_t search_nearest(const std::byte* query, std::span<Hit> hits);
    void search_nearest(SearchResult& result);
    void finish(std::size_t hits);

    const CollectionState& state_;
    const SearchOptions& options_;
    SearchRecorder recorder_;
    SearchedRows rows_;
    std::size_t field_ = 0;
    Scratch<std::byte> prepared_;
    std::size_t queries_ = 0;
    std::size_t threads_ = 1;
};

}  // namespace vecdb::collection
