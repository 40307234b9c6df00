#include "index/hnsw_cursor.h"

#include "index/crossovers.h"
#include "index/exact.h"
#include "simd/dispatch.h"

#include <algorithm>
#include <utility>

namespace vecdb::index {
namespace {

/// A walk goes on until it has cost so many times what ranking the rows that are left does: most
/// are not read that far.
constexpr double kWalkLonger = 2;

}  // namespace

HnswCursor::HnswCursor(WalkedGraph graph,
                       const IndexRows& rows,
                       const void* query,
                       const IndexSearch& how,
                       std::size_t ef)
    : graph_(std::move(graph)),
      rows_(rows),
      query_(query),
      ef_(ef),
      left_(how.allowed_rows),
      counters_(how.counters),
      share_(static_cast<double>(rows.count) /
             static_cast<double>(std::max<std::size_t>(how.allowed_rows, 1))),
      open_(rows.count, true) {
    const std::span<std::uint64_t> words = open_.words();
    for (std::size_t w = 0; w < words.size(); ++w)
        words[w] &= how.filter.word(w);
}

void HnswCursor::next(std::size_t count, std::vector<Hit>& hits) {
    if (!rest_ && !walk_on(count)) rank_rest();
    if (rest_) return rest_->next(count, hits);
    const std::size_t brought = bring(nearest_, count, hits);
    brought_ += brought;
    left_ -= brought;
}

/// Walk until `count` more rows can be brought. Tells whether that is so.
bool HnswCursor::walk_on(std::size_t count) {
    const std::size_t wanted = brought_ + std::max(count, ef_);
    const double ef = static_cast<double>(wanted) * share_;
    const double cost = ef * static_cast<double>(graph_.graph.width()) * kWalkCost;
    if (cost >= kWalkLonger * static_cast<double>(left_)) return false;
    const auto width = std::min(static_cast<std::size_t>(ef), rows_.count);
    if (distances_) {
        if (walk_.at_end()) return nearest_.size() >= count;
        compare(walk_.widen(graph_.graph, *distances_, width, counters_));
    } else {
        if (graph_.codes != nullptr) {
            graph_.codes->prepare(graph_.space, static_cast<const float*>(query_), 0, prepared_);
            distances_.emplace(simd::table_in_use(), *graph_.codes, prepared_.estimate);
        } else {
            distances_.emplace(rows_, query_);
        }
        compare(walk_.begin(graph_.graph, *distances_, graph_.entries, width, counters_));
    }
    // Where fewer are allowed than expected, the walk is not where the allowed rows are.
    const std::size_t enough = share_ > 1 ? std::max(count, ef_ / 2) : count;
    return nearest_.size() >= std::min(enough, left_);
}

/// Compare the rows that a walk has found and that may be returned.
void HnswCursor::compare(std::span<const WalkKey> found) {
    list_.clear();
    for (const WalkKey key : found.subspan(walk_.unchanged())) {
        if (open_.test(node_of(key))) list_.push_back(node_of(key));
    }
    if (counters_ != nullptr) {
        counters_->plan = SearchPlan::kGraph;
        counters_->rescored += list_.size();
    }
    values_.resize(list_.size());
    nearest_.reserve_more(list_.size());
    const ListDistances distances(rows_);
    distances(query_, list_, values_.data());
    for (std::size_t i = 0; i < list_.size(); ++i) {
        open_.reset(list_[i]);
        nearest_.push({rows_.ids[list_[i]], values_[i]});
    }
}

/// Give up walking.
void HnswCursor::rank_rest() {
    CodedStages stages;
    if (graph_.codes != nullptr && graph_.codes->bounds())
        stages = {.space = &graph_.space, .listed = graph_.codes};
    const RowFilter filter{.allowed = open_.words().data()};
    const IndexSearch how{
        .filter = filter, .allowed_rows = left_ - nearest_.size(), .counters = counters_};
    RowRanking rest(stages, rows_, query_, how);
    rest.add(nearest_.hits());
    rest_.emplace(std::move(rest));
    nearest_.clear();
}

}  // namespace vecdb::index
