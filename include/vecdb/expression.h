#pragma once

/// \file
/// Conditions on the scalar fields of a row, as text or built in C++.

#include <vecdb/export.h>
#include <vecdb/scalar.h>
#include <vecdb/status.h>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vecdb {

struct ExpressionNode;  // src/collection/query/expression_tree.h

/// Limits of an expression. Each is accepted at its value and refused one past it.
inline constexpr std::size_t kMaxExpressionDepth = 100;          ///< Levels; a test alone is one.
inline constexpr std::size_t kMaxExpressionNodes = 10'000;       ///< Tests and operators.
inline constexpr std::size_t kMaxExpressionListValues = 65'536;  ///< Of each list.
inline constexpr std::size_t kMaxExpressionBytes = std::size_t{1} << 20U;  ///< Of text.

/// A condition on scalar fields. An immutable value; copies share one tree.
///
///     Expression::parse(R"(price < 50 && brand in ["acme", "zenith"] && !sold_out)")
///     field("price") < 50 && field("brand").in({"acme", "zenith"}) && !field("sold_out")
///
/// | test                  | written                                      | fields           |
/// |-----------------------|----------------------------------------------|------------------|
/// | comparison            | `x == 1`, or `=`, `!=`, `<`, `<=`, `>`, `>=` | all              |
/// | one of several values | `x in [1, 2]`, `x not in [1, 2]`             | numbers, strings |
/// | pattern               | `x like "ab%"`, `x not like "ab%"`           | strings          |
/// | null                  | `x is null`, `x is not null`                 | all              |
/// | a field itself        | `x`                                          | bools            |
/// | constant              | `true`, `false`                              |                  |
///
/// Tests are joined by `!` or `not`, `&&` or `and`, `||` or `or`, which bind in this order, and
/// parentheses; `!` negates the whole test behind it. A value may stand on the left of a
/// comparison. Words are read in any case. A field's name is an identifier of ASCII, or any name in
/// backquotes (a backquote within is written twice), as are names that are words of the language.
///
/// Values are `true` and `false`; integers of 64 bits; doubles (`1.5`, `2e-3`, `infinity`); strings
/// in `"` or `'`, UTF-8, with `\"`, `\'`, `\\`, `\n`, `\t` and `\uXXXX`. Bool fields take == and !=
/// with bools. Numbers compare with numbers, exactly: no integer is equal to 2.5, and none is
/// rounded to compare it with a double. Strings are ordered by their bytes.
///
/// In a pattern `%` stands for any bytes, none or more; every other character for itself. `\%` is a
/// percent sign and `\\` a backslash; nothing else follows a backslash. In text a pattern is a
/// string, in which `\%` stays as it is and a backslash is written twice, so `\\\\` finds one.
///
/// Null is unknown, as in SQL: a comparison, list or pattern test of it is neither true nor false,
/// `!` leaves unknown as it is, and only rows for which the whole is true are returned. A list of
/// no values is the exception: `in []` is false and `not in []` is true, of null too.
///
/// Chains of && are one node, whatever their parentheses, and so are chains of ||.
///
/// The builder makes an expression of whatever it is told. One that is wrong in itself (past a
/// limit, a comparison with null or NaN, text that is not UTF-8) answers with status(), as do all
/// that are made of it, and every search with it fails. Only std::bad_alloc is thrown, and by
/// parse() nothing.
///
/// Threads: const methods may run concurrently.
class VECDB_EXPORT Expression {
  public:
    /// Make the constant true.
    Expression() noexcept;
    /// For the library's own use.
    explicit Expression(std::shared_ptr<const ExpressionNode> node) noexcept;
    ~Expression();
    Expression(const Expression&) noexcept;
    Expression& operator=(const Expression&) noexcept;
    Expression(Expression&&) noexcept;
    Expression& operator=(Expression&&) noexcept;

    /// Read text, at most kMaxExpressionBytes; its parentheses and negations nest at most
    /// kMaxExpressionDepth deep.
    /// Returns kInvalidArgument, with the byte (from 0; in text of several lines with the line and
    /// the column, from 1), what was expected there and what was found, or the limit; kOutOfMemory.
    [[nodiscard]] static Result<Expression> parse(std::string_view text);

    /// Make the constant true or false.
    [[nodiscard]] static Expression constant(bool value);

    /// Join many expressions by && (none: true), in time linear in their number, where a loop of &&
    /// takes quadratic time.
    [[nodiscard]] static Expression all_of(std::span<const Expression> parts);

    /// Join many expressions by || (none: false).
    [[nodiscard]] static Expression any_of(std::span<const Expression> parts);

    /// Return success, or kInvalidArgument and what is wrong in the expression itself, whatever the
    /// schema.
    [[nodiscard]] Status status() const;

    /// Return text that parse() reads as an equal expression, if it is within kMaxExpressionBytes;
    /// where status() is a failure, a remark that has its message and does not parse.
    [[nodiscard]] std::string to_string() const;

    /// Tell whether both have the same tree: the same tests, values of the same types and
    /// operators, in the same order. Two that are refused are equal if their messages are.
    [[nodiscard]] bool equals(const Expression& other) const;

    /// For the library's own use; null is the constant true.
    [[nodiscard]] const std::shared_ptr<const ExpressionNode>& node() const noexcept {
        return node_;
    }

  private:
    std::shared_ptr<const ExpressionNode> node_;
};

[[nodiscard]] VECDB_EXPORT Expression operator&&(const Expression& a, const Expression& b);
[[nodiscard]] VECDB_EXPORT Expression operator||(const Expression& a, const Expression& b);
[[nodiscard]] VECDB_EXPORT Expression operator!(const Expression& operand);

/// Anything that a list of values may come from: a vector of integers, a set of strings.
template <class Range>
concept ScalarRange =
    std::ranges::input_range<const Range> && !std::convertible_to<const Range&, std::string_view> &&
    std::convertible_to<std::ranges::range_reference_t<const Range>, Scalar>;

/// A field by its name, to build tests of: `field("price") < 50`. Alone it is the test of a bool
/// field. Whether the schema has it is seen when the expression is used.
/// Threads: a value; const methods may run concurrently.
class VECDB_EXPORT Field {
  public:
    explicit Field(std::string name) noexcept : name_(std::move(name)) {}

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    /// Test a bool field.
    operator Expression() const;  // NOLINT(google-explicit-constructor): a field is a test

    /// Test for one of the values, at most kMaxExpressionListValues.
    [[nodiscard]] Expression in(std::initializer_list<Scalar> values) const {
        return test_list({values.begin(), values.end()}, false);
    }
    template <ScalarRange Range>
    [[nodiscard]] Expression in(const Range& values) const {
        return test_list({std::ranges::begin(values), std::ranges::end(values)}, false);
    }
    /// Test for a value that is none of these.
    [[nodiscard]] Expression not_in(std::initializer_list<Scalar> values) const {
        return test_list({values.begin(), values.end()}, true);
    }
    template <ScalarRange Range>
    [[nodiscard]] Expression not_in(const Range& values) const {
        return test_list({std::ranges::begin(values), std::ranges::end(values)}, true);
    }

    /// Test a string against a pattern: see Expression.
    [[nodiscard]] Expression like(std::string pattern) const;
    [[nodiscard]] Expression not_like(std::string pattern) const;

    [[nodiscard]] Expression is_null() const;
    [[nodiscard]] Expression is_not_null() const;

  private:
    [[nodiscard]] Expression test_list(std::vector<Scalar> values, bool negated) const;

    std::string name_;
};

/// Name a field.
[[nodiscard]] inline Field field(std::string name) noexcept {
    return Field(std::move(name));
}

[[nodiscard]] VECDB_EXPORT Expression operator==(const Field& field, Scalar value);
[[nodiscard]] VECDB_EXPORT Expression operator!=(const Field& field, Scalar value);
[[nodiscard]] VECDB_EXPORT Expression operator<(const Field& field, Scalar value);
[[nodiscard]] VECDB_EXPORT Expression operator<=(const Field& field, Scalar value);
[[nodiscard]] VECDB_EXPORT Expression operator>(const Field& field, Scalar value);
[[nodiscard]] VECDB_EXPORT Expression operator>=(const Field& field, Scalar value);
[[nodiscard]] VECDB_EXPORT Expression operator==(Scalar value, const Field& field);
[[nodiscard]] VECDB_EXPORT Expression operator!=(Scalar value, const Field& field);
[[nodiscard]] VECDB_EXPORT Expression operator<(Scalar value, const Field& field);
[[nodiscard]] VECDB_EXPORT Expression operator<=(Scalar value, const Field& field);
[[nodiscard]] VECDB_EXPORT Expression operator>(Scalar value, const Field& field);
[[nodiscard]] VECDB_EXPORT Expression operator>=(Scalar value, const Field& field);

}  // namespace vecdb
