#include "check.h"
#include "collection/query/bound_expression.h"
#include "collection/query/evaluate.h"
#include "collection/query/filter_state.h"

#include <vecdb/filter.h>

#include <algorithm>
#include <bit>
#include <span>
#include <utility>
#include <vector>

namespace vecdb {

using collection::BoundExpression;
using collection::ScalarFields;
using collection::SegmentVersion;

namespace {

/// A test of ids.
class IdFilter : public FilterState {
  private:
    /// Tell whether `id` is allowed.
    [[nodiscard]] virtual bool allows(Id id) const = 0;

    void test(const SegmentVersion& segment, std::size_t first, Bitset& allowed) const final {
        for (std::size_t row = first; row < segment.rows; ++row) {
            const collection::RowBlock& block = *(*segment.blocks)[row / segment.rows_per_block];
            if (allows(block.ids[row % segment.rows_per_block])) allowed.set(row);
        }
    }
};

class BitsetFilter final : public IdFilter {
  public:
    explicit BitsetFilter(BitsetView ids) : ids_(ids.size()) { ids_ |= ids; }

  private:
    [[nodiscard]] bool allows(Id id) const override {
        return ids_.test(static_cast<std::size_t>(id));
    }

    Bitset ids_;
};

class IdListFilter final : public IdFilter {
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

class PredicateFilter final : public IdFilter {
  public:
    explicit PredicateFilter(std::function<bool(Id)> predicate)
        : predicate_(std::move(predicate)) {}

  private:
    [[nodiscard]] bool allows(Id id) const override { return predicate_(id); }

    std::function<bool(Id)> predicate_;
};

/// A test of scalar fields. It is bound to the fields of each collection once.
class ExpressionFilter final : public FilterState {
  public:
    explicit ExpressionFilter(Expression expression) : expression_(std::move(expression)) {}

    [[nodiscard]] Status check(const std::shared_ptr<const ScalarFields>& fields) const override {
        return bound_to(fields).status();
    }

  private:
    using Bound = std::shared_ptr<const BoundExpression>;

    void test(const SegmentVersion& segment, std::size_t first, Bitset& allowed) const override {
        const Result<Bound> bound = bound_to(segment.store().format().scalars);
        VECDB_ASSERT(bound.ok());  // check() was called
        collection::evaluate(**bound, segment, first, allowed);
    }

    Result<Bound> bound_to(const std::shared_ptr<const ScalarFields>& fields) const {
        const Lock lock(mutex_);
        std::erase_if(
            bound_, [](const Entry& each) { return each.key != nullptr && each.fields.expired(); });
        for (const Entry& each : bound_) {
            if (each.key == fields.get()) return each.bound;
        }
        VECDB_ASSIGN(
            BoundExpression made,
            collection::bind_expression(expression_,
                                        fields != nullptr ? std::span<const ScalarField>(*fields)
                                                          : std::span<const ScalarField>()));
        Bound bound = std::make_shared<const BoundExpression>(std::move(made));
        bound_.push_back({fields.get(), fields, bound});
        return bound;
    }

    struct Entry {
        const ScalarFields* key;
        std::weak_ptr<const ScalarFields>
            fields;  // keeps the address, which is the key, from reuse
        Bound bound;
    };

    const Expression expression_;
    mutable Mutex mutex_;
    mutable std::vector<Entry> bound_ VECDB_GUARDED_BY(mutex_);
};

/// Filters joined by one operator.
class JoinedFilter final : public FilterState {
  public:
    enum class Join : std::uint8_t { kAll, kAny, kNot };

    JoinedFilter(Join join, std::vector<Filter> parts) : join_(join), parts_(std::move(parts)) {}

    [[nodiscard]] Status check(const std::shared_ptr<const ScalarFields>& fields) const override {
        for (const Filter& part : parts_)
            VECDB_TRY(part.state()->check(fields));
        return {};
    }

  private:
    void test(const SegmentVersion& segment, std::size_t first, Bitset& allowed) const override {
        Bitset joined(segment.rows, join_ != Join::kAny);
        for (const Filter& part : parts_) {
            const auto rows = part.state()->rows(segment).rows;
            Bitset its = rows->allowed;
            its.resize(segment.rows);
            if (join_ == Join::kNot) its.flip();
            if (join_ == Join::kAny) {
                joined |= its;
            } else {
                joined &= its;
            }
        }
        const auto from = std::as_const(joined).words();
        const auto to = allowed.words();
        for (std::size_t w = first / 64; w < from.size(); ++w) {
            const std::uint64_t seen =
                w == first / 64 ? (std::uint64_t{1} << (first % 64)) - 1 : std::uint64_t{0};
            to[w] |= from[w] & ~seen;
        }
    }

    const Join join_;
    const std::vector<Filter> parts_;  // none of them allows all without looking
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

std::shared_ptr<const FilterRows> FilterRows::in_order(std::shared_ptr<const FilterRows> found,
                                                       const SegmentVersion& segment,
                                                       std::size_t field) {
    const collection::FieldOrder* order = segment.order(field);
    if (order == nullptr) return found;
    const Lock lock(found->mutex_);
    if (found->ordered_.size() <= field) found->ordered_.resize(field + 1);
    std::shared_ptr<const FilterRows>& known = found->ordered_[field];
    if (known != nullptr) return known;
    auto made = std::make_shared<FilterRows>();
    made->rows = segment.rows;
    made->allowed.resize(segment.rows);
    const auto words = found->allowed.words();
    for (std::size_t w = 0; w < words.size(); ++w) {
        for (std::uint64_t word = words[w]; word != 0; word &= word - 1) {
            const auto row = w * 64 + static_cast<std::size_t>(std::countr_zero(word));
            made->allowed.set(order->positions[row]);
        }
    }
    known = std::move(made);
    return known;
}

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
    test(segment, known ? known->rows : 0, found->allowed);
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

Filter::Filter(const Expression& expression)
    : state_(std::make_shared<ExpressionFilter>(expression)) {}
Filter::Filter(const Field& field) : Filter(static_cast<Expression>(field)) {}

Result<Filter> Filter::parse(std::string_view text) {
    return guard([&]() -> Result<Filter> {
        VECDB_ASSIGN(const Expression expression, Expression::parse(text));
        return Filter(expression);
    });
}

Filter operator&&(const Filter& a, const Filter& b) {
    if (a.allows_all()) return b;
    if (b.allows_all()) return a;
    return Filter(std::make_shared<JoinedFilter>(JoinedFilter::Join::kAll, std::vector{a, b}));
}

Filter operator||(const Filter& a, const Filter& b) {
    if (a.allows_all() || b.allows_all()) return {};
    return Filter(std::make_shared<JoinedFilter>(JoinedFilter::Join::kAny, std::vector{a, b}));
}

Filter operator!(const Filter& filter) {
    if (filter.allows_all()) return Filter::allow_ids({});
    return Filter(std::make_shared<JoinedFilter>(JoinedFilter::Join::kNot, std::vector{filter}));
}

}  // namespace vecdb
