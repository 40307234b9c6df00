#include "index/ivf_product_scan.h"

#include "index/block_runs.h"
#include "simd/dispatch.h"

#include <algorithm>

namespace vecdb::index {
namespace {

constexpr std::size_t kBlock = simd::kBlockRows;
constexpr std::uint32_t kNoLimit = 0xFFFF;  ///< No sum is larger.

/// Candidates compared in full when the caller does not say: so many for each place, ...
constexpr std::size_t kWidthOfPlace = 20;
/// ... and at least so many.
constexpr std::size_t kLeastWidth = 200;

}  // namespace

ProductListScan::ProductListScan(const IndexRows& rows,
                                 const IvfProductCodes& codes,
                                 const void* query,
                                 const IndexSearch& how,
                                 TopK& best,
                                 ProductScanScratch& scratch)
    : rows_(rows),
      codes_(codes),
      query_(query),
      how_(how),
      best_(best),
      scratch_(scratch),
      distances_(rows),
      kernel_(simd::table_in_use().codes.product4),
      width_(std::max(
          how.rerank != 0 ? how.rerank : std::max(kLeastWidth, kWidthOfPlace * best.capacity()),
          best.capacity())),
      limit_(kNoLimit) {
    scratch_.candidates.clear();
    scratch_.candidates.reserve(2 * width_ + kChunk);
}

void ProductListScan::scan(std::size_t first, std::size_t last) {
    if (first == last) return;
    for_block_runs(how_.filter,
                   first / kBlock,
                   (last + kBlock - 1) / kBlock,
                   kChunk / kBlock,
                   [&](std::size_t begin, std::size_t end) { collect(begin, end, first, last); });
}

void ProductListScan::collect(std::size_t first_block,
                              std::size_t last_block,
                              std::size_t first,
                              std::size_t last) {
    const std::size_t base = first_block * kBlock;
    const std::size_t end = std::min(last_block * kBlock, last);
    compared_ += end - std::max(base, first);
    const std::size_t kept = kernel_(
        scratch_.query.tables.data(), codes_.blocks(base), end - base, limit_, {kept_, sums_});
    for (std::size_t i = 0; i < kept; ++i) {
        const std::size_t row = base + kept_[i];
        // The first block may begin with rows of the list before.
        if (row < first || !how_.filter.test(row)) continue;
        scratch_.candidates.push_back(std::uint64_t{static_cast<std::uint32_t>(sums_[i])} << 32U |
                                      row);
    }
    if (scratch_.candidates.size() >= 2 * width_) keep_nearest();
}

void ProductListScan::keep_nearest() {
    std::vector<std::uint64_t>& candidates = scratch_.candidates;
    if (candidates.size() <= width_) return;
    const auto last = candidates.begin() + static_cast<std::ptrdiff_t>(width_ - 1);
    std::nth_element(candidates.begin(), last, candidates.end());
    limit_ = static_cast<std::uint32_t>(*last >> 32U);
    candidates.resize(width_);
}

void ProductListScan::flush() {
    keep_nearest();
    std::vector<std::uint64_t>& candidates = scratch_.candidates;
    rescored_ += candidates.size();
    for (std::size_t done = 0; done < candidates.size(); done += kTogether) {
        const std::size_t count = std::min(kTogether, candidates.size() - done);
        std::uint32_t list[kTogether];
        std::uint32_t kept[kTogether];
        float distances[kTogether];
        for (std::size_t i = 0; i < count; ++i)
            list[i] = static_cast<std::uint32_t>(candidates[done + i]);
        const std::size_t n =
            distances_.select(query_, {list, count}, best_.threshold(), {kept, distances});
        for (std::size_t i = 0; i < n; ++i)
            best_.offer(distances[i], rows_.ids[kept[i]]);
    }
    candidates.clear();
    limit_ = kNoLimit;
}

}  // namespace vecdb::index
