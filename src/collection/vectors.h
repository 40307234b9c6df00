#pragma once

/// \file
/// Checking vectors that come in, and preparing them for the kernels.

#include "simd/kernel_table.h"

#include <vecdb/schema.h>
#include <vecdb/status.h>
#include <vecdb/views.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace vecdb::collection {

/// Rows to be finished in place.
struct RowSpan {
    float* vectors;  ///< count x dim floats, packed.
    std::size_t count;
    float* norms;  ///< One per row, to be written.
};

/// Name a row in messages: "row 7".
[[nodiscard]] std::string row_name(std::size_t row);

/// Check element type, dimension and layout. Returns kInvalidArgument with found and expected.
[[nodiscard]] Status check_shape(const VectorField& field, MatrixView vectors);

/// Check copied rows for NaN and infinity and write their norms; under cosine make them unit rows.
/// `numbers` gives the row numbers for messages. Returns kInvalidArgument with row and column.
[[nodiscard]] Status finish_rows(const simd::KernelTable& kernels,
                                 const VectorField& field,
                                 const RowSpan& span,
                                 std::span<const std::uint32_t> numbers);

}  // namespace vecdb::collection
