#pragma once

/// \file
/// Lists scanned by codes: lower bounds select, fine codes sift where there are any, full vectors
/// decide.

#include "index/exact.h"
#include "index/ivf_codes.h"
#include "index/scored.h"
#include "index/top_k.h"

#include <vecdb/index.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb::index {

/// What a thread keeps from query to query for scans by codes.
struct CodeScanScratch {
    PreparedQuery coarse;
    PreparedQuery fine;
    std::vector<Scored> seeds;
};

/// Offers the allowed rows of lists to a top-k. The first rows that come are only collected, and
/// the best of them by their codes compared in full: from then on there is a threshold, against
/// which the others are tested.
/// Threads: single-threaded.
class CodeListScan {
  public:
    /// Everything is kept by reference. scratch.coarse (and fine, where there are fine codes) is
    /// prepared for the query.
    CodeListScan(const IndexRows& rows,
                 const IvfCodes& codes,
                 const void* query,
                 const IndexSearch& how,
                 TopK& best,
                 CodeScanScratch& scratch);

    /// Take the rows of a list.
    void scan(std::size_t first, std::size_t last);
    /// Offer all that is still open.
    void flush();

    [[nodiscard]] std::size_t compared() const noexcept { return compared_; }
    [[nodiscard]] std::size_t rescored() const noexcept { return rescored_; }

  private:
    static constexpr std::size_t kChunk = 512;  ///< Rows scored between two looks at the threshold.
    static constexpr std::size_t kSeedChunk = 256;  ///< As long as there is none.
    static constexpr std::size_t kFlush = 32;       ///< Rows compared in full together.

    void score(std::size_t first_block,
               std::size_t last_block,
               std::size_t first,
               std::size_t last);
    void take(std::uint32_t row);
    void end_seeding();
    /// Replace the scores of seeds by those of their fine codes.
    void refine(std::span<Scored> seeds);
    void compare(std::span<const std::uint32_t> list);
    void prefetch(std::uint32_t row) const;

    const IndexRows& rows_;
    const IvfCodes& codes_;
    const void* query_;
    const IndexSearch& how_;
    TopK& best_;
    CodeScanScratch& scratch_;
    ListDistances distances_;
    simd::BlockScoreKernel block_kernel_;
    simd::RowScoreKernel fine_kernel_;
    bool seeding_;
    std::size_t seeds_needed_;
    std::size_t pending_count_ = 0;
    std::size_t compared_ = 0;
    std::size_t rescored_ = 0;
    std::uint32_t pending_[kFlush];
    std::uint32_t kept_[kChunk];
    float scores_[kChunk];
};

}  // namespace vecdb::index
