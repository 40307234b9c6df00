#pragma once

/// \file
/// What a search sees.

#include "collection/storage/growing_codes.h"
#include "collection/storage/growing_segment.h"
#include "collection/storage/persistent_array.h"
#include "collection/storage/row_store.h"
#include "collection/storage/sealed_segment.h"
#include "collection/storage/tombstones.h"
#include "index/flat_scan.h"

#include <vecdb/index.h>
#include <vecdb/schema.h>
#include <vecdb/status.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
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
    std::shared_ptr<const SealedSegment> sealed;    ///< Null: the growing segment.
    std::shared_ptr<const GrowingSegment> growing;  ///< Null: a sealed segment.
    std::shared_ptr<const BlockTable> blocks;
    std::shared_ptr<const Tombstones> tombstones;
    /// The same in the order of each further vector field, that has its own; null for others.
    std::vector<std::shared_ptr<const Tombstones>> field_tombstones;
    std::shared_ptr<const GrowingCodes> codes;  ///< Null: none, or a sealed segment.
    VectorFormat first_format;                  ///< Of the first vector field.
    std::size_t rows_per_block = 0;
    std::size_t rows = 0;  ///< Live and dead.
    std::size_t live_rows = 0;
    std::size_t memory_bytes = 0;  ///< All but the tombstones.

    /// View a sealed segment of which no row is removed.
    [[nodiscard]] static std::shared_ptr<SegmentVersion> of(
        std::shared_ptr<const SealedSegment> segment);
    /// View the first `rows` rows of a growing segment, none removed, whose ids were entered.
    [[nodiscard]] static SegmentVersion of(std::shared_ptr<const GrowingSegment> segment,
                                           std::size_t rows);

    /// Remove live rows. Throws std::bad_alloc.
    void remove(std::span<const std::uint32_t> gone);

    /// Return the live row of `id`. Nobody enters ids to the growing segment meanwhile.
    [[nodiscard]] std::optional<std::uint32_t> find(Id id) const noexcept;

    /// Call visit(row) for every live row that `allowed`, as in block(), lets through, in order.
    /// May throw std::bad_alloc.
    template <class Visit>
    void for_each_row(const std::uint64_t* allowed, Visit&& visit) const {
        for (std::size_t b = 0; b < block_count(); ++b) {
            const index::FlatBlock part = block(b, allowed);
            const std::size_t first = b * rows_per_block;
            for (std::size_t w = 0; w * 64 < part.count; ++w) {
                for (std::uint64_t word = part.allowed_word(w); word != 0; word &= word - 1)
                    visit(first + w * 64 + static_cast<std::size_t>(std::countr_zero(word)));
            }
        }
    }
    /// Call visit(id) for every live row, in order. May throw std::bad_alloc.
    template <class Visit>
    void for_each_live(Visit&& visit) const {
        for_each_row(nullptr, [&](std::size_t row) { visit(id(row)); });
    }
    [[nodiscard]] const Id& id(std::size_t row) const noexcept {
        return (*blocks)[row / rows_per_block]->ids[row % rows_per_block];
    }

    [[nodiscard]] const RowStore& store() const noexcept {
        return sealed != nullptr ? sealed->store : growing->store();
    }
    /// Return the scalar values of block i.
    [[nodiscard]] std::span<const Cells> cells(std::size_t i) const noexcept {
        return (*blocks)[i]->cells;
    }

    /// Return the index of a vector field, or null where vectors are to be scanned.
    [[nodiscard]] const Index* index(std::size_t field) const noexcept {
        return sealed != nullptr ? sealed->indexes[field].get() : nullptr;
    }
    /// Return the short codes of a vector field, or null where there are none.
    [[nodiscard]] const FieldCodes* field_codes(std::size_t field) const noexcept {
        return codes != nullptr ? codes->of(field) : nullptr;
    }
    /// Return the order of a vector field, or null where it is that of the rows.
    [[nodiscard]] const FieldOrder* order(std::size_t field) const noexcept {
        if (field == 0 || sealed == nullptr || sealed->orders[field].is_rows()) return nullptr;
        return &sealed->orders[field];
    }
    /// Return where the vector of a row stands.
    [[nodiscard]] std::size_t position(std::size_t row, std::size_t field) const noexcept {
        const FieldOrder* own = order(field);
        return own != nullptr ? own->positions[row] : row;
    }
    /// View the vector of a field that stands at a position.
    [[nodiscard]] const std::byte* vector(std::size_t position, std::size_t field) const noexcept {
        return (*blocks)[position / rows_per_block]->vectors(field).elements.data() +
               position % rows_per_block * format(field).bytes();
    }
    [[nodiscard]] const float& norm(std::size_t position, std::size_t field) const noexcept {
        return (*blocks)[position / rows_per_block]
            ->vectors(field)
            .norms[position % rows_per_block];
    }
    [[nodiscard]] const VectorFormat& format(std::size_t field) const noexcept {
        return field == 0 ? first_format : store().format().vector(field);
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

    /// Return the bytes of memory that removed rows take.
    [[nodiscard]] std::size_t tombstones_bytes() const noexcept;

    /// View block i, i < block_count(), of a vector field, in its order. `allowed` has a bit per
    /// row of this version in that order; null: all. May throw std::bad_alloc.
    [[nodiscard]] index::FlatBlock block(std::size_t i,
                                         const std::uint64_t* allowed,
                                         std::size_t field = 0) const {
        const RowBlock& block = *(*blocks)[i];
        const VectorColumn& vectors = block.vectors(field);
        const VectorFormat& as = format(field);
        const std::size_t first = i * rows_per_block;
        const FieldOrder* own = order(field);
        const Tombstones& removed = own != nullptr ? *field_tombstones[field - 1] : *tombstones;
        return {.rows = {vectors.elements.data(), as.bytes(), as.dim},
                .ids = own != nullptr ? own->ids.data() : block.ids.data(),
                .norms = vectors.norms.data(),
                .count = std::min(rows_per_block, rows - first),
                .filter = {.allowed = allowed != nullptr ? allowed + first / 64 : nullptr,
                           .tombstones = sealed != nullptr ? removed.whole(rows, chunk_rows())
                                                           : removed.block(i)}};
    }
};

/// View a block as indexes see rows.
[[nodiscard]] IndexRows index_rows(const VectorField& field,
                                   const index::FlatBlock& block) noexcept;

/// View the rows of a sealed segment as the index of vector field `number` sees them.
[[nodiscard]] IndexRows index_rows(const VectorField& field,
                                   const SealedSegment& segment,
                                   std::size_t number = 0) noexcept;

using SealedList = std::vector<std::shared_ptr<const SegmentVersion>>;

/// What names a partition for as long as it exists; another one may get its number later.
/// Threads: immutable.
struct PartitionInfo {
    std::string name;
    std::uint32_t number;
};

/// One state of a partition: sealed segments, then the growing one. A write copies this and what it
/// changes; the list is shared unless sealed rows are removed.
/// Threads: immutable, except as SegmentVersion says.
struct PartitionVersion {
    std::shared_ptr<const PartitionInfo> info;
    std::shared_ptr<const SealedList> sealed;
    SegmentVersion growing;
    std::size_t live_rows = 0;
    std::uint64_t sequence = 0;  ///< Of the version with the last write to this.
    /// What is missing because its files are damaged; null: nothing.
    std::shared_ptr<const std::vector<std::string>> lost;

    [[nodiscard]] std::size_t segment_count() const noexcept { return sealed->size() + 1; }
    /// Return segment i; the last is the growing one.
    [[nodiscard]] const SegmentVersion& segment(std::size_t i) const noexcept {
        return i < sealed->size() ? *(*sealed)[i] : growing;
    }
    /// Return the state of the segment with a numbering, or null when it is not here.
    [[nodiscard]] const SegmentVersion* find(const RowNumbering& numbering) const noexcept {
        for (std::size_t s = 0; s < segment_count(); ++s) {
            if (segment(s).numbering == numbering) return &segment(s);
        }
        return nullptr;
    }
    /// Add up the live rows of all segments.
    void count_live_rows() noexcept;
};

/// One state of a collection: its partitions by number. An id is live in one of them at most.
/// Threads: immutable, except as SegmentVersion says.
struct Version {
    std::uint64_t sequence = 0;                  ///< Writes that came before.
    std::chrono::system_clock::time_point time;  ///< When the last of them was published.
    PersistentArray<PartitionVersion> partitions;
    std::size_t live_rows = 0;

    /// Return the state of a partition, or null when it does not exist here.
    [[nodiscard]] const PartitionVersion* find(const PartitionInfo& info) const noexcept {
        const PartitionVersion* partition = partitions.get(info.number);
        return partition != nullptr && partition->info.get() == &info ? partition : nullptr;
    }
};

/// Check that no rows of a partition are missing. Returns kCorruption.
[[nodiscard]] Status check_whole(const PartitionVersion& partition);

/// Check that a partition exists, if one is meant. Returns kNotFound, as it was dropped otherwise.
[[nodiscard]] Status check_exists(const Version& version, const PartitionInfo* partition);

}  // namespace vecdb::collection
