#pragma once

/// \file
/// Which rows a search may return.

#include <vecdb/bitset.h>
#include <vecdb/export.h>
#include <vecdb/expression.h>
#include <vecdb/status.h>
#include <vecdb/types.h>

#include <functional>
#include <memory>
#include <span>
#include <string_view>

namespace vecdb {

class FilterState;  // src/collection/query/filter_state.h

/// Say which rows may be returned, by their ids, by an Expression of their scalar fields, or by
/// filters joined by &&, || and !. An immutable value; copies share one state.
///
///     SearchOptions{.filter = field("price") < 50 && !Filter::allow_ids(seen)}
///
/// The first search with a filter (or Collection::prepare) works out the rows that it allows and
/// the filter remembers them, so keep a filter and reuse it: later searches pay only for rows added
/// since. A default-made filter allows every row.
///
/// Threads: const methods, and searches with one filter, may run concurrently.
class VECDB_EXPORT Filter {
  public:
    /// Allow every row.
    Filter() noexcept;
    ~Filter();
    Filter(const Filter&) noexcept;
    Filter& operator=(const Filter&) noexcept;
    Filter(Filter&&) noexcept;
    Filter& operator=(Filter&&) noexcept;

    /// Allow id i when bit i is set. Ids at or past the bitset's size are not allowed.
    /// The bits are copied. Throws only std::bad_alloc, like the two below.
    [[nodiscard]] static Filter allow(BitsetView ids);

    /// Allow the listed ids; order, repetition and ids of no row do not matter.
    [[nodiscard]] static Filter allow_ids(std::span<const Id> ids);

    /// Allow the ids for which `predicate` answers true; an empty function allows all. It is
    /// called from the thread that searches or prepares, for each stored row at least once (removed
    /// ones included; again after the collection moved its rows), perhaps from several threads at
    /// once, and must answer the same each time. An exception from it fails the search with
    /// kInternal, std::bad_alloc with kOutOfMemory.
    [[nodiscard]] static Filter where(std::function<bool(Id)> predicate);

    /// Allow the rows for which `expression` is true. A search, count or removal with it returns
    /// kInvalidArgument when the collection has no such fields, before it looks at any row. Throws
    /// only std::bad_alloc.
    Filter(const Expression& expression);  // NOLINT(google-explicit-constructor): it is a filter
    Filter(const Field& field);            // NOLINT(google-explicit-constructor)

    /// Allow the rows for which the expression is true that `text` says; errors as of
    /// Expression::parse.
    [[nodiscard]] static Result<Filter> parse(std::string_view text);

    /// Allow what both, one of them or the other one does not allow. Each remembers its own rows.
    friend VECDB_EXPORT Filter operator&&(const Filter& a, const Filter& b);
    friend VECDB_EXPORT Filter operator||(const Filter& a, const Filter& b);
    friend VECDB_EXPORT Filter operator!(const Filter& filter);

    /// Tell whether every row is allowed without looking.
    [[nodiscard]] bool allows_all() const noexcept { return state_ == nullptr; }

    /// For the library's own use.
    [[nodiscard]] const FilterState* state() const noexcept { return state_.get(); }

  private:
    explicit Filter(std::shared_ptr<const FilterState> state) noexcept;

    std::shared_ptr<const FilterState> state_;
};

}  // namespace vecdb
