#include "collection/query/expression_tree.h"

#include <vecdb/expression.h>

#include <utility>

namespace vecdb {
namespace {

Expression compare(const Field& field, Comparison comparison, Scalar value) {
    return Expression(make_test(ExpressionNode::ComparisonTest{
        .field = field.name(), .comparison = comparison, .value = std::move(value)}));
}

Expression join(bool any, std::span<const Expression> parts) {
    std::vector<ExpressionPointer> operands;
    operands.reserve(parts.size());
    for (const Expression& part : parts)
        operands.push_back(tree_of(part));
    return Expression(make_junction(any, std::move(operands)));
}

}  // namespace

Expression::Expression() noexcept = default;
Expression::~Expression() = default;
Expression::Expression(const Expression&) noexcept = default;
Expression& Expression::operator=(const Expression&) noexcept = default;
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;
Expression::Expression(std::shared_ptr<const ExpressionNode> node) noexcept
    : node_(std::move(node)) {}

Expression Expression::constant(bool value) {
    return Expression(make_constant(value));
}

Expression Expression::all_of(std::span<const Expression> parts) {
    return join(false, parts);
}

Expression Expression::any_of(std::span<const Expression> parts) {
    return join(true, parts);
}

Status Expression::status() const {
    return status_of(*tree_of(*this));
}

std::string Expression::to_string() const {
    return to_text(*tree_of(*this));
}

bool Expression::equals(const Expression& other) const {
    return equal(*tree_of(*this), *tree_of(other));
}

Expression operator&&(const Expression& a, const Expression& b) {
    return Expression(make_junction(false, {tree_of(a), tree_of(b)}));
}

Expression operator||(const Expression& a, const Expression& b) {
    return Expression(make_junction(true, {tree_of(a), tree_of(b)}));
}

Expression operator!(const Expression& operand) {
    return Expression(make_negation(tree_of(operand)));
}

Field::operator Expression() const {
    return Expression(make_test(ExpressionNode::BoolTest{name_}));
}

Expression Field::like(std::string pattern) const {
    return Expression(
        make_test(ExpressionNode::PatternTest{.field = name_, .pattern = std::move(pattern)}));
}

Expression Field::not_like(std::string pattern) const {
    return Expression(make_test(ExpressionNode::PatternTest{
        .field = name_, .pattern = std::move(pattern), .negated = true}));
}

Expression Field::is_null() const {
    return Expression(make_test(ExpressionNode::NullTest{.field = name_}));
}

Expression Field::is_not_null() const {
    return Expression(make_test(ExpressionNode::NullTest{.field = name_, .negated = true}));
}

Expression Field::test_list(std::vector<Scalar> values, bool negated) const {
    return Expression(make_test(
        ExpressionNode::ListTest{.field = name_, .values = std::move(values), .negated = negated}));
}

Expression operator==(const Field& field, Scalar value) {
    return compare(field, Comparison::kEqual, std::move(value));
}

Expression operator!=(const Field& field, Scalar value) {
    return compare(field, Comparison::kNotEqual, std::move(value));
}

Expression operator<(const Field& field, Scalar value) {
    return compare(field, Comparison::kLess, std::move(value));
}

Expression operator<=(const Field& field, Scalar value) {
    return compare(field, Comparison::kLessEqual, std::move(value));
}

Expression operator>(const Field& field, Scalar value) {
    return compare(field, Comparison::kGreater, std::move(value));
}

Expression operator>=(const Field& field, Scalar value) {
    return compare(field, Comparison::kGreaterEqual, std::move(value));
}

Expression operator==(Scalar value, const Field& field) {
    return field == std::move(value);
}

Expression operator!=(Scalar value, const Field& field) {
    return field != std::move(value);
}

Expression operator<(Scalar value, const Field& field) {
    return field > std::move(value);
}

Expression operator<=(Scalar value, const Field& field) {
    return field >= std::move(value);
}

Expression operator>(Scalar value, const Field& field) {
    return field < std::move(value);
}

Expression operator>=(Scalar value, const Field& field) {
    return field <= std::move(value);
}

}  // namespace vecdb
