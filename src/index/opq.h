#pragma once

/// \file
/// Optimised product quantisation: a rotation for which the words of product codebooks are nearer
/// to the vectors. T. Ge et al., "Optimized product quantization", TPAMI 2014.
///
/// Rotation and codebooks are learnt in turns, as faiss::OPQMatrix does. The codebooks are Faiss'
/// (product_codebooks.h), the rotation Eigen's: OPQMatrix in one piece can neither be ended on the
/// way, nor are its bytes the same for any number of the BLAS library's threads.

#include "index/codes.h"

#include <vecdb/index.h>
#include <vecdb/status.h>

#include <cstddef>
#include <span>
#include <vector>

namespace vecdb::index {

/// Return the rotation of vectors of `dim` floats for pieces of `dims` dimensions. Equal input
/// gives equal bytes for any number of threads. Returns what how.check() says.
[[nodiscard]] Result<std::vector<float>> learn_rotation(std::span<const float> vectors,
                                                        std::size_t dim,
                                                        std::size_t dims,
                                                        const IndexBuild& how);

/// Learn from a sample of the rows what product codes should see of them: the leading principal
/// components with 92 % of the variance, or all when these are many, 512 at most, rotated among
/// themselves. All dimensions as they are where principal_axes() has no axes.
[[nodiscard]] Result<CodeSpace> learn_product_space(const IndexRows& rows,
                                                    std::size_t dims,
                                                    const IndexBuild& how);

}  // namespace vecdb::index
