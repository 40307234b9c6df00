#pragma once

/// \file
/// What a search sees.

#include "collection/storage/row_store.h"
#include "collection/storage/sealed_segment.h"
#include "collection/storage/tombstones.h"
#include "index/flat_scan.h"

#include <vecdb/index.h>
#include <vecdb/schema.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace vecdb::collection {

/// Names one numbering of rows; rows get a new one when their segment is rewritten. Alive as long
/// as a version with that numbering is.
using RowNumbering = std::shared_ptr<const void>;

/// One state of one segment.
/// Threads: immutable, except that the writer fills rows past `rows` in the blocks of the growing
/// segment.
struct SegmentVersion {
    RowNumbering numbering;
    std::shared_ptr<const SealedSegment> sealed;  ///< Null: the growing segment.
    std::shared_ptr<const BlockTable> blocks;
    std::shared_ptr<const Tombstones> tombstones;
    VectorFormat format;
    std::size_t rows_per_block = 0;
    std::size_t rows = 0;  ///< Live and dead.
    std::size_t live_rows = 0;
    std::size_t memory_bytes = 0;  ///< All but the tombstones.

    /// View a sealed segment of which no row is removed.
    [[nodiscard]] static std::shared_ptr<SegmentVersion> of(
        std::shared_ptr<const SealedSegment> segment);

    /// Return the index over the rows, or null where they are to be scanned.
    [[nodiscard]] const Index* index() const noexcept {
        return sealed != nullptr ? sealed->index.get() : nullptr;
    }
    [[nodiscard]] std::size_t block_count() const noexcept {
        return (rows + rows_per_block - 1) / rows_per_block;
    }
    /// Return the rows of one chunk of tombstones: a block of a growing segment, a part of the only
    /// one of a sealed segment.
    [[nodiscard]] std::size_t chunk_rows() const noexcept {
        return std::min(rows_per_block, kMaxBlockRows);
    }
    [[nodiscard]] bool removed(std::size_t row) const noexcept {
        const std::uint64_t* bits = tombstones->block(row / chunk_rows());
        const std::size_t bit = row % chunk_rows();
        return bits != nullptr && (bits[bit / 64] >> (bit % 64) & 1U) != 0;
    }

    /// View block i, i < block_count(). `allowed` has a bit per row of this version; null: all. May
    /// throw std::bad_alloc.
    [[nodiscard]] index::FlatBlock block(std::size_t i, const std::uint64_t* allowed) const {
        const RowBlock& block = *(*blocks)[i];
        const std::size_t first = i * rows_per_block;
        return {.rows = {block.vectors.data(), format.bytes(), format.dim},
                .ids = block.ids.data(),
                .norms = block.norms.data(),
                .count = std::min(rows_per_block, rows - first),
                .filter = {.allowed = allowed != nullptr ? allowed + first / 64 : nullptr,
                           .tombstones = sealed != nullptr ? tombstones->whole(rows, chunk_rows())
                                                           : tombstones->block(i)}};
    }
};

/// View a block as indexes see rows.
[[nodiscard]] IndexRows index_rows(const VectorField& field,
                                   const index::FlatBlock& block) noexcept;

using SealedList = std::vector<std::shared_ptr<const SegmentVersion>>;

/// One state of a collection: sealed segments, then the growing one. An id is live in one of them
/// at most. A write copies this and what it changes; the list is shared unless sealed rows are
/// removed.
/// Threads: immutable, except as SegmentVersion says.
struct Version {
    std::shared_ptr<const SealedList> sealed;
    SegmentVersion growing;
    std::size_t live_rows = 0;

    [[nodiscard]] std::size_t segment_count() const noexcept { return sealed->size() + 1; }
    /// Return segment i; the last is the growing one.
    [[nodiscard]] const SegmentVersion& segment(std::size_t i) const noexcept {
        return i < sealed->size() ? *(*sealed)[i] : growing;
    }
    /// Add up the live rows of all segments.
    void count_live_rows() noexcept;
};

}  // namespace vecdb::collection
