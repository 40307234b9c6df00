#include "check.h"
#include "collection/query/expression_lexer.h"
#include "collection/query/expression_tree.h"
#include "collection/utf8.h"

#include <vecdb/expression.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vecdb {
namespace {

using collection::error_at;
using collection::Token;
using collection::TokenKind;
using Node = ExpressionNode;

/// Reads a text from left to right, one function for each rule:
///
///     whole    = any
///     any      = all {"||" all}
///     all      = negation {"&&" negation}
///     negation = ("!" | "not") negation | primary
///     primary  = "(" any ")" | name test | literal [comparison name]
///     test     = [comparison literal | ["not"] ("in" list | "like" string) | "is" ["not"] "null"]
///     list     = "[" [literal {"," literal}] "]"
class ExpressionParser {
  public:
    explicit ExpressionParser(std::string_view text) noexcept : text_(text), lexer_(text) {}

    [[nodiscard]] Result<ExpressionPointer> parse() {
        VECDB_TRY(advance());
        VECDB_ASSIGN(ExpressionPointer whole, junction(true));
        if (token_.kind != TokenKind::kEnd) return expected("'&&', '||' or the end");
        return whole;
    }

  private:
    [[nodiscard]] Result<ExpressionPointer> junction(bool any);
    [[nodiscard]] Result<ExpressionPointer> negation();
    [[nodiscard]] Result<ExpressionPointer> primary();
    [[nodiscard]] Result<ExpressionPointer> enclosed();
    [[nodiscard]] Result<ExpressionPointer> field_first();
    [[nodiscard]] Result<ExpressionPointer> literal_first();
    [[nodiscard]] Result<ExpressionPointer> list_test(const Token& field, bool negated);
    [[nodiscard]] Result<ExpressionPointer> pattern_test(const Token& field, bool negated);
    [[nodiscard]] Result<ExpressionPointer> null_test(const Token& field);
    [[nodiscard]] Result<std::vector<Scalar>> list();

    /// Go to the next token.
    [[nodiscard]] Status advance() {
        VECDB_ASSIGN(token_, lexer_.next());
        return {};
    }
    /// Go to the next token if this one is of the kind.
    [[nodiscard]] Status pass(TokenKind kind, const char* what) {
        return token_.kind == kind ? advance() : expected(what);
    }
    /// Take a literal and go to the next token.
    [[nodiscard]] Result<Scalar> literal();
    [[nodiscard]] Status expected(const std::string& what) const;
    [[nodiscard]] Status deeper();

    template <class Test>
    [[nodiscard]] Result<ExpressionPointer> made(std::size_t offset, Test test) {
        VECDB_TRY(count_leaf(offset));
        return checked(offset, make_test(std::move(test)));
    }
    /// Count a test or a constant, to stop before there are too many of them.
    [[nodiscard]] Status count_leaf(std::size_t offset);
    [[nodiscard]] Result<ExpressionPointer> checked(std::size_t offset,
                                                    ExpressionPointer node) const {
        const Status status = status_of(*node);
        if (!status.ok()) return error_at(text_, offset, status.message());
        return node;
    }

    std::string_view text_;
    collection::ExpressionLexer lexer_;
    Token token_;
    std::size_t nesting_ = 0;
    std::size_t leaves_ = 0;
};

Status ExpressionParser::expected(const std::string& what) const {
    const bool at_end = token_.kind == TokenKind::kEnd;
    return error_at(
        text_,
        token_.offset,
        "expected " + what + ", found " +
            (at_end ? "the end" : "'" + collection::shortened(token_.source, 40) + "'"));
}

/// Count a parenthesis or a negation.
Status ExpressionParser::deeper() {
    if (++nesting_ <= kMaxExpressionDepth) return {};
    return error_at(text_,
                    token_.offset,
                    "parentheses and negations nest " + std::to_string(nesting_) +
                        " deep; at most " + std::to_string(kMaxExpressionDepth) + " are allowed");
}

Status ExpressionParser::count_leaf(std::size_t offset) {
    if (++leaves_ <= kMaxExpressionNodes) return {};
    return error_at(text_,
                    offset,
                    "expression has more than " + std::to_string(kMaxExpressionNodes) +
                        " nodes; at most that many are allowed");
}

Result<ExpressionPointer> ExpressionParser::junction(bool any) {
    const TokenKind joint = any ? TokenKind::kOr : TokenKind::kAnd;
    const std::size_t offset = token_.offset;
    std::vector<ExpressionPointer> operands;
    while (true) {
        VECDB_ASSIGN(ExpressionPointer operand, any ? junction(false) : negation());
        operands.push_back(std::move(operand));
        if (token_.kind != joint) break;
        VECDB_TRY(advance());
    }
    return checked(offset, make_junction(any, std::move(operands)));
}

Result<ExpressionPointer> ExpressionParser::negation() {
    if (token_.kind != TokenKind::kBang && token_.kind != TokenKind::kNot) return primary();
    const std::size_t offset = token_.offset;
    VECDB_TRY(deeper());
    VECDB_TRY(advance());
    VECDB_ASSIGN(ExpressionPointer operand, negation());
    --nesting_;
    return checked(offset, make_negation(std::move(operand)));
}

Result<ExpressionPointer> ExpressionParser::primary() {
    switch (token_.kind) {
        case TokenKind::kOpen:
            return enclosed();
        case TokenKind::kName:
            return field_first();
        case TokenKind::kLiteral:
            return literal_first();
        default:
            return expected("a field, a value, '!' or '('");
    }
}

Result<ExpressionPointer> ExpressionParser::enclosed() {
    VECDB_TRY(deeper());
    VECDB_TRY(advance());
    VECDB_ASSIGN(ExpressionPointer inner, junction(true));
    VECDB_TRY(pass(TokenKind::kClose, "'&&', '||' or ')'"));
    --nesting_;
    return inner;
}

Result<ExpressionPointer> ExpressionParser::field_first() {
    Token field = std::move(token_);
    VECDB_TRY(advance());
    const bool negated = token_.kind == TokenKind::kNot;
    if (negated) VECDB_TRY(advance());
    if (token_.kind == TokenKind::kIn) return list_test(field, negated);
    if (token_.kind == TokenKind::kLike) return pattern_test(field, negated);
    if (negated) return expected("'in' or 'like'");
    if (token_.kind == TokenKind::kIs) return null_test(field);
    if (token_.kind != TokenKind::kComparison) {
        return made(field.offset, Node::BoolTest{std::move(field.name)});
    }
    const Comparison comparison = token_.comparison;
    VECDB_TRY(advance());
    VECDB_ASSIGN(Scalar value, literal());
    return made(
        field.offset,
        Node::ComparisonTest{
            .field = std::move(field.name), .comparison = comparison, .value = std::move(value)});
}

Result<ExpressionPointer> ExpressionParser::literal_first() {
    const std::size_t offset = token_.offset;
    VECDB_ASSIGN(Scalar value, literal());
    if (token_.kind != TokenKind::kComparison) {
        const auto* const constant = std::get_if<bool>(&value);
        if (constant == nullptr) return expected("a comparison");
        VECDB_TRY(count_leaf(offset));
        return make_constant(*constant);
    }
    const Comparison comparison = flipped(token_.comparison);
    VECDB_TRY(advance());
    std::string name = std::move(token_.name);
    VECDB_TRY(pass(TokenKind::kName, "a field"));
    return made(offset,
                Node::ComparisonTest{
                    .field = std::move(name), .comparison = comparison, .value = std::move(value)});
}

Result<ExpressionPointer> ExpressionParser::list_test(const Token& field, bool negated) {
    VECDB_TRY(advance());
    VECDB_ASSIGN(std::vector<Scalar> values, list());
    return made(
        field.offset,
        Node::ListTest{.field = field.name, .values = std::move(values), .negated = negated});
}

Result<ExpressionPointer> ExpressionParser::pattern_test(const Token& field, bool negated) {
    VECDB_TRY(advance());
    auto* const pattern = std::get_if<std::string>(&token_.value);
    if (token_.kind != TokenKind::kLiteral || pattern == nullptr) {
        return expected("a pattern in quotes");
    }
    Node::PatternTest test{.field = field.name, .pattern = std::move(*pattern), .negated = negated};
    VECDB_TRY(advance());
    return made(field.offset, std::move(test));
}

Result<ExpressionPointer> ExpressionParser::null_test(const Token& field) {
    VECDB_TRY(advance());
    const bool negated = token_.kind == TokenKind::kNot;
    if (negated) VECDB_TRY(advance());
    VECDB_TRY(pass(TokenKind::kNull, negated ? "'null'" : "'null' or 'not null'"));
    return made(field.offset, Node::NullTest{.field = field.name, .negated = negated});
}

Result<std::vector<Scalar>> ExpressionParser::list() {
    std::vector<Scalar> values;
    VECDB_TRY(pass(TokenKind::kOpenList, "'['"));
    while (token_.kind != TokenKind::kCloseList) {
        if (!values.empty()) VECDB_TRY(pass(TokenKind::kComma, "',' or ']'"));
        if (values.size() == kMaxExpressionListValues) {
            return error_at(text_,
                            token_.offset,
                            "list has more than " + std::to_string(kMaxExpressionListValues) +
                                " values; at most that many are allowed");
        }
        VECDB_ASSIGN(Scalar value, literal());
        values.push_back(std::move(value));
    }
    VECDB_TRY(advance());
    return values;
}

Result<Scalar> ExpressionParser::literal() {
    if (token_.kind == TokenKind::kNull) return expected("a value, or a test by 'is null'");
    if (token_.kind != TokenKind::kLiteral) return expected("a value");
    Scalar value = std::move(token_.value);
    VECDB_TRY(advance());
    return value;
}

}  // namespace

Result<Expression> Expression::parse(std::string_view text) {
    return guard([&]() -> Result<Expression> {
        if (text.size() > kMaxExpressionBytes) {
            return Status(StatusCode::kInvalidArgument,
                          "expression has " + std::to_string(text.size()) + " bytes; at most " +
                              std::to_string(kMaxExpressionBytes) + " are allowed");
        }
        VECDB_ASSIGN(ExpressionPointer tree, ExpressionParser(text).parse());
        return Expression(std::move(tree));
    });
}

}  // namespace vecdb
