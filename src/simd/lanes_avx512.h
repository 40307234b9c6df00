#pragma once

/// \file
/// Registers of 512 bits with AVX-512 F, BW, CD, DQ and VL.

#include "simd/kernels.h"
#include "simd/lanes.h"

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

namespace vecdb::simd {
namespace {

/// Return a mask of the first `count` (0 to 63) bytes.
inline __mmask64 first_bytes(std::size_t count) {
    return (std::uint64_t{1} << count) - 1;
}

/// Bytes widened to 16 bits.
struct Avx512Bytes {
    using Register = __m512i;
    using Sum = __m512i;
    static constexpr std::size_t kWidth = 32;
    static constexpr std::size_t kStreamAhead = kWideStreamAhead;
    static constexpr bool kOffset = false;

    static Sum zero() { return _mm512_setzero_si512(); }
    static Register no_elements() { return _mm512_setzero_si512(); }
    static Register load(const std::int8_t* p) {
        return _mm512_cvtepi8_epi16(
            _mm256_loadu_si256(static_cast<const __m256i*>(static_cast<const void*>(p))));
    }
    static Register load_last(const std::int8_t* p, std::size_t left) {
        const auto mask = static_cast<__mmask32>(first_bytes(left));
        return _mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8(mask, p));
    }
    static Sum plus(Sum a, Sum b) { return _mm512_add_epi32(a, b); }
    static std::int32_t total(Sum sum) { return _mm512_reduce_add_epi32(sum); }
};

/// Bits, counted by looking up half bytes.
struct Avx512Bits {
    using Register = __m512i;
    using Sum = __m512i;
    static constexpr std::size_t kWidth = 64;
    static constexpr std::size_t kStreamAhead = kWideStreamAhead;

    static Sum zero() { return _mm512_setzero_si512(); }
    static Register load(const std::uint8_t* p) { return _mm512_loadu_si512(p); }
    static Register load_last(const std::uint8_t* p, std::size_t left) {
        return _mm512_maskz_loadu_epi8(first_bytes(left), p);
    }
    static Register either(Register a, Register b) { return _mm512_or_si512(a, b); }
    static Register differing(Register a, Register b) { return _mm512_xor_si512(a, b); }
    static Sum add_ones(Sum sum, Register bits) {
        const __m512i ones =
            _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
        const __m512i half = _mm512_set1_epi8(0x0F);
        const __m512i low = _mm512_shuffle_epi8(ones, _mm512_and_si512(bits, half));
        const __m512i high =
            _mm512_shuffle_epi8(ones, _mm512_and_si512(_mm512_srli_epi16(bits, 4), half));
        const __m512i bytes = _mm512_add_epi8(low, high);
        return _mm512_add_epi64(sum, _mm512_sad_epu8(bytes, _mm512_setzero_si512()));
    }
    static Sum plus(Sum a, Sum b) { return _mm512_add_epi64(a, b); }
    static std::int32_t total(Sum sum) {
        return static_cast<std::int32_t>(_mm512_reduce_add_epi64(sum));
    }
};

struct Avx512 {
    using Floats = XsimdLanes<xsimd::avx512bw>;
    struct WidenFloat16 {
        static Floats load(const std::uint16_t* p) { return {_mm512_cvtph_ps(load_halves(p))}; }
    };
    struct WidenBFloat16 {
        static Floats load(const std::uint16_t* p) {
            const __m512i wide = _mm512_cvtepu16_epi32(load_halves(p));
            return {_mm512_castsi512_ps(_mm512_slli_epi32(wide, 16))};
        }
    };
    struct Int8Squares : Avx512Bytes {
        static constexpr float kSign = 1.0F;
        static Sum add(Sum sum, Register q, Register x) {
            const __m512i difference = _mm512_sub_epi16(q, x);
            return _mm512_add_epi32(sum, _mm512_madd_epi16(difference, difference));
        }
    };
    struct Int8Products : Avx512Bytes {
        static constexpr float kSign = -1.0F;
        static Sum add(Sum sum, Register q, Register x) {
            return _mm512_add_epi32(sum, _mm512_madd_epi16(q, x));
        }
    };
    using Bits = Avx512Bits;

  private:
    static __m256i load_halves(const std::uint16_t* p) {
        return _mm256_loadu_si256(static_cast<const __m256i*>(static_cast<const void*>(p)));
    }
};

}  // namespace
}  // namespace vecdb::simd
