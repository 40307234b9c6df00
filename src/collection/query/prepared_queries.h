#pragma once

/// \file
/// Queries as the kernels want them.

#include "simd/kernel_table.h"

#include <vecdb/schema.h>
#include <vecdb/status.h>
#include <vecdb/views.h>

#include <cstddef>
#include <vector>

namespace vecdb::collection {

/// Check `queries` against the field and copy them, packed and under cosine as unit vectors, into
/// `out`, whose memory is reused. Returns kInvalidArgument as Collection::search().
[[nodiscard]] Status prepare_queries(const simd::KernelTable& kernels,
                                     const VectorField& field,
                                     MatrixView queries,
                                     std::vector<std::byte>& out);

}  // namespace vecdb::collection
