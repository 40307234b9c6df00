#pragma once

/// \file
/// The names that differ between xsimd 8.1 and 14, wrapped once. Only arch files include this.

#include <cstddef>
#include <cstdint>

#include <xsimd/xsimd.hpp>

namespace vecdb::simd {
namespace {

/// Add up the lanes.
template <class Arch>
inline float sum_lanes(const xsimd::batch<float, Arch>& lanes) {
#if XSIMD_VERSION_MAJOR >= 9
    return xsimd::reduce_add(lanes);
#else
    return xsimd::hadd(lanes);
#endif
}

/// Turn a comparison into bits, lane i in bit i.
template <class Arch>
inline std::uint64_t lane_bits(const xsimd::batch_bool<float, Arch>& lanes) {
#if XSIMD_VERSION_MAJOR >= 9
    return static_cast<std::uint64_t>(lanes.mask());
#elif defined(__x86_64__)
    using Register = typename xsimd::batch_bool<float, Arch>::register_type;
    if constexpr (sizeof(Register) == 2) {
        return static_cast<std::uint64_t>(lanes.data);  // __mmask16
    } else if constexpr (sizeof(Register) == 16) {
        return static_cast<std::uint64_t>(_mm_movemask_ps(lanes.data));
    } else {
#    if defined(__AVX__)
        return static_cast<std::uint64_t>(_mm256_movemask_ps(lanes.data));
#    else
        return 0;
#    endif
    }
#else
    constexpr std::size_t kLanes = xsimd::batch<float, Arch>::size;
    bool values[kLanes];
    lanes.store_unaligned(values);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < kLanes; ++i)
        bits |= std::uint64_t{values[i]} << i;
    return bits;
#endif
}

}  // namespace
}  // namespace vecdb::simd
