#include "collection/query/bound_tests.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace vecdb::collection {
namespace {

// 2^63: the first double past the int64, and minus the last before or at their other end.
constexpr double kInt64End = 9223372036854775808.0;

/// The numbers of a type that are nearest to a literal, from below and from above; nothing where
/// all of them are on the other side. They are one if the literal is a number of the type.
template <class T>
struct Neighbours {
    std::optional<T> below;
    std::optional<T> above;

    [[nodiscard]] bool exact() const { return below && above && *below == *above; }
};

Neighbours<std::int64_t> int64_neighbours(const Scalar& number) {
    if (const auto* integer = std::get_if<std::int64_t>(&number)) return {*integer, *integer};
    const double value = std::get<double>(number);
    Neighbours<std::int64_t> found{std::numeric_limits<std::int64_t>::max(),
                                   std::numeric_limits<std::int64_t>::min()};
    if (value >= kInt64End) {
        found.above.reset();
    } else if (value < -kInt64End) {
        found.below.reset();
    } else {
        found.below = static_cast<std::int64_t>(std::floor(value));
        // Rounding up leaves a double below 2^63: past 2^53 all of them are integers.
        found.above = static_cast<std::int64_t>(std::ceil(value));
    }
    return found;
}

/// Tell whether `value`, an integer rounded to a double, is greater or less than `integer`.
int compare_rounded(double value, std::int64_t integer) {
    if (value >= kInt64End) return 1;
    const auto whole = static_cast<std::int64_t>(value);
    return whole > integer ? 1 : whole < integer ? -1 : 0;
}

Neighbours<double> double_neighbours(const Scalar& number) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (const auto* exact = std::get_if<double>(&number)) {
        const double value = *exact + 0.0;  // makes 0 of -0
        return {value, value};
    }
    const std::int64_t integer = std::get<std::int64_t>(number);
    const auto rounded = static_cast<double>(integer);
    const int side = compare_rounded(rounded, integer);
    return {side > 0 ? std::nextafter(rounded, -kInfinity) : rounded,
            side < 0 ? std::nextafter(rounded, kInfinity) : rounded};
}

template <class T>
struct Ends {
    static constexpr bool kHasInfinity = std::numeric_limits<T>::has_infinity;
    static constexpr T kLast =
        kHasInfinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
    static constexpr T kFirst = kHasInfinity ? -kLast : std::numeric_limits<T>::min();
};

/// Return the next number of the type in the direction of `end`, if there is one.
template <class T>
std::optional<T> next(T number, T end) {
    if (number == end) return std::nullopt;
    if constexpr (std::is_floating_point_v<T>) {
        return std::nextafter(number, end);
    } else {
        return end > number ? number + 1 : number - 1;
    }
}

template <class T>
FieldTest up_to(std::optional<T> high) {
    if (!high) return std::nullopt;
    if (*high == Ends<T>::kLast) return every_value();
    return Interval<T>{Ends<T>::kFirst, *high};
}

template <class T>
FieldTest from(std::optional<T> low) {
    if (!low) return std::nullopt;
    if (*low == Ends<T>::kFirst) return every_value();
    return Interval<T>{*low, Ends<T>::kLast};
}

template <class T>
FieldTest compare(Comparison comparison, const Neighbours<T>& number) {
    const bool exact = number.exact();
    switch (comparison) {
        case Comparison::kEqual:
            if (!exact) return std::nullopt;
            return Interval<T>{*number.below, *number.below};
        case Comparison::kNotEqual:
            if (!exact) return every_value();
            return ValueList<T>{{*number.below}, true};
        case Comparison::kLess:
            return up_to(exact ? next(*number.below, Ends<T>::kFirst) : number.below);
        case Comparison::kLessEqual:
            return up_to(number.below);
        case Comparison::kGreater:
            return from(exact ? next(*number.above, Ends<T>::kLast) : number.above);
        case Comparison::kGreaterEqual:
            return from(number.above);
    }
    return std::nullopt;
}

template <class T>
void make_set(std::vector<T>& values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
}

/// Make a list of the numbers that are of the type; no value is equal to the others.
template <class T, class NeighboursOf>
FieldTest list(const std::vector<Scalar>& numbers, bool negated, NeighboursOf neighbours) {
    std::vector<T> values;
    values.reserve(numbers.size());
    for (const Scalar& number : numbers) {
        const Neighbours<T> near = neighbours(number);
        if (near.exact()) values.push_back(*near.below);
    }
    make_set(values);
    if (values.empty()) return negated ? every_value() : std::nullopt;
    if (values.size() == 1 && !negated) return Interval<T>{values.front(), values.front()};
    return ValueList<T>{std::move(values), negated};
}

template <class T>
bool narrow(Interval<T>& interval, const Interval<T>& by) {
    interval.low = std::max(interval.low, by.low);
    interval.high = std::min(interval.high, by.high);
    return interval.low <= interval.high;
}

/// Take the other bound if it leaves less: `side` is 1 for low bounds, -1 for high ones.
void narrow(std::optional<StringBound>& bound, const std::optional<StringBound>& by, int side) {
    if (!by) return;
    const int order = bound ? by->value.compare(bound->value) * side : 1;
    if (order > 0 || (order == 0 && !by->included)) bound = by;
}

bool narrow(StringInterval& interval, const StringInterval& by) {
    narrow(interval.low, by.low, 1);
    narrow(interval.high, by.high, -1);
    if (!interval.low || !interval.high) return true;
    const int order = interval.low->value.compare(interval.high->value);
    return order < 0 || (order == 0 && interval.low->included && interval.high->included);
}

/// Cut a pattern at its percent signs, and take the backslashes off: one more piece than signs.
std::vector<std::string> pieces_of(const std::string& pattern) {
    std::vector<std::string> pieces(1);
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == '%') {
            pieces.emplace_back();
            continue;
        }
        if (pattern[i] == '\\') ++i;
        pieces.back() += pattern[i];
    }
    return pieces;
}

}  // namespace

FieldTest compare_int64(Comparison comparison, const Scalar& number) {
    return compare(comparison, int64_neighbours(number));
}

FieldTest compare_double(Comparison comparison, const Scalar& number) {
    return compare(comparison, double_neighbours(number));
}

FieldTest list_int64(const std::vector<Scalar>& numbers, bool negated) {
    return list<std::int64_t>(numbers, negated, int64_neighbours);
}

FieldTest list_double(const std::vector<Scalar>& numbers, bool negated) {
    return list<double>(numbers, negated, double_neighbours);
}

FieldTest compare_string(Comparison comparison, const std::string& value) {
    switch (comparison) {
        case Comparison::kEqual:
            return StringList{{value}, false};
        case Comparison::kNotEqual:
            return StringList{{value}, true};
        case Comparison::kLess:
            if (value.empty()) return std::nullopt;
            return StringInterval{std::nullopt, StringBound{value, false}};
        case Comparison::kLessEqual:
            return StringInterval{std::nullopt, StringBound{value, true}};
        case Comparison::kGreater:
            return StringInterval{StringBound{value, false}, std::nullopt};
        case Comparison::kGreaterEqual:
            if (value.empty()) return every_value();
            return StringInterval{StringBound{value, true}, std::nullopt};
    }
    return std::nullopt;
}

FieldTest list_string(const std::vector<Scalar>& values, bool negated) {
    std::vector<std::string> strings;
    strings.reserve(values.size());
    for (const Scalar& value : values)
        strings.push_back(std::get<std::string>(value));
    make_set(strings);
    return StringList{std::move(strings), negated};
}

bool is_interval(const Leaf& leaf) noexcept {
    return std::holds_alternative<Int64Interval>(leaf.test) ||
           std::holds_alternative<DoubleInterval>(leaf.test) ||
           std::holds_alternative<StringInterval>(leaf.test);
}

bool narrow(Leaf& interval, const Leaf& by) {
    if (auto* const integers = std::get_if<Int64Interval>(&interval.test)) {
        return narrow(*integers, std::get<Int64Interval>(by.test));
    }
    if (auto* const doubles = std::get_if<DoubleInterval>(&interval.test)) {
        return narrow(*doubles, std::get<DoubleInterval>(by.test));
    }
    return narrow(std::get<StringInterval>(interval.test), std::get<StringInterval>(by.test));
}

FieldTest match_pattern(const std::string& pattern, bool negated) {
    std::vector<std::string> pieces = pieces_of(pattern);
    if (pieces.size() == 1) return StringList{std::move(pieces), negated};
    StringPattern parts{.prefix = std::move(pieces.front()),
                        .middle = {},
                        .suffix = std::move(pieces.back()),
                        .negated = negated};
    for (std::size_t i = 1; i + 1 < pieces.size(); ++i) {
        if (!pieces[i].empty()) parts.middle.push_back(std::move(pieces[i]));
    }
    if (parts.prefix.empty() && parts.middle.empty() && parts.suffix.empty()) {
        return negated ? std::nullopt : every_value();
    }
    return parts;
}

}  // namespace vecdb::collection
