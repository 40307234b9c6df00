#include "scalar_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <type_traits>
#include <utility>
#include <variant>

namespace vecdb::cli {
namespace {

constexpr std::pair<ScalarType, const char*> kTypes[] = {{ScalarType::kBool, "bool"},
                                                         {ScalarType::kInt64, "int64"},
                                                         {ScalarType::kDouble, "double"},
                                                         {ScalarType::kString, "string"},
                                                         {ScalarType::kBytes, "bytes"}};

/// Write a number with as few digits as tell it from every other.
std::string double_text(double value) {
    if (std::isinf(value)) return value > 0 ? "infinity" : "-infinity";
    std::array<char, 32> digits{};
    return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
}

std::string escaped(char c) {
    switch (c) {
        case '\n':
            return "\\n";
        case '\r':
            return "\\r";
        case '\t':
            return "\\t";
        default:
            return "\\x" + hexadecimal({&c, 1});
    }
}

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
}

}  // namespace

std::string type_name(ScalarType type) {
    const auto* const known = std::find_if(
        std::begin(kTypes), std::end(kTypes), [&](const auto& each) { return each.first == type; });
    return known != std::end(kTypes) ? known->second : "unknown";
}

std::optional<ScalarType> type_named(std::string_view name) {
    for (const auto& [type, text] : kTypes) {
        if (name == text) return type;
    }
    return std::nullopt;
}

std::string field_text(const ScalarField& field) {
    return field.name + ':' + type_name(field.type) + (field.nullable ? "?" : "");
}

std::string fields_text(const std::vector<ScalarField>& fields) {
    std::vector<std::string> texts;
    texts.reserve(fields.size());
    for (const ScalarField& field : fields)
        texts.push_back(field_text(field));
    return joined(texts);
}

Json fields_json(const std::vector<ScalarField>& fields) {
    Json all = Json::array();
    for (const ScalarField& field : fields) {
        Json each = {
            {"name", field.name}, {"type", type_name(field.type)}, {"nullable", field.nullable}};
        if (!std::holds_alternative<std::monostate>(field.fallback)) {
            each["fallback"] = value_json(field, field.fallback);
        }
        all.push_back(std::move(each));
    }
    return all;
}

std::string shown(std::string_view text) {
    constexpr std::size_t kMostBytes = 60;
    std::size_t end = std::min(text.size(), kMostBytes);
    const auto in_character = [&] {
        return end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U;
    };
    while (end > 0 && in_character())
        --end;
    std::string out;
    for (const char c : text.substr(0, end))
        out += is_control(c) ? escaped(c) : std::string(1, c);
    return out + (end < text.size() ? "..." : "");
}

std::string value_text(const ScalarField& field, const Scalar& value) {
    return std::visit(
        [&](const auto& each) -> std::string {
            using T = std::decay_t<decltype(each)>;
            if constexpr (std::is_same_v<T, std::monostate>) {
                return "null";
            } else if constexpr (std::is_same_v<T, bool>) {
                return each ? "true" : "false";
            } else if constexpr (std::is_same_v<T, double>) {
                return double_text(each);
            } else if constexpr (std::is_same_v<T, std::string>) {
                return shown(field.type == ScalarType::kBytes ? hexadecimal(each) : each);
            } else {
                return std::to_string(each);
            }
        },
        value);
}

Json value_json(const ScalarField& field, const Scalar& value) {
    return std::visit(
        [&](const auto& each) -> Json {
            using T = std::decay_t<decltype(each)>;
            if constexpr (std::is_same_v<T, std::monostate>) {
                return nullptr;
            } else if constexpr (std::is_same_v<T, double>) {
                return std::isinf(each) ? Json(double_text(each)) : Json(each);
            } else if constexpr (std::is_same_v<T, std::string>) {
                return field.type == ScalarType::kBytes ? hexadecimal(each) : each;
            } else {
                return each;
            }
        },
        value);
}

}  // namespace vecdb::cli
