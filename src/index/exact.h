#pragma once

/// \file
/// Distances over IndexRows of any element type, and the exact answers every index can fall back
/// to.

#include "index/top_k.h"
#include "simd/kernel_table.h"

#include <vecdb/index.h>
#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb::index {

/// Rows gathered at a time by those who list rows.
inline constexpr std::size_t kListStep = 256;

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

/// Call body(list) with the numbers of allowed rows of [first, last), ascending, up to kListStep at
/// a time. Skips words of rows that are not allowed.
template <class Body>
void for_each_allowed(const RowFilter& filter, std::size_t first, std::size_t last, Body&& body) {
    std::uint32_t list[kListStep + 64];
    std::size_t n = 0;
    for (std::size_t w = first / 64; w * 64 < last; ++w) {
        std::uint64_t word = filter.word(w);
        if (w * 64 < first) word &= ~std::uint64_t{0} << (first % 64);
        if (last - w * 64 < 64) word &= (std::uint64_t{1} << (last - w * 64)) - 1;
        for (; word != 0; word &= word - 1) {
            list[n++] = static_cast<std::uint32_t>(w * 64) +
                        static_cast<std::uint32_t>(__builtin_ctzll(word));
        }
        if (n < kListStep) continue;
        body(std::span<const std::uint32_t>(list, n));
        n = 0;
    }
    if (n > 0) body(std::span<const std::uint32_t>(list, n));
}

}  // namespace vecdb::index
