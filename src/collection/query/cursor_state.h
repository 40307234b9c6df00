#pragma once

/// \file
/// What a SearchCursor holds.

#include "collection/collection_state.h"
#include "collection/query/segment_targets.h"
#include "collection/query/source.h"

#include <vecdb/index.h>
#include <vecdb/search.h>
#include <vecdb/status.h>
#include <vecdb/views.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace vecdb::collection {

/// A query, the segments of one version, and how far the rows of each were read: those of all are
/// merged. Threads: single-threaded.
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
    [[nodiscard]] bool done() const noexcept { return page_.empty() && left_ == 0; }

  private:
    /// Some of the rows, and those of them that were read and not merged yet.
    struct Rows {
        std::unique_ptr<IndexCursor> cursor;
        std::vector<Hit> ahead = {};
        std::size_t taken = 0;
    };

    void open();
    void read_on(std::size_t count);
    void merge_one();
    /// Return an order of rows that have some ahead: those of which the next is farther first.
    [[nodiscard]] auto behind() const noexcept {
        return [this](std::size_t a, std::size_t b) {
            return nearer(rows_[b].ahead[rows_[b].taken], rows_[a].ahead[rows_[a].taken]);
        };
    }

    std::shared_ptr<CollectionState> state_;
    std::shared_ptr<const PartitionInfo> partition_;  ///< Null: the whole collection.
    SearchOptions options_;
    Source source_{};
    std::size_t field_ = 0;  ///< Number of the vector field.
    std::vector<std::byte> query_;
    std::vector<SegmentTarget> segments_;
    std::vector<Rows> rows_;
    std::vector<std::size_t> read_;   ///< Rows that have some ahead; a heap, the nearest on top.
    std::vector<std::size_t> spent_;  ///< Rows that have none, and may have more.
    bool opened_ = false;
    std::size_t left_ = 0;     ///< Rows not merged yet.
    std::size_t to_pass_ = 0;  ///< Of the rows merged next, those that are passed over.
    Hits page_;                ///< Rows merged and not returned.
};

}  // namespace vecdb::collection
