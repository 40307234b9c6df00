#pragma once

/// \file
/// Pairs of floats, halves and bfloat16, added up in float.
/// Included by the files in arch/ only; internal linkage throughout.

#include "simd/kernels.h"

#include <cstddef>
#include <cstdint>

namespace vecdb::simd {
namespace {

/// Elements that are floats. `Level`: lanes_*.h.
template <class Level>
struct Float32Elements {
    using Element = float;
    using Register = typename Level::Floats;

    static Register load(const float* p) { return Register::load(p); }
    static Register load_last(const float* p, std::size_t count, std::size_t left) {
        return Register::load_last(p, count, left);
    }
};

/// Elements of 16 bits, widened by `Widen`.
template <class Floats, class Widen>
struct HalfElements {
    using Element = std::uint16_t;
    using Register = Floats;

    static Register load(const Element* p) { return Widen::load(p); }
    static Register load_last(const Element* p, std::size_t count, std::size_t left) {
        constexpr std::size_t kW = Register::kWidth;
        if (count >= kW) return Register::keep_last(load(p + count - kW), left);
        alignas(64) Element copy[kW] = {};
        for (std::size_t i = 0; i < count; ++i)
            copy[i] = p[i];
        return load(copy);
    }
};

template <class Level>
using Float16Elements = HalfElements<typename Level::Floats, typename Level::WidenFloat16>;
template <class Level>
using BFloat16Elements = HalfElements<typename Level::Floats, typename Level::WidenBFloat16>;

/// What the distances of such elements have in common.
template <class Elements>
struct FloatPairs : Elements {
    using Element = typename Elements::Element;
    using Register = typename Elements::Register;
    using Sum = Register;
    static constexpr std::size_t kWidth = Register::kWidth;
    /// With two rows side by side eight multiply-adds are in flight, which hides their latency.
    static constexpr std::size_t kSums = 4;
    static constexpr std::size_t kGroup = 2;
    static constexpr std::size_t kStreamAhead =
        kWidth >= 16 ? kWideStreamAhead : kNarrowStreamAhead;

    FloatPairs(const Element*, std::size_t) {}

    static std::size_t elements(std::size_t dim) { return dim; }
    static Sum zero() { return Register::zero(); }
    /// Add up what the sums of one row hold, always in the same order.
    static float total(const Sum (&sums)[kSums]) {
        return ((sums[0] + sums[2]) + (sums[1] + sums[3])).sum();
    }
    /// Not a number is ordered last.
    static float ordered(float distance) { return distance <= kInfinity ? distance : kInfinity; }
};

template <class Elements>
struct FloatSquares : FloatPairs<Elements> {
    using Base = FloatPairs<Elements>;
    using Base::Base;
    using typename Base::Register;
    using typename Base::Sum;

    static Sum add(Sum sum, Register q, Register x) {
        const Register difference = q - x;
        return Register::multiply_add(difference, difference, sum);
    }
    static float distance(const Sum (&sums)[Base::kSums]) {
        return Base::ordered(Base::total(sums));
    }
};

template <class Elements>
struct FloatProducts : FloatPairs<Elements> {
    using Base = FloatPairs<Elements>;
    using Base::Base;
    using typename Base::Register;
    using typename Base::Sum;

    static Sum add(Sum sum, Register q, Register x) { return Register::multiply_add(q, x, sum); }
    static float distance(const Sum (&sums)[Base::kSums]) {
        return Base::ordered(-Base::total(sums));
    }
};

}  // namespace
}  // namespace vecdb::simd
