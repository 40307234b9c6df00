#pragma once

/// \file
/// Tests of one field, in the form that columns are tested by.

#include "collection/query/bound_expression.h"
#include "collection/query/expression_tree.h"

#include <vecdb/scalar.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vecdb::collection {

/// What a test of one field comes to; nothing: it is true of no value.
using FieldTest = std::optional<decltype(Leaf::test)>;

/// What is true of every value but null.
[[nodiscard]] inline FieldTest every_value() {
    return NullTest{.negated = true};
}

/// Compare a field of int64, or of double, with an integer or a double, exactly.
[[nodiscard]] FieldTest compare_int64(Comparison comparison, const Scalar& number);
[[nodiscard]] FieldTest compare_double(Comparison comparison, const Scalar& number);

/// Look for the values of a field of int64, or of double, among integers and doubles.
[[nodiscard]] FieldTest list_int64(const std::vector<Scalar>& numbers, bool negated);
[[nodiscard]] FieldTest list_double(const std::vector<Scalar>& numbers, bool negated);

/// The same for fields of strings, whose values are all strings.
[[nodiscard]] FieldTest compare_string(Comparison comparison, const std::string& value);
[[nodiscard]] FieldTest list_string(const std::vector<Scalar>& values, bool negated);

/// Tell whether a test is an interval, of numbers or of strings.
[[nodiscard]] bool is_interval(const Leaf& leaf) noexcept;

/// Narrow an interval by another of the same field. Returns whether any value is left.
[[nodiscard]] bool narrow(Leaf& interval, const Leaf& by);

/// Split a pattern without errors at its percent signs.
[[nodiscard]] FieldTest match_pattern(const std::string& pattern, bool negated);

}  // namespace vecdb::collection
