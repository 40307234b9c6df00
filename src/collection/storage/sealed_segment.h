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

/// Rows in one piece, in the order that their index asked for, the map from ids to them, and the
/// index. Removing a row leaves all of it as it is: versions keep tombstones beside it.
/// Threads: immutable once it is in a version, but for `files`.
struct SealedSegment {
    /// Make room for `count` >= 1 rows. Throws std::bad_alloc.
    SealedSegment(const RowFormat& format, std::size_t count)
        : rows(count), store(format, count), map(store) {}
    /// Hold the rows of `block`, which is full, at least one.
    SealedSegment(const RowFormat& format, std::shared_ptr<RowBlock> block)
        : rows(block->capacity), store(format, std::move(block)), map(store) {}

    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        std::size_t bytes = store.memory_bytes(rows) + map.memory_bytes() + index_bytes();
        for (const ColumnSummary& summary : summaries)
            bytes += summary.memory_bytes();
        return bytes;
    }
    /// Return the bytes of the rows that lie in a file.
    [[nodiscard]] std::size_t mapped_bytes() const noexcept {
        return store.blocks()->front()->source != nullptr ? store.memory_bytes(rows) : 0;
    }
    [[nodiscard]] std::size_t index_bytes() const noexcept {
        return index != nullptr ? index->memory_bytes() : 0;
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
    std::unique_ptr<Index> index;          ///< Null: the rows are compared one by one.
    mutable SegmentFiles files;            ///< For those who hold Store::committing().
    MemoryCharge charge;                   ///< Of rows that are in memory.
};

}  // namespace vecdb::collection
