#pragma once

/// \file
/// From the head of a row to its levels and factors.

#include "index/code_layout.h"

#include <cstddef>
#include <cstdint>

namespace vecdb::index {

/// Factors are stored in steps of unit * kFactorStep.
inline constexpr double kFactorStep = 0x1p-15;

/// What is known of a row beside its head.
struct RowMeasures {
    std::uint16_t norm = 0;  ///< As it is stored.
    double slack = 0.0;      ///< Added to error.
    double tail = 0.0;       ///< At least the length of what the head leaves out.
};

/// Code rows of one segment in one layout.
/// Threads: const methods may run concurrently.
class RowCoder {
  public:
    /// \param unit  a power of two from 2^-100 to 2^101, at least as long as any row
    RowCoder(CodeLayout layout, std::size_t head, double unit) noexcept;

    /// Code the head of a row, finite floats: write its levels and factors, and raise `longest_hat`
    /// to |x^| / s. With few levels the scale is the best of several that cut off the longest
    /// elements.
    void code(const float* head,
              const RowMeasures& measures,
              std::uint8_t* levels,
              CodeFactors& factors,
              double& longest_hat) const;

  private:
    /// Return the scale (a half) with the smallest error.
    [[nodiscard]] std::uint16_t choose_scale(const float* head, float largest) const;
    [[nodiscard]] double scale_value(std::uint16_t scale) const noexcept;

    LevelRange range_;
    bool clips_;
    std::size_t head_;
    double unit_;
};

}  // namespace vecdb::index
