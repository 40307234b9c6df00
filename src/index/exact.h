#pragma once

/// \file
/// Distances over IndexRows of any element type, and the exact answers every index can fall back
/// to.

#include "index/top_k.h"
#include "simd/dispatch.h"
#include "simd/kernel_table.h"

#include <vecdb/index.h>
#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb::index {

/// Rows compared between two readings of the threshold.
inline constexpr std::size_t kListStep = 256;
/// Rows that for_each_allowed() lists at a time, at most.
inline constexpr std::size_t kMostListed = simd::kListRoom;

/// Compute distances to listed rows: the one number of each (query, row) pair.
/// Threads: a value.
class ListDistances {
  public:
    /// Compare nothing yet: to be assigned to.
    ListDistances() noexcept = default;
    explicit ListDistances(const IndexRows& rows) noexcept;

    /// Write the distance to rows list[i] to out[i], i < list.size().
    void operator()(const void* query, std::span<const std::uint32_t> list, float* out) const;

    /// Keep those that are at most threshold; as ListKernel.
    std::size_t select(const void* query,
                       std::span<const std::uint32_t> list,
                       float threshold,
                       const simd::Kept& kept) const;

  private:
    simd::Rows rows_ = {};
    simd::ListKernel list_ = nullptr;
};

/// Offer the listed rows to `best`, testing against its threshold as it falls.
void offer_listed(const IndexRows& rows,
                  const ListDistances& distances,
                  const void* query,
                  std::span<const std::uint32_t> list,
                  TopK& best);

/// Offer every allowed row to `best`. Allocates nothing.
void scan_allowed(const IndexRows& rows, const void* query, const RowFilter& filter, TopK& best);

/// Append every allowed row within `radius`.
void scan_range(const IndexRows& rows,
                const void* query,
                float radius,
                const RowFilter& filter,
                std::vector<Hit>& hits);

/// Call body(list) with the numbers of allowed rows of [first, last), ascending, up to kMostListed
/// at a time. Skips words of rows that are not allowed.
template <class Body>
void for_each_allowed(const RowFilter& filter, std::size_t first, std::size_t last, Body&& body) {
    const simd::ListRowsKernel list_rows = simd::table_in_use().list_rows;
    const simd::RowMask mask{filter.allowed, filter.tombstones};
    std::uint32_t list[kMostListed];
    // NOLINTNEXTLINE(bugprone-infinite-loop): list_rows moves `first`
    while (first < last) {
        const std::size_t n = list_rows(mask, first, last, list);
        if (n > 0) body(std::span<const std::uint32_t>(list, n));
    }
}

}  // namespace vecdb::index
