#pragma once

/// \file
/// Exact search of many queries over rows of floats: tiles of queries against panels of rows in
/// registers, no matrix of distances in memory. The tile kernel's sums select with a proved error
/// bound; what is selected is compared again by the single-row kernel, so that batch and single
/// search give the same hits.

#include "index/flat_scan.h"
#include "index/top_k.h"
#include "simd/aligned_buffer.h"
#include "simd/kernel_table.h"

#include <vecdb/index.h>
#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb::index {

/// From this many queries on the batch path is faster than one scan for all (bench/NOTES.md).
inline constexpr std::size_t kMinBatchQueries = 5;

/// Return where a tile sum must not fall below for a row whose distance to the query, by the
/// single-row kernel, could be at most `threshold`. Proved from the two bounds in kernel_table.h
/// and Cauchy-Schwarz; -infinity (keep everything) when the bound overflows.
///
/// \param query_norm  length of the query
/// \param row_norm    length of the longest row
[[nodiscard]] float tile_floor(
    Metric metric, std::size_t dim, double query_norm, double row_norm, float threshold) noexcept;

/// Queries rewritten for the tile kernel; shared by all threads of a search.
class QueryTiles {
  public:
    /// \param queries  `count` rows of `dim` floats; kept by reference
    QueryTiles(const simd::KernelTable& table,
               Metric metric,
               const float* queries,
               std::size_t count,
               std::size_t dim);

    [[nodiscard]] const simd::KernelTable& table() const noexcept { return table_; }
    [[nodiscard]] Metric metric() const noexcept { return metric_; }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] const float* query(std::size_t q) const noexcept { return queries_ + q * dim_; }
    [[nodiscard]] double norm(std::size_t q) const noexcept { return norms_[q]; }
    [[nodiscard]] std::size_t tiles() const noexcept {
        return (count_ + table_.tile_queries - 1) / table_.tile_queries;
    }
    [[nodiscard]] const float* tile(std::size_t t) const noexcept {
        return packed_.data() + t * table_.tile_queries * dim_;
    }

  private:
    const simd::KernelTable& table_;
    Metric metric_;
    const float* queries_;
    std::size_t count_;
    std::size_t dim_;
    simd::AlignedBuffer<float> packed_;
    std::vector<double> norms_;
};

/// One thread's part of a batch search: its scratch memory and its nearest rows so far.
/// Threads: single-threaded; several share one QueryTiles.
class BatchScan {
  public:
    /// \param best  one per query
    BatchScan(const QueryTiles& tiles, std::span<TopK> best);

    /// Offer every allowed row of `block` to the top-k of every query.
    void scan(const FlatBlock& block);

  private:
    struct Panels;

    void scan_all(const FlatBlock& block);
    void scan_allowed(const FlatBlock& block);
    void scan_rows(const FlatBlock& block, const std::uint32_t* list, std::size_t count);
    void run_tile(std::size_t tile, const Panels& panels);
    void rescore(std::size_t query, const Panels& panels, const simd::TileHit& hit);
    void scan_plainly(const FlatBlock& block);
    const float* gather(const FlatBlock& block, const std::uint32_t* list, std::size_t count);

    const QueryTiles& tiles_;
    simd::DistanceKernels kernels_;
    std::span<TopK> best_;
    std::vector<const void*> query_rows_;
    std::size_t panel_rows_;  ///< Rows packed at a time, a multiple of the tile's.
    std::size_t pairs_ = 0;
    std::size_t rescored_ = 0;
    simd::AlignedBuffer<float> panels_;
    simd::AlignedBuffer<float> starts_;
    simd::AlignedBuffer<float> gathered_;
    std::vector<std::uint32_t> list_;
    std::vector<simd::TileHit> hits_;
};

/// Compare queries with the allowed rows of a segment from row `first`, a multiple of 64, on: all
/// of each; floats in tiles when there are enough queries. `filter` is for all rows.
///
/// \param queries  rows.dim elements each
/// \param best     of each query
void scan_rows(const IndexRows& rows,
               std::size_t first,
               std::span<const void* const> queries,
               const RowFilter& filter,
               std::span<TopK> best);

}  // namespace vecdb::index
