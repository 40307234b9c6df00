#pragma once

/// \file
/// Rows that never change.

#include "collection/storage/id_map.h"
#include "collection/storage/row_store.h"
#include "collection/storage/sealed_columns.h"

#include <vecdb/index.h>
#include <vecdb/schema.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace vecdb::collection {

/// The files that hold a segment, by number; 0: there is none.
struct SegmentFiles {
    std::uint64_t rows = 0;
    std::uint64_t index = 0;
};

/// Bytes that a segment's rows take of a sum, as long as it lives.
/// Threads: as a value; the sum may be shared.
class MemoryCharge {
  public:
    MemoryCharge() = default;
    MemoryCharge(std::shared_ptr<std::atomic<std::uint64_t>> sum, std::uint64_t bytes) noexcept
        : sum_(std::move(sum)), bytes_(bytes) {
        *sum_ += bytes_;
    }
    ~MemoryCharge() {
        if (sum_ != nullptr) *sum_ -= bytes_;
    }
    MemoryCharge(MemoryCharge&& other) noexcept
        : sum_(std::move(other.sum_)), bytes_(std::exchange(other.bytes_, 0)) {}
    MemoryCharge& operator=(MemoryCharge&& other) noexcept {
        std::swap(sum_, other.sum_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    MemoryCharge(const MemoryCharge&) = delete;
    MemoryCharge& operator=(const MemoryCharge&) = delete;

    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

  private:
    std::shared_ptr<std::atomic<std::uint64_t>> sum_;
    std::uint64_t bytes_ = 0;
};

/// The order in which the vectors of one field stand, where it is not that of the rows: each index
/// has its own, and the rows have that of the first field. Threads: immutable.
struct FieldOrder {
    FieldOrder() = default;
    /// Make room. Throws std::bad_alloc.
    explicit FieldOrder(std::size_t rows) : positions(rows), ids(rows) {}
    /// View an order that somebody keeps.
    FieldOrder(std::span<const std::uint32_t> stored_positions,
               std::span<const Id> stored_ids) noexcept
        : positions(const_cast<std::uint32_t*>(stored_positions.data()), stored_positions.size()),
          ids(const_cast<Id*>(stored_ids.data()), stored_ids.size()) {}

    /// Tell whether it is that of the rows.
    [[nodiscard]] bool is_rows() const noexcept { return positions.size() == 0; }
    [[nodiscard]] std::size_t position(std::size_t row) const noexcept {
        return is_rows() ? row : positions[row];
    }
    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return positions.size() * (sizeof(std::uint32_t) + sizeof(Id));
    }

    simd::AlignedBuffer<std::uint32_t> positions;  ///< Of each row.
    simd::AlignedBuffer<Id> ids;                   ///< Of the rows by position.
};

/// Rows in one piece, in the order that the index of their first vector field asked for, the map
/// from ids to them, and the indexes. Removing a row leaves all of it as it is: versions keep
/// tombstones beside it. Threads: immutable once it is in a version, but for `files`.
struct SealedSegment {
    /// Make room for `count` >= 1 rows. Throws std::bad_alloc.
    SealedSegment(const RowFormat& format, std::size_t count)
        : rows(count),
          store(format, count),
          map(store),
          orders(format.vector_fields()),
          indexes(format.vector_fields()) {}
    /// Hold the rows of `block`, which is full, at least one.
    SealedSegment(const RowFormat& format, std::shared_ptr<RowBlock> block)
        : rows(block->capacity),
          store(format, std::move(block)),
          map(store),
          orders(format.vector_fields()),
          indexes(format.vector_fields()) {}

    /// Return the ids of all rows in the order of a vector field.
    [[nodiscard]] const Id* ids(std::size_t field) const noexcept {
        return orders[field].is_rows() ? &store.id(0) : orders[field].ids.data();
    }
    [[nodiscard]] bool has_index() const noexcept {
        return std::any_of(
            indexes.begin(), indexes.end(), [](const auto& index) { return index != nullptr; });
    }

    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        std::size_t bytes = store.memory_bytes(rows) + map.memory_bytes() + index_bytes();
        for (const FieldOrder& order : orders)
            bytes += order.memory_bytes();
        for (const ColumnSummary& summary : summaries)
            bytes += summary.memory_bytes();
        return bytes;
    }
    /// Return the bytes of the rows that lie in a file.
    [[nodiscard]] std::size_t mapped_bytes() const noexcept {
        return store.blocks()->front()->source != nullptr ? store.memory_bytes(rows) : 0;
    }
    [[nodiscard]] std::size_t index_bytes() const noexcept {
        std::size_t bytes = 0;
        for (const auto& index : indexes)
            bytes += index != nullptr ? index->memory_bytes() : 0;
        return bytes;
    }

    /// Make the scalar values ready for filters, once they stand in their order. Throws
    /// std::bad_alloc.
    void finish_columns() {
        RowBlock& block = *store.blocks()->front();
        if (block.source == nullptr) sort_texts(block.cells, rows);
        summaries = summarise(block.cells, rows);
    }

    const std::size_t rows;
    RowStore store;
    IdMap map;
    std::vector<ColumnSummary> summaries;  ///< One for each scalar field.
    std::vector<FieldOrder> orders;        ///< One for each vector field.
    /// One for each vector field. Null: its vectors are compared one by one.
    std::vector<std::unique_ptr<Index>> indexes;
    mutable SegmentFiles files;  ///< For those who hold Store::committing().
    MemoryCharge charge;         ///< Of rows that are in memory.
};

}  // namespace vecdb::collection
