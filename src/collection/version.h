#pragma once

/// \file
/// What a search sees.

#include "collection/storage/row_store.h"
#include "collection/storage/tombstones.h"
#include "index/flat_scan.h"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace vecdb::collection {

/// Names one numbering of rows; rows get a new one when the segment is rewritten. Alive as long as
/// a version with that numbering is.
using RowNumbering = std::shared_ptr<const void>;

/// One state of a collection.
/// Threads: immutable, except that the writer fills rows past `rows` in the blocks.
struct Version {
    RowNumbering numbering;
    std::shared_ptr<const BlockTable> blocks;
    std::shared_ptr<const Tombstones> tombstones;
    std::size_t dim = 0;
    std::size_t rows_per_block = 0;
    std::size_t rows = 0;  ///< Live and dead.
    std::size_t live_rows = 0;
    std::size_t memory_bytes = 0;

    [[nodiscard]] std::size_t block_count() const noexcept {
        return (rows + rows_per_block - 1) / rows_per_block;
    }

    /// View block i, i < block_count(). `allowed` has a bit per row of this version; null: all.
    [[nodiscard]] index::FlatBlock block(std::size_t i,
                                         const std::uint64_t* allowed) const noexcept {
        const RowBlock& block = *(*blocks)[i];
        const std::size_t first = i * rows_per_block;
        const std::size_t left = rows - first;
        return {.rows = {block.vectors.data(), dim, dim},
                .ids = block.ids.data(),
                .norms = block.norms.data(),
                .count = left < rows_per_block ? left : rows_per_block,
                .filter = {.allowed = allowed != nullptr ? allowed + first / 64 : nullptr,
                           .tombstones = tombstones->block(i)}};
    }
};

}  // namespace vecdb::collection
