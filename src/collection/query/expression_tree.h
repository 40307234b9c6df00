#pragma once

/// \file
/// What an Expression holds: a tree of tests.

#include <vecdb/expression.h>
#include <vecdb/scalar.h>
#include <vecdb/status.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vecdb {

enum class Comparison : std::uint8_t {
    kEqual,
    kNotEqual,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual
};

/// Return what is true of known values exactly where `comparison` is false.
[[nodiscard]] Comparison opposite(Comparison comparison) noexcept;

/// Return the comparison with its sides exchanged.
[[nodiscard]] Comparison flipped(Comparison comparison) noexcept;

using ExpressionPointer = std::shared_ptr<const ExpressionNode>;

/// A node of a tree, made by the functions below. No tree is past a limit or wrong in itself: what
/// would be is one Refusal. So recursion ends after kMaxExpressionDepth calls.
/// Threads: immutable.
struct ExpressionNode {
    struct Constant {
        bool value = true;
        bool operator==(const Constant&) const = default;
    };
    /// A bool field that is true.
    struct BoolTest {
        std::string field;
        bool operator==(const BoolTest&) const = default;
    };
    struct ComparisonTest {
        std::string field;
        Comparison comparison = Comparison::kEqual;
        Scalar value;
        bool operator==(const ComparisonTest&) const = default;
    };
    struct ListTest {
        std::string field;
        std::vector<Scalar> values;
        bool negated = false;
        bool operator==(const ListTest&) const = default;
    };
    struct PatternTest {
        std::string field;
        std::string pattern;
        bool negated = false;
        bool operator==(const PatternTest&) const = default;
    };
    struct NullTest {
        std::string field;
        bool negated = false;
        bool operator==(const NullTest&) const = default;
    };
    struct Negation {
        ExpressionPointer operand;
    };
    /// Two or more operands, none of them such a junction itself.
    struct Junction {
        bool any = false;  ///< Joined by ||, otherwise by &&.
        std::vector<ExpressionPointer> operands;
    };
    struct Refusal {
        Status status;
    };

    std::variant<Constant,
                 BoolTest,
                 ComparisonTest,
                 ListTest,
                 PatternTest,
                 NullTest,
                 Negation,
                 Junction,
                 Refusal>
        content;
    std::size_t depth = 1;  ///< Levels of the tree; a test alone has 1.
    std::size_t nodes = 1;  ///< Of the tree, this one included.
};

/// Make nodes; what is over a limit or wrong in itself becomes a Refusal, and so does all that is
/// made of one. Throw std::bad_alloc.
[[nodiscard]] ExpressionPointer make_constant(bool value);
[[nodiscard]] ExpressionPointer make_test(ExpressionNode::BoolTest test);
[[nodiscard]] ExpressionPointer make_test(ExpressionNode::ComparisonTest test);
[[nodiscard]] ExpressionPointer make_test(ExpressionNode::ListTest test);
[[nodiscard]] ExpressionPointer make_test(ExpressionNode::PatternTest test);
[[nodiscard]] ExpressionPointer make_test(ExpressionNode::NullTest test);
[[nodiscard]] ExpressionPointer make_negation(ExpressionPointer operand);

/// Join operands by || (`any`) or &&. The operands of one that is joined the same way take its
/// place; a single one is returned; none are the constant !any.
[[nodiscard]] ExpressionPointer make_junction(bool any, std::vector<ExpressionPointer> operands);

/// Return the Refusal's failure, or success.
[[nodiscard]] Status status_of(const ExpressionNode& node);

/// Return the tree of an expression, never null.
[[nodiscard]] ExpressionPointer tree_of(const Expression& expression);

[[nodiscard]] bool equal(const ExpressionNode& a, const ExpressionNode& b);

/// Return the text of a comparison, "<=".
[[nodiscard]] std::string_view symbol(Comparison comparison) noexcept;

/// Return a value as it is written in text; null as "null".
[[nodiscard]] std::string literal(const Scalar& value);

/// Return a field's name as it is written in text, in backquotes if it needs them.
[[nodiscard]] std::string quoted_field(const std::string& name);

[[nodiscard]] std::string to_text(const ExpressionNode& node);

}  // namespace vecdb
