#include "collection/query/cursor_state.h"

#include "check.h"
#include "collection/query/page.h"
#include "collection/query/prepared_queries.h"
#include "collection/query/search.h"

#include <vecdb/cursor.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace vecdb::collection {
namespace {

/// Rows looked for at first, unless the first page is larger, and at most at once.
constexpr std::size_t kFirstAhead = 64;
constexpr std::size_t kMostAhead = std::size_t{1} << 20U;

Status check_options(const SearchOptions& options) {
    VECDB_TRY(options.validate());
    if (!options.group_by.empty()) {
        return {StatusCode::kUnsupported,
                "group_by is '" + options.group_by + "' in a cursor; search serves it"};
    }
    if (options.report == nullptr) return {};
    return {StatusCode::kUnsupported, "report is set in a cursor; search makes reports"};
}

/// Copy the rows of a segment that may be returned, in the order of the field.
std::shared_ptr<FilterRows> copy_allowed(const SegmentTarget& target) {
    auto rows = std::make_shared<FilterRows>();
    rows->rows = target.segment->rows;
    if (target.allowed != nullptr) {
        rows->allowed = target.allowed->allowed;
    } else {
        rows->allowed = Bitset(target.segment->rows, true);
    }
    return rows;
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
    for (std::size_t i = 0; i < segments_.size(); ++i) {
        SegmentTarget& target = segments_[i];
        const auto rows = copy_allowed(target);
        target.allowed = rows;
        places_.emplace(target.segment, Left{i, rows});
        left_ += target.live;
    }
    to_pass_ = options_.offset;
    return {};
}

Result<Hits> CursorState::next(std::size_t count) {
    if (count > kMaxK) {
        return Status(
            StatusCode::kInvalidArgument,
            "count is " + std::to_string(count) + "; allowed are 0 to " + std::to_string(kMaxK));
    }
    while (ahead_.size() - taken_ < count && left_ > 0)
        VECDB_TRY(look_ahead(count - (ahead_.size() - taken_)));
    const std::size_t size = std::min(count, ahead_.size() - taken_);
    const auto first = ahead_.begin() + static_cast<std::ptrdiff_t>(taken_);
    Hits page(first, first + static_cast<std::ptrdiff_t>(size));
    taken_ += size;
    return page;
}

Status CursorState::look_ahead(std::size_t count) {
    const std::size_t wanted = std::max({kFirstAhead, found_, 2 * count}) + to_pass_;
    Hits hits(std::min({wanted, kMostAhead, left_}));
    ahead_.erase(ahead_.begin(), ahead_.begin() + static_cast<std::ptrdiff_t>(taken_));
    taken_ = 0;
    ahead_.reserve(ahead_.size() + hits.size());
    SearchOptions options = options_;
    // The rows found are the nearest: a walk must go past them.
    options.ef = std::max(options.ef, found_ + hits.size());
    std::vector<SegmentTarget> segments;
    std::copy_if(segments_.begin(),
                 segments_.end(),
                 std::back_inserter(segments),
                 [](const SegmentTarget& target) { return target.live > 0; });
    const SearchTarget target{state_->kernels(), state_->field(field_), options, segments};
    const CallThreads threads = threads_for(*state_, target, 1);
    hits.resize(search_one(target, query_.data(), threads.count(), hits));
    VECDB_TRY(take_out(hits));
    found_ += hits.size();
    left_ -= hits.size();
    if (options_.score_threshold) {
        const Metric metric = state_->field(field_).metric;
        const auto within = count_within(metric, *options_.score_threshold, hits);
        if (within < hits.size()) left_ = 0;
        hits.resize(within);
    }
    const std::size_t passed = std::min(to_pass_, hits.size());
    to_pass_ -= passed;
    ahead_.insert(ahead_.end(), hits.begin() + static_cast<std::ptrdiff_t>(passed), hits.end());
    return {};
}

Status CursorState::take_out(std::span<const Hit> hits) {
    std::vector<Id> ids;
    ids.reserve(hits.size());
    for (const Hit& hit : hits)
        ids.push_back(hit.id);
    VECDB_ASSIGN(const auto found, state_->places(source_.partition, source_.version, ids));
    for (const auto& row : found.rows) {
        if (!row) return {StatusCode::kInternal, "a row that was found is not there"};
    }
    for (std::size_t i = 0; i < hits.size(); ++i) {
        const Left& left = places_.at(&found.segment(i));
        left.rows->allowed.reset(found.segment(i).position(found.rows[i]->row, field_));
        --segments_[left.target].live;
    }
    return {};
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
