#pragma once

/// \file
/// The words of an expression's text.

#include "collection/query/expression_tree.h"

#include <vecdb/scalar.h>
#include <vecdb/status.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vecdb::collection {

enum class TokenKind : std::uint8_t {
    kEnd,
    kName,
    kLiteral,
    kComparison,
    kAnd,
    kOr,
    kBang,  ///< "!"
    kNot,   ///< The word.
    kIn,
    kLike,
    kIs,
    kNull,
    kOpen,
    kClose,
    kOpenList,
    kCloseList,
    kComma,
};

struct Token {
    TokenKind kind = TokenKind::kEnd;
    std::size_t offset = 0;   ///< Of its first byte in the text.
    std::string_view source;  ///< As it stands in the text; empty at the end.
    std::string name;         ///< Of kName, without backquotes.
    Scalar value;             ///< Of kLiteral, not null.
    Comparison comparison = Comparison::kEqual;
};

/// Tell whether a field of this name is written without backquotes.
[[nodiscard]] bool is_plain_name(std::string_view name) noexcept;

/// Make the failure of a text at a byte, with line and column if the text has several lines.
[[nodiscard]] Status error_at(std::string_view text,
                              std::size_t offset,
                              const std::string& message);

/// Cuts a text into tokens. The text must outlive it and its tokens.
class ExpressionLexer {
  public:
    explicit ExpressionLexer(std::string_view text) noexcept : text_(text) {}

    /// Return the next token; at the end kEnd, each time. Returns kInvalidArgument for what is no
    /// token.
    [[nodiscard]] Result<Token> next();

  private:
    [[nodiscard]] bool at_number() const noexcept;
    [[nodiscard]] Token token(TokenKind kind, std::size_t end);
    [[nodiscard]] Token literal_token(Scalar value, std::size_t end);
    [[nodiscard]] Result<Token> word();
    [[nodiscard]] Result<Token> number();
    [[nodiscard]] Result<Token> integer(std::size_t end);
    [[nodiscard]] Result<Token> decimal(std::size_t end);
    [[nodiscard]] Result<Token> string();
    [[nodiscard]] Result<Token> quoted_name();
    [[nodiscard]] Result<Token> sign();

    /// Read what follows a backslash at `at`, and move `at` behind it.
    [[nodiscard]] Status escape(std::size_t& at, std::string& value) const;
    [[nodiscard]] Status unicode_escape(std::size_t& at, std::string& value) const;
    /// Copy a character at `at`, and move `at` behind it.
    [[nodiscard]] Status character(std::size_t& at, std::string& value) const;
    [[nodiscard]] Status error(std::size_t offset, const std::string& message) const {
        return error_at(text_, offset, message);
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace vecdb::collection
