#pragma once

/// \file
/// What is known of the scalar values of sealed rows, so that filters need not look at most of
/// them.

#include "collection/storage/columns.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb::collection {

/// Rows that are judged together; a multiple of 64.
inline constexpr std::size_t kZoneRows = 4'096;

/// The least and the greatest value of each zone that is not null, numbers as ordered_bits(). Where
/// all of a zone are null, low is greater than high.
struct Zone {
    std::int64_t low;
    std::int64_t high;
};

/// Return a number of the same order among doubles that are not NaN; -0 and 0 are alike.
[[nodiscard]] std::int64_t ordered_bits(double value) noexcept;

/// What is known of one field.
struct ColumnSummary {
    std::vector<Zone> zones;  ///< Of kInt64 and kDouble.
    /// Of kString with few different texts: the rows of text i, which are not null, are
    /// rows[first[i]] to rows[first[i + 1]], ascending. Empty: not known.
    std::vector<std::uint32_t> first;
    std::vector<std::uint32_t> rows;

    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return zones.capacity() * sizeof(Zone) +
               (first.capacity() + rows.capacity()) * sizeof(std::uint32_t);
    }
};

/// Put the texts of fields of type kString in order, so that a text with a smaller number is the
/// smaller one. Throws std::bad_alloc and then changes nothing that a reader could tell.
void sort_texts(std::span<Cells> cells, std::size_t rows);

/// Look at all cells of `rows` rows. Throws std::bad_alloc.
[[nodiscard]] std::vector<ColumnSummary> summarise(std::span<const Cells> cells, std::size_t rows);

}  // namespace vecdb::collection
