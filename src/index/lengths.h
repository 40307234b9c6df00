#pragma once

/// \file
/// Sums of squares and products in double precision, for bounds.

#include <cstddef>

namespace vecdb::index {

/// Bound the relative error of the sums below, for up to kMaxDimension terms.
inline constexpr double kSumError = 1e-11;

/// Added to every length that enters a bound through a rotation, whose products may have been below
/// the smallest float.
inline constexpr double kLeastLength = 0x1p-110;

/// Return the sum of x_i y_i. Its error is at most kSumError times the sum of |x_i y_i|.
inline double product_sum(const float* x, const float* y, std::size_t count) noexcept {
    double sums[4] = {};
    std::size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        for (std::size_t j = 0; j < 4; ++j)
            sums[j] += static_cast<double>(x[i + j]) * static_cast<double>(y[i + j]);
    }
    for (; i < count; ++i)
        sums[0] += static_cast<double>(x[i]) * static_cast<double>(y[i]);
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/// Return the sum of x_i^2.
inline double square_sum(const float* x, std::size_t count) noexcept {
    return product_sum(x, x, count);
}

}  // namespace vecdb::index
