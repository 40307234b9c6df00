#pragma once

/// \file
/// The level without vector registers: plain C++.

#include "simd/kernels.h"
#include "simd/lanes.h"
#include "simd/load_bytes.h"

#include <vecdb/half.h>

#include <cstddef>
#include <cstdint>

namespace vecdb::simd {
namespace {

/// Bytes one by one. What the two distances add up is below.
struct ScalarBytes {
    using Register = std::int32_t;
    using Sum = std::int32_t;
    static constexpr std::size_t kWidth = 1;
    static constexpr std::size_t kStreamAhead = kNarrowStreamAhead;
    static constexpr bool kOffset = false;

    static Sum zero() { return 0; }
    static Register no_elements() { return 0; }
    static Register load(const std::int8_t* p) { return *p; }
    static Register load_last(const std::int8_t*, std::size_t) { return 0; }
    static Sum plus(Sum a, Sum b) { return a + b; }
    static std::int32_t total(Sum sum) { return sum; }
};

/// Bits, 64 at a time.
struct ScalarBits {
    using Register = std::uint64_t;
    using Sum = std::uint64_t;
    static constexpr std::size_t kWidth = 8;
    static constexpr std::size_t kStreamAhead = kNarrowStreamAhead;

    static Sum zero() { return 0; }
    static Register load(const std::uint8_t* p) { return load_word<std::uint64_t>(p); }
    static Register load_last(const std::uint8_t* p, std::size_t left) {
        return load_bytes8(p, left);
    }
    static Register either(Register a, Register b) { return a | b; }
    static Register differing(Register a, Register b) { return a ^ b; }
    static Sum add_ones(Sum sum, Register bits) {
        bits -= bits >> 1U & 0x5555555555555555U;
        bits = (bits & 0x3333333333333333U) + (bits >> 2U & 0x3333333333333333U);
        bits = (bits + (bits >> 4U)) & 0x0F0F0F0F0F0F0F0FU;
        return sum + (bits * 0x0101010101010101U >> 56U);
    }
    static Sum plus(Sum a, Sum b) { return a + b; }
    static std::int32_t total(Sum sum) { return static_cast<std::int32_t>(sum); }
};

struct Scalar {
    using Floats = ScalarLanes;
    struct WidenFloat16 {
        static Floats load(const std::uint16_t* p) { return {to_float(Float16{*p})}; }
    };
    struct WidenBFloat16 {
        static Floats load(const std::uint16_t* p) { return {to_float(BFloat16{*p})}; }
    };
    struct Int8Squares : ScalarBytes {
        static constexpr float kSign = 1.0F;
        static Sum add(Sum sum, Register q, Register x) { return sum + (q - x) * (q - x); }
    };
    struct Int8Products : ScalarBytes {
        static constexpr float kSign = -1.0F;
        static Sum add(Sum sum, Register q, Register x) { return sum + q * x; }
    };
    using Bits = ScalarBits;
};

}  // namespace
}  // namespace vecdb::simd
