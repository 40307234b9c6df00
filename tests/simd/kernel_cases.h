#pragma once

/// \file
/// What the kernel tests share: the kernels by metric, data, dimensions, and calls that watch the
/// outputs' bounds.
///
/// Checks return the first fault as a text, "" when there is none: an assertion per number would
/// cost more than the kernels, above all under an emulator.

#include "simd/dispatch.h"
#include "simd/kernel_table.h"
#include "support/random_data.h"
#include "support/reference.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace vecdb::test {

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// A distance, by default on floats, and its reference.
struct DistanceKernels {
    const char* metric;
    Metric value;
    Reference (*reference)(const float*, const float*, std::size_t);
    ElementType type = ElementType::kFloat32;

    [[nodiscard]] simd::DistanceKernels of(const simd::KernelTable& table) const {
        return table.distances(value, type);
    }
};

inline constexpr DistanceKernels kL2 = {"l2", Metric::kL2, reference_l2};
inline constexpr DistanceKernels kIp = {"ip", Metric::kInnerProduct, reference_ip};
inline constexpr DistanceKernels kDistances[] = {kL2, kIp};

/// Kinds of elements.
enum class Data {
    kUniform,  ///< [-1, 1).
    kWide,     ///< Magnitudes 1e-15 to 1e15: sums that lose most of their terms.
    kTiny,     ///< Magnitudes 2^-78 to 2^-62: products are denormal.
    kExtreme,  ///< Magnitudes 1e-38 to 1e38, denormals, zeros of both signs: sums may overflow.
};

/// Draw in [0, 1); the same on every standard library.
inline double unit_draw(Random& random) {
    return static_cast<double>(random() >> 11U) * 0x1p-53;
}

inline float draw(Data data, Random& random) {
    const double sign = (random() & 1U) != 0 ? 1.0 : -1.0;
    const double u = unit_draw(random);
    switch (data) {
        case Data::kUniform:
            return static_cast<float>(sign * u);
        case Data::kWide:
            return static_cast<float>(sign * std::pow(10.0, 30.0 * u - 15.0));
        case Data::kTiny:
            return static_cast<float>(sign * std::exp2(-78.0 + 16.0 * u));
        case Data::kExtreme:
            if (u < 0.1) return static_cast<float>(sign) * 0.0F;
            if (u < 0.2) return static_cast<float>(sign * (u - 0.1) * 1e-37);  // mostly denormal
            return static_cast<float>(sign * std::pow(10.0, 95.0 * (u - 0.2) - 38.0));
    }
    return 0.0F;
}

template <class Floats>
void fill(Floats& floats, Data data, Random& random) {
    for (float& value : floats)
        value = draw(data, random);
}

/// Dimensions around every register width and tail.
inline std::vector<std::size_t> quick_dims() {
    std::vector<std::size_t> dims;
    for (std::size_t dim = 1; dim <= 40; ++dim)
        dims.push_back(dim);
    for (const std::size_t dim : {47U, 48U, 63U, 64U, 65U, 79U, 96U, 97U, 100U, 127U, 128U, 129U}) {
        dims.push_back(dim);
    }
    return dims;
}

/// Some of the dimensions that people use.
inline std::vector<std::size_t> usual_dims() {
    return {200, 255, 256, 257, 300, 384, 509, 512, 768, 784, 960, 1'023, 1'024, 1'025, 1'100};
}

/// Every dimension to 130, then the usual ones and every fourth prime to 1,100.
inline std::vector<std::size_t> all_dims() {
    std::vector<std::size_t> dims;
    for (std::size_t dim = 1; dim <= 130; ++dim)
        dims.push_back(dim);
    std::size_t primes = 0;
    for (std::size_t dim = 131; dim <= 1'100; ++dim) {
        bool prime = true;
        for (std::size_t d = 2; d * d <= dim; ++d)
            prime = prime && dim % d != 0;
        if (prime && primes++ % 4 == 0) dims.push_back(dim);
    }
    const std::vector<std::size_t> usual = usual_dims();
    dims.insert(dims.end(), usual.begin(), usual.end());
    return dims;
}

/// The pairs that a kernel kept.
struct Pairs {
    std::vector<std::uint32_t> rows;
    std::vector<float> distances;
    std::string fault;  ///< What it did to its outputs that it must not.
};

/// Call a distance kernel through `call(kept)` for `count` rows and watch the room behind its
/// outputs.
template <class Call>
Pairs keep_pairs(std::size_t count, Call&& call) {
    constexpr std::uint32_t kRowMark = 0xABCDEF01U;
    constexpr float kDistanceMark = -123.25F;
    Pairs pairs{std::vector<std::uint32_t>(count + 1, kRowMark),
                std::vector<float>(count + 1, kDistanceMark),
                {}};
    const std::size_t kept = call(simd::Kept{pairs.rows.data(), pairs.distances.data()});
    if (kept > count) pairs.fault = "kept more rows than there are";
    if (pairs.rows[count] != kRowMark || pairs.distances[count] != kDistanceMark) {
        pairs.fault = "wrote past the room for every row";
    }
    pairs.rows.resize(std::min(kept, count));
    pairs.distances.resize(std::min(kept, count));
    return pairs;
}

inline Pairs run_range(const simd::KernelTable& table,
                       const DistanceKernels& kernels,
                       const void* query,
                       const simd::Rows& rows,
                       std::size_t count,
                       float threshold = kInfinity) {
    return keep_pairs(count, [&](const simd::Kept& kept) {
        return kernels.of(table).range(query, rows, count, threshold, kept);
    });
}

inline Pairs run_list(const simd::KernelTable& table,
                      const DistanceKernels& kernels,
                      const void* query,
                      const simd::Rows& rows,
                      const std::uint32_t* list,
                      std::size_t count,
                      float threshold = kInfinity) {
    return keep_pairs(count, [&](const simd::Kept& kept) {
        return kernels.of(table).list(query, rows, list, count, threshold, kept);
    });
}

inline bool same_bits(float a, float b) {
    return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

/// Put a sentence together.
template <class... Parts>
std::string sentence(const Parts&... parts) {
    std::ostringstream out;
    out.precision(17);
    (out << ... << parts);
    return out.str();
}

}  // namespace vecdb::test
