#pragma once

/// \file
/// Pairs of signed bytes, added up exactly in 32 bits: 255^2 * 32,768 < 2^31.
/// Included by the files in arch/ only; internal linkage throughout.
///
/// What `Lanes` must have: `kWidth`, `kStreamAhead`, `Register`, `Sum`; `zero()`, `load(p)`,
/// `load_last(p, left)` (the `left` elements at p and zeros), `no_elements()` (a register of
/// zeros), `add(sum, query, row)`, `plus(sum, sum)`, `total(sum)`; `kSign`, which makes a sum a
/// distance; `kOffset`: whether add() takes the row's elements for larger than they are, all by the
/// same.

#include "simd/kernels.h"

#include <cstddef>
#include <cstdint>

namespace vecdb::simd {
namespace {

template <class Lanes>
class Int8Pairs {
  public:
    using Element = std::int8_t;
    using Register = typename Lanes::Register;
    using Sum = typename Lanes::Sum;
    static constexpr std::size_t kWidth = Lanes::kWidth;
    static constexpr std::size_t kSums = 2;
    static constexpr std::size_t kGroup = 4;
    static constexpr std::size_t kStreamAhead = Lanes::kStreamAhead;

    Int8Pairs(const Element* query, std::size_t count) {
        if constexpr (Lanes::kOffset) too_much_ = sum_with_zeros(query, count);
    }

    static std::size_t elements(std::size_t dim) { return dim; }
    static Sum zero() { return Lanes::zero(); }
    static Register load(const Element* p) { return Lanes::load(p); }
    static Register load_last(const Element* p, std::size_t count, std::size_t left) {
        return Lanes::load_last(p + count - left, left);
    }
    static Sum add(Sum sum, Register q, Register x) { return Lanes::add(sum, q, x); }

    [[nodiscard]] float distance(const Sum (&sums)[kSums]) const {
        const std::int32_t sum = Lanes::total(Lanes::plus(sums[0], sums[1])) - too_much_;
        return Lanes::kSign * static_cast<float>(sum);
    }

  private:
    /// Return what add() finds for a row of zeros.
    static std::int32_t sum_with_zeros(const Element* query, std::size_t count) {
        Sum sum = zero();
        std::size_t i = 0;
        for (; i + kWidth <= count; i += kWidth)
            sum = add(sum, load(query + i), Lanes::no_elements());
        if (i < count) sum = add(sum, load_last(query, count, count - i), Lanes::no_elements());
        return Lanes::total(sum);
    }

    std::int32_t too_much_ = 0;
};

}  // namespace
}  // namespace vecdb::simd
