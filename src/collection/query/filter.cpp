#include "collection/query/filter_state.h"

#include <vecdb/filter.h>

#include <algorithm>
#include <utility>

namespace vecdb {
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

}  // namespace

std::shared_ptr<const FilterRows> FilterState::rows(const collection::Version& version) const {
    auto known = recall(version.numbering.get());
    if (known && known->rows >= version.rows) return known;

    auto found = std::make_shared<FilterRows>();
    found->rows = version.rows;
    found->allowed = known ? known->allowed : Bitset();
    found->allowed.resize(version.rows);
    for (std::size_t row = known ? known->rows : 0; row < version.rows; ++row) {
        const collection::RowBlock& block = *(*version.blocks)[row / version.rows_per_block];
        if (allows(block.ids[row % version.rows_per_block])) found->allowed.set(row);
    }
    remember(version.numbering, found);
    return found;
}

std::shared_ptr<const FilterRows> FilterState::recall(const void* key) const {
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : entries_) {
        if (entry.key == key) return entry.rows;  // its weak_ptr keeps the address from reuse
    }
    return nullptr;
}

void FilterState::remember(const collection::RowNumbering& numbering,
                           const std::shared_ptr<const FilterRows>& rows) const {
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [](const Entry& entry) { return entry.numbering.expired(); });
    for (Entry& entry : entries_) {
        if (entry.key != numbering.get()) continue;
        if (entry.rows->rows < rows->rows) entry.rows = rows;
        return;
    }
    entries_.push_back({numbering, numbering.get(), rows});
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
