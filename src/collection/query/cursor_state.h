#pragma once

/// \file
/// What a SearchCursor holds.

#include "collection/collection_state.h"
#include "collection/query/query_search.h"
#include "collection/query/segment_targets.h"

#include <vecdb/search.h>
#include <vecdb/status.h>
#include <vecdb/views.h>

#include <cstddef>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vecdb::collection {

/// A query, the rows of one version that it has not brought yet, and those found ahead.
/// Threads: single-threaded.
class CursorState {
  public:
    CursorState(std::shared_ptr<CollectionState> state,
                std::shared_ptr<const PartitionInfo> partition,
                SearchOptions options)
        : state_(std::move(state)),
          partition_(std::move(partition)),
          options_(std::move(options)) {}

    /// Check options and query, and choose the rows. Returns the errors of ReadHandle::cursor.
    Status begin(const CollectionState::VersionPointer& pinned, VectorView query);

    /// As SearchCursor::next. Throws std::bad_alloc.
    Result<Hits> next(std::size_t count);
    [[nodiscard]] bool done() const noexcept { return taken_ == ahead_.size() && left_ == 0; }

  private:
    /// Search for more rows, at least `count` if there are as many, and put them behind `ahead_`.
    Status look_ahead(std::size_t count);
    /// Take rows out of those that are left.
    Status take_out(std::span<const Hit> hits);

    std::shared_ptr<CollectionState> state_;
    std::shared_ptr<const PartitionInfo> partition_;  ///< Null: the whole collection.
    SearchOptions options_;
    Source source_{};
    std::size_t field_ = 0;  ///< Number of the vector field.
    std::vector<std::byte> query_;
    std::vector<SegmentTarget> segments_;
    /// By the segment: its target, and the rows of it that are left, which the target views.
    struct Left {
        std::size_t target = 0;
        std::shared_ptr<FilterRows> rows;
    };
    std::unordered_map<const SegmentVersion*, Left> places_;
    std::size_t left_ = 0;     ///< Rows not found yet.
    std::size_t found_ = 0;    ///< Rows found, those passed over included.
    std::size_t to_pass_ = 0;  ///< Rows to be passed over, of those found next.
    Hits ahead_;               ///< Rows found last.
    std::size_t taken_ = 0;    ///< Of `ahead_`, returned.
};

}  // namespace vecdb::collection
