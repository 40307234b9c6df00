#pragma once

/// \file
/// Moving rows from one numbering to another.

#include "collection/storage/row_store.h"
#include "collection/version.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace vecdb::collection {

/// Copy the live rows of block `b`, from its row `first` on, behind the first `row` rows of `to`,
/// which has room for them. Returns how many rows `to` has then. May throw std::bad_alloc.
std::size_t append_live(const SegmentVersion& segment,
                        std::size_t b,
                        std::size_t first,
                        const RowStore& to,
                        std::size_t row);

/// Tell whether `order` holds every number below `rows` once.
[[nodiscard]] bool is_permutation(std::span<const std::uint32_t> order, std::size_t rows);

/// Reorder the vectors of one field of a store of one block in place: the i-th becomes what was the
/// order[i]-th, a permutation; of none nothing changes. May throw std::bad_alloc and then changes
/// nothing.
void permute_vectors(const RowStore& store,
                     std::size_t field,
                     std::span<const std::uint32_t> order);
/// The same for the ids and scalar values.
void permute_rows(const RowStore& store, std::span<const std::uint32_t> order);

}  // namespace vecdb::collection
