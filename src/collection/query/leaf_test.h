#pragma once

/// \file
/// The test of one field, prepared for the rows of a block.

#include "collection/query/bound_expression.h"
#include "collection/storage/columns.h"
#include "collection/storage/sealed_columns.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace vecdb::collection {

/// A bit for each row of a zone.
using ZoneWords = std::array<std::uint64_t, kZoneRows / 64>;

/// Rows of a block and of one zone of it; `first` is a multiple of 64.
struct RowRange {
    std::size_t first;
    std::size_t count;

    [[nodiscard]] std::size_t words() const noexcept { return (count + 63) / 64; }
};

/// The columns of a block of rows.
struct BlockColumns {
    std::span<const Cells> cells;
    const ColumnSummary* summaries;  ///< One for each; null: the rows are not sealed.
    std::size_t rows;
};

/// Tests the rows of a block.
/// Threads: needs exclusive access. Leaf and block outlive it.
class LeafTest {
  public:
    /// Throws std::bad_alloc.
    LeafTest(const Leaf& leaf, const BlockColumns& columns);

    /// Write a word for every 64 rows; bits behind the last row mean nothing. Throws
    /// std::bad_alloc.
    void test(const RowRange& rows, ZoneWords& words);

  private:
    using Test = std::function<void(const RowRange& rows, ZoneWords& words)>;

    Test test_;
};

}  // namespace vecdb::collection
