#pragma once

/// \file
/// Numbers in messages.

#include <array>
#include <charconv>
#include <concepts>
#include <string>

namespace vecdb::collection {

/// Write a number with as few digits as tell it from every other of its type.
template <std::floating_point Number>
[[nodiscard]] std::string number_text(Number number) {
    std::array<char, 32> digits{};
    return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr};
}

}  // namespace vecdb::collection
