#pragma once

/// \file
/// Text in UTF-8.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vecdb::collection {

/// A decoded character and its length in bytes; length 0 when the bytes are not UTF-8.
struct Character {
    std::uint32_t code = 0;
    std::size_t length = 0;
};

/// Decode the first character of text that is not empty. Refuses overlong forms, surrogates and
/// codes past U+10FFFF.
[[nodiscard]] Character decode_utf8(std::string_view text) noexcept;

/// Append a character. `code` is at most U+10FFFF and no surrogate.
void append_utf8(std::string& text, std::uint32_t code);

/// Return the byte at which `text` stops being UTF-8; its size if it never does.
[[nodiscard]] std::size_t utf8_size(std::string_view text) noexcept;

/// Return the beginning of `text`: all of it, or whole characters of at most `bytes` bytes and
/// "...". Bytes that are not UTF-8 become "?".
[[nodiscard]] std::string shortened(std::string_view text, std::size_t bytes);

}  // namespace vecdb::collection
