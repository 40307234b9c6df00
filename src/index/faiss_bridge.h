#pragma once

/// \file
/// The only door to Faiss: training, never search. What passes through is floats that the library
/// has checked. Faiss prints nothing here, and its exceptions become a Status.

#include <vecdb/status.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace vecdb::index {

/// Rows with the cluster to which each belongs.
struct AssignedRows {
    const float* rows;  ///< labels.size() rows of dim floats, all finite.
    std::size_t dim;
    std::span<const std::uint32_t> labels;
};

/// Whether this build has Faiss (VECDB_WITH_FAISS).
[[nodiscard]] bool has_faiss() noexcept;

/// Do one step of k-means by Faiss' Clustering: move every centroid to the mean of its rows, and
/// each one without rows beside one with many. There are more rows than centroids (rows of `dim`
/// floats). Returns kInternal when Faiss refuses, kUnsupported without Faiss.
[[nodiscard]] Status faiss_move_centroids(const AssignedRows& assigned, std::span<float> centroids);

}  // namespace vecdb::index
