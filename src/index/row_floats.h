#pragma once

/// \file
/// Rows of any element type as floats: for training, which knows floats only. Bits become 0 and 1.

#include <vecdb/index.h>
#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace vecdb::index {

/// Write the `dim` elements of one vector to `out`.
void to_floats(ElementType type, const void* vector, std::size_t dim, float* out);

/// Write rows list[i] of `rows` to `out`, packed.
void gather_floats(const IndexRows& rows, std::span<const std::uint32_t> list, float* out);

}  // namespace vecdb::index
