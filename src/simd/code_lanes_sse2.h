#pragma once

/// \file
/// The operations of kernels_codes_wide.h on SSE2, without SSSE3: bytes are taken apart into even
/// and odd ones of 16 bits.
/// Included by arch/ files only; internal linkage throughout.

#include "simd/kernels_codes_wide.h"

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

namespace vecdb::simd {
namespace {

struct Sse2CodeLanes {
    static constexpr std::size_t kWidth = 16;
    static constexpr std::size_t kGroup = 4;
    using Bytes = __m128i;
    using Part = __m128i;
    using Sums = __m128i;
    using Floats = __m128;
    using Numbers = __m128i;

    static Bytes load(const void* p) { return _mm_load_si128(static_cast<const __m128i*>(p)); }
    static Bytes load4(const void* p) {
        int bytes;
        __builtin_memcpy(&bytes, p, sizeof bytes);
        return _mm_set1_epi32(bytes);
    }
    static Bytes low_halves(Bytes x) { return _mm_and_si128(x, _mm_set1_epi8(15)); }
    static Bytes high_halves(Bytes x) { return low_halves(_mm_srli_epi16(x, 4)); }
    static Bytes bits16(const std::uint8_t* p) {
        const __m128i bit = _mm_set1_epi64x(static_cast<long long>(0x8040201008040201U));
        const __m128i two = _mm_cvtsi32_si128(p[0] | p[1] << 8U);
        const __m128i twice = _mm_unpacklo_epi8(two, two);
        const __m128i four_times = _mm_unpacklo_epi16(twice, twice);
        const __m128i bytes = _mm_unpacklo_epi32(four_times, four_times);
        const __m128i set = _mm_cmpeq_epi8(_mm_and_si128(bytes, bit), bit);
        return _mm_and_si128(set, _mm_set1_epi8(16));
    }

    static Part no_part() { return _mm_setzero_si128(); }
    static Part add_small(Part part, Bytes levels, Bytes query) {
        const __m128i even = _mm_and_si128(levels, _mm_set1_epi16(255));
        return add_products(part, even, _mm_srli_epi16(levels, 8), query);
    }
    static Sums no_sums() { return _mm_setzero_si128(); }
    static Sums widen(Sums sums, Part part) { return _mm_add_epi32(sums, part); }
    static Sums add7(Sums sums, Bytes levels, Bytes query) {
        return add_small(sums, levels, query);
    }
    static Sums add8(Sums sums, Bytes levels, Bytes query) {
        const __m128i centred = _mm_xor_si128(levels, _mm_set1_epi8(-128));
        return add_products(sums, even_signed(centred), _mm_srai_epi16(centred, 8), query);
    }
    static Sums across(const Sums (&sums)[kGroup]) {
        const __m128i ab = _mm_add_epi32(_mm_unpacklo_epi32(sums[0], sums[1]),
                                         _mm_unpackhi_epi32(sums[0], sums[1]));
        const __m128i cd = _mm_add_epi32(_mm_unpacklo_epi32(sums[2], sums[3]),
                                         _mm_unpackhi_epi32(sums[2], sums[3]));
        return _mm_add_epi32(_mm_unpacklo_epi64(ab, cd), _mm_unpackhi_epi64(ab, cd));
    }

    static Floats broadcast(float value) { return _mm_set1_ps(value); }
    static Floats to_floats(Sums sums) { return _mm_cvtepi32_ps(sums); }
    static Floats load_halves(const void* p) {
        return halves_to_floats(
            _mm_unpacklo_epi16(_mm_loadl_epi64(static_cast<const __m128i*>(p)), no_sums()));
    }
    static Floats multiply_add(Floats a, Floats b, Floats c) {
        return _mm_add_ps(_mm_mul_ps(a, b), c);
    }
    static Floats negated_multiply_add(Floats a, Floats b, Floats c) {
        return _mm_sub_ps(c, _mm_mul_ps(a, b));
    }
    static Floats not_nan(Floats x) {  // the second operand, if the first is not a number
        return _mm_max_ps(x, _mm_set1_ps(-kInfinity));
    }
    static GroupFactors<Floats> row_factors(const std::uint8_t* const (&rows)[kGroup],
                                            std::size_t offset) {
        const auto load_row = [&](std::size_t r) {
            return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows[r] + offset));
        };
        const __m128i r02 = _mm_unpacklo_epi16(load_row(0), load_row(2));
        const __m128i r13 = _mm_unpacklo_epi16(load_row(1), load_row(3));
        const __m128i norm_scale = _mm_unpacklo_epi16(r02, r13);
        const __m128i error_tail = _mm_unpackhi_epi16(r02, r13);
        return {halves_to_floats(_mm_unpacklo_epi16(norm_scale, no_sums())),
                halves_to_floats(_mm_unpackhi_epi16(norm_scale, no_sums())),
                halves_to_floats(_mm_unpacklo_epi16(error_tail, no_sums())),
                halves_to_floats(_mm_unpackhi_epi16(error_tail, no_sums()))};
    }
    static std::uint32_t not_above(Floats scores, Floats threshold) {
        return static_cast<std::uint32_t>(_mm_movemask_ps(_mm_cmpngt_ps(scores, threshold)));
    }

    static Numbers load_numbers(const std::uint32_t* p) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    }
    static Numbers count_from(std::uint32_t first) {
        return _mm_add_epi32(_mm_set1_epi32(static_cast<int>(first)), _mm_setr_epi32(0, 1, 2, 3));
    }
    static std::size_t keep(
        Numbers numbers, Floats scores, std::uint32_t mask, const Kept& kept, std::size_t n) {
        std::uint32_t row[kGroup];
        float score[kGroup];
        _mm_storeu_si128(reinterpret_cast<__m128i*>(row), numbers);
        _mm_storeu_ps(score, scores);
        return keep_lanes(row, score, kGroup, mask, kept, n);
    }

  private:
    static __m128i even_signed(__m128i x) { return _mm_srai_epi16(_mm_slli_epi16(x, 8), 8); }
    static Sums add_products(Sums sums, __m128i even, __m128i odd, Bytes query) {
        sums = _mm_add_epi32(sums, _mm_madd_epi16(even, even_signed(query)));
        return _mm_add_epi32(sums, _mm_madd_epi16(odd, _mm_srai_epi16(query, 8)));
    }
    /// Convert finite halves, one to a lane; as half_to_float.
    static Floats halves_to_floats(__m128i halves) {
        const __m128i sign = _mm_slli_epi32(_mm_and_si128(halves, _mm_set1_epi32(0x8000)), 16);
        const __m128i rest = _mm_slli_epi32(_mm_and_si128(halves, _mm_set1_epi32(0x7FFF)), 13);
        const __m128i smallest = _mm_set1_epi32(113 << 23);
        const __m128i normal = _mm_add_epi32(rest, _mm_set1_epi32(112 << 23));
        const __m128 denormal =
            _mm_sub_ps(_mm_castsi128_ps(_mm_add_epi32(rest, smallest)), _mm_castsi128_ps(smallest));
        const __m128i is_normal = _mm_cmpgt_epi32(rest, _mm_set1_epi32((1 << 23) - 1));
        const __m128i value = _mm_or_si128(_mm_and_si128(is_normal, normal),
                                           _mm_andnot_si128(is_normal, _mm_castps_si128(denormal)));
        return _mm_castsi128_ps(_mm_or_si128(value, sign));
    }
};

}  // namespace
}  // namespace vecdb::simd
