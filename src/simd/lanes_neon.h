#pragma once

/// \file
/// Registers of 128 bits of AArch64.

#include "simd/kernels.h"
#include "simd/lanes.h"
#include "simd/load_bytes.h"

#include <cstddef>
#include <cstdint>

#include <arm_neon.h>

namespace vecdb::simd {
namespace {

/// Return the first `count` (1 to 16) bytes at p and zeros.
inline uint8x16_t load_few_bytes(const void* p, std::size_t count) {
    const TwoWords words = load_bytes16(p, count);
    return vreinterpretq_u8_u64(vcombine_u64(vcreate_u64(words.low), vcreate_u64(words.high)));
}

struct NeonBytes {
    using Register = int8x16_t;
    static constexpr std::size_t kWidth = 16;
    static constexpr std::size_t kStreamAhead = kNarrowStreamAhead;
    static constexpr bool kOffset = false;

    static Register no_elements() { return vdupq_n_s8(0); }
    static Register load(const std::int8_t* p) { return vld1q_s8(p); }
    static Register load_last(const std::int8_t* p, std::size_t left) {
        return vreinterpretq_s8_u8(load_few_bytes(p, left));
    }
};

struct NeonBits {
    using Register = uint8x16_t;
    using Sum = uint32x4_t;
    static constexpr std::size_t kWidth = 16;
    static constexpr std::size_t kStreamAhead = kNarrowStreamAhead;

    static Sum zero() { return vdupq_n_u32(0); }
    static Register load(const std::uint8_t* p) { return vld1q_u8(p); }
    static Register load_last(const std::uint8_t* p, std::size_t left) {
        return load_few_bytes(p, left);
    }
    static Register either(Register a, Register b) { return vorrq_u8(a, b); }
    static Register differing(Register a, Register b) { return veorq_u8(a, b); }
    static Sum add_ones(Sum sum, Register bits) {
        return vpadalq_u16(sum, vpaddlq_u8(vcntq_u8(bits)));
    }
    static Sum plus(Sum a, Sum b) { return vaddq_u32(a, b); }
    static std::int32_t total(Sum sum) { return static_cast<std::int32_t>(vaddvq_u32(sum)); }
};

struct Neon {
    using Floats = XsimdLanes<xsimd::neon64>;
    struct WidenFloat16 {
        static Floats load(const std::uint16_t* p) {
            return {vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)))};
        }
    };
    struct WidenBFloat16 {
        static Floats load(const std::uint16_t* p) {
            return {vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16))};
        }
    };
    /// Differences as unsigned bytes, whose squares fit 16 bits.
    struct Int8Squares : NeonBytes {
        using Sum = uint32x4_t;
        static constexpr float kSign = 1.0F;
        static Sum zero() { return vdupq_n_u32(0); }
        static Sum add(Sum sum, Register q, Register x) {
            const uint8x16_t difference = vreinterpretq_u8_s8(vabdq_s8(q, x));
            const uint8x8_t low = vget_low_u8(difference);
            sum = vpadalq_u16(sum, vmull_u8(low, low));
            return vpadalq_u16(sum, vmull_high_u8(difference, difference));
        }
        static Sum plus(Sum a, Sum b) { return vaddq_u32(a, b); }
        static std::int32_t total(Sum sum) { return static_cast<std::int32_t>(vaddvq_u32(sum)); }
    };
    struct Int8Products : NeonBytes {
        using Sum = int32x4_t;
        static constexpr float kSign = -1.0F;
        static Sum zero() { return vdupq_n_s32(0); }
        static Sum add(Sum sum, Register q, Register x) {
            sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(q), vget_low_s8(x)));
            return vpadalq_s16(sum, vmull_high_s8(q, x));
        }
        static Sum plus(Sum a, Sum b) { return vaddq_s32(a, b); }
        static std::int32_t total(Sum sum) { return vaddvq_s32(sum); }
    };
    using Bits = NeonBits;
};

}  // namespace
}  // namespace vecdb::simd
