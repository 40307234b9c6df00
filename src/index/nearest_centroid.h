#pragma once

/// \file
/// Which centroid is nearest to each of many rows: all pairs through the tile kernel, whose sums
/// select with a proved error bound (flat_batch.h); what they select is compared again by the
/// single-row kernel. So the answer does not depend on how rows are grouped or shared out.

#include "simd/aligned_buffer.h"
#include "simd/kernel_table.h"

#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb::index {

/// Assigns rows to centroids.
/// Threads: const methods may run concurrently, each with a Scratch of its own.
class NearestCentroid {
  public:
    /// Memory of one thread, kept between calls.
    struct Scratch {
        simd::AlignedBuffer<float> queries;
        std::vector<double> norms;  ///< Lengths; not bounds of them.
        std::vector<simd::TileHit> hits;
    };
    /// Rows that one call should bring: a block of tiles that stays in the caches.
    static constexpr std::size_t kRows = 240;

    /// \param centroids  count rows of dim floats; kept by reference, count and dim at least 1
    /// \param metric     kL2, or else the largest inner product is nearest
    NearestCentroid(const simd::KernelTable& table,
                    Metric metric,
                    const float* centroids,
                    std::size_t count,
                    std::size_t dim);

    /// Set labels[i] to the nearest centroid of row i; the first of equally near ones. What stands
    /// there before is a first guess and makes it faster when it is near. rows.dim is dim.
    void assign(const simd::Rows& rows, std::span<std::uint32_t> labels, Scratch& scratch) const;

  private:
    struct Nearest;

    void pack_queries(const simd::Rows& rows, std::size_t count, Scratch& scratch) const;
    [[nodiscard]] Nearest start(const float* row, std::uint32_t guess) const;
    void run_group(const simd::Rows& rows,
                   std::size_t group,
                   std::span<Nearest> nearest,
                   Scratch& scratch) const;
    void take(const simd::Rows& rows,
              const simd::TileHit& hit,
              std::size_t row,
              Nearest& best) const;

    const simd::KernelTable& table_;
    Metric metric_;
    simd::Rows centroids_;
    std::size_t count_;
    simd::ListKernel list_;
    std::size_t group_panels_;  ///< Panels compared with one tile of queries in a row.
    simd::AlignedBuffer<float> panels_;
    simd::AlignedBuffer<float> starts_;
    std::vector<double> longest_;  ///< Of each group: at least the length of its centroids.
};

}  // namespace vecdb::index
