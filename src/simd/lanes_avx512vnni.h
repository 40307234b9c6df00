#pragma once

/// \file
/// AVX-512 with VNNI (dot products of bytes) and VPOPCNTDQ (counts of ones).

#include "simd/lanes_avx512.h"

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

namespace vecdb::simd {
namespace {

struct Avx512Vnni : Avx512 {
    /// Differences do not fit a byte, so they are widened and multiplied as words.
    struct Int8Squares : Avx512Bytes {
        static constexpr float kSign = 1.0F;
        static Sum add(Sum sum, Register q, Register x) {
            const __m512i difference = _mm512_sub_epi16(q, x);
            return _mm512_dpwssd_epi32(sum, difference, difference);
        }
    };

    /// The instruction multiplies unsigned by signed bytes: rows are taken as x + 128.
    struct Int8Products : Avx512Bytes {
        static constexpr std::size_t kWidth = 64;
        static constexpr float kSign = -1.0F;
        static constexpr bool kOffset = true;

        static Register load(const std::int8_t* p) { return _mm512_loadu_si512(p); }
        static Register load_last(const std::int8_t* p, std::size_t left) {
            return _mm512_maskz_loadu_epi8(first_bytes(left), p);
        }
        static Sum add(Sum sum, Register q, Register x) {
            const __m512i offset = _mm512_set1_epi8(static_cast<char>(0x80));
            return _mm512_dpbusd_epi32(sum, _mm512_xor_si512(x, offset), q);
        }
    };

    struct Bits : Avx512Bits {
        static Sum add_ones(Sum sum, Register bits) {
            return _mm512_add_epi64(sum, _mm512_popcnt_epi64(bits));
        }
    };
};

}  // namespace
}  // namespace vecdb::simd
