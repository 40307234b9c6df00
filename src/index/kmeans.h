#pragma once

/// \file
/// k-means (Lloyd's algorithm) over float rows. Assignment runs on our kernels, the steps between
/// through Faiss' Clustering, or in builds without Faiss by the same arithmetic.

#include "index/faiss_bridge.h"
#include "simd/kernel_table.h"

#include <vecdb/index.h>
#include <vecdb/status.h>
#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb::index {

/// How to cluster.
struct KmeansOptions {
    std::size_t clusters = 1;     ///< At least 1.
    std::size_t iterations = 10;  ///< At most; ends when no row changes its cluster.
    /// kCosine: spherical, centroids have length 1 and the largest inner product is nearest.
    /// Every other: squared distance to the mean, also for kInnerProduct, whose own measure would
    /// leave short rows to whichever centroid is longest.
    Metric metric = Metric::kL2;
};

/// Return `clusters` centroids of rows.dim floats, all finite. Rows are finite; equal input gives
/// equal bytes for any number of threads. Returns kFailedPrecondition when there are fewer rows
/// than clusters, and what how.check() says, which is asked many times in each iteration.
[[nodiscard]] Result<std::vector<float>> train_kmeans(const simd::Rows& rows,
                                                      std::size_t count,
                                                      const KmeansOptions& options,
                                                      const IndexBuild& how);

/// Write to labels[i] the cluster of row i, as train_kmeans() assigns; what stands there is taken
/// for a first guess. Returns what how.check() says.
[[nodiscard]] Status assign_clusters(const IndexRows& rows,
                                     std::span<const float> centroids,
                                     const IndexBuild& how,
                                     std::span<std::uint32_t> labels);

/// Return `wanted` of `count` numbers drawn without repetition, ascending; all when there are no
/// more. The same on every machine.
[[nodiscard]] std::vector<std::uint32_t> draw_sample(std::size_t count,
                                                     std::size_t wanted,
                                                     std::uint64_t seed);

/// Do one step of k-means after an assignment: faiss_move_centroids(), or move_centroids() in
/// builds without Faiss.
[[nodiscard]] Status move_to_means(const AssignedRows& assigned, std::span<float> centroids);

/// What faiss_move_centroids() does, bit for bit on the same compiler, without Faiss.
void move_centroids(const AssignedRows& assigned, std::span<float> centroids);

}  // namespace vecdb::index
