#pragma once

/// \file
/// Exact search of a few queries: every allowed row is compared, one pass over memory.

#include "index/row_filter.h"
#include "index/top_k.h"
#include "simd/kernel_table.h"

#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace vecdb::index {

/// View rows that lie in one piece of memory, with what belongs to each.
struct FlatBlock {
    simd::Rows rows;
    const Id* ids;
    const float* norms;  ///< Squared lengths; under cosine lengths before rows became unit rows.
                         ///< Only read by BatchScan.
    std::size_t count;
    RowFilter filter;

    /// Return rows [first, first + n), first a multiple of 64.
    [[nodiscard]] FlatBlock slice(std::size_t first, std::size_t n) const noexcept;

    /// Return which of rows [64 * w, 64 * w + 64) exist and may be returned; 64 * w < count.
    [[nodiscard]] std::uint64_t allowed_word(std::size_t w) const noexcept {
        const std::size_t left = count - w * 64;
        const std::uint64_t exist = left < 64 ? (std::uint64_t{1} << left) - 1 : ~std::uint64_t{0};
        return filter.word(w) & exist;
    }
};

/// Offer every allowed row of `block` to the top-k of each query. queries[i] points to
/// block.rows.dim elements of the rows' type, which `kernels` compare, and belongs to best[i].
/// Allocates nothing.
void scan_block(const simd::DistanceKernels& kernels,
                std::span<const void* const> queries,
                const FlatBlock& block,
                std::span<TopK> best);

}  // namespace vecdb::index
