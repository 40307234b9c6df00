#include "collection/query/expression_lexer.h"
#include "collection/query/expression_tree.h"

#include <charconv>
#include <cmath>
#include <iterator>
#include <string_view>

namespace vecdb {
namespace {

using Node = ExpressionNode;

std::string double_literal(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "infinity" : "-infinity";
    char digits[32];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), value).ptr;
    std::string text(std::begin(digits), end);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
}

std::string escaped(char c) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    switch (c) {
        case '"':
        case '\\':
            return {'\\', c};
        case '\n':
            return "\\n";
        case '\t':
            return "\\t";
        default:
            break;
    }
    const auto code = static_cast<unsigned char>(c);
    if (code >= 0x20) return {c};
    return {'\\', 'u', '0', '0', kDigits[code / 16], kDigits[code % 16]};
}

std::string string_literal(std::string_view value) {
    std::string text = "\"";
    for (const char c : value)
        text += escaped(c);
    return text + '"';
}

std::string list_literal(const std::vector<Scalar>& values) {
    std::string text = "[";
    for (const Scalar& value : values) {
        if (text.size() > 1) text += ", ";
        text += literal(value);
    }
    return text + "]";
}

/// Writes a tree. The operand of a negation stands in parentheses unless it is one word or a
/// negation, || below && too.
class Writer {
  public:
    [[nodiscard]] std::string write(const Node& node) {
        std::visit(*this, node.content);
        return std::move(text_);
    }

    void operator()(const Node::Constant& constant) { text_ += constant.value ? "true" : "false"; }
    void operator()(const Node::BoolTest& test) { text_ += quoted_field(test.field); }
    void operator()(const Node::ComparisonTest& test) {
        text_ += quoted_field(test.field);
        text_ += ' ';
        text_ += symbol(test.comparison);
        text_ += ' ';
        text_ += literal(test.value);
    }
    void operator()(const Node::ListTest& test) {
        text_ += quoted_field(test.field);
        text_ += test.negated ? " not in " : " in ";
        text_ += list_literal(test.values);
    }
    void operator()(const Node::PatternTest& test) {
        text_ += quoted_field(test.field);
        text_ += test.negated ? " not like " : " like ";
        text_ += string_literal(test.pattern);
    }
    void operator()(const Node::NullTest& test) {
        text_ += quoted_field(test.field);
        text_ += test.negated ? " is not null" : " is null";
    }
    void operator()(const Node::Negation& negation) {
        text_ += '!';
        const auto& content = negation.operand->content;
        enclose(!std::holds_alternative<Node::Constant>(content) &&
                    !std::holds_alternative<Node::BoolTest>(content) &&
                    !std::holds_alternative<Node::Negation>(content),
                *negation.operand);
    }
    void operator()(const Node::Junction& junction) {
        bool first = true;
        for (const ExpressionPointer& operand : junction.operands) {
            if (!first) text_ += junction.any ? " || " : " && ";
            first = false;
            const bool joined = std::holds_alternative<Node::Junction>(operand->content);
            enclose(joined && !junction.any, *operand);
        }
    }
    void operator()(const Node::Refusal& refusal) {
        text_ += "<refused: " + refusal.status.message() + ">";
    }

  private:
    void enclose(bool enclosed, const Node& node) {
        if (enclosed) text_ += '(';
        std::visit(*this, node.content);
        if (enclosed) text_ += ')';
    }

    std::string text_;
};

}  // namespace

std::string_view symbol(Comparison comparison) noexcept {
    switch (comparison) {
        case Comparison::kEqual:
            return "==";
        case Comparison::kNotEqual:
            return "!=";
        case Comparison::kLess:
            return "<";
        case Comparison::kLessEqual:
            return "<=";
        case Comparison::kGreater:
            return ">";
        case Comparison::kGreaterEqual:
            return ">=";
    }
    return "?";
}

std::string literal(const Scalar& value) {
    if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
    if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
    if (const auto* number = std::get_if<double>(&value)) return double_literal(*number);
    if (const auto* text = std::get_if<std::string>(&value)) return string_literal(*text);
    return "null";
}

std::string quoted_field(const std::string& name) {
    if (collection::is_plain_name(name)) return name;
    std::string text = "`";
    for (const char c : name)
        text.append(c == '`' ? 2 : 1, c);
    return text + '`';
}

std::string to_text(const Node& node) {
    Writer writer;
    return writer.write(node);
}

}  // namespace vecdb
