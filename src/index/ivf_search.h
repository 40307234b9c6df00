#pragma once

/// \file
/// One query through the lists of an IVF index.

#include "index/exact.h"
#include "index/flat_scan.h"
#include "index/ivf_lists.h"
#include "index/ivf_ranking.h"
#include "index/top_k.h"

#include <vecdb/index.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace vecdb::index {

/// Return how many rows of [first, last) may be returned.
[[nodiscard]] inline std::size_t count_allowed(const RowFilter& filter,
                                               std::size_t first,
                                               std::size_t last) noexcept {
    std::size_t count = 0;
    while (first < last) {
        const std::size_t bit = first % 64;
        const std::size_t bits = std::min(64 - bit, last - first);
        const std::uint64_t range = ~std::uint64_t{0} >> (64 - bits) << bit;
        count += static_cast<std::size_t>(std::popcount(filter.word(first / 64) & range));
        first += bits;
    }
    return count;
}

/// Open lists, nearest first, and let `scanner` offer their rows: scan(first, last) for the rows of
/// a list, flush() when `best` has to be up to date. At least `nprobe` lists are opened, and more
/// until best holds `wanted` hits or there are no more lists. Returns how many were opened.
template <class Scanner>
std::size_t open_lists(const IvfLists& lists,
                       std::size_t nprobe,
                       std::size_t wanted,
                       const TopK& best,
                       ListRanking& ranking,
                       Scanner& scanner) {
    nprobe = std::min(nprobe, lists.count());
    ranking.order_up_to(nprobe);
    std::size_t opened = 0;
    const auto open = [&](std::size_t place) {
        const std::size_t list = ranking[place];
        scanner.scan(lists.begin(list), lists.end(list));
    };
    for (; opened < nprobe; ++opened)
        open(opened);
    scanner.flush();
    for (; opened < lists.count() && best.size() < wanted; ++opened) {
        open(opened);
        scanner.flush();
    }
    return opened;
}

/// Offers the allowed rows of lists by their full vectors alone.
/// Threads: single-threaded.
class VectorListScan {
  public:
    VectorListScan(const IndexRows& rows,
                   const void* query,
                   const IndexSearch& how,
                   TopK& best) noexcept;

    void scan(std::size_t first, std::size_t last);
    void flush() noexcept {}
    [[nodiscard]] std::size_t compared() const noexcept { return compared_; }
    /// Every comparison is one of vectors.
    [[nodiscard]] std::size_t rescored() const noexcept { return compared_; }

  private:
    void scan_range(std::size_t first, std::size_t last);

    const IndexRows& rows_;
    const void* query_;
    const IndexSearch& how_;
    TopK& best_;
    ListDistances distances_;
    simd::RangeKernel range_;
    std::size_t compared_ = 0;
};

}  // namespace vecdb::index
