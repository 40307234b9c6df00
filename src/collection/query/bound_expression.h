#pragma once

/// \file
/// An expression checked against a schema, in the form that columns are tested by.

#include <vecdb/expression.h>
#include <vecdb/scalar.h>
#include <vecdb/schema.h>
#include <vecdb/status.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace vecdb::collection {

/// A bool that is `wanted`.
struct BoolTest {
    bool wanted = true;
    bool operator==(const BoolTest&) const = default;
};

/// Numbers from low to high, both included; low <= high, not all numbers of the type.
template <class T>
struct Interval {
    T low;
    T high;
    bool operator==(const Interval&) const = default;
};
using Int64Interval = Interval<std::int64_t>;
using DoubleInterval = Interval<double>;

/// One end of an interval of strings.
struct StringBound {
    std::string value;
    bool included = true;
    bool operator==(const StringBound&) const = default;
};

/// Strings between bounds, ordered by their bytes; at least one bound.
struct StringInterval {
    std::optional<StringBound> low;
    std::optional<StringBound> high;
    bool operator==(const StringInterval&) const = default;
};

/// One of the values, or, negated, none of them. Values ascend, each stands once, there is at least
/// one (of numbers not negated two); no double is -0.
template <class T>
struct ValueList {
    std::vector<T> values;
    bool negated = false;
    bool operator==(const ValueList&) const = default;
};
using Int64List = ValueList<std::int64_t>;
using DoubleList = ValueList<double>;
using StringList = ValueList<std::string>;

/// A string that begins with `prefix`, ends with `suffix` and has the `middle` parts between them
/// in their order, none overlapping; or, negated, does not. A part of the middle is not empty; one
/// of the three is not.
struct StringPattern {
    std::string prefix;
    std::vector<std::string> middle;
    std::string suffix;
    bool negated = false;
    bool operator==(const StringPattern&) const = default;
};

/// Null, or, negated, any value.
struct NullTest {
    bool negated = false;
    bool operator==(const NullTest&) const = default;
};

/// The test of one field, whose type is the test's. Of null every test but NullTest is false, the
/// negated ones too.
struct Leaf {
    std::size_t field = 0;  ///< Place in Schema::scalars.
    std::variant<BoolTest,
                 Int64Interval,
                 DoubleInterval,
                 StringInterval,
                 Int64List,
                 DoubleList,
                 StringList,
                 StringPattern,
                 NullTest>
        test;
    bool operator==(const Leaf&) const = default;
};

/// A tree without negations: true for a row exactly where the expression is true, and false where
/// that is false or unknown.
/// Threads: a value; const methods may run concurrently.
struct BoundExpression {
    enum class Kind : std::uint8_t {
        kConstant,  ///< `value`; only at the root.
        kLeaf,      ///< `leaf`.
        kAll,       ///< Every one of `parts`: two or more, none of kind kAll, one interval a field.
        kAny,       ///< One of `parts`: two or more, none of kind kAny.
    };

    Kind kind = Kind::kConstant;
    bool value = true;
    Leaf leaf;
    std::vector<BoundExpression> parts;

    bool operator==(const BoundExpression&) const = default;
};

/// Check an expression against the scalar fields of a schema and prepare it.
/// Returns kInvalidArgument: Expression::status(); a field that there is none of, with those that
/// there are; a test or a value that the type of its field does not take. Throws std::bad_alloc.
[[nodiscard]] Result<BoundExpression> bind_expression(const Expression& expression,
                                                      std::span<const ScalarField> fields);

/// Tell whether a value of the leaf's field passes. NaN passes as null does, except NullTest.
/// Slow; what faster code is compared with.
[[nodiscard]] bool matches(const Leaf& leaf, const Scalar& value);

/// Tell whether a row, with one value for each of Schema::scalars, passes.
[[nodiscard]] bool matches(const BoundExpression& expression, std::span<const Scalar> row);

}  // namespace vecdb::collection
