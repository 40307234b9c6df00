#pragma once

/// \file
/// The batch kernels: rows rewritten as panels, and inner products of a tile of queries with them,
/// held in registers (the micro-kernel of Goto and van de Geijn, "Anatomy of High-Performance
/// Matrix Multiplication", 2008, with the threshold test in place of the store). Contract:
/// kernel_table.h.

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__) && !defined(VECDB_SCALAR_ONLY)
#    include <immintrin.h>
#elif defined(__aarch64__) && !defined(VECDB_SCALAR_ONLY)
#    include <arm_neon.h>
#endif

#include "simd/kernels.h"
#include "simd/kernels_codes.h"
#include "simd/kernels_mask.h"
#include "simd/kernels_multiply.h"
#include "simd/kernels_walk.h"
#include "simd/pairs_bits.h"
#include "simd/pairs_float.h"
#include "simd/pairs_int8.h"

namespace vecdb::simd {
namespace {

/// Write elements 0 to 3 of rows a, b, c, d as four columns, `step` floats apart.
inline void transpose4(
    const float* a, const float* b, const float* c, const float* d, float* out, std::size_t step) {
#if defined(__x86_64__) && !defined(VECDB_SCALAR_ONLY)
    __m128 r0 = _mm_loadu_ps(a);
    __m128 r1 = _mm_loadu_ps(b);
    __m128 r2 = _mm_loadu_ps(c);
    __m128 r3 = _mm_loadu_ps(d);
    _MM_TRANSPOSE4_PS(r0, r1, r2, r3);
    _mm_store_ps(out, r0);
    _mm_store_ps(out + step, r1);
    _mm_store_ps(out + 2 * step, r2);
    _mm_store_ps(out + 3 * step, r3);
#elif defined(__aarch64__) && !defined(VECDB_SCALAR_ONLY)
    const float32x4x2_t ab = vtrnq_f32(vld1q_f32(a), vld1q_f32(b));
    const float32x4x2_t cd = vtrnq_f32(vld1q_f32(c), vld1q_f32(d));
    vst1q_f32(out, vcombine_f32(vget_low_f32(ab.val[0]), vget_low_f32(cd.val[0])));
    vst1q_f32(out + step, vcombine_f32(vget_low_f32(ab.val[1]), vget_low_f32(cd.val[1])));
    vst1q_f32(out + 2 * step, vcombine_f32(vget_high_f32(ab.val[0]), vget_high_f32(cd.val[0])));
    vst1q_f32(out + 3 * step, vcombine_f32(vget_high_f32(ab.val[1]), vget_high_f32(cd.val[1])));
#else
    for (std::size_t i = 0; i < 4; ++i) {
        out[i * step] = a[i];
        out[i * step + 1] = b[i];
        out[i * step + 2] = c[i];
        out[i * step + 3] = d[i];
    }
#endif
}

/// Dimensions packed for all rows of a panel before the next ones: what is being written stays in
/// the first-level cache.
inline constexpr std::size_t kPackDims = 64;

/// Pack dimensions [first, last) of up to four rows into columns [0, 4) of a panel of `width` rows.
/// `count` of the rows exist.
inline void pack_columns(const Rows& rows,
                         std::size_t count,
                         std::size_t first,
                         std::size_t last,
                         float* panel,
                         std::size_t width) {
    const float* row[4];
    for (std::size_t r = 0; r < 4; ++r)
        row[r] = rows.row<float>(r < count ? r : 0);
    std::size_t i = first;
    if (count == 4) {
        for (std::size_t ahead = last; ahead < last + kPackDims; ahead += kPerLine<float>) {
            for (std::size_t r = 0; r < 4; ++r)
                prefetch(row[r] + ahead);
        }
        for (; i + 4 <= last; i += 4) {
            transpose4(row[0] + i, row[1] + i, row[2] + i, row[3] + i, panel + i * width, width);
        }
    }
    for (; i < last; ++i) {
        for (std::size_t r = 0; r < 4; ++r)
            panel[i * width + r] = r < count ? row[r][i] : 0.0F;
    }
}

template <std::size_t TileRows>
VECDB_KERNEL void pack(const Rows& rows, std::size_t count, float* panels) {
    static_assert(TileRows % 4 == 0 && TileRows <= kMaxTileRows);
    for (std::size_t first = 0; first < count; first += TileRows, panels += TileRows * rows.dim) {
        for (std::size_t dim = 0; dim < rows.dim; dim += kPackDims) {
            const std::size_t end = dim + kPackDims < rows.dim ? dim + kPackDims : rows.dim;
            for (std::size_t r = 0; r < TileRows; r += 4) {
                const std::size_t row = first + r;
                const std::size_t left = row < count ? count - row : 0;
                const Rows four = rows.from(left > 0 ? row : 0);
                pack_columns(four, left < 4 ? left : 4, dim, end, panels + r, TileRows);
            }
        }
    }
}

/// Add the products of all dimensions of one panel to the sums of a tile, all of which stay in
/// registers.
template <class V, std::size_t Queries, std::size_t Vectors>
inline void add_products(const Tile& tile, const float* panel, V (&sums)[Queries][Vectors]) {
    constexpr std::size_t kW = V::kWidth;
    const float* query = tile.queries;
    for (std::size_t d = 0; d < tile.dim; ++d, panel += kW * Vectors, query += Queries) {
        V x[Vectors];
        for (std::size_t v = 0; v < Vectors; ++v)
            x[v] = V::load_aligned(panel + v * kW);
#pragma GCC unroll 16
        for (std::size_t q = 0; q < Queries; ++q) {
            const V element = V::broadcast(query + q);
            for (std::size_t v = 0; v < Vectors; ++v) {
                sums[q][v] = V::multiply_add(element, x[v], sums[q][v]);
            }
        }
    }
}

/// Return bit r set where the sum of row r is not less than the floor.
template <class V, std::size_t Vectors>
inline std::uint64_t rows_kept(const V (&sums)[Vectors], const float* floor) {
    const V floors = V::broadcast(floor);
    std::uint64_t kept = 0;
    for (std::size_t v = 0; v < Vectors; ++v)
        kept |= sums[v].not_less(floors) << (v * V::kWidth);
    return kept;
}

/// `Queries` x `Vectors` registers of sums.
template <class V, std::size_t Queries, std::size_t Vectors>
VECDB_KERNEL std::size_t tile(const Tile& tile, TileHit* hits) {
    constexpr std::size_t kTileRows = V::kWidth * Vectors;
    static_assert(Queries <= kMaxTileQueries && kTileRows <= kMaxTileRows);
    std::size_t n = 0;
    for (std::size_t p = 0; p < tile.panel_count; ++p) {
        V sums[Queries][Vectors];
        for (std::size_t v = 0; v < Vectors; ++v) {
            const V start = V::load_aligned(tile.starts + p * kTileRows + v * V::kWidth);
            for (std::size_t q = 0; q < Queries; ++q)
                sums[q][v] = start;
        }
        add_products(tile, tile.panels + p * tile.dim * kTileRows, sums);
#pragma GCC unroll 16
        for (std::size_t q = 0; q < Queries; ++q) {
            const std::uint64_t kept = rows_kept(sums[q], tile.floors + q);
            if (kept == 0) continue;
            hits[n++] = {
                static_cast<std::uint32_t>(p * kTileRows), static_cast<std::uint32_t>(q), kept};
        }
    }
    return n;
}

/// Fill the table of a level (lanes_*.h).
template <class Level, std::size_t Queries, std::size_t Vectors>
constexpr KernelTable make_table(const char* name, const CodeKernels& codes) {
    using V = typename Level::Floats;
    using Floats = Float32Elements<Level>;
    using Halves = Float16Elements<Level>;
    using BFloats = BFloat16Elements<Level>;
    return {.name = name,
            .float32 = number_kernels<FloatSquares<Floats>, FloatProducts<Floats>>(),
            .float16 = number_kernels<FloatSquares<Halves>, FloatProducts<Halves>>(),
            .bfloat16 = number_kernels<FloatSquares<BFloats>, FloatProducts<BFloats>>(),
            .int8 = number_kernels<Int8Pairs<typename Level::Int8Squares>,
                                   Int8Pairs<typename Level::Int8Products>>(),
            .bits = {distance_kernels<HammingPairs<typename Level::Bits>>(),
                     distance_kernels<JaccardPairs<typename Level::Bits>>()},
            .scale = scale<V>,
            .tile_rows = V::kWidth * Vectors,
            .tile_queries = Queries,
            .pack = pack<V::kWidth * Vectors>,
            .tile = tile<V, Queries, Vectors>,
            .multiply = multiply<V>,
            .codes = codes,
            .walk = walk_kernels(),
            .list_rows = list_rows};
}

}  // namespace
}  // namespace vecdb::simd
