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
#include <string_view>

namespace vecdb::collection {

/// Rows to be finished in place.
struct RowSpan {
    std::byte* vectors;  ///< Packed, aligned for their elements.
    std::size_t count;
    float* norms;  ///< One per row, to be written.
};

/// Name a row in messages: "row 7".
[[nodiscard]] std::string row_name(std::size_t row);

/// Return the number of the vector field of a name; of none: 0. Returns kInvalidArgument.
[[nodiscard]] Result<std::size_t> find_vector_field(std::span<const VectorField> fields,
                                                    std::string_view name);

/// Say of a failure in which of several vector fields it was found, unless it is the first.
[[nodiscard]] Status in_field(std::span<const VectorField> fields,
                              std::size_t number,
                              Status status);

/// Check element type, dimension and layout. Returns kInvalidArgument with found and expected.
[[nodiscard]] Status check_shape(const VectorField& field, MatrixView vectors);

/// Check copied rows for NaN and infinity, or bits past the last dimension, and write their norms
/// (squared lengths; of bits 0); under cosine make them unit rows and write their lengths.
/// `numbers` gives the row numbers for messages. Returns kInvalidArgument with row and column.
[[nodiscard]] Status finish_rows(const simd::KernelTable& kernels,
                                 const VectorField& field,
                                 const RowSpan& span,
                                 std::span<const std::uint32_t> numbers);

/// Write the vector that was inserted to `out`, from its row and norm as finished.
void restore_row(const simd::KernelTable& kernels,
                 const VectorField& field,
                 const std::byte* row,
                 float norm,
                 std::byte* out) noexcept;

}  // namespace vecdb::collection
