#include "collection/query/bound_expression.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <type_traits>

namespace vecdb::collection {
namespace {

/// The type of the values that a test is for.
template <class Test>
struct ValueOf {
    using Type = std::string;
};
template <>
struct ValueOf<BoolTest> {
    using Type = bool;
};
template <class T>
struct ValueOf<Interval<T>> {
    using Type = T;
};
template <class T>
struct ValueOf<ValueList<T>> {
    using Type = T;
};

bool passes(const BoolTest& test, bool value) {
    return value == test.wanted;
}

template <class T>
bool passes(const Interval<T>& test, T value) {
    return test.low <= value && value <= test.high;
}

bool passes(const StringInterval& test, const std::string& value) {
    const auto& [low, high] = test;
    if (low && (low->included ? value < low->value : value <= low->value)) return false;
    return !high || (high->included ? value <= high->value : value < high->value);
}

template <class T>
bool passes(const ValueList<T>& test, const T& value) {
    if constexpr (std::is_floating_point_v<T>) {
        if (std::isnan(value)) return false;
    }
    return std::binary_search(test.values.begin(), test.values.end(), value) != test.negated;
}

bool has_pattern(const StringPattern& test, std::string_view value) {
    if (value.size() < test.prefix.size() + test.suffix.size()) return false;
    if (!value.starts_with(test.prefix) || !value.ends_with(test.suffix)) return false;
    value.remove_prefix(test.prefix.size());
    value.remove_suffix(test.suffix.size());
    // The first place of each part leaves most for the next.
    for (const std::string& part : test.middle) {
        const std::size_t at = value.find(part);
        if (at == std::string_view::npos) return false;
        value.remove_prefix(at + part.size());
    }
    return true;
}

bool passes(const StringPattern& test, const std::string& value) {
    return has_pattern(test, value) != test.negated;
}

}  // namespace

bool matches(const Leaf& leaf, const Scalar& value) {
    return std::visit(
        [&](const auto& test) {
            using Test = std::decay_t<decltype(test)>;
            if constexpr (std::is_same_v<Test, NullTest>) {
                return std::holds_alternative<std::monostate>(value) != test.negated;
            } else {
                const auto* const known = std::get_if<typename ValueOf<Test>::Type>(&value);
                return known != nullptr && passes(test, *known);
            }
        },
        leaf.test);
}

bool matches(const BoundExpression& expression, std::span<const Scalar> row) {
    const auto part_matches = [&](const BoundExpression& part) {
        return matches(part, row);
    };
    const auto& parts = expression.parts;
    switch (expression.kind) {
        case BoundExpression::Kind::kConstant:
            return expression.value;
        case BoundExpression::Kind::kLeaf:
            return matches(expression.leaf, row[expression.leaf.field]);
        case BoundExpression::Kind::kAll:
            return std::all_of(parts.begin(), parts.end(), part_matches);
        case BoundExpression::Kind::kAny:
            return std::any_of(parts.begin(), parts.end(), part_matches);
    }
    return false;
}

}  // namespace vecdb::collection
