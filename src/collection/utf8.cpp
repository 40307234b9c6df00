#include "collection/utf8.h"

namespace vecdb::collection {

Character decode_utf8(std::string_view text) noexcept {
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

void append_utf8(std::string& text, std::uint32_t code) {
    const auto put = [&](std::uint32_t byte) {
        text.push_back(static_cast<char>(byte));
    };
    const auto put_rest = [&](unsigned shift) {
        put(0x80U | (code >> shift & 0x3FU));
    };
    if (code < 0x80) return put(code);
    if (code < 0x800) {
        put(0xC0U | code >> 6U);
        return put_rest(0);
    }
    if (code < 0x10000) {
        put(0xE0U | code >> 12U);
    } else {
        put(0xF0U | code >> 18U);
        put_rest(12);
    }
    put_rest(6);
    put_rest(0);
}

std::size_t utf8_size(std::string_view text) noexcept {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t length = decode_utf8(text.substr(at)).length;
        if (length == 0) return at;
        at += length;
    }
    return at;
}

std::string shortened(std::string_view text, std::size_t bytes) {
    std::string beginning;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = decode_utf8(text.substr(at)).length;
        if (beginning.size() + length > bytes) return beginning + "...";
        beginning += length == 0 ? std::string_view("?") : text.substr(at, length);
        at += length == 0 ? 1 : length;
    }
    return beginning;
}

}  // namespace vecdb::collection
