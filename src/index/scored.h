#pragma once

/// \file
/// Rows with what their codes say of their distances, and the choice of the best of them.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace vecdb::index {

/// A row and the score of its code.
struct Scored {
    float score;
    std::uint32_t row;
};

/// Return bits that ascend as the numbers do, negative ones included.
[[nodiscard]] inline std::uint32_t ascending_bits(float number) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(number);
    return (bits >> 31U) != 0 ? ~bits : bits | 0x8000'0000U;
}

/// Put the `count` best of `scored`, whose rows differ, first, in any order. Fast for few of many.
void bring_best_forward(std::span<Scored> scored, std::size_t count);

}  // namespace vecdb::index
