#include "collection/query/segment_cursor.h"

#include "index/crossovers.h"
#include "index/hit_queue.h"
#include "index/row_ranking.h"

#include <vecdb/bitset.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace vecdb::collection {
namespace {

using index::FlatBlock;
using index::HitQueue;
using index::RowRanking;

/// Rows looked for at least, and at most at once.
constexpr std::size_t kLeastAhead = 32;
constexpr std::size_t kMostAhead = std::size_t{1} << 16U;
/// All rows are compared once one of so many was found, or as many rows were compared as are left.
constexpr std::size_t kFoundShare = 16;

/// Searches for three times as many rows each time, without those found before.
/// Threads: single-threaded.
class RepeatedSearch final : public IndexCursor {
  public:
    RepeatedSearch(const SegmentTarget& segment,
                   const IndexRows& rows,
                   const void* query,
                   const IndexSearch& how)
        : segment_(segment),
          rows_(rows),
          query_(query),
          how_(how),
          open_(rows.count, true),
          left_(how.allowed_rows) {
        const std::span<std::uint64_t> words = open_.words();
        for (std::size_t w = 0; w < words.size(); ++w)
            words[w] &= how.filter.word(w);
        how_.filter = {.allowed = words.data()};
    }

    void next(std::size_t count, std::vector<Hit>& hits) override {
        while (!rest_ && nearest_.size() < count && left_ > 0)
            look_ahead(count - nearest_.size());
        if (rest_) return rest_->next(count, hits);
        index::bring(nearest_, count, hits);
    }

  private:
    void look_ahead(std::size_t count) {
        const std::size_t spent = counted_.rescored + counted_.distances / index::kCodesPerRow;
        if (found_ > left_ / kFoundShare || spent > left_) return rank_rest();
        const std::size_t wanted = std::max({2 * count, 2 * found_, kLeastAhead});
        std::vector<Hit> slots(std::min({wanted, kMostAhead, left_}));
        nearest_.reserve_more(slots.size());
        TopK best(slots);
        IndexSearch how = how_;
        how.allowed_rows = left_;
        how.counters = &counted_;
        // The rows found are the nearest: a search must go past them.
        how.ef = std::max(how.ef, found_ + slots.size());
        const void* const queries[1] = {query_};
        segment_.index->search(rows_, queries, how, {&best, 1});
        for (const Hit& hit : best.sort()) {
            const std::size_t row = *segment_.segment->find(hit.id);
            open_.reset(segment_.segment->position(row, segment_.field));
            nearest_.push(hit);
        }
        found_ += best.size();
        left_ -= best.size();
        if (best.size() == 0) rank_rest();
    }

    void rank_rest() {
        RowRanking rest({}, rows_, query_, {.filter = how_.filter, .allowed_rows = left_});
        rest.add(nearest_.hits());
        rest_.emplace(std::move(rest));
        nearest_.clear();
    }

    const SegmentTarget& segment_;
    IndexRows rows_;
    const void* query_;
    IndexSearch how_;
    Bitset open_;  ///< Rows that may be returned and were not found.
    std::size_t left_;
    std::size_t found_ = 0;
    HitQueue nearest_;  ///< Rows found and not brought.
    SearchCounters counted_;
    std::optional<RowRanking> rest_;  ///< Set when no more searches are made.
};

std::size_t count_allowed(const FlatBlock& block) {
    std::size_t count = 0;
    for (std::size_t w = 0; w * 64 < block.count; ++w)
        count += static_cast<std::size_t>(std::popcount(block.allowed_word(w)));
    return count;
}

}  // namespace

void open_cursors(const SearchTarget& target,
                  const SegmentTarget& segment,
                  const void* query,
                  std::vector<std::unique_ptr<IndexCursor>>& cursors) {
    if (segment.index == nullptr) {
        for (std::size_t b = 0; b < segment.segment->block_count(); ++b) {
            const FlatBlock block = segment.block(b);
            const std::size_t allowed = count_allowed(block);
            if (allowed == 0) continue;
            const IndexSearch how{.filter = block.filter, .allowed_rows = allowed};
            cursors.push_back(std::make_unique<RowRanking>(
                index::CodedStages(), index_rows(target.field, block), query, how));
        }
        return;
    }
    const FlatBlock block = segment.block(0);
    const IndexRows rows = index_rows(target.field, block);
    const IndexSearch how = target.index_search(segment, block);
    std::unique_ptr<IndexCursor> cursor = segment.index->cursor(rows, query, how);
    if (cursor == nullptr) cursor = std::make_unique<RepeatedSearch>(segment, rows, query, how);
    cursors.push_back(std::move(cursor));
}

}  // namespace vecdb::collection
