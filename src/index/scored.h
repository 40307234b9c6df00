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

/// Return the number that has these ascending bits.
[[nodiscard]] inline float number_of(std::uint32_t ascending) noexcept {
    return std::bit_cast<float>((ascending >> 31U) != 0 ? ascending & 0x7FFF'FFFFU : ~ascending);
}

/// Return a number that orders rows by score, and equal scores by row.
[[nodiscard]] inline std::uint64_t key_of(const Scored& scored) noexcept {
    return std::uint64_t{ascending_bits(scored.score)} << 32U | scored.row;
}
[[nodiscard]] inline Scored scored_of(std::uint64_t key) noexcept {
    return {number_of(static_cast<std::uint32_t>(key >> 32U)), static_cast<std::uint32_t>(key)};
}

/// Put the `count` best of `scored`, whose rows differ, first, in any order. Fast for few of many.
void bring_best_forward(std::span<Scored> scored, std::size_t count);

}  // namespace vecdb::index
