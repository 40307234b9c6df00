#include "collection/query/expression_lexer.h"

#include "check.h"
#include "collection/utf8.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

namespace vecdb::collection {
namespace {

struct Word {
    std::string_view text;
    TokenKind kind;
    Scalar value = {};
};

const Word* find_word(std::string_view text) noexcept {
    static const Word words[] = {
        {"and", TokenKind::kAnd},
        {"false", TokenKind::kLiteral, false},
        {"in", TokenKind::kIn},
        {"infinity", TokenKind::kLiteral, std::numeric_limits<double>::infinity()},
        {"is", TokenKind::kIs},
        {"like", TokenKind::kLike},
        {"not", TokenKind::kNot},
        {"null", TokenKind::kNull},
        {"or", TokenKind::kOr},
        {"true", TokenKind::kLiteral, true}};
    const auto same = [](char a, char b) {
        return a == (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b);
    };
    const auto* found = std::find_if(std::begin(words), std::end(words), [&](const Word& word) {
        return std::equal(word.text.begin(), word.text.end(), text.begin(), text.end(), same);
    });
    return found != std::end(words) ? found : nullptr;
}

struct Sign {
    std::string_view text;
    TokenKind kind;
    Comparison comparison = Comparison::kEqual;
};

// Of two with the same beginning the longer stands first.
constexpr Sign kSigns[] = {{"&&", TokenKind::kAnd},
                           {"||", TokenKind::kOr},
                           {"==", TokenKind::kComparison, Comparison::kEqual},
                           {"=", TokenKind::kComparison, Comparison::kEqual},
                           {"!=", TokenKind::kComparison, Comparison::kNotEqual},
                           {"!", TokenKind::kBang},
                           {"<=", TokenKind::kComparison, Comparison::kLessEqual},
                           {"<", TokenKind::kComparison, Comparison::kLess},
                           {">=", TokenKind::kComparison, Comparison::kGreaterEqual},
                           {">", TokenKind::kComparison, Comparison::kGreater},
                           {"(", TokenKind::kOpen},
                           {")", TokenKind::kClose},
                           {"[", TokenKind::kOpenList},
                           {"]", TokenKind::kCloseList},
                           {",", TokenKind::kComma}};

constexpr bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

constexpr bool is_word_character(char c) {
    return is_letter(c) || is_digit(c);
}

/// Return where the characters from `at` on end that `belongs` is true of.
template <class Belongs>
std::size_t skip(std::string_view text, std::size_t at, Belongs belongs) {
    while (at < text.size() && belongs(text[at]))
        ++at;
    return at;
}

/// Return where an exponent ends that begins at `at`; `at` if there is none.
std::size_t skip_exponent(std::string_view text, std::size_t at) {
    std::size_t digits = at;
    if (digits == text.size() || (text[digits] != 'e' && text[digits] != 'E')) return at;
    ++digits;
    if (digits < text.size() && (text[digits] == '+' || text[digits] == '-')) ++digits;
    const std::size_t end = skip(text, digits, is_digit);
    return end > digits ? end : at;
}

/// Read \uXXXX at `at`.
std::optional<std::uint32_t> read_unit(std::string_view text, std::size_t at) {
    if (text.substr(at, 2) != "\\u" || text.size() - at < 6) return std::nullopt;
    std::uint32_t code = 0;
    const char* const digits = text.data() + at + 2;
    const auto [end, failure] = std::from_chars(digits, digits + 4, code, 16);
    if (failure != std::errc() || end != digits + 4) return std::nullopt;
    return code;
}

constexpr bool is_surrogate(std::uint32_t code, std::uint32_t first) {
    return code >= first && code < first + 0x400;
}

}  // namespace

bool is_plain_name(std::string_view name) noexcept {
    return !name.empty() && is_letter(name.front()) &&
           std::all_of(name.begin(), name.end(), is_word_character) && find_word(name) == nullptr;
}

Status error_at(std::string_view text, std::size_t offset, const std::string& message) {
    std::string where = "expression, byte " + std::to_string(offset);
    if (text.find('\n') != std::string_view::npos) {
        const std::string_view before = text.substr(0, offset);
        const std::size_t last = before.rfind('\n');
        const std::size_t begin = last == std::string_view::npos ? 0 : last + 1;
        where += " (line " + std::to_string(1 + std::count(before.begin(), before.end(), '\n')) +
                 ", column " + std::to_string(offset - begin + 1) + ")";
    }
    return {StatusCode::kInvalidArgument, where + ": " + message};
}

Result<Token> ExpressionLexer::next() {
    at_ = skip(text_, at_, [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); });
    if (at_ == text_.size()) return token(TokenKind::kEnd, at_);
    const char c = text_[at_];
    if (is_letter(c)) return word();
    if (at_number()) return number();
    if (c == '"' || c == '\'') return string();
    if (c == '`') return quoted_name();
    return sign();
}

bool ExpressionLexer::at_number() const noexcept {
    const std::size_t first = at_ + (text_[at_] == '-' ? 1 : 0);
    return first < text_.size() &&
           (is_digit(text_[first]) || (first > at_ && is_letter(text_[first])));
}

Token ExpressionLexer::token(TokenKind kind, std::size_t end) {
    Token token;
    token.kind = kind;
    token.offset = at_;
    token.source = text_.substr(at_, end - at_);
    at_ = end;
    return token;
}

Token ExpressionLexer::literal_token(Scalar value, std::size_t end) {
    Token made = token(TokenKind::kLiteral, end);
    made.value = std::move(value);
    return made;
}

Result<Token> ExpressionLexer::word() {
    const std::size_t end = skip(text_, at_, is_word_character);
    const std::string_view text = text_.substr(at_, end - at_);
    const Word* const known = find_word(text);
    Token made = token(known != nullptr ? known->kind : TokenKind::kName, end);
    if (known != nullptr) {
        made.value = known->value;
    } else {
        made.name = text;
    }
    return made;
}

Result<Token> ExpressionLexer::number() {
    const std::size_t first = at_ + (text_[at_] == '-' ? 1 : 0);
    const std::size_t word_end = skip(text_, first, is_word_character);
    const Word* const known = find_word(text_.substr(first, word_end - first));
    if (known != nullptr && std::holds_alternative<double>(known->value)) {
        return literal_token(-std::get<double>(known->value), word_end);
    }
    const std::size_t whole_end = skip(text_, first, is_digit);
    std::size_t end = whole_end;
    const bool point = end + 1 < text_.size() && text_[end] == '.' && is_digit(text_[end + 1]);
    if (point) end = skip(text_, end + 1, is_digit);
    end = skip_exponent(text_, end);
    const std::size_t wrong_end =
        skip(text_, end, [](char c) { return is_word_character(c) || c == '.'; });
    if (wrong_end > end) {
        return error(
            at_,
            "expected a number, found '" + shortened(text_.substr(at_, wrong_end - at_), 40) + "'");
    }
    return end == whole_end ? integer(end) : decimal(end);
}

Result<Token> ExpressionLexer::integer(std::size_t end) {
    std::int64_t value = 0;
    if (std::from_chars(text_.data() + at_, text_.data() + end, value).ec != std::errc()) {
        using Limits = std::numeric_limits<std::int64_t>;
        return error(at_,
                     "integer is " + shortened(text_.substr(at_, end - at_), 40) +
                         "; allowed are " + std::to_string(Limits::min()) + " to " +
                         std::to_string(Limits::max()));
    }
    return literal_token(value, end);
}

Result<Token> ExpressionLexer::decimal(std::size_t end) {
    double value = 0;
    if (std::from_chars(text_.data() + at_, text_.data() + end, value).ec != std::errc()) {
        return error(at_,
                     "number is " + shortened(text_.substr(at_, end - at_), 40) +
                         "; a double is 0 or between 4.9e-324 and 1.8e308 on either side of it");
    }
    return literal_token(value, end);
}

Result<Token> ExpressionLexer::string() {
    const char quote = text_[at_];
    std::string value;
    for (std::size_t at = at_ + 1; at < text_.size();) {
        if (text_[at] == quote) return literal_token(std::move(value), at + 1);
        VECDB_TRY(text_[at] == '\\' ? escape(at, value) : character(at, value));
    }
    return error(at_, std::string("expected ") + quote + " behind the string that begins here");
}

Status ExpressionLexer::escape(std::size_t& at, std::string& value) const {
    const char c = at + 1 < text_.size() ? text_[at + 1] : '\0';
    switch (c) {
        case 'u':
            return unicode_escape(at, value);
        case 'n':
            value += '\n';
            break;
        case 't':
            value += '\t';
            break;
        case '%':
            value += "\\%";
            break;
        case '"':
        case '\'':
        case '\\':
            value += c;
            break;
        default:
            return error(at,
                         "expected \\\", \\', \\\\, \\n, \\t, \\% or \\uXXXX, found '" +
                             shortened(text_.substr(at, 2), 8) + "'");
    }
    at += 2;
    return {};
}

Status ExpressionLexer::unicode_escape(std::size_t& at, std::string& value) const {
    constexpr std::uint32_t kHigh = 0xD800;
    constexpr std::uint32_t kLow = 0xDC00;
    const auto code = read_unit(text_, at);
    if (!code) {
        return error(at,
                     "expected \\u and 4 hexadecimal digits, found '" +
                         shortened(text_.substr(at, 6), 8) + "'");
    }
    if (!is_surrogate(*code, kHigh) && !is_surrogate(*code, kLow)) {
        append_utf8(value, *code);
        at += 6;
        return {};
    }
    const auto second = is_surrogate(*code, kHigh) ? read_unit(text_, at + 6) : std::nullopt;
    if (!second || !is_surrogate(*second, kLow)) {
        return error(at,
                     "expected a pair of surrogates, found half of one, '" +
                         shortened(text_.substr(at, 6), 8) + "'");
    }
    append_utf8(value, 0x10000 + ((*code - kHigh) << 10U) + (*second - kLow));
    at += 12;
    return {};
}

Status ExpressionLexer::character(std::size_t& at, std::string& value) const {
    const std::size_t length = decode_utf8(text_.substr(at)).length;
    if (length == 0) return error(at, "expected UTF-8, found other bytes");
    value += text_.substr(at, length);
    at += length;
    return {};
}

Result<Token> ExpressionLexer::quoted_name() {
    std::string name;
    for (std::size_t at = at_ + 1; at < text_.size();) {
        const bool quote = text_[at] == '`';
        const bool twice = quote && text_.substr(at, 2) == "``";
        if (quote && !twice) {
            Token made = token(TokenKind::kName, at + 1);
            made.name = std::move(name);
            return made;
        }
        VECDB_TRY(character(at, name));
        if (twice) ++at;
    }
    return error(at_, "expected ` behind the name that begins here");
}

Result<Token> ExpressionLexer::sign() {
    const std::string_view rest = text_.substr(at_);
    const auto* const found =
        std::find_if(std::begin(kSigns), std::end(kSigns), [&](const Sign& each) {
            return rest.starts_with(each.text);
        });
    if (found == std::end(kSigns)) {
        const std::size_t length = std::max<std::size_t>(1, decode_utf8(rest).length);
        return error(at_,
                     "expected a field, a value or an operator, found '" +
                         shortened(rest.substr(0, length), 8) + "'");
    }
    Token made = token(found->kind, at_ + found->text.size());
    made.comparison = found->comparison;
    return made;
}

}  // namespace vecdb::collection
