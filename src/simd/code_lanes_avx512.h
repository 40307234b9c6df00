#pragma once

/// \file
/// The operations of kernels_codes_wide.h on AVX-512 with BW, DQ and VL, and the products of VNNI.
/// Included by arch/ files with these instructions only; internal linkage throughout.

#include "simd/kernels_codes_wide.h"

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

namespace vecdb::simd {
namespace {

/// All but the products of bytes.
struct Avx512CodeBase {
    static constexpr std::size_t kWidth = 64;
    static constexpr std::size_t kGroup = 16;
    using Bytes = __m512i;
    using Part = __m512i;
    using Sums = __m512i;
    using Floats = __m512;
    using Numbers = __m512i;

    static Bytes load(const void* p) { return _mm512_load_si512(p); }
    static Bytes load4(const void* p) {
        int bytes;
        __builtin_memcpy(&bytes, p, sizeof bytes);
        return _mm512_set1_epi32(bytes);
    }
    static Bytes low_halves(Bytes x) { return _mm512_and_si512(x, _mm512_set1_epi8(15)); }
    static Bytes high_halves(Bytes x) { return low_halves(_mm512_srli_epi16(x, 4)); }
    static Bytes bits16(const void* p) {
        std::uint64_t bits;
        __builtin_memcpy(&bits, p, sizeof bits);
        return _mm512_maskz_set1_epi8(bits, 16);
    }

    static Part no_part() { return _mm512_setzero_si512(); }
    static Sums no_sums() { return _mm512_setzero_si512(); }
    static Sums across(const Sums (&sums)[kGroup]) {
        const __m512i a = across4(sums);
        const __m512i b = across4(sums + 4);
        const __m512i c = across4(sums + 8);
        const __m512i d = across4(sums + 12);
        const __m512i ab =
            _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xDD));
        const __m512i cd =
            _mm512_add_epi32(_mm512_shuffle_i32x4(c, d, 0x88), _mm512_shuffle_i32x4(c, d, 0xDD));
        return _mm512_add_epi32(_mm512_shuffle_i32x4(ab, cd, 0x88),
                                _mm512_shuffle_i32x4(ab, cd, 0xDD));
    }

    static Floats broadcast(float value) { return _mm512_set1_ps(value); }
    static Floats to_floats(Sums sums) { return _mm512_cvtepi32_ps(sums); }
    static Floats load_halves(const void* p) {
        return _mm512_cvtph_ps(_mm256_load_si256(static_cast<const __m256i*>(p)));
    }
    static Floats multiply_add(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
    static Floats negated_multiply_add(Floats a, Floats b, Floats c) {
        return _mm512_fnmadd_ps(a, b, c);
    }
    static Floats not_nan(Floats x) {  // the second operand, if the first is not a number
        return _mm512_max_ps(x, _mm512_set1_ps(-kInfinity));
    }
    static GroupFactors<Floats> row_factors(const std::uint8_t* const (&rows)[kGroup],
                                            std::size_t offset) {
        // Rows r, r + 1 | r + 8, r + 9 in a register; in each half as for eight rows.
        const auto four = [&](std::size_t r) {
            return _mm256_inserti128_si256(
                _mm256_castsi128_si256(two(rows + r, offset)), two(rows + r + 8, offset), 1);
        };
        __m256i norm_scale[2];
        __m256i error_tail[2];
#pragma GCC unroll 2
        for (std::size_t half = 0; half < 2; ++half) {
            const __m256i r01 = four(4 * half);
            const __m256i r23 = four(4 * half + 2);
            const __m256i even = _mm256_unpacklo_epi16(r01, r23);
            const __m256i odd = _mm256_unpackhi_epi16(r01, r23);
            norm_scale[half] = _mm256_unpacklo_epi16(even, odd);
            error_tail[half] = _mm256_unpackhi_epi16(even, odd);
        }
        return {_mm512_cvtph_ps(_mm256_unpacklo_epi64(norm_scale[0], norm_scale[1])),
                _mm512_cvtph_ps(_mm256_unpackhi_epi64(norm_scale[0], norm_scale[1])),
                _mm512_cvtph_ps(_mm256_unpacklo_epi64(error_tail[0], error_tail[1])),
                _mm512_cvtph_ps(_mm256_unpackhi_epi64(error_tail[0], error_tail[1]))};
    }
    static std::uint32_t not_above(Floats scores, Floats threshold) {
        return _mm512_cmp_ps_mask(scores, threshold, _CMP_NGT_UQ);
    }

    static Numbers load_numbers(const std::uint32_t* p) {
        return _mm512_loadu_si512(p);
    }
    static Numbers count_from(std::uint32_t first) {
        return _mm512_add_epi32(
            _mm512_set1_epi32(static_cast<int>(first)),
            _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    }
    static std::size_t keep(
        Numbers numbers, Floats scores, std::uint32_t mask, const Kept& kept, std::size_t n) {
        // Whole registers are stored: compressing into memory is slow on some CPUs.
        const auto lanes = static_cast<__mmask16>(mask);
        _mm512_storeu_si512(kept.rows + n, _mm512_maskz_compress_epi32(lanes, numbers));
        _mm512_storeu_ps(kept.distances + n, _mm512_maskz_compress_ps(lanes, scores));
        return n + static_cast<std::size_t>(__builtin_popcount(mask));
    }

    /// Sums of bytes at even places plus 256 times those at odd ones, and these alone.
    struct Words {
        __m512i both, odd;
    };
    static Words no_words() {
        return {_mm512_setzero_si512(), _mm512_setzero_si512()};
    }
    static Bytes look_up(Bytes tables, Bytes words) {
        return _mm512_shuffle_epi8(tables, words);
    }
    static Words add_bytes(Words words, Bytes bytes) {
        return {_mm512_add_epi16(words.both, bytes),
                _mm512_add_epi16(words.odd, _mm512_srli_epi16(bytes, 8))};
    }
    static void store_words(Words words, std::uint16_t* sums) {
        const __m512i even = _mm512_sub_epi16(words.both, _mm512_slli_epi16(words.odd, 8));
        const __m512i first = _mm512_unpacklo_epi16(even, words.odd);
        const __m512i second = _mm512_unpackhi_epi16(even, words.odd);
        // Quarters are tables: add the upper half to the lower one, then its quarters.
        const __m256i low = halves_added(first);
        const __m256i high = halves_added(second);
        const __m256i sum = _mm256_add_epi16(_mm256_permute2x128_si256(low, high, 0x20),
                                             _mm256_permute2x128_si256(low, high, 0x31));
        _mm256_store_si256(reinterpret_cast<__m256i*>(sums), sum);
    }
    static std::uint32_t words_not_above(const std::uint16_t* sums, std::uint16_t limit) {
        return _mm512_cmple_epu16_mask(_mm512_load_si512(sums),
                                       _mm512_set1_epi16(static_cast<short>(limit)));
    }

  private:
    static __m256i halves_added(__m512i x) {
        return _mm256_add_epi16(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64(x, 1));
    }
    static __m128i two(const std::uint8_t* const* rows, std::size_t offset) {
        return _mm_unpacklo_epi64(
            _mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows[0] + offset)),
            _mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows[1] + offset)));
    }
    /// In each quarter: lane r is the sum of the four lanes of register r.
    static __m512i across4(const Sums* s) {
        const __m512i ab =
            _mm512_add_epi32(_mm512_unpacklo_epi32(s[0], s[1]), _mm512_unpackhi_epi32(s[0], s[1]));
        const __m512i cd =
            _mm512_add_epi32(_mm512_unpacklo_epi32(s[2], s[3]), _mm512_unpackhi_epi32(s[2], s[3]));
        return _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    }
};

struct Avx512CodeLanes : Avx512CodeBase {
    static Part add_small(Part part, Bytes levels, Bytes query) {
        return in_order(_mm512_add_epi16(part, _mm512_maddubs_epi16(levels, query)));
    }
    static Sums widen(Sums sums, Part part) {
        return _mm512_add_epi32(sums, _mm512_madd_epi16(part, _mm512_set1_epi16(1)));
    }
    // Two products of at most 127 * 127 fit 16 bits; four do not.
    static Sums add7(Sums sums, Bytes levels, Bytes query) {
        return widen(sums, _mm512_maddubs_epi16(levels, query));
    }
    static Sums add8(Sums sums, Bytes levels, Bytes query) {
        const __m512i centred = _mm512_xor_si512(levels, _mm512_set1_epi8(-128));
        const __m512i with_sign = _mm512_mask_sub_epi8(
            centred, _mm512_movepi8_mask(query), _mm512_setzero_si512(), centred);
        return add7(sums, _mm512_abs_epi8(query), with_sign);
    }

  private:
    /// Keep compilers from adding in another order, for which they run out of registers.
    static __m512i in_order(__m512i x) {
        asm("" : "+v"(x));
        return x;
    }
};

#if defined(__AVX512VNNI__)

struct Avx512VnniCodeLanes : Avx512CodeBase {
    static Part add_small(Part part, Bytes levels, Bytes query) {
        return _mm512_dpbusd_epi32(part, levels, query);
    }
    static Sums widen(Sums sums, Part part) { return _mm512_add_epi32(sums, part); }
    static Sums add7(Sums sums, Bytes levels, Bytes query) {
        return _mm512_dpbusd_epi32(sums, levels, query);
    }
    static Sums add8(Sums sums, Bytes levels, Bytes query) {
        // The same for all rows, so computed once where the query stays in registers.
        const __m512i centre =
            _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_set1_epi8(-128), query);
        return _mm512_sub_epi32(_mm512_dpbusd_epi32(sums, levels, query), centre);
    }
};

#endif

}  // namespace
}  // namespace vecdb::simd
