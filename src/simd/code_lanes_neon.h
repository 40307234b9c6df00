#pragma once

/// \file
/// The operations of kernels_codes_wide.h on NEON of AArch64, without dot products.
/// Included by arch/ files only; internal linkage throughout.

#include "simd/kernels_codes_wide.h"

#include <cstddef>
#include <cstdint>

#include <arm_neon.h>

namespace vecdb::simd {
namespace {

struct NeonCodeLanes {
    static constexpr std::size_t kWidth = 16;
    static constexpr std::size_t kGroup = 4;
    using Bytes = int8x16_t;
    /// Products of bytes 0 to 7 and 8 to 15, not paired yet.
    struct Part {
        int16x8_t low, high;
    };
    using Sums = int32x4_t;
    using Floats = float32x4_t;
    using Numbers = uint32x4_t;

    static Bytes load(const void* p) { return vld1q_s8(static_cast<const std::int8_t*>(p)); }
    static Bytes load4(const void* p) {
        std::int32_t bytes;
        __builtin_memcpy(&bytes, p, sizeof bytes);
        return vreinterpretq_s8_s32(vdupq_n_s32(bytes));
    }
    static Bytes low_halves(Bytes x) { return vandq_s8(x, vdupq_n_s8(15)); }
    static Bytes high_halves(Bytes x) {
        return vreinterpretq_s8_u8(vshrq_n_u8(vreinterpretq_u8_s8(x), 4));
    }
    static Bytes bits16(const std::uint8_t* p) {
        const uint8x16_t bit = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201U));
        const uint8x16_t bytes = vcombine_u8(vdup_n_u8(p[0]), vdup_n_u8(p[1]));
        return vreinterpretq_s8_u8(vandq_u8(vtstq_u8(bytes, bit), vdupq_n_u8(16)));
    }

    static Part no_part() { return {vdupq_n_s16(0), vdupq_n_s16(0)}; }
    static Part add_small(Part part, Bytes levels, Bytes query) {
        return {vmlal_s8(part.low, vget_low_s8(levels), vget_low_s8(query)),
                vmlal_high_s8(part.high, levels, query)};
    }
    static Sums no_sums() { return vdupq_n_s32(0); }
    static Sums widen(Sums sums, Part part) {
        return vpadalq_s16(sums, vpaddq_s16(part.low, part.high));
    }
    static Sums add7(Sums sums, Bytes levels, Bytes query) {
        sums = vpadalq_s16(sums, vmull_s8(vget_low_s8(levels), vget_low_s8(query)));
        return vpadalq_s16(sums, vmull_high_s8(levels, query));
    }
    static Sums add8(Sums sums, Bytes levels, Bytes query) {
        return add7(sums, veorq_s8(levels, vdupq_n_s8(-128)), query);
    }
    static Sums across(const Sums (&sums)[kGroup]) {
        return vpaddq_s32(vpaddq_s32(sums[0], sums[1]), vpaddq_s32(sums[2], sums[3]));
    }

    static Floats broadcast(float value) { return vdupq_n_f32(value); }
    static Floats to_floats(Sums sums) { return vcvtq_f32_s32(sums); }
    static Floats load_halves(const void* p) {
        return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(static_cast<const std::uint8_t*>(p))));
    }
    static Floats multiply_add(Floats a, Floats b, Floats c) { return vfmaq_f32(c, a, b); }
    static Floats negated_multiply_add(Floats a, Floats b, Floats c) { return vfmsq_f32(c, a, b); }
    static Floats not_nan(Floats x) { return vmaxnmq_f32(x, vdupq_n_f32(-kInfinity)); }
    static GroupFactors<Floats> row_factors(const std::uint8_t* const (&rows)[kGroup],
                                            std::size_t offset) {
        const float32x4x2_t ab =
            vtrnq_f32(load_halves(rows[0] + offset), load_halves(rows[1] + offset));
        const float32x4x2_t cd =
            vtrnq_f32(load_halves(rows[2] + offset), load_halves(rows[3] + offset));
        return {vcombine_f32(vget_low_f32(ab.val[0]), vget_low_f32(cd.val[0])),
                vcombine_f32(vget_low_f32(ab.val[1]), vget_low_f32(cd.val[1])),
                vcombine_f32(vget_high_f32(ab.val[0]), vget_high_f32(cd.val[0])),
                vcombine_f32(vget_high_f32(ab.val[1]), vget_high_f32(cd.val[1]))};
    }
    static std::uint32_t not_above(Floats scores, Floats threshold) {
        const uint32x4_t lane = {1, 2, 4, 8};
        return vaddvq_u32(vbicq_u32(lane, vcgtq_f32(scores, threshold)));
    }

    static Numbers load_numbers(const std::uint32_t* p) { return vld1q_u32(p); }
    static Numbers count_from(std::uint32_t first) {
        const uint32x4_t lane = {0, 1, 2, 3};
        return vaddq_u32(vdupq_n_u32(first), lane);
    }
    static std::size_t keep(
        Numbers numbers, Floats scores, std::uint32_t mask, const Kept& kept, std::size_t n) {
        std::uint32_t row[kGroup];
        float score[kGroup];
        vst1q_u32(row, numbers);
        vst1q_f32(score, scores);
        return keep_lanes(row, score, kGroup, mask, kept, n);
    }

    /// Sums of bytes 0 to 7 and 8 to 15.
    struct Words {
        uint16x8_t low, high;
    };
    static Words no_words() { return {vdupq_n_u16(0), vdupq_n_u16(0)}; }
    static Bytes look_up(Bytes tables, Bytes words) {
        return vqtbl1q_s8(tables, vreinterpretq_u8_s8(words));
    }
    static Words add_bytes(Words words, Bytes bytes) {
        const uint8x16_t values = vreinterpretq_u8_s8(bytes);
        return {vaddw_u8(words.low, vget_low_u8(values)), vaddw_high_u8(words.high, values)};
    }
    static void store_words(Words words, std::uint16_t* sums) {
        vst1q_u16(sums, words.low);
        vst1q_u16(sums + 8, words.high);
    }
    static std::uint32_t words_not_above(const std::uint16_t* sums, std::uint16_t limit) {
        const uint16x8_t lane = {1, 2, 4, 8, 16, 32, 64, 128};
        std::uint32_t mask = 0;
        for (unsigned i = 0; i < 4; ++i) {
            const uint16x8_t fits = vcleq_u16(vld1q_u16(sums + 8 * i), vdupq_n_u16(limit));
            mask |= std::uint32_t{vaddvq_u16(vandq_u16(fits, lane))} << (8 * i);
        }
        return mask;
    }
};

}  // namespace
}  // namespace vecdb::simd
