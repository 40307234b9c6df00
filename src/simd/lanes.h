#pragma once

/// \file
/// The few vector operations that the kernels are written in, over xsimd or over one plain float.
/// Everything here has internal linkage: an arch file must not leave code to the linker that
/// another file compiled for another CPU could pick up.

#include <cstddef>
#include <cstdint>

#if !defined(VECDB_SCALAR_ONLY)
#    include "simd/xsimd_compat.h"
#endif

namespace vecdb::simd {
namespace {

/// One float at a time, in plain C++.
struct ScalarLanes {
    static constexpr std::size_t kWidth = 1;
    float value;

    static ScalarLanes zero() { return {0.0F}; }
    static ScalarLanes broadcast(const float* p) { return {*p}; }
    static ScalarLanes load(const float* p) { return {*p}; }
    static ScalarLanes load_aligned(const float* p) { return {*p}; }
    static ScalarLanes load_last(const float*, std::size_t, std::size_t) { return zero(); }
    static ScalarLanes keep_last(ScalarLanes, std::size_t) { return zero(); }
    void store(float* p) const { *p = value; }
    /// Return a * b + c.
    static ScalarLanes multiply_add(ScalarLanes a, ScalarLanes b, ScalarLanes c) {
        return {a.value * b.value + c.value};
    }
    friend ScalarLanes operator+(ScalarLanes a, ScalarLanes b) { return {a.value + b.value}; }
    friend ScalarLanes operator-(ScalarLanes a, ScalarLanes b) { return {a.value - b.value}; }
    friend ScalarLanes operator*(ScalarLanes a, ScalarLanes b) { return {a.value * b.value}; }
    [[nodiscard]] float sum() const { return value; }
    /// Return bit i set where lane i is not less than that of `floor`.
    [[nodiscard]] std::uint64_t not_less(ScalarLanes floor) const {
        return value < floor.value ? 0U : 1U;
    }
};

#if !defined(VECDB_SCALAR_ONLY)

/// Zeros, then all ones: a window of kWidth starting at kMaxWidth - n keeps the last n lanes.
inline constexpr std::size_t kMaxWidth = 16;
alignas(64) inline constexpr std::uint32_t kKeepLast[2 * kMaxWidth] = {
    0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
    ~0U, ~0U, ~0U, ~0U, ~0U, ~0U, ~0U, ~0U, ~0U, ~0U, ~0U, ~0U, ~0U, ~0U, ~0U, ~0U};

/// A register of xsimd.
template <class Arch>
struct XsimdLanes {
    using Batch = xsimd::batch<float, Arch>;
    static constexpr std::size_t kWidth = Batch::size;
    static_assert(kWidth <= kMaxWidth);
    Batch value;

    static XsimdLanes zero() { return {Batch(0.0F)}; }
    static XsimdLanes broadcast(const float* p) { return {Batch(*p)}; }
    static XsimdLanes load(const float* p) { return {Batch::load_unaligned(p)}; }
    static XsimdLanes load_aligned(const float* p) { return {Batch::load_aligned(p)}; }

    /// Return the last `left` (< kWidth) of the `count` elements at p and zeros, without reading
    /// anything else: from a full register that ends with the last element, or by hand when there
    /// is no full register.
    static XsimdLanes load_last(const float* p, std::size_t count, std::size_t left) {
        if (count >= kWidth) return keep_last(load(p + count - kWidth), left);
        alignas(64) float copy[kWidth] = {};
        for (std::size_t i = 0; i < count; ++i)
            copy[i] = p[i];
        return load_aligned(copy);
    }

    /// Return the last `left` (< kWidth) lanes and zeros.
    static XsimdLanes keep_last(XsimdLanes lanes, std::size_t left) {
        const auto* keep = reinterpret_cast<const float*>(kKeepLast + kMaxWidth - kWidth + left);
        return {lanes.value & Batch::load_unaligned(keep)};
    }

    void store(float* p) const { value.store_unaligned(p); }
    static XsimdLanes multiply_add(XsimdLanes a, XsimdLanes b, XsimdLanes c) {
        return {xsimd::fma(a.value, b.value, c.value)};
    }
    friend XsimdLanes operator+(XsimdLanes a, XsimdLanes b) { return {a.value + b.value}; }
    friend XsimdLanes operator-(XsimdLanes a, XsimdLanes b) { return {a.value - b.value}; }
    friend XsimdLanes operator*(XsimdLanes a, XsimdLanes b) { return {a.value * b.value}; }
    [[nodiscard]] float sum() const { return sum_lanes(value); }
    [[nodiscard]] std::uint64_t not_less(XsimdLanes floor) const {
        return lane_bits(value < floor.value) ^ ((std::uint64_t{1} << kWidth) - 1);
    }
};

#endif

}  // namespace
}  // namespace vecdb::simd
