#pragma once

/// \file
/// Rows and queries of the element types other than float32, and their exact distances.

#include "simd/kernel_cases.h"
#include "support/guarded_array.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace vecdb::test {

/// A metric on an element type.
inline constexpr DistanceKernels kTypedDistances[] = {
    {"float16 l2", Metric::kL2, reference_l2, ElementType::kFloat16},
    {"float16 ip", Metric::kInnerProduct, reference_ip, ElementType::kFloat16},
    {"bfloat16 l2", Metric::kL2, reference_l2, ElementType::kBFloat16},
    {"bfloat16 ip", Metric::kInnerProduct, reference_ip, ElementType::kBFloat16},
    {"int8 l2", Metric::kL2, reference_l2, ElementType::kInt8},
    {"int8 ip", Metric::kInnerProduct, reference_ip, ElementType::kInt8},
    {"bit hamming", Metric::kHamming, nullptr, ElementType::kBit},
    {"bit jaccard", Metric::kJaccard, nullptr, ElementType::kBit},
};

/// Return the value of a half, by its definition.
inline double half_value(std::uint16_t bits) {
    const int exponent = bits >> 10 & 31;
    const int fraction = bits & 1'023;
    const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
    if (exponent == 31) return fraction != 0 ? std::nan("") : sign * std::ldexp(1.0, 2'000);
    if (exponent == 0) return sign * std::ldexp(fraction, -24);
    return sign * std::ldexp(1'024 + fraction, exponent - 25);
}

/// Return the value of a bfloat16, by its definition.
inline double bfloat_value(std::uint16_t bits) {
    const int exponent = bits >> 7 & 255;
    const int fraction = bits & 127;
    const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
    if (exponent == 255) return fraction != 0 ? std::nan("") : sign * std::ldexp(1.0, 2'000);
    if (exponent == 0) return sign * std::ldexp(fraction, -133);
    return sign * std::ldexp(128 + fraction, exponent - 134);
}

/// Return element i of a vector as a number; of bits 0 or 1.
inline double element(ElementType type, const void* vector, std::size_t i) {
    std::uint16_t half = 0;
    if (type == ElementType::kFloat16 || type == ElementType::kBFloat16) {
        std::memcpy(&half, static_cast<const char*>(vector) + 2 * i, sizeof(half));
        return type == ElementType::kFloat16 ? half_value(half) : bfloat_value(half);
    }
    if (type == ElementType::kInt8) return static_cast<const std::int8_t*>(vector)[i];
    return static_cast<const std::uint8_t*>(vector)[i / 8] >> (i % 8) & 1;
}

/// Return the exact distance, and for integers what float makes of it.
inline Reference exact_distance(const DistanceKernels& kernels,
                                const void* query,
                                const void* row,
                                std::size_t dim) {
    if (kernels.type != ElementType::kBit) {
        std::vector<float> q(dim);
        std::vector<float> x(dim);
        for (std::size_t i = 0; i < dim; ++i) {
            q[i] = static_cast<float>(element(kernels.type, query, i));
            x[i] = static_cast<float>(element(kernels.type, row, i));
        }
        Reference exact = kernels.reference(q.data(), x.data(), dim);
        if (kernels.type != ElementType::kInt8) return exact;
        return {static_cast<double>(static_cast<float>(exact.value)), 0.0, 0.0, true};
    }
    std::size_t differing = 0;
    std::size_t either = 0;
    for (std::size_t i = 0; i < dim; ++i) {
        const bool q = element(kernels.type, query, i) != 0;
        const bool x = element(kernels.type, row, i) != 0;
        differing += q != x ? 1 : 0;
        either += q || x ? 1 : 0;
    }
    if (kernels.value == Metric::kHamming) return {static_cast<double>(differing), 0, 0, true};
    const double jaccard =
        either == 0 ? 0.0 : static_cast<double>(differing) / static_cast<double>(either);
    return {static_cast<double>(static_cast<float>(jaccard)), 0, 0, true};
}

/// Kinds of elements, for every type in its own way.
enum class Bits {
    kUsual,    ///< Halves in [-1, 1); any bytes; half of the bits set.
    kTiny,     ///< Denormal halves; bytes -1 to 1; few bits set.
    kExtreme,  ///< Any finite half; bytes -128 and 127; most bits set.
};

inline std::uint16_t draw_half(ElementType type, Bits kind, Random& random) {
    const int fraction_bits = type == ElementType::kFloat16 ? 10 : 7;
    const auto bits = static_cast<std::uint16_t>(random());
    const std::uint32_t fraction = bits & ((1U << fraction_bits) - 1);
    const std::uint32_t sign = bits & 0x8000U;
    if (kind == Bits::kTiny) return static_cast<std::uint16_t>(sign | fraction);
    const std::uint32_t one = type == ElementType::kFloat16 ? 15 : 127;  // exponent of 1
    const std::uint32_t below = kind == Bits::kUsual ? 8 : one;
    const std::uint32_t above = kind == Bits::kUsual ? 0 : one + 1;
    const auto exponent = static_cast<std::uint32_t>(one - below + random() % (below + above));
    return static_cast<std::uint16_t>(sign | exponent << fraction_bits | fraction);
}

/// Write a random vector of vector_bytes(type, dim) bytes; bits past the last dimension are 0.
inline void draw_vector(
    ElementType type, std::size_t dim, Bits kind, Random& random, std::uint8_t* out) {
    const std::size_t bytes = vector_bytes(type, dim);
    for (std::size_t i = 0; i < bytes; ++i) {
        if (type == ElementType::kFloat16 || type == ElementType::kBFloat16) {
            const std::uint16_t half = draw_half(type, kind, random);
            std::memcpy(out + i, &half, sizeof(half));
            ++i;
            continue;
        }
        const std::uint64_t drawn = random();
        if (type == ElementType::kInt8) {
            const std::array<int, 3> values = {static_cast<int>(drawn % 256) - 128,
                                               static_cast<int>(drawn % 3) - 1,
                                               (drawn & 1U) != 0 ? 127 : -128};
            out[i] = static_cast<std::uint8_t>(values.at(static_cast<std::size_t>(kind)));
        } else {
            const std::uint64_t masks[] = {drawn,
                                           drawn & drawn >> 8U & drawn >> 16U & drawn >> 24U,
                                           drawn | drawn >> 8U | drawn >> 16U};
            out[i] = static_cast<std::uint8_t>(masks[static_cast<std::size_t>(kind)]);
        }
    }
    if (type == ElementType::kBit && dim % 8 != 0) {
        out[bytes - 1] &= static_cast<std::uint8_t>((1U << dim % 8) - 1);
    }
}

/// Rows that end (or start) where memory ends, and a query that does too.
struct TypedScene {
    TypedScene(ElementType element_type,
               std::size_t dimension,
               std::size_t padding,
               std::size_t count,
               Bits kind,
               Edge edge,
               std::uint64_t seed)
        : type(element_type),
          dim(dimension),
          row_count(count),
          stride(vector_bytes(type, dim) + padding),
          bytes((count - 1) * stride + vector_bytes(type, dim), edge),
          query(vector_bytes(type, dim), edge) {
        Random random(seed + 1'000 * dim + stride);
        draw_vector(type, dim, kind, random, query.data());
        for (std::size_t r = 0; r < count; ++r)
            draw_vector(type, dim, kind, random, bytes.data() + r * stride);
    }

    [[nodiscard]] simd::Rows rows() const {
        return {static_cast<const void*>(bytes.data()), stride, dim};
    }

    ElementType type;
    std::size_t dim;
    std::size_t row_count;
    std::size_t stride;  ///< In bytes.
    GuardedArray<std::uint8_t> bytes;
    GuardedArray<std::uint8_t> query;
};

}  // namespace vecdb::test
