#pragma once

/// \file
/// Conversions between float and the 16-bit element types.

#include <vecdb/types.h>

#include <bit>
#include <cstdint>

namespace vecdb {

/// Return the exact value; infinities and NaN stay what they are.
[[nodiscard]] constexpr float to_float(Float16 number) noexcept {
    const std::uint32_t sign = (number.bits & 0x8000U) << 16U;
    const std::uint32_t magnitude = number.bits & 0x7FFFU;
    if (magnitude < 0x0400) {  // zero or denormal: units of 2^-24
        const float value = static_cast<float>(magnitude) * 0x1p-24F;
        return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | sign);
    }
    // Move the exponent's offset from 15 to 127; the largest exponent goes to the largest.
    const std::uint32_t offset = magnitude < 0x7C00 ? 112U : 224U;
    return std::bit_cast<float>(((magnitude << 13U) + (offset << 23U)) | sign);
}

/// Return the exact value; infinities and NaN stay what they are.
[[nodiscard]] constexpr float to_float(BFloat16 number) noexcept {
    return std::bit_cast<float>(std::uint32_t{number.bits} << 16U);
}

/// Return the nearest half, of two equally near the even one. From 65,520 on that is infinity;
/// NaN stays NaN.
[[nodiscard]] constexpr Float16 to_float16(float value) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t sign = bits >> 16U & 0x8000U;
    const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
    std::uint32_t half = 0;
    if (magnitude > 0x7F800000) {
        half = 0x7E00;
    } else if (magnitude >= 0x477FF000) {  // 65,520
        half = 0x7C00;
    } else if (magnitude >= 0x38800000) {  // 2^-14, the smallest normal half
        half = (magnitude + 0xFFFU + (magnitude >> 13U & 1U) - 0x38000000U) >> 13U;
    } else {
        // The last place of 0.5 is 2^-24, that of denormal halves: the addition rounds.
        half = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - 0x3F000000U;
    }
    return {static_cast<std::uint16_t>(sign | half)};
}

/// Return the nearest bfloat16, of two equally near the even one. What is nearer to 2^128 than to
/// the largest becomes infinity; NaN stays NaN.
[[nodiscard]] constexpr BFloat16 to_bfloat16(float value) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if ((bits & 0x7FFFFFFFU) > 0x7F800000U) {
        return {static_cast<std::uint16_t>(bits >> 16U | 0x0040U)};  // quiet, never an infinity
    }
    return {static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16U & 1U)) >> 16U)};
}

}  // namespace vecdb
