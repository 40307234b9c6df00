#include "collection/query/cursor_state.h"

#include "check.h"
#include "collection/query/page.h"
#include "collection/query/prepared_queries.h"
#include "collection/query/query_search.h"
#include "collection/query/search.h"
#include "collection/query/segment_cursor.h"
#include "index/parallel.h"

#include <vecdb/cursor.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace vecdb::collection {
namespace {

/// Rows of a segment read together: at least, and at most.
constexpr std::size_t kLeastRead = 8;
constexpr std::size_t kMostRead = std::size_t{1} << 16U;

Status check_options(const SearchOptions& options) {
    VECDB_TRY(options.validate());
    if (!options.group_by.empty()) {
        return {StatusCode::kUnsupported,
                "group_by is '" + options.group_by + "' in a cursor; search serves it"};
    }
    if (options.report == nullptr) return {};
    return {StatusCode::kUnsupported, "report is set in a cursor; search makes reports"};
}

}  // namespace

Status CursorState::begin(const CollectionState::VersionPointer& pinned, VectorView query) {
    VECDB_TRY(check_options(options_));
    VECDB_ASSIGN(field_, state_->find_vector(options_.field));
    VECDB_TRY(prepare_queries(state_->kernels(), state_->field(field_), query, query_));
    VECDB_ASSIGN(source_, source_of(*state_, pinned, partition_.get(), options_));
    VECDB_TRY(for_each_searched(*state_, source_, options_, [&](const PartitionVersion& each) {
        find_targets(each, field_, options_, segments_);
    }));
    for (const SegmentTarget& segment : segments_)
        left_ += segment.live;
    to_pass_ = options_.offset;
    return {};
}

Result<Hits> CursorState::next(std::size_t count) {
    if (count > kMaxK) {
        return Status(
            StatusCode::kInvalidArgument,
            "count is " + std::to_string(count) + "; allowed are 0 to " + std::to_string(kMaxK));
    }
    if (!opened_) open();
    page_.reserve(std::min(count, page_.size() + left_));
    while (page_.size() < count && left_ > 0) {
        if (!spent_.empty()) read_on(count - page_.size() + to_pass_);
        if (read_.empty()) {
            left_ = 0;
        } else {
            merge_one();
        }
    }
    const auto end = page_.begin() + static_cast<std::ptrdiff_t>(std::min(count, page_.size()));
    Hits page(page_.begin(), end);
    page_.erase(page_.begin(), end);
    // What an index finds late may be nearer than what it found before.
    sort_by_score(state_->field(field_).metric, page);
    return page;
}

void CursorState::open() {
    const SearchTarget target{state_->kernels(), state_->field(field_), options_, segments_};
    std::vector<std::unique_ptr<IndexCursor>> cursors;
    for (const SegmentTarget& segment : segments_)
        open_cursors(target, segment, query_.data(), cursors);
    read_.reserve(cursors.size());
    spent_.reserve(cursors.size());
    rows_.clear();
    rows_.reserve(cursors.size());
    for (auto& cursor : cursors) {
        spent_.push_back(rows_.size());
        rows_.push_back({std::move(cursor)});
    }
    opened_ = true;
}

/// Read on where no row is ahead, so that the nearest of all can be told; `count` of them are
/// wanted.
void CursorState::read_on(std::size_t count) {
    const std::size_t share = count / (read_.size() + spent_.size()) + 1;
    const std::size_t each = std::clamp(share, kLeastRead, kMostRead);
    const SearchTarget target{state_->kernels(), state_->field(field_), options_, segments_};
    // Several at first only, when rows without an index are all compared.
    const CallThreads threads = threads_for(*state_, target, 1);
    index::parallel_for(
        spent_.size(),
        std::min(threads.count(), spent_.size()),
        [&](std::size_t task, std::size_t) {
            Rows& rows = rows_[spent_[task]];
            if (!rows.ahead.empty()) return;  // read before a call that failed
            rows.cursor->next(each, rows.ahead);
        },
        index::Team::kThreads);
    for (; !spent_.empty(); spent_.pop_back()) {
        if (rows_[spent_.back()].ahead.empty()) continue;
        read_.push_back(spent_.back());
        std::push_heap(read_.begin(), read_.end(), behind());
    }
}

/// Take the nearest of the rows that are ahead; there is one, none is to be read first.
void CursorState::merge_one() {
    std::pop_heap(read_.begin(), read_.end(), behind());
    Rows& rows = rows_[read_.back()];
    Hit hit = rows.ahead[rows.taken++];
    if (rows.taken < rows.ahead.size()) {
        std::push_heap(read_.begin(), read_.end(), behind());
    } else {
        rows.ahead.clear();
        rows.taken = 0;
        spent_.push_back(read_.back());
        read_.pop_back();
    }
    --left_;
    const Metric metric = state_->field(field_).metric;
    to_scores(metric, {&hit, 1});
    const auto& threshold = options_.score_threshold;
    if (threshold && count_within(metric, *threshold, {&hit, 1}) == 0) {
        left_ = 0;
    } else if (to_pass_ > 0) {
        --to_pass_;
    } else {
        page_.push_back(hit);
    }
}

}  // namespace vecdb::collection

namespace vecdb {

SearchCursor::SearchCursor(std::unique_ptr<collection::CursorState> state) noexcept
    : state_(std::move(state)) {}
SearchCursor::~SearchCursor() = default;
SearchCursor::SearchCursor(SearchCursor&&) noexcept = default;
SearchCursor& SearchCursor::operator=(SearchCursor&&) noexcept = default;

Result<Hits> SearchCursor::next(std::size_t count) {
    return guard([&]() -> Result<Hits> {
        if (state_ != nullptr) return state_->next(count);
        return Status(StatusCode::kInvalidArgument, "the cursor was moved from");
    });
}

bool SearchCursor::done() const noexcept {
    return state_ == nullptr || state_->done();
}

}  // namespace vecdb
