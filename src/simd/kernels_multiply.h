#pragma once

/// \file
/// The product of a matrix and a vector. Contract: kernel_table.h.
/// Included by the files in arch/ only; internal linkage throughout.

#include "simd/kernel_table.h"
#include "simd/kernels.h"

#include <cstddef>

namespace vecdb::simd {
namespace {

/// `V`: the floats of a level. Every lane is the sum of one row, so none is added up at the end.
template <class V>
VECDB_KERNEL void multiply(const float* panel, std::size_t dims, const float* x, float* out) {
    constexpr std::size_t kRegisters = kPanelRows / V::kWidth;
    // Eight sums in flight hide the latency of a multiply-add.
    constexpr std::size_t kSets = kRegisters < 8 ? 8 / kRegisters : 1;
    V sums[kSets][kRegisters];
    for (auto& set : sums) {
        for (V& sum : set)
            sum = V::zero();
    }
    std::size_t d = 0;
    for (; d + kSets <= dims; d += kSets) {
#pragma GCC unroll 8
        for (std::size_t s = 0; s < kSets; ++s) {
            const V element = V::broadcast(x + d + s);
#pragma GCC unroll 8
            for (std::size_t r = 0; r < kRegisters; ++r) {
                const V rows = V::load_aligned(panel + (d + s) * kPanelRows + r * V::kWidth);
                sums[s][r] = V::multiply_add(element, rows, sums[s][r]);
            }
        }
    }
    for (; d < dims; ++d) {
        const V element = V::broadcast(x + d);
        for (std::size_t r = 0; r < kRegisters; ++r) {
            const V rows = V::load_aligned(panel + d * kPanelRows + r * V::kWidth);
            sums[0][r] = V::multiply_add(element, rows, sums[0][r]);
        }
    }
    for (std::size_t r = 0; r < kRegisters; ++r) {
        V sum = sums[0][r];
        for (std::size_t s = 1; s < kSets; ++s)
            sum = sum + sums[s][r];
        sum.store(out + r * V::kWidth);
    }
}

}  // namespace
}  // namespace vecdb::simd
