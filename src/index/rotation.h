#pragma once

/// \file
/// Rotations of vectors: principal components of a sample, and random ones. The only files that
/// know Eigen.

#include <vecdb/index.h>
#include <vecdb/status.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb::index {

/// Where the rows lie and how they spread.
struct PrincipalAxes {
    std::size_t dim = 0;
    std::vector<float> mean;        ///< Of the sample.
    double variance = 0.0;          ///< Of the sample, all dimensions together.
    std::vector<double> variances;  ///< Along each axis, falling; empty where none were computed.
    std::vector<float> axes;        ///< variances.size() rows of dim floats.
};

/// Vectors longer than this, and segments with fewer than kRowsPerDimension rows a dimension, get a
/// mean but no axes: these cost dim^3.
inline constexpr std::size_t kMaxRotatedDim = 1'536;
inline constexpr std::size_t kRowsPerDimension = 2;

/// Compute mean and axes of a sample, evenly spaced, of at most some ten thousand rows. Returns
/// what how.check() says.
[[nodiscard]] Result<PrincipalAxes> principal_axes(const IndexRows& rows, const IndexBuild& how);

/// Return `head` orthonormal rows of axes.dim floats that span the leading axes, turned at random
/// among themselves; 1 <= head <= axes.variances.size().
[[nodiscard]] std::vector<float> turned_head(const PrincipalAxes& axes,
                                             std::size_t head,
                                             std::uint64_t seed);

/// Return the rotation of `dim` dimensions that brings each vector of `from` as near as it can to
/// that of `to`, squared distances summed up: the orthogonal Procrustes problem (P. Schoenemann,
/// 1966). Directions in which they hardly spread are turned as little as can be. Elements are at
/// most some thousands. Empty when the vectors leave it open altogether.
[[nodiscard]] std::vector<float> rotation_between(std::span<const float> from,
                                                  std::span<const float> to,
                                                  std::size_t dim);

/// Return the vectors of `dim` floats, each multiplied with a matrix of dim columns.
[[nodiscard]] std::vector<float> multiplied(std::span<const float> matrix,
                                            std::span<const float> vectors,
                                            std::size_t dim);

/// Return rotation x rows, with `rotation` of n x n and `rows` of n x dim, both orthonormal; so is
/// the result to the rounding of floats.
[[nodiscard]] std::vector<float> turned_rows(std::span<const float> rotation,
                                             std::span<const float> rows,
                                             std::size_t dim);

/// Return a bound of how far the rows of a matrix are from orthonormal: of the norm of M M' - I.
[[nodiscard]] double skew(std::span<const float> matrix, std::size_t rows, std::size_t dim);

}  // namespace vecdb::index
