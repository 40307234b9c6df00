#pragma once

/// \file
/// Registers of 128 bits with SSE2.

#include "simd/kernels.h"
#include "simd/lanes.h"
#include "simd/load_bytes.h"

#include <cstddef>
#include <cstdint>

#include <emmintrin.h>

namespace vecdb::simd {
namespace {

inline __m128i load_16_bytes(const void* p) {
    return _mm_loadu_si128(static_cast<const __m128i*>(p));
}
inline __m128i load_8_bytes(const void* p) {
    return _mm_loadl_epi64(static_cast<const __m128i*>(p));
}
/// Return the first `count` (1 to 16) bytes at p and zeros.
inline __m128i load_few_bytes(const void* p, std::size_t count) {
    const TwoWords words = load_bytes16(p, count);
    return _mm_set_epi64x(static_cast<std::int64_t>(words.high),
                          static_cast<std::int64_t>(words.low));
}

inline std::int32_t add_four(__m128i sums) {
    const __m128i two = _mm_add_epi32(sums, _mm_unpackhi_epi64(sums, sums));
    return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 1)));
}

/// Bytes widened to 16 bits.
struct Sse2Bytes {
    using Register = __m128i;
    using Sum = __m128i;
    static constexpr std::size_t kWidth = 8;
    static constexpr std::size_t kStreamAhead = kNarrowStreamAhead;
    static constexpr bool kOffset = false;

    static Sum zero() { return _mm_setzero_si128(); }
    static Register no_elements() { return _mm_setzero_si128(); }
    static Register widen(__m128i bytes) {
        return _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8);
    }
    static Register load(const std::int8_t* p) { return widen(load_8_bytes(p)); }
    static Register load_last(const std::int8_t* p, std::size_t left) {
        return widen(_mm_cvtsi64_si128(static_cast<std::int64_t>(load_bytes8(p, left))));
    }
    static Sum plus(Sum a, Sum b) { return _mm_add_epi32(a, b); }
    static std::int32_t total(Sum sum) { return add_four(sum); }
};

struct Sse2Bits {
    using Register = __m128i;
    using Sum = __m128i;
    static constexpr std::size_t kWidth = 16;
    static constexpr std::size_t kStreamAhead = kNarrowStreamAhead;

    static Sum zero() { return _mm_setzero_si128(); }
    static Register load(const std::uint8_t* p) { return load_16_bytes(p); }
    static Register load_last(const std::uint8_t* p, std::size_t left) {
        return load_few_bytes(p, left);
    }
    static Register either(Register a, Register b) { return _mm_or_si128(a, b); }
    static Register differing(Register a, Register b) { return _mm_xor_si128(a, b); }
    /// Add up neighbouring bits, pairs, halves of bytes, and then the bytes.
    static Sum add_ones(Sum sum, Register bits) {
        const __m128i pairs = _mm_set1_epi8(0x33);
        bits = _mm_sub_epi8(bits, _mm_and_si128(_mm_srli_epi64(bits, 1), _mm_set1_epi8(0x55)));
        bits =
            _mm_add_epi8(_mm_and_si128(bits, pairs), _mm_and_si128(_mm_srli_epi64(bits, 2), pairs));
        bits = _mm_and_si128(_mm_add_epi8(bits, _mm_srli_epi64(bits, 4)), _mm_set1_epi8(0x0F));
        return _mm_add_epi64(sum, _mm_sad_epu8(bits, _mm_setzero_si128()));
    }
    static Sum plus(Sum a, Sum b) { return _mm_add_epi64(a, b); }
    static std::int32_t total(Sum sum) {
        return _mm_cvtsi128_si32(_mm_add_epi64(sum, _mm_unpackhi_epi64(sum, sum)));
    }
};

struct Sse2 {
    using Floats = XsimdLanes<xsimd::sse2>;
    struct WidenFloat16 {
        static Floats load(const std::uint16_t* p) {
            const __m128i half = _mm_unpacklo_epi16(load_8_bytes(p), _mm_setzero_si128());
            const __m128i magnitude = _mm_and_si128(half, _mm_set1_epi32(0x7FFF));
            const __m128i sign = _mm_slli_epi32(_mm_xor_si128(half, magnitude), 16);
            // As the bits of a float the exponent is too small by 112, denormals' too.
            const __m128 scaled =
                _mm_mul_ps(_mm_castsi128_ps(_mm_slli_epi32(magnitude, 13)), _mm_set1_ps(0x1p112F));
            const __m128i no_number = _mm_and_si128(
                _mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x7BFF)), _mm_set1_epi32(0x7F800000));
            const __m128i rest = _mm_or_si128(sign, no_number);
            return {_mm_or_ps(scaled, _mm_castsi128_ps(rest))};
        }
    };
    struct WidenBFloat16 {
        static Floats load(const std::uint16_t* p) {
            const __m128i halves = load_8_bytes(p);
            return {_mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), halves))};
        }
    };
    struct Int8Squares : Sse2Bytes {
        static constexpr float kSign = 1.0F;
        static Sum add(Sum sum, Register q, Register x) {
            const __m128i difference = _mm_sub_epi16(q, x);
            return _mm_add_epi32(sum, _mm_madd_epi16(difference, difference));
        }
    };
    struct Int8Products : Sse2Bytes {
        static constexpr float kSign = -1.0F;
        static Sum add(Sum sum, Register q, Register x) {
            return _mm_add_epi32(sum, _mm_madd_epi16(q, x));
        }
    };
    using Bits = Sse2Bits;
};

}  // namespace
}  // namespace vecdb::simd
