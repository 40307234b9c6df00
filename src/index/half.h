#pragma once

/// \file
/// Double to half precision and back, with the rounding that a bound needs.

#include <bit>
#include <cmath>
#include <cstdint>

namespace vecdb::index {

inline constexpr double kLargestHalf = 65'504.0;

/// Which neighbour a number between two halves becomes.
enum class HalfRounding : std::uint8_t { kDown, kNearest, kUp };

/// Return the half next to `value`; the largest there is for what lies outside.
inline std::uint16_t half_of(double value, HalfRounding rounding) noexcept {
    if (value < 0) {
        const HalfRounding mirrored = rounding == HalfRounding::kDown ? HalfRounding::kUp
                                      : rounding == HalfRounding::kUp ? HalfRounding::kDown
                                                                      : rounding;
        return static_cast<std::uint16_t>(half_of(-value, mirrored) | 0x8000U);
    }
    constexpr int kLeastExponent = -14;
    constexpr int kFractionBits = 10;
    if (!(value < kLargestHalf)) return 0x7BFF;
    const int bits = static_cast<int>(std::bit_cast<std::uint64_t>(value) >> 52U) - 1'023;
    int exponent = bits < kLeastExponent ? kLeastExponent : bits;
    const double steps = std::ldexp(value, kFractionBits - exponent);
    const double whole = rounding == HalfRounding::kDown ? std::floor(steps)
                         : rounding == HalfRounding::kUp ? std::ceil(steps)
                                                         : std::nearbyint(steps);
    // A fraction of 2^11 carries into the exponent, one below 2^10 is a denormal: both by addition.
    return static_cast<std::uint16_t>(((exponent + 14) << kFractionBits) + static_cast<int>(whole));
}

/// Return what a half that is finite stands for.
inline double half_value(std::uint16_t half) noexcept {
    const int exponent = (half >> 10U) & 31;
    const int fraction = half & 1'023;
    const double value =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 1'024, exponent - 25);
    return (half & 0x8000U) != 0 ? -value : value;
}

/// Tell whether a half is neither infinite nor "not a number".
inline bool half_is_finite(std::uint16_t half) noexcept {
    return (half & 0x7C00U) != 0x7C00U;
}

}  // namespace vecdb::index
