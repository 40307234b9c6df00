#pragma once

/// \file
/// The distance kernels of one instruction set, as a table of functions.
///
/// Numerical contract, the same for every level:
///
/// - *Lower is nearer*: l2 kernels give the squared Euclidean distance, ip kernels the negated
///   inner product. Cosine is ip over unit rows. hamming gives the number of bits that differ,
///   jaccard the bits that differ / the bits set in either, 0 when there are none.
/// - *One number per pair*: on one level the value of a (query, row) pair depends on their elements
///   alone, not on the kernel (range or list), the position in the list, alignment or stride.
/// - float32, float16, bfloat16: elements are widened to float exactly. Accumulators are float;
///   products are fused where the level has FMA. With u = 2^-24 the value differs from the exact
///   one by at most (dim + 16) u S + dim 2^-148, where S is the sum of the absolute terms:
///   sum (q_i - x_i)^2, or sum |q_i x_i|.
/// - A value that overflows is +-infinity; one that is not a number (infinities of both signs met)
///   is reported as +infinity, so it is ordered last.
/// - Denormals are honoured. -0.0 equals 0.0.
/// - int8: the exact integer, rounded to float once at the end. bits: hamming is the exact integer,
///   jaccard one division of exact integers. So they are the same number on every level. dim is at
///   most 32,768.
/// - Bits past the last dimension of a row or a query are 0.
/// - Rows and queries need the alignment of their element only. Nothing outside a row's elements is
///   read. Outputs must not overlap inputs.
///
/// Threads: tables are constant; kernels keep no state.

#include "simd/code_kernels.h"

#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>

namespace vecdb::simd {

/// View rows of `dim` >= 1 elements of one type.
struct Rows {
    const void* base = nullptr;
    std::size_t stride = 0;  ///< Bytes from row to row: at least a row's own.
    std::size_t dim = 0;

    constexpr Rows() noexcept = default;
    /// View rows that start `stride_bytes` apart.
    constexpr Rows(const void* first, std::size_t stride_bytes, std::size_t dimension) noexcept
        : base(first), stride(stride_bytes), dim(dimension) {}
    /// View rows that start `elements` apart.
    template <class T>
    constexpr Rows(const T* first, std::size_t elements, std::size_t dimension) noexcept
        : base(first), stride(elements * sizeof(T)), dim(dimension) {}

    /// Return row i, whose elements are of type T.
    template <class T = void>
    [[nodiscard]] const T* row(std::size_t i) const noexcept {
        const void* first = static_cast<const char*>(base) + i * stride;
        return static_cast<const T*>(first);
    }
    /// View the rows from row `first` on.
    [[nodiscard]] Rows from(std::size_t first) const noexcept { return {row(first), stride, dim}; }
};

/// Where a kernel writes the pairs it keeps: parallel arrays with room for every row looked at.
struct Kept {
    std::uint32_t* rows;
    float* distances;
};

/// Compare `query`, which has the rows' element type, with rows [0, count) and keep, in ascending
/// order, those whose distance is <= threshold. Returns how many were kept. With threshold
/// +infinity every row is kept. Reads ahead: meant for rows that follow each other in memory.
using RangeKernel = std::size_t (*)(
    const void* query, const Rows& rows, std::size_t count, float threshold, const Kept& kept);

/// The same for the listed rows, in the order of the list; prefetches rows ahead.
using ListKernel = std::size_t (*)(const void* query,
                                   const Rows& rows,
                                   const std::uint32_t* list,
                                   std::size_t count,
                                   float threshold,
                                   const Kept& kept);

/// Write the sum of squares of rows [0, count) to `norms`: minus the ip value of a row with itself.
/// Infinite or not a number only if an element is, or the sum overflows.
using NormsKernel = void (*)(const Rows& rows, std::size_t count, float* norms);

/// Write factor * in[i] to out[i], i < count.
using ScaleKernel = void (*)(const float* in, std::size_t count, float factor, float* out);

/// Rewrite rows [0, count) of floats as panels of `tile_rows` rows, dimension-major: panel p holds
/// element d of row p * tile_rows + r at panels[(p * dim + d) * tile_rows + r]. Missing rows of the
/// last panel become zeros. `panels` is aligned to 64 bytes.
using PackKernel = void (*)(const Rows& rows, std::size_t count, float* panels);

/// Rows of a panel of a MultiplyKernel.
inline constexpr std::size_t kPanelRows = 32;

/// Multiply a panel of a matrix, kPanelRows rows of `dims` elements, by a vector: write the sum
/// over d of panel[d * kPanelRows + r] * x[d] to out[r]. Added up in float, products fused where
/// the level has FMA: differs from the exact sum by at most (dims + 8) u sum |terms| + dims 2^-148.
/// `panel` is aligned to 64 bytes.
using MultiplyKernel = void (*)(const float* panel, std::size_t dims, const float* x, float* out);

/// The inputs of a TileKernel.
struct Tile {
    const float* panels;      ///< As written by PackKernel, aligned to 64 bytes.
    std::size_t panel_count;  ///< Panels to go through.
    const float* starts;      ///< One per row of the panels, aligned to 64 bytes.
    const float* queries;     ///< Element d of query q at queries[d * tile_queries + q].
    const float* floors;      ///< One per query.
    std::size_t dim;
};

/// Rows of one panel kept for one query.
struct TileHit {
    std::uint32_t first_row;  ///< Number of the panel's first row.
    std::uint32_t query;      ///< 0 to tile_queries - 1.
    std::uint64_t rows;       ///< Bit r: row first_row + r is kept.
};

/// Go through all pairs of `tile_queries` queries and the panels' rows and keep those for which
/// starts[row] + q.x < floors[query] is false (so a sum that is not a number is kept). Appends
/// at most panel_count * tile_queries hits with a mask that is not zero and returns their number.
/// The sum is accumulated in float over d ascending, starting at starts[row]: it differs from the
/// exact one by at most (dim + 4) u (|start| + sum |q_i x_i|) + dim 2^-148.
using TileKernel = std::size_t (*)(const Tile& tile, TileHit* hits);

/// Largest tile_rows and tile_queries of any level.
inline constexpr std::size_t kMaxTileRows = 64;
inline constexpr std::size_t kMaxTileQueries = 16;

/// Which rows a mask leaves, 64 a word.
struct RowMask {
    const std::uint64_t* allowed = nullptr;  ///< Null: all.
    const std::uint64_t* removed = nullptr;  ///< Null: none.

    [[nodiscard]] std::uint64_t word(std::size_t word) const noexcept {
        const std::uint64_t may = allowed != nullptr ? allowed[word] : ~std::uint64_t{0};
        return removed != nullptr ? may & ~removed[word] : may;
    }
};

/// A list of rows is complete when it has so many; it may have up to kListedAtOnce more.
inline constexpr std::size_t kListedRows = 256;
inline constexpr std::size_t kListedAtOnce = 512;
/// Elements of a list at most.
inline constexpr std::size_t kListRoom = kListedRows + kListedAtOnce;

/// Write the numbers of the rows of [first, last) that `mask` leaves to `list`, ascending, until
/// the list is complete or the rows end; move `first` to where to go on. Returns how many.
using ListRowsKernel = std::size_t (*)(const RowMask& mask,
                                       std::size_t& first,
                                       std::size_t last,
                                       std::uint32_t* list);

/// The kernels of one distance on one element type.
struct DistanceKernels {
    RangeKernel range = nullptr;
    ListKernel list = nullptr;
};

/// The kernels of one element type, numbers or bits.
struct NumberKernels {
    DistanceKernels l2;
    DistanceKernels ip;
    NormsKernel squared_norms = nullptr;
};
struct BitKernels {
    DistanceKernels hamming;
    DistanceKernels jaccard;
};

/// All kernels of one level.
struct KernelTable {
    const char* name;
    NumberKernels float32;
    NumberKernels float16;
    NumberKernels bfloat16;
    NumberKernels int8;
    BitKernels bits;
    ScaleKernel scale;
    std::size_t tile_rows;     ///< Rows of a panel.
    std::size_t tile_queries;  ///< Queries of a tile.
    PackKernel pack;
    TileKernel tile;
    MultiplyKernel multiply;
    CodeKernels codes;
    WalkKernels walk;
    ListRowsKernel list_rows;

    /// Return the kernels of a metric on rows of an element type; null ones for a pair that is not
    /// served. Cosine is ip over unit rows.
    [[nodiscard]] DistanceKernels distances(Metric metric, ElementType type) const noexcept;
    /// Return the kernel of rows of an element type; null for bits.
    [[nodiscard]] NormsKernel squared_norms(ElementType type) const noexcept;
};

}  // namespace vecdb::simd
