#pragma once

/// \file
/// The code kernels in plain C++, one row at a time. Contract: code_kernels.h.
/// Included by the files in arch/ only; internal linkage throughout.

#include "simd/code_kernels.h"
#include "simd/kernels.h"
#include "simd/kernels_product.h"

#include <cstddef>
#include <cstdint>

namespace vecdb::simd {
namespace {

inline constexpr std::size_t kCodeLine = 64;

/// Return the dimensions of one half-byte area of a 5-bit row; bit 4 of all follows behind it.
constexpr std::size_t row5_half(std::size_t stride) {
    return (stride - kFactorBytes) * 4 / 5 / 4 * 4;
}

/// Ask for all lines of a code row.
VECDB_PREFETCHES void prefetch_code(const std::uint8_t* row, std::size_t bytes) {
    for (std::size_t at = 0; at < bytes; at += kCodeLine)
        __builtin_prefetch(row + at, 0, 3);
}

/// Convert a half that is finite.
inline float half_to_float(const std::uint8_t* bytes) {
    const std::uint32_t half =
        static_cast<std::uint32_t>(bytes[0]) | static_cast<std::uint32_t>(bytes[1]) << 8U;
    const std::uint32_t sign = (half & 0x8000U) << 16U;
    const std::uint32_t rest = (half & 0x7FFFU) << 13U;
    // Denormals: the fraction below 2^-14, then without it. Exact in both cases.
    constexpr std::uint32_t kBias = 112U << 23U;
    constexpr std::uint32_t kSmallest = 113U << 23U;
    const float value = rest < (1U << 23U) ? __builtin_bit_cast(float, rest + kSmallest) -
                                                 __builtin_bit_cast(float, kSmallest)
                                           : __builtin_bit_cast(float, rest + kBias);
    return __builtin_bit_cast(float, __builtin_bit_cast(std::uint32_t, value) | sign);
}

/// Compute the score from raw and the row's factors, `step` bytes apart.
inline float code_score(const CodeQuery& query,
                        std::int32_t raw,
                        const std::uint8_t* factors,
                        std::size_t step) {
    const float norm = half_to_float(factors);
    const float scale = half_to_float(factors + step);
    const float error = half_to_float(factors + 2 * step);
    const float tail = half_to_float(factors + 3 * step);
    const float start = query.a + query.w * norm;
    const float linear = query.b * static_cast<float>(raw) + query.c;
    const float score = start - scale * linear - query.e * error - query.t * tail;
    return score >= -kInfinity ? score : -kInfinity;
}

/// Append a row unless its score is above the threshold; returns the new number of rows kept.
inline std::size_t keep_score(
    std::uint32_t row, float score, float threshold, const Kept& kept, std::size_t n) {
    kept.rows[n] = row;
    kept.distances[n] = score;
    return n + static_cast<std::size_t>(!(score > threshold));
}

struct PlainRow4 {
    static std::int32_t raw(const std::int8_t* levels,
                            const std::uint8_t* row,
                            std::size_t stride) {
        std::int32_t sum = 0;
        for (std::size_t i = 0; i < stride - kFactorBytes; ++i)
            sum += levels[i] * (row[i] & 15) + levels[stride + i] * (row[i] >> 4);
        return sum;
    }
};

struct PlainRow5 {
    static std::int32_t raw(const std::int8_t* levels,
                            const std::uint8_t* row,
                            std::size_t stride) {
        const std::size_t half = row5_half(stride);
        std::int32_t sum = 0;
        for (std::size_t i = 0; i < half; ++i)
            sum += levels[i] * (row[i] & 15) + levels[stride + i] * (row[i] >> 4);
        const std::int8_t* const plane = levels + 2 * stride;
        std::int32_t high = 0;
        for (std::size_t i = 0; i < 2 * half; ++i)
            high += plane[i] * ((row[half + i / 8] >> (i % 8)) & 1);
        return sum + 16 * high;
    }
};

struct PlainRow7 {
    static std::int32_t raw(const std::int8_t* levels,
                            const std::uint8_t* row,
                            std::size_t stride) {
        std::int32_t sum = 0;
        for (std::size_t i = 0; i < stride - kFactorBytes; ++i)
            sum += levels[i] * row[i];
        return sum;
    }
};

struct PlainRow8 {
    static std::int32_t raw(const std::int8_t* levels,
                            const std::uint8_t* row,
                            std::size_t stride) {
        std::int32_t sum = 0;
        for (std::size_t i = 0; i < stride - kFactorBytes; ++i)
            sum += levels[i] * (row[i] - 128);
        return sum;
    }
};

template <class Layout>
// NOLINTNEXTLINE(readability-function-size): the parameters of a RowScoreKernel
VECDB_KERNEL std::size_t plain_rows(const CodeQuery& query,
                                    const CodeRows& rows,
                                    const std::uint32_t* list,
                                    std::size_t count,
                                    std::size_t ahead,
                                    float threshold,
                                    const Kept& kept) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (ahead > 0 && ahead < count - i)
            prefetch_code(rows.base + list[i + ahead] * rows.stride, rows.stride);
        const std::uint8_t* const row = rows.base + list[i] * rows.stride;
        const std::int32_t raw = Layout::raw(query.levels, row, rows.stride);
        const float score = code_score(query, raw, row + rows.stride - kFactorBytes, 2);
        n = keep_score(list[i], score, threshold, kept, n);
    }
    return n;
}

/// Return raw of row `r` of a block.
inline std::int32_t block_raw(const std::int8_t* levels,
                              const std::uint8_t* block,
                              std::size_t groups,
                              std::size_t r) {
    const std::uint8_t* at = block + 4 * r;  // row 16 h + r: 64 h + 4 r
    std::int32_t sum = 0;
    for (std::size_t g = 0; g < groups; ++g, at += 128, levels += 8) {
        for (std::size_t j = 0; j < 4; ++j)
            sum += levels[j] * (at[j] & 15) + levels[4 + j] * (at[j] >> 4);
    }
    return sum;
}

VECDB_KERNEL inline std::size_t plain_block4(const CodeQuery& query,
                                             const CodeBlocks& blocks,
                                             std::size_t count,
                                             float threshold,
                                             const Kept& kept) {
    std::size_t n = 0;
    for (std::size_t row = 0; row < count; ++row) {
        const std::size_t r = row % kBlockRows;
        const std::uint8_t* const block = blocks.base + row / kBlockRows * blocks.bytes();
        const std::int32_t raw = block_raw(query.levels, block, blocks.groups, r);
        const std::uint8_t* const factors = block + blocks.groups * 128 + 2 * r;
        const float score = code_score(query, raw, factors, 2 * kBlockRows);
        n = keep_score(static_cast<std::uint32_t>(row), score, threshold, kept, n);
    }
    return n;
}

VECDB_KERNEL inline void plain_block4_pair(BlockScan (&scans)[2],
                                           const CodeBlocks& blocks,
                                           std::size_t count) {
    for (BlockScan& scan : scans)
        scan.count = plain_block4(*scan.query, blocks, count, scan.threshold, *scan.kept);
}

constexpr CodeKernels plain_code_kernels() {
    return {.block4 = plain_block4,
            .block4_pair = plain_block4_pair,
            .row4 = plain_rows<PlainRow4>,
            .row5 = plain_rows<PlainRow5>,
            .row7 = plain_rows<PlainRow7>,
            .row8 = plain_rows<PlainRow8>,
            .product4 = kPlainProduct4};
}

}  // namespace
}  // namespace vecdb::simd
