#pragma once

/// \file
/// The operations of kernels_codes_wide.h on AVX2, with FMA and F16C.
/// Included by arch/ files with these instructions only; internal linkage throughout.

#include "simd/kernels_codes_wide.h"

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

namespace vecdb::simd {
namespace {

/// For each mask of eight lanes the numbers of its lanes, ascending, a byte each.
struct LaneNumbers {
    constexpr LaneNumbers() : packed() {
        for (std::uint32_t mask = 0; mask < 256; ++mask) {
            unsigned shift = 0;
            for (std::uint64_t lane = 0; lane < 8; ++lane) {
                if ((mask >> lane & 1U) == 0) continue;
                packed[mask] |= lane << shift;
                shift += 8;
            }
        }
    }
    std::uint64_t packed[256];
};
alignas(64) inline constexpr LaneNumbers kLaneNumbers;

/// Write the first four halves of eight rows as columns: all N, all s, all E, all T.
inline void transpose_factors(const std::uint8_t* const* rows,
                              std::size_t offset,
                              __m128i (&columns)[4]) {
    const auto two = [&](std::size_t r) {
        const __m128i first = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows[r] + offset));
        const __m128i second =
            _mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows[r + 1] + offset));
        return _mm_unpacklo_epi64(first, second);
    };
    __m128i norm_scale[2];
    __m128i error_tail[2];
#pragma GCC unroll 2
    for (std::size_t half = 0; half < 2; ++half) {
        const __m128i r01 = two(4 * half);
        const __m128i r23 = two(4 * half + 2);
        const __m128i even = _mm_unpacklo_epi16(r01, r23);
        const __m128i odd = _mm_unpackhi_epi16(r01, r23);
        norm_scale[half] = _mm_unpacklo_epi16(even, odd);
        error_tail[half] = _mm_unpackhi_epi16(even, odd);
    }
    columns[0] = _mm_unpacklo_epi64(norm_scale[0], norm_scale[1]);
    columns[1] = _mm_unpackhi_epi64(norm_scale[0], norm_scale[1]);
    columns[2] = _mm_unpacklo_epi64(error_tail[0], error_tail[1]);
    columns[3] = _mm_unpackhi_epi64(error_tail[0], error_tail[1]);
}

struct Avx2CodeLanes {
    static constexpr std::size_t kWidth = 32;
    static constexpr std::size_t kGroup = 8;
    using Bytes = __m256i;
    using Part = __m256i;
    using Sums = __m256i;
    using Floats = __m256;
    using Numbers = __m256i;

    static Bytes load(const void* p) { return _mm256_load_si256(static_cast<const __m256i*>(p)); }
    static Bytes load4(const void* p) { return _mm256_set1_epi32(four_bytes(p)); }
    static Bytes low_halves(Bytes x) { return _mm256_and_si256(x, _mm256_set1_epi8(15)); }
    static Bytes high_halves(Bytes x) { return low_halves(_mm256_srli_epi16(x, 4)); }
    static Bytes bits16(const void* p) {
        const __m256i spread =
            _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
        const __m256i bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201U));
        const __m256i bytes = _mm256_shuffle_epi8(load4(p), spread);
        const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(bytes, bit), bit);
        return _mm256_and_si256(set, _mm256_set1_epi8(16));
    }

    static Part no_part() { return _mm256_setzero_si256(); }
    static Part add_small(Part part, Bytes levels, Bytes query) {
        return in_order(_mm256_add_epi16(part, _mm256_maddubs_epi16(levels, query)));
    }
    static Sums no_sums() { return _mm256_setzero_si256(); }
    static Sums widen(Sums sums, Part part) {
        return _mm256_add_epi32(sums, _mm256_madd_epi16(part, _mm256_set1_epi16(1)));
    }
    // Two products of at most 127 * 127 fit 16 bits; four do not.
    static Sums add7(Sums sums, Bytes levels, Bytes query) {
        return widen(sums, _mm256_maddubs_epi16(levels, query));
    }
    static Sums add8(Sums sums, Bytes levels, Bytes query) {
        const __m256i centred = _mm256_xor_si256(levels, _mm256_set1_epi8(-128));
        return add7(sums, _mm256_abs_epi8(query), _mm256_sign_epi8(centred, query));
    }
    static Sums across(const Sums (&sums)[kGroup]) {
        const __m256i low = across4(sums[0], sums[1], sums[2], sums[3]);
        const __m256i high = across4(sums[4], sums[5], sums[6], sums[7]);
        return _mm256_add_epi32(_mm256_permute2x128_si256(low, high, 0x20),
                                _mm256_permute2x128_si256(low, high, 0x31));
    }

    static Floats broadcast(float value) { return _mm256_set1_ps(value); }
    static Floats to_floats(Sums sums) { return _mm256_cvtepi32_ps(sums); }
    static Floats load_halves(const void* p) {
        return _mm256_cvtph_ps(_mm_load_si128(static_cast<const __m128i*>(p)));
    }
    static Floats multiply_add(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
    static Floats negated_multiply_add(Floats a, Floats b, Floats c) {
        return _mm256_fnmadd_ps(a, b, c);
    }
    static Floats not_nan(Floats x) {  // the second operand, if the first is not a number
        return _mm256_max_ps(x, _mm256_set1_ps(-kInfinity));
    }
    static GroupFactors<Floats> row_factors(const std::uint8_t* const (&rows)[kGroup],
                                            std::size_t offset) {
        __m128i columns[4];
        transpose_factors(rows, offset, columns);
        return {_mm256_cvtph_ps(columns[0]),
                _mm256_cvtph_ps(columns[1]),
                _mm256_cvtph_ps(columns[2]),
                _mm256_cvtph_ps(columns[3])};
    }
    static std::uint32_t not_above(Floats scores, Floats threshold) {
        return static_cast<std::uint32_t>(
            _mm256_movemask_ps(_mm256_cmp_ps(scores, threshold, _CMP_NGT_UQ)));
    }

    static Numbers load_numbers(const std::uint32_t* p) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    }
    static Numbers count_from(std::uint32_t first) {
        return _mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(first)),
                                _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    }
    static std::size_t keep(
        Numbers numbers, Floats scores, std::uint32_t mask, const Kept& kept, std::size_t n) {
        const __m256i lanes = _mm256_cvtepu8_epi32(
            _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kLaneNumbers.packed + mask)));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(kept.rows + n),
                            _mm256_permutevar8x32_epi32(numbers, lanes));
        _mm256_storeu_ps(kept.distances + n, _mm256_permutevar8x32_ps(scores, lanes));
        return n + static_cast<std::size_t>(__builtin_popcount(mask));
    }

    /// Sums of bytes at even places plus 256 times those at odd ones, and these alone.
    struct Words {
        __m256i both, odd;
    };
    static Words no_words() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
    static Bytes look_up(Bytes tables, Bytes words) { return _mm256_shuffle_epi8(tables, words); }
    static Words add_bytes(Words words, Bytes bytes) {
        return {_mm256_add_epi16(words.both, bytes),
                _mm256_add_epi16(words.odd, _mm256_srli_epi16(bytes, 8))};
    }
    static void store_words(Words words, std::uint16_t* sums) {
        const __m256i even = _mm256_sub_epi16(words.both, _mm256_slli_epi16(words.odd, 8));
        const __m256i first = _mm256_unpacklo_epi16(even, words.odd);
        const __m256i second = _mm256_unpackhi_epi16(even, words.odd);
        const __m256i sum = _mm256_add_epi16(_mm256_permute2x128_si256(first, second, 0x20),
                                             _mm256_permute2x128_si256(first, second, 0x31));
        _mm256_store_si256(reinterpret_cast<__m256i*>(sums), sum);
    }
    static std::uint32_t words_not_above(const std::uint16_t* sums, std::uint16_t limit) {
        const __m256i limits = _mm256_set1_epi16(static_cast<short>(limit));
        const auto above = [&](const std::uint16_t* at) {  // 0 where a sum is not above
            return _mm256_subs_epu16(_mm256_load_si256(reinterpret_cast<const __m256i*>(at)),
                                     limits);
        };
        const __m256i zero = _mm256_setzero_si256();
        const __m256i bytes = _mm256_packs_epi16(_mm256_cmpeq_epi16(above(sums), zero),
                                                 _mm256_cmpeq_epi16(above(sums + 16), zero));
        return static_cast<std::uint32_t>(
            _mm256_movemask_epi8(_mm256_permute4x64_epi64(bytes, 0xD8)));
    }

  private:
    /// Keep compilers from adding in another order, for which they run out of registers.
    static __m256i in_order(__m256i x) {
        asm("" : "+x"(x));
        return x;
    }
    static int four_bytes(const void* p) {
        int bytes;
        __builtin_memcpy(&bytes, p, sizeof bytes);
        return bytes;
    }
    /// In each half: lane r is the sum of the four lanes of register r.
    static __m256i across4(__m256i a, __m256i b, __m256i c, __m256i d) {
        const __m256i ab =
            _mm256_add_epi32(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
        const __m256i cd =
            _mm256_add_epi32(_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d));
        return _mm256_add_epi32(_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd));
    }
};

}  // namespace
}  // namespace vecdb::simd
