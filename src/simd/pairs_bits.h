#pragma once

/// \file
/// Pairs of bits, taken as bytes.
/// Included by the files in arch/ only; internal linkage throughout.
///
/// What `Lanes` must have: `kWidth` in bytes, `kStreamAhead`, `Register`, `Sum`; `zero()`,
/// `load(p)`, `load_last(p, left)` (the `left` bytes at p and zeros); `either(a, b)`, `differing(a,
/// b)`, `add_ones(sum, register)`, `plus(sum, sum)`, `total(sum)`.

#include "simd/kernels.h"

#include <cstddef>
#include <cstdint>

namespace vecdb::simd {
namespace {

/// What the distances of bits have in common.
template <class Lanes>
struct BitPairs {
    using Element = std::uint8_t;
    using Register = typename Lanes::Register;
    static constexpr std::size_t kWidth = Lanes::kWidth;
    static constexpr std::size_t kSums = 2;
    static constexpr std::size_t kGroup = 4;
    static constexpr std::size_t kStreamAhead = Lanes::kStreamAhead;

    BitPairs(const Element*, std::size_t) {}

    static std::size_t elements(std::size_t dim) { return (dim + 7) / 8; }
    static Register load(const Element* p) { return Lanes::load(p); }
    static Register load_last(const Element* p, std::size_t count, std::size_t left) {
        return Lanes::load_last(p + count - left, left);
    }
};

/// Bits that differ.
template <class Lanes>
struct HammingPairs : BitPairs<Lanes> {
    using Base = BitPairs<Lanes>;
    using Base::Base;
    using typename Base::Register;
    using Sum = typename Lanes::Sum;

    static Sum zero() { return Lanes::zero(); }
    static Sum add(Sum sum, Register q, Register x) {
        return Lanes::add_ones(sum, Lanes::differing(q, x));
    }
    static float distance(const Sum (&sums)[Base::kSums]) {
        return static_cast<float>(Lanes::total(Lanes::plus(sums[0], sums[1])));
    }
};

/// Bits that differ, as a part of those that either has.
template <class Lanes>
struct JaccardPairs : BitPairs<Lanes> {
    using Base = BitPairs<Lanes>;
    using Base::Base;
    using typename Base::Register;
    struct Sum {
        typename Lanes::Sum differing;
        typename Lanes::Sum either;
    };

    static Sum zero() { return {Lanes::zero(), Lanes::zero()}; }
    static Sum add(Sum sum, Register q, Register x) {
        return {Lanes::add_ones(sum.differing, Lanes::differing(q, x)),
                Lanes::add_ones(sum.either, Lanes::either(q, x))};
    }
    static float distance(const Sum (&sums)[Base::kSums]) {
        const std::int32_t differing =
            Lanes::total(Lanes::plus(sums[0].differing, sums[1].differing));
        const std::int32_t either = Lanes::total(Lanes::plus(sums[0].either, sums[1].either));
        if (either == 0) return 0.0F;
        return static_cast<float>(differing) / static_cast<float>(either);
    }
};

}  // namespace
}  // namespace vecdb::simd
