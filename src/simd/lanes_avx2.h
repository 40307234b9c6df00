#pragma once

/// \file
/// Registers of 256 bits with AVX2, FMA and F16C.

#include "simd/kernels.h"
#include "simd/lanes.h"
#include "simd/load_bytes.h"

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

namespace vecdb::simd {
namespace {

inline __m128i load_16_bytes(const void* p) {
    return _mm_loadu_si128(static_cast<const __m128i*>(p));
}
/// Return the first `count` (1 to 16) bytes at p and zeros.
inline __m128i load_few_bytes(const void* p, std::size_t count) {
    const TwoWords words = load_bytes16(p, count);
    return _mm_set_epi64x(static_cast<std::int64_t>(words.high),
                          static_cast<std::int64_t>(words.low));
}

/// Bytes widened to 16 bits.
struct Avx2Bytes {
    using Register = __m256i;
    using Sum = __m256i;
    static constexpr std::size_t kWidth = 16;
    static constexpr std::size_t kStreamAhead = kNarrowStreamAhead;
    static constexpr bool kOffset = false;

    static Sum zero() { return _mm256_setzero_si256(); }
    static Register no_elements() { return _mm256_setzero_si256(); }
    static Register load(const std::int8_t* p) { return _mm256_cvtepi8_epi16(load_16_bytes(p)); }
    static Register load_last(const std::int8_t* p, std::size_t left) {
        return _mm256_cvtepi8_epi16(load_few_bytes(p, left));
    }
    static Sum plus(Sum a, Sum b) { return _mm256_add_epi32(a, b); }
    static std::int32_t total(Sum sum) {
        const __m128i four =
            _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
        const __m128i two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
        return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 1)));
    }
};

struct Avx2Bits {
    using Register = __m256i;
    using Sum = __m256i;
    static constexpr std::size_t kWidth = 32;
    static constexpr std::size_t kStreamAhead = kNarrowStreamAhead;

    static Sum zero() { return _mm256_setzero_si256(); }
    static Register load(const std::uint8_t* p) {
        return _mm256_loadu_si256(static_cast<const __m256i*>(static_cast<const void*>(p)));
    }
    static Register load_last(const std::uint8_t* p, std::size_t left) {
        if (left <= 16) return _mm256_zextsi128_si256(load_few_bytes(p, left));
        return _mm256_set_m128i(load_few_bytes(p + 16, left - 16), load_16_bytes(p));
    }
    static Register either(Register a, Register b) { return _mm256_or_si256(a, b); }
    static Register differing(Register a, Register b) { return _mm256_xor_si256(a, b); }
    /// Look up the ones of each half byte (Mula, Kurz, Lemire, "Faster Population Counts Using AVX2
    /// Instructions", 2018).
    static Sum add_ones(Sum sum, Register bits) {
        const __m256i ones = _mm256_broadcastsi128_si256(
            _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
        const __m256i half = _mm256_set1_epi8(0x0F);
        const __m256i low = _mm256_shuffle_epi8(ones, _mm256_and_si256(bits, half));
        const __m256i high =
            _mm256_shuffle_epi8(ones, _mm256_and_si256(_mm256_srli_epi16(bits, 4), half));
        const __m256i bytes = _mm256_add_epi8(low, high);
        return _mm256_add_epi64(sum, _mm256_sad_epu8(bytes, _mm256_setzero_si256()));
    }
    static Sum plus(Sum a, Sum b) { return _mm256_add_epi64(a, b); }
    static std::int32_t total(Sum sum) {
        const __m128i two =
            _mm_add_epi64(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
        return _mm_cvtsi128_si32(_mm_add_epi64(two, _mm_unpackhi_epi64(two, two)));
    }
};

struct Avx2 {
    using Floats = XsimdLanes<xsimd::fma3<xsimd::avx2>>;
    struct WidenFloat16 {
        static Floats load(const std::uint16_t* p) { return {_mm256_cvtph_ps(load_16_bytes(p))}; }
    };
    struct WidenBFloat16 {
        static Floats load(const std::uint16_t* p) {
            const __m256i wide = _mm256_cvtepu16_epi32(load_16_bytes(p));
            return {_mm256_castsi256_ps(_mm256_slli_epi32(wide, 16))};
        }
    };
    struct Int8Squares : Avx2Bytes {
        static constexpr float kSign = 1.0F;
        static Sum add(Sum sum, Register q, Register x) {
            const __m256i difference = _mm256_sub_epi16(q, x);
            return _mm256_add_epi32(sum, _mm256_madd_epi16(difference, difference));
        }
    };
    struct Int8Products : Avx2Bytes {
        static constexpr float kSign = -1.0F;
        static Sum add(Sum sum, Register q, Register x) {
            return _mm256_add_epi32(sum, _mm256_madd_epi16(q, x));
        }
    };
    using Bits = Avx2Bits;
};

}  // namespace
}  // namespace vecdb::simd
