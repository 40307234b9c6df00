#pragma once

/// \file
/// Lists scanned by product codes: sums select candidates, full vectors decide. Nothing is proved
/// of a sum, so the nearest candidates of all lists are compared in full, however many are asked
/// for, and no threshold of full distances tests a sum.

#include "index/exact.h"
#include "index/ivf_product_codes.h"
#include "index/top_k.h"

#include <vecdb/index.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb::index {

/// What a thread keeps from query to query for scans by product codes.
struct ProductScanScratch {
    ProductQuery query;
    std::vector<std::uint64_t> candidates;  ///< Sum above, row below.
};

/// Offers the allowed rows of lists to a top-k. Candidates are collected until there are twice as
/// many as may be compared; then the farther half goes, and the farthest that stays is the limit
/// for all that come, in this list and the next ones.
/// Threads: single-threaded.
class ProductListScan {
  public:
    /// Everything is kept by reference. scratch.query is filled for the query.
    ProductListScan(const IndexRows& rows,
                    const IvfProductCodes& codes,
                    const void* query,
                    const IndexSearch& how,
                    TopK& best,
                    ProductScanScratch& scratch);

    /// Take the rows of a list.
    void scan(std::size_t first, std::size_t last);
    /// Offer the candidates and begin anew.
    void flush();

    [[nodiscard]] std::size_t compared() const noexcept { return compared_; }
    [[nodiscard]] std::size_t rescored() const noexcept { return rescored_; }

  private:
    static constexpr std::size_t kChunk = 512;    ///< Rows between two looks at the limit.
    static constexpr std::size_t kTogether = 32;  ///< Rows compared in full together.

    void collect(std::size_t first_block,
                 std::size_t last_block,
                 std::size_t first,
                 std::size_t last);
    /// Leave as many candidates as may be compared.
    void keep_nearest();

    const IndexRows& rows_;
    const IvfProductCodes& codes_;
    const void* query_;
    const IndexSearch& how_;
    TopK& best_;
    ProductScanScratch& scratch_;
    ListDistances distances_;
    simd::ProductBlockKernel kernel_;
    std::size_t width_;  ///< Candidates compared in full.
    std::uint32_t limit_;
    std::size_t compared_ = 0;
    std::size_t rescored_ = 0;
    std::uint32_t kept_[kChunk];
    float sums_[kChunk];
};

}  // namespace vecdb::index
