#include "collection/names.h"

#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace vecdb::collection {
namespace {

/// A decoded character and its length in bytes; length 0 when the bytes are not UTF-8.
struct Character {
    std::uint32_t code = 0;
    std::size_t length = 0;
};

/// Decode the first character. Refuses overlong forms, surrogates and codes past U+10FFFF.
Character decode(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return static_cast<std::uint8_t>(text[i]);
    };
    const std::uint8_t lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t length = lead >= 0xF0 ? 4U : lead >= 0xE0 ? 3U : 2U;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
    std::uint32_t code = lead & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80) return {};
        code = code << 6U | (byte(i) & 0x3FU);
    }
    constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (code < kSmallest[length] || code > 0x10FFFF || surrogate) return {};
    return {code, length};
}

constexpr bool is_control(std::uint32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

}  // namespace

Status validate_name(std::string_view what, std::string_view name) {
    const auto bad = [&](const std::string& why) {
        return Status(StatusCode::kInvalidArgument, std::string(what) + " " + why);
    };
    if (name.empty()) return bad("is empty; 1 to 255 bytes are allowed");
    if (name.size() > kMaxNameBytes) {
        return bad("has " + std::to_string(name.size()) + " bytes; at most " +
                   std::to_string(kMaxNameBytes) + " are allowed");
    }
    for (std::size_t i = 0; i < name.size();) {
        const Character character = decode(name.substr(i));
        if (character.length == 0) return bad("is not UTF-8 at byte " + std::to_string(i));
        if (is_control(character.code)) {
            return bad("has a control character at byte " + std::to_string(i));
        }
        i += character.length;
    }
    return {};
}

std::optional<std::size_t> find_no_utf8(std::string_view text) noexcept {
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = decode(text.substr(i)).length;
        if (length == 0) return i;
        i += length;
    }
    return std::nullopt;
}

}  // namespace vecdb::collection
