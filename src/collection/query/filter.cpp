#include "collection/query/filter_state.h"

#include <vecdb/filter.h>

#include <algorithm>
#include <bit>
#include <utility>

namespace vecdb {

using collection::SegmentVersion;

namespace {

class BitsetFilter final : public FilterState {
  public:
    explicit BitsetFilter(BitsetView ids) : ids_(ids.size()) { ids_ |= ids; }

  private:
    [[nodiscard]] bool allows(Id id) const override {
        return ids_.test(static_cast<std::size_t>(id));
    }

    Bitset ids_;
};

class IdListFilter final : public FilterState {
  public:
    explicit IdListFilter(std::vector<Id> ids) : ids_(std::move(ids)) {
        std::sort(ids_.begin(), ids_.end());
    }

  private:
    [[nodiscard]] bool allows(Id id) const override {
        return std::binary_search(ids_.begin(), ids_.end(), id);
    }

    std::vector<Id> ids_;
};

class PredicateFilter final : public FilterState {
  public:
    explicit PredicateFilter(std::function<bool(Id)> predicate)
        : predicate_(std::move(predicate)) {}

  private:
    [[nodiscard]] bool allows(Id id) const override { return predicate_(id); }

    std::function<bool(Id)> predicate_;
};

std::size_t count_live(const SegmentVersion& segment, const FilterRows& rows) {
    std::size_t count = 0;
    for (std::size_t b = 0; b < segment.block_count(); ++b) {
        const index::FlatBlock block = segment.block(b, rows.allowed.words().data());
        for (std::size_t w = 0; w * 64 < block.count; ++w) {
            count += static_cast<std::size_t>(std::popcount(block.allowed_word(w)));
        }
    }
    return count;
}

}  // namespace

AllowedRows FilterState::rows(const SegmentVersion& segment) const {
    Entry entry = recall(segment);
    const bool tested = entry.rows && entry.rows->rows >= segment.rows;
    if (tested && entry.count.key != nullptr) return {entry.rows, entry.count.live};
    if (!tested) entry.rows = test_rows(segment, entry.rows);
    entry.count = {.tombstones = segment.tombstones,
                   .key = segment.tombstones.get(),
                   .rows = segment.rows,
                   .live = count_live(segment, *entry.rows)};
    AllowedRows found{entry.rows, entry.count.live};
    remember(segment.numbering.get(), std::move(entry));
    return found;
}

std::shared_ptr<const FilterRows> FilterState::test_rows(
    const SegmentVersion& segment, const std::shared_ptr<const FilterRows>& known) const {
    auto found = std::make_shared<FilterRows>();
    found->rows = segment.rows;
    found->allowed = known ? known->allowed : Bitset();
    found->allowed.resize(segment.rows);
    for (std::size_t row = known ? known->rows : 0; row < segment.rows; ++row) {
        const collection::RowBlock& block = *(*segment.blocks)[row / segment.rows_per_block];
        if (allows(block.ids[row % segment.rows_per_block])) found->allowed.set(row);
    }
    return found;
}

FilterState::Entry FilterState::recall(const SegmentVersion& segment) const {
    const Lock lock(mutex_);
    const auto known = entries_.find(segment.numbering.get());
    if (known == entries_.end()) return {segment.numbering, nullptr, {}};
    Entry entry = known->second;
    const Count& count = entry.count;
    const bool holds = count.key == segment.tombstones.get() && count.rows == segment.rows;
    if (!holds) entry.count = {};
    return entry;
}

void FilterState::remember(const void* key, Entry found) const {
    const Lock lock(mutex_);
    const auto [known, added] = entries_.try_emplace(key);
    Entry& entry = known->second;
    if (added) {
        entry = std::move(found);
    } else {
        if (entry.rows->rows < found.rows->rows) entry.rows = std::move(found.rows);
        if (entry.count.rows <= found.count.rows) entry.count = std::move(found.count);
    }
    if (entries_.size() < sweep_at_) return;
    std::erase_if(entries_, [](const auto& each) { return each.second.numbering.expired(); });
    sweep_at_ = 4 + 2 * entries_.size();
}

Filter::Filter() noexcept = default;
Filter::~Filter() = default;
Filter::Filter(const Filter&) noexcept = default;
Filter& Filter::operator=(const Filter&) noexcept = default;
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;
Filter::Filter(std::shared_ptr<const FilterState> state) noexcept : state_(std::move(state)) {}

Filter Filter::allow(BitsetView ids) {
    return Filter(std::make_shared<BitsetFilter>(ids));
}

Filter Filter::allow_ids(std::span<const Id> ids) {
    return Filter(std::make_shared<IdListFilter>(std::vector<Id>(ids.begin(), ids.end())));
}

Filter Filter::where(std::function<bool(Id)> predicate) {
    if (!predicate) return {};
    return Filter(std::make_shared<PredicateFilter>(std::move(predicate)));
}

}  // namespace vecdb
