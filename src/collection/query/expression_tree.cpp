#include "collection/query/expression_tree.h"

#include "check.h"
#include "collection/names.h"
#include "collection/utf8.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <type_traits>
#include <utility>

namespace vecdb {
namespace {

using Node = ExpressionNode;

Status invalid(std::string message) {
    return {StatusCode::kInvalidArgument, std::move(message)};
}

Status check_limit(const std::string& whose,
                   std::size_t number,
                   std::string_view what,
                   std::size_t limit) {
    if (number <= limit) return {};
    return invalid(whose + " has " + std::to_string(number) + " " + std::string(what) +
                   "; at most " + std::to_string(limit) + " are allowed");
}

Status check_text(const std::string& field, std::string_view text) {
    const std::size_t valid = collection::utf8_size(text);
    if (valid == text.size()) return {};
    return invalid("string for field '" + field + "' is not UTF-8 at byte " +
                   std::to_string(valid));
}

/// Check that a field can have the value.
Status check_value(const std::string& field, const Scalar& value) {
    if (std::holds_alternative<std::monostate>(value)) {
        return invalid("field '" + field + "' is compared with null; use 'is null'");
    }
    if (const auto* number = std::get_if<double>(&value); number && std::isnan(*number)) {
        return invalid("field '" + field + "' is compared with NaN, which nothing is equal to");
    }
    const auto* text = std::get_if<std::string>(&value);
    return text != nullptr ? check_text(field, *text) : Status();
}

Status check(const Node::BoolTest& /*test*/) {
    return {};
}

Status check(const Node::NullTest& /*test*/) {
    return {};
}

Status check(const Node::ComparisonTest& test) {
    return check_value(test.field, test.value);
}

Status check(const Node::PatternTest& test) {
    VECDB_TRY(check_text(test.field, test.pattern));
    const std::string& pattern = test.pattern;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] != '\\') continue;
        const std::size_t escape = i++;
        if (i < pattern.size() && (pattern[i] == '%' || pattern[i] == '\\')) continue;
        return invalid("pattern for field '" + test.field + "' has a backslash at byte " +
                       std::to_string(escape) +
                       " that neither % nor a backslash follows; a backslash is written twice");
    }
    return {};
}

Status check(const Node::ListTest& test) {
    VECDB_TRY(check_limit("list for field '" + test.field + "'",
                          test.values.size(),
                          "values",
                          kMaxExpressionListValues));
    for (const Scalar& value : test.values)
        VECDB_TRY(check_value(test.field, value));
    return {};
}

ExpressionPointer refuse(Status status) {
    return std::make_shared<Node>(Node{.content = Node::Refusal{std::move(status)}});
}

bool is_refused(const Node& node) {
    return std::holds_alternative<Node::Refusal>(node.content);
}

template <class Test>
ExpressionPointer make_checked(Test test) {
    Status status = collection::validate_name("field name in an expression", test.field);
    if (status.ok()) status = check(test);
    if (!status.ok()) return refuse(std::move(status));
    return std::make_shared<Node>(Node{.content = std::move(test)});
}

/// Make a node of others, if it is within the limits.
ExpressionPointer make_limited(Node node) {
    Status status = check_limit("expression", node.nodes, "nodes", kMaxExpressionNodes);
    if (status.ok()) {
        status = check_limit("expression", node.depth, "levels", kMaxExpressionDepth);
    }
    if (!status.ok()) return refuse(std::move(status));
    return std::make_shared<Node>(std::move(node));
}

/// Append an operand, or its operands if it is joined the same way.
void append(Node::Junction& junction, ExpressionPointer operand) {
    const auto* same = std::get_if<Node::Junction>(&operand->content);
    if (same == nullptr || same->any != junction.any) {
        junction.operands.push_back(std::move(operand));
        return;
    }
    junction.operands.insert(junction.operands.end(), same->operands.begin(), same->operands.end());
}

bool same_operands(const Node::Junction& a, const Node::Junction& b) {
    return a.any == b.any &&
           std::equal(a.operands.begin(),
                      a.operands.end(),
                      b.operands.begin(),
                      b.operands.end(),
                      [](const auto& one, const auto& other) { return equal(*one, *other); });
}

}  // namespace

Comparison opposite(Comparison comparison) noexcept {
    switch (comparison) {
        case Comparison::kEqual:
            return Comparison::kNotEqual;
        case Comparison::kNotEqual:
            return Comparison::kEqual;
        case Comparison::kLess:
            return Comparison::kGreaterEqual;
        case Comparison::kLessEqual:
            return Comparison::kGreater;
        case Comparison::kGreater:
            return Comparison::kLessEqual;
        case Comparison::kGreaterEqual:
            return Comparison::kLess;
    }
    return comparison;
}

Comparison flipped(Comparison comparison) noexcept {
    switch (comparison) {
        case Comparison::kLess:
            return Comparison::kGreater;
        case Comparison::kLessEqual:
            return Comparison::kGreaterEqual;
        case Comparison::kGreater:
            return Comparison::kLess;
        case Comparison::kGreaterEqual:
            return Comparison::kLessEqual;
        case Comparison::kEqual:
        case Comparison::kNotEqual:
            break;
    }
    return comparison;
}

ExpressionPointer make_constant(bool value) {
    return std::make_shared<Node>(Node{.content = Node::Constant{value}});
}

ExpressionPointer make_test(Node::BoolTest test) {
    return make_checked(std::move(test));
}

ExpressionPointer make_test(Node::ComparisonTest test) {
    return make_checked(std::move(test));
}

ExpressionPointer make_test(Node::ListTest test) {
    return make_checked(std::move(test));
}

ExpressionPointer make_test(Node::PatternTest test) {
    return make_checked(std::move(test));
}

ExpressionPointer make_test(Node::NullTest test) {
    return make_checked(std::move(test));
}

ExpressionPointer make_negation(ExpressionPointer operand) {
    if (is_refused(*operand)) return operand;
    const std::size_t depth = operand->depth + 1;
    const std::size_t nodes = operand->nodes + 1;
    return make_limited(
        {.content = Node::Negation{std::move(operand)}, .depth = depth, .nodes = nodes});
}

ExpressionPointer make_junction(bool any, std::vector<ExpressionPointer> operands) {
    Node::Junction junction{.any = any, .operands = {}};
    junction.operands.reserve(operands.size());
    for (ExpressionPointer& operand : operands) {
        if (is_refused(*operand)) return std::move(operand);
        append(junction, std::move(operand));
    }
    if (junction.operands.empty()) return make_constant(!any);
    if (junction.operands.size() == 1) return std::move(junction.operands.front());
    std::size_t depth = 0;
    std::size_t nodes = 1;
    for (const ExpressionPointer& operand : junction.operands) {
        depth = std::max(depth, operand->depth);
        nodes += operand->nodes;
    }
    return make_limited({.content = std::move(junction), .depth = depth + 1, .nodes = nodes});
}

Status status_of(const Node& node) {
    const auto* refusal = std::get_if<Node::Refusal>(&node.content);
    return refusal != nullptr ? refusal->status : Status();
}

ExpressionPointer tree_of(const Expression& expression) {
    static const ExpressionPointer always = make_constant(true);
    return expression.node() != nullptr ? expression.node() : always;
}

bool equal(const Node& a, const Node& b) {
    if (&a == &b) return true;
    if (a.content.index() != b.content.index() || a.nodes != b.nodes || a.depth != b.depth) {
        return false;
    }
    return std::visit(
        [&](const auto& one) {
            using Content = std::decay_t<decltype(one)>;
            const auto& other = std::get<Content>(b.content);
            if constexpr (std::is_same_v<Content, Node::Negation>) {
                return equal(*one.operand, *other.operand);
            } else if constexpr (std::is_same_v<Content, Node::Junction>) {
                return same_operands(one, other);
            } else if constexpr (std::is_same_v<Content, Node::Refusal>) {
                return one.status.message() == other.status.message();
            } else {
                return one == other;
            }
        },
        a.content);
}

}  // namespace vecdb
