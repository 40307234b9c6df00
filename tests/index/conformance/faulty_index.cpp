#include "index/conformance/faulty_index.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <thread>

namespace vecdb::test {
namespace {

constexpr const char* kStamp = "stamp";

std::size_t count_allowed(const IndexRows& rows, const RowFilter& filter) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < rows.count; ++i)
        count += filter.test(i) ? 1 : 0;
    return count;
}

/// Brings a list, page by page.
class ListCursor final : public IndexCursor {
  public:
    ListCursor(std::vector<Hit> hits, bool short_pages)
        : hits_(std::move(hits)), short_pages_(short_pages) {}

    void next(std::size_t count, std::vector<Hit>& hits) override {
        count = std::min(count, hits_.size() - next_);
        if (short_pages_ && count > 1) --count;
        const auto first = hits_.begin() + static_cast<std::ptrdiff_t>(next_);
        hits.insert(hits.end(), first, first + static_cast<std::ptrdiff_t>(count));
        next_ += count;
    }

  private:
    std::vector<Hit> hits_;
    bool short_pages_;
    std::size_t next_ = 0;
};

}  // namespace

Result<std::vector<std::uint32_t>> FaultyIndex::build(const IndexRows& rows,
                                                      const IndexBuild& how) {
    static std::atomic<std::uint32_t> chance{0};
    if (broken_) return Status(StatusCode::kInternal, "left broken");
    if (is(Fault::kFailsOnOneRow) && rows.count == 1) {
        return Status(StatusCode::kFailedPrecondition, "1 row, 2 are needed");
    }
    IndexBuild inner = how;
    const StatusCode end = how.check().code();
    if (is(Fault::kIgnoresCancel) && end == StatusCode::kCancelled) inner.control = nullptr;
    if (is(Fault::kIgnoresDeadline) && end == StatusCode::kDeadlineExceeded) {
        inner.control = nullptr;
    }
    if (is(Fault::kFallingProgress) && how.control != nullptr) {
        how.control->report(0.3);
        how.control->report(0.2);
    }
    auto order = inner_.build(rows, inner);
    broken_ = is(Fault::kBrokenAfterCancel) && !order.ok();
    if (!order.ok()) return order;
    if (is(Fault::kDependsOnThreads)) stamp_ = static_cast<std::uint32_t>(how.threads);
    if (is(Fault::kDependsOnChance)) stamp_ = ++chance;
    if (is(Fault::kForgetsOnSave)) stamp_ = 7;
    if (is(Fault::kKeepsIds)) ids_.assign(rows.ids, rows.ids + rows.count);
    if (is(Fault::kOrderIsNoPermutation) && rows.count > 1) order->front() = order->back();
    return order;
}

Status FaultyIndex::add(const IndexRows& rows, std::size_t first, const IndexBuild& how) {
    if (is(Fault::kForgetsAddedRows)) return {};
    if (is(Fault::kClaimsGrowth)) return Index::add(rows, first, how);
    if (!is(Fault::kChangedByCancelledAdd)) return inner_.add(rows, first, how);
    const Status added = inner_.add(rows, first, {});
    return added.ok() ? how.check() : added;
}

std::vector<Hit> FaultyIndex::wrong_hits(const IndexRows& rows,
                                         const void* query,
                                         IndexSearch how,
                                         std::size_t k) const {
    if (is(Fault::kReturnsMaskedRow)) how.filter.allowed = nullptr;
    if (is(Fault::kReturnsRemovedRow)) how.filter.tombstones = nullptr;
    if (is(Fault::kCountsNothing)) how.counters = nullptr;
    IndexRows seen = rows;
    if (is(Fault::kKeepsIds) && ids_.size() == rows.count) seen.ids = ids_.data();

    std::vector<Hit> hits(std::max<std::size_t>(count_allowed(rows, how.filter), 1));
    TopK best(hits);
    inner_.search(seen, {&query, 1}, how, {&best, 1});
    hits.resize(best.sort().size());
    const bool rest = hits.size() > k;  // something is left to answer in place of the right rows
    if (is(Fault::kMissesNearest) && rest) hits.erase(hits.begin());
    if (is(Fault::kRecallTooLow)) std::reverse(hits.begin(), hits.end());
    hits.resize(std::min(hits.size(), k));
    if (hits.empty()) return hits;
    if (is(Fault::kReturnsRowTwice)) hits.insert(hits.begin(), hits.front());
    if (is(Fault::kReturnsWrongId)) hits.front().id += 1;
    if (is(Fault::kReturnsWrongDistance)) {
        hits.front().score =
            std::nextafter(hits.front().score, -std::numeric_limits<float>::infinity());
    }
    if (is(Fault::kReturnsTooFew) && k > 1) hits.pop_back();
    return hits;
}

void FaultyIndex::search(const IndexRows& rows,
                         std::span<const void* const> queries,
                         const IndexSearch& how,
                         std::span<TopK> best) const {
    for (std::size_t q = 0; q < queries.size(); ++q) {
        if (is(Fault::kBatchSkipsLast) && q > 0 && q + 1 == queries.size()) continue;
        const void* query = queries[q];
        if (is(Fault::kSharesScratch)) {
            shared_query_ = query;
            std::this_thread::yield();
            query = shared_query_;
        }
        auto hits = wrong_hits(rows, query, how, best[q].capacity());
        if (is(Fault::kIgnoresOccupiedTopK) && best[q].size() > 0) {
            hits.resize(std::min(hits.size(), best[q].capacity() - best[q].size()));
        }
        for (const Hit& hit : hits)
            best[q].offer(hit.score, hit.id);
    }
}

void FaultyIndex::range_search(const IndexRows& rows,
                               const void* query,
                               float radius,
                               const IndexSearch& how,
                               std::vector<Hit>& hits) const {
    IndexSearch wrong = how;
    if (is(Fault::kRangeIgnoresMask)) wrong.filter = {};
    if (is(Fault::kRangeClearsHits)) hits.clear();
    Index::range_search(rows, query, radius, wrong, hits);
    if (is(Fault::kRangeLeavesOutEdge)) {
        std::erase_if(hits, [&](const Hit& hit) { return hit.score == radius; });
    }
}

std::unique_ptr<IndexCursor> FaultyIndex::cursor(const IndexRows& rows,
                                                 const void* query,
                                                 const IndexSearch& how) const {
    std::vector<Hit> hits(std::max<std::size_t>(count_allowed(rows, how.filter), 1));
    TopK best(hits);
    inner_.search(rows, {&query, 1}, how, {&best, 1});
    hits.resize(best.sort().size());
    const bool some = hits.size() > 1;
    if (is(Fault::kCursorLeavesRowOut) && some) hits.erase(hits.begin() + 1);
    if (is(Fault::kCursorBringsRowTwice) && some) hits.insert(hits.begin(), hits.front());
    if (is(Fault::kCursorMixesOrder) && some) std::swap(hits.front(), hits.back());
    return std::make_unique<ListCursor>(std::move(hits), is(Fault::kCursorEndsEarly));
}

Status FaultyIndex::validate(const IndexRows& rows) const {
    if (is(Fault::kInvalid)) return {StatusCode::kCorruption, "row 0 is not reached"};
    return is(Fault::kForgetsAddedRows) ? Status() : inner_.validate(rows);
}

Status FaultyIndex::save(SectionWriter& to) const {
    const Status marks = inner_.save(to);
    if (!marks.ok()) return marks;
    return to.write(kStamp, std::as_bytes(std::span(&stamp_, 1)));
}

Status FaultyIndex::load(SectionReader& from, const IndexRows& rows) {
    if (broken_) return {StatusCode::kInternal, "left broken"};
    Status status = inner_.load(from, rows);
    const auto stamp = from.read(kStamp);
    const bool complete = stamp.ok() && stamp->size() == sizeof(stamp_);
    if (status.ok() && !complete && !is(Fault::kAcceptsShortSection)) {
        status = {StatusCode::kCorruption, "the stamp has another size"};
    }
    if (status.ok() && complete && !is(Fault::kForgetsOnSave)) {
        std::memcpy(&stamp_, stamp->data(), sizeof(stamp_));
    }
    broken_ = is(Fault::kBrokenAfterFailedLoad) && !status.ok();
    if (is(Fault::kRefusesWithWrongCode) && !status.ok()) {
        return {StatusCode::kInternal, status.message()};
    }
    return status;
}

std::size_t FaultyIndex::memory_bytes() const noexcept {
    if (is(Fault::kUnderstatesMemory)) return inner_.memory_bytes() * 4 / 5;
    if (is(Fault::kOverstatesMemory)) return inner_.memory_bytes() * 5 / 4;
    return inner_.memory_bytes();
}

}  // namespace vecdb::test
