#pragma once

/// \file
/// What an expression means, evaluated as it stands, for rows of scalar_schema().

#include "collection/query/expression_tree.h"
#include "support/random_expressions.h"

#include <vecdb/expression.h>
#include <vecdb/scalar.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vecdb::test {

/// Nothing: unknown.
using Truth = std::optional<bool>;

inline Truth negated(Truth truth) {
    return truth ? Truth(!*truth) : truth;
}

inline Truth joined(bool any, const std::vector<Truth>& parts) {
    const auto stands = [&](Truth truth) {
        return std::find(parts.begin(), parts.end(), truth) != parts.end();
    };
    if (stands(any)) return any;
    return stands(std::nullopt) ? Truth() : Truth(!any);
}

/// Return less than 0, 0 or more than 0, as strcmp does. An x86 long double holds every int64.
inline int order(const Scalar& a, const Scalar& b) {
    if (const auto* text = std::get_if<std::string>(&a)) {
        return text->compare(std::get<std::string>(b));
    }
    const auto number = [](const Scalar& value) -> long double {
        if (const auto* truth = std::get_if<bool>(&value)) return *truth ? 1 : 0;
        if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
        return std::get<double>(value);
    };
    return number(a) < number(b) ? -1 : number(a) > number(b) ? 1 : 0;
}

inline bool compare(Comparison comparison, int order) {
    switch (comparison) {
        case Comparison::kEqual:
            return order == 0;
        case Comparison::kNotEqual:
            return order != 0;
        case Comparison::kLess:
            return order < 0;
        case Comparison::kLessEqual:
            return order <= 0;
        case Comparison::kGreater:
            return order > 0;
        case Comparison::kGreaterEqual:
            return order >= 0;
    }
    return false;
}

inline bool like(std::string_view text, std::string_view pattern) {
    if (pattern.empty()) return text.empty();
    if (pattern.front() == '%') {
        for (std::size_t i = 0; i <= text.size(); ++i)
            if (like(text.substr(i), pattern.substr(1))) return true;
        return false;
    }
    if (pattern.front() == '\\') pattern.remove_prefix(1);
    return !text.empty() && text.front() == pattern.front() &&
           like(text.substr(1), pattern.substr(1));
}

/// Evaluates a tree as it stands, with three values.
class ExpressionEvaluator {
  public:
    explicit ExpressionEvaluator(const std::vector<Scalar>& row) : row_(row) {}

    Truth operator()(const ExpressionNode& node) const { return std::visit(*this, node.content); }
    Truth operator()(const ExpressionNode::Constant& node) const { return node.value; }
    Truth operator()(const ExpressionNode::BoolTest& node) const {
        const Scalar& value = value_of(node.field);
        return is_null(value) ? Truth() : Truth(std::get<bool>(value));
    }
    Truth operator()(const ExpressionNode::ComparisonTest& node) const {
        const Scalar& value = value_of(node.field);
        if (is_null(value)) return {};
        return compare(node.comparison, order(value, node.value));
    }
    Truth operator()(const ExpressionNode::ListTest& node) const {
        std::vector<Truth> equals;
        const Scalar& value = value_of(node.field);
        for (const Scalar& each : node.values)
            equals.push_back(is_null(value) ? Truth() : Truth(order(value, each) == 0));
        const Truth found = joined(true, equals);
        return node.negated ? negated(found) : found;
    }
    Truth operator()(const ExpressionNode::PatternTest& node) const {
        const Scalar& value = value_of(node.field);
        if (is_null(value)) return {};
        return like(std::get<std::string>(value), node.pattern) != node.negated;
    }
    Truth operator()(const ExpressionNode::NullTest& node) const {
        return is_null(value_of(node.field)) != node.negated;
    }
    Truth operator()(const ExpressionNode::Negation& node) const {
        return negated((*this)(*node.operand));
    }
    Truth operator()(const ExpressionNode::Junction& node) const {
        std::vector<Truth> parts;
        for (const ExpressionPointer& operand : node.operands)
            parts.push_back((*this)(*operand));
        return joined(node.any, parts);
    }
    Truth operator()(const ExpressionNode::Refusal& /*node*/) const { return {}; }

  private:
    static bool is_null(const Scalar& value) {
        return std::holds_alternative<std::monostate>(value);
    }
    [[nodiscard]] const Scalar& value_of(const std::string& name) const {
        const std::vector<ScalarField> fields = scalar_schema().scalars;
        std::size_t i = 0;
        while (fields[i].name != name)
            ++i;
        return row_[i];
    }

    const std::vector<Scalar>& row_;
};

/// Evaluate an expression for a row.
inline Truth evaluate(const Expression& expression, const std::vector<Scalar>& row) {
    return ExpressionEvaluator(row)(*tree_of(expression));
}

}  // namespace vecdb::test
