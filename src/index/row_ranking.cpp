#include "index/row_ranking.h"

#include "index/crossovers.h"
#include "index/exact.h"
#include "index/scored.h"
#include "simd/dispatch.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

namespace vecdb::index {
namespace {

constexpr float kAll = std::numeric_limits<float>::infinity();
/// Rows compared together.
constexpr std::size_t kTogether = 32;
/// Rows whose bounds are computed together; a multiple of the rows of two blocks.
constexpr std::size_t kStep = 4'096;
static_assert(kStep >= kMostListed);
/// Code rows asked for ahead of the one that is scored.
constexpr std::size_t kAhead = 32;
/// All rows are compared when so many were for each one that was brought, and one row of so many.
constexpr std::size_t kHopelessTimes = 32;
constexpr std::size_t kHopelessShare = 8;

}  // namespace

void RowRanking::add(std::span<const Hit> hits) {
    nearest_.reserve_more(hits.size());
    for (const Hit& hit : hits)
        nearest_.push(hit);
}

void RowRanking::next(std::size_t count, std::vector<Hit>& hits) {
    if (!started_) start();
    hits.reserve(hits.size() + std::min(count, waiting_.size() + nearest_.size()));
    for (; count > 0 && !(waiting_.empty() && nearest_.empty()); --count) {
        while (!settled())
            compare_some();
        hits.push_back(nearest_.front());
        nearest_.pop();
        ++brought_;
    }
}

void RowRanking::start() {
    compared_all_ = stages_.space == nullptr;
    waiting_ = KeyQueue(compared_all_ ? distances() : bounds());
    if (counters_ != nullptr && compared_all_) {
        counters_->add_compared(SearchPlan::kRows, waiting_.size());
    } else if (counters_ != nullptr) {
        counters_->plan = SearchPlan::kCodes;
        counters_->distances += waiting_.size();
    }
    started_ = true;
}

/// Compute lower bounds of the distances of all allowed rows.
std::vector<std::uint64_t> RowRanking::bounds() const {
    std::vector<std::uint64_t> bounds;
    bounds.reserve(allowed_rows_);
    std::vector<std::uint32_t> kept_rows(kStep);
    std::vector<float> kept_bounds(kStep);
    const simd::Kept kept{kept_rows.data(), kept_bounds.data()};
    const simd::KernelTable& table = simd::table_in_use();
    const bool most = allowed_rows_ >= rows_.count / kListedShare;
    const bool in_blocks = stages_.blocks != nullptr && (most || stages_.listed == nullptr);
    const CodeTable& codes = in_blocks ? *stages_.blocks : *stages_.listed;
    PreparedQuery query;
    codes.prepare(*stages_.space, static_cast<const float*>(query_), 1.0F, query);
    if (in_blocks) {
        const bool all = filter_.allows_all();
        for (std::size_t first = 0; first < rows_.count; first += kStep) {
            const std::size_t count = std::min(kStep, rows_.count - first);
            const std::size_t n =
                table.codes.block4(query.code, codes.blocks(first), count, kAll, kept);
            for (std::size_t i = 0; i < n; ++i) {
                const auto row = static_cast<std::uint32_t>(first + kept.rows[i]);
                if (all || filter_.test(row)) bounds.push_back(key_of({kept.distances[i], row}));
            }
        }
        return bounds;
    }
    const simd::RowScoreKernel kernel = codes.row_kernel(table);
    for_each_allowed(filter_, 0, rows_.count, [&](std::span<const std::uint32_t> list) {
        const std::size_t n =
            kernel(query.code, codes.code_rows(), list.data(), list.size(), kAhead, kAll, kept);
        for (std::size_t i = 0; i < n; ++i)
            bounds.push_back(key_of({kept.distances[i], kept.rows[i]}));
    });
    return bounds;
}

/// Compare all allowed rows.
std::vector<std::uint64_t> RowRanking::distances() const {
    std::vector<std::uint64_t> distances;
    distances.reserve(allowed_rows_);
    const ListDistances compare(rows_);
    std::vector<float> values(kMostListed);
    for_each_allowed(filter_, 0, rows_.count, [&](std::span<const std::uint32_t> list) {
        compare(query_, list, values.data());
        for (std::size_t i = 0; i < list.size(); ++i)
            distances.push_back(key_of({values[i], list[i]}));
    });
    return distances;
}

/// Tell whether no other row can be nearer than the nearest that was compared.
bool RowRanking::settled() {
    if (waiting_.empty()) return true;
    return !nearest_.empty() && nearest_.front().score < scored_of(waiting_.front()).score;
}

/// Compare those of the waiting rows that have the smallest bounds; there are some.
void RowRanking::compare_some() {
    const bool hopeless = compared_ > kHopelessTimes * (brought_ + kTogether) &&
                          compared_ > waiting_.size() / kHopelessShare;
    if (hopeless && !compared_all_) compare_all();
    nearest_.reserve_more(kTogether);
    std::uint32_t list[kTogether];
    float distances[kTogether];
    std::size_t count = 0;
    for (; count < kTogether && !waiting_.empty(); ++count) {
        const Scored next = scored_of(waiting_.front());
        if (compared_all_ && count > 0 && next.score > distances[0]) break;
        list[count] = next.row;
        distances[count] = next.score;
        waiting_.pop();
    }
    if (!compared_all_) {
        const ListDistances compare(rows_);
        compare(query_, {list, count}, distances);
        if (counters_ != nullptr) counters_->rescored += count;
    }
    compared_ += count;
    for (std::size_t i = 0; i < count; ++i)
        nearest_.push({rows_.ids[list[i]], distances[i]});
}

/// Replace all bounds, which tell little, by distances.
void RowRanking::compare_all() {
    std::vector<std::uint64_t> keys = waiting_.release();
    std::sort(keys.begin(), keys.end(), [](std::uint64_t a, std::uint64_t b) {
        return scored_of(a).row < scored_of(b).row;
    });
    const ListDistances compare(rows_);
    for (std::uint64_t& key : keys) {
        Scored each = scored_of(key);
        compare(query_, {&each.row, 1}, &each.score);
        key = key_of(each);
    }
    if (counters_ != nullptr) counters_->rescored += keys.size();
    waiting_ = KeyQueue(std::move(keys));
    compared_all_ = true;
}

}  // namespace vecdb::index
