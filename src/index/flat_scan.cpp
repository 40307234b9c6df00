#include "index/flat_scan.h"

#include "check.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace vecdb::index {
namespace {

/// Rows looked at between two readings of the threshold.
constexpr std::size_t kStep = 256;
constexpr std::size_t kWordRows = 64;

/// The scan of one block: collects single allowed rows into lists, takes full steps as ranges.
class BlockScan {
  public:
    BlockScan(const simd::DistanceKernels& kernels,
              std::span<const void* const> queries,
              const FlatBlock& block,
              std::span<TopK> best) noexcept
        : kernels_(kernels), queries_(queries), block_(block), best_(best) {}

    void run() {
        for (std::size_t first = 0; first < block_.count; first += kStep) {
            step(first, std::min(kStep, block_.count - first));
        }
        scan_list();
    }

  private:
    void step(std::size_t first, std::size_t count) {
        if (block_.filter.allows_all()) return scan_range(first, count);
        std::uint64_t words[kStep / kWordRows];
        std::size_t allowed = 0;
        const std::size_t word_count = (count + kWordRows - 1) / kWordRows;
        for (std::size_t w = 0; w < word_count; ++w) {
            words[w] = block_.allowed_word(first / kWordRows + w);
            allowed += static_cast<std::size_t>(std::popcount(words[w]));
        }
        if (allowed == count) return scan_range(first, count);
        for (std::size_t w = 0; w < word_count; ++w) {
            collect(words[w], first + w * kWordRows);
        }
    }

    void collect(std::uint64_t word, std::size_t first) {
        for (; word != 0; word &= word - 1) {
            list_[listed_++] = static_cast<std::uint32_t>(
                first + static_cast<std::size_t>(std::countr_zero(word)));
        }
        if (listed_ + kWordRows > kStep) scan_list();
    }

    void scan_range(std::size_t first, std::size_t count) {
        const simd::Rows rows = block_.rows.from(first);
        for (std::size_t q = 0; q < queries_.size(); ++q) {
            const std::size_t kept =
                kernels_.range(queries_[q], rows, count, best_[q].threshold(), {rows_, distances_});
            offer(best_[q], kept, first);
        }
    }

    void scan_list() {
        for (std::size_t q = 0; q < queries_.size(); ++q) {
            const std::size_t kept = kernels_.list(queries_[q],
                                                   block_.rows,
                                                   list_,
                                                   listed_,
                                                   best_[q].threshold(),
                                                   {rows_, distances_});
            offer(best_[q], kept, 0);
        }
        listed_ = 0;
    }

    void offer(TopK& best, std::size_t kept, std::size_t first) {
        for (std::size_t i = 0; i < kept; ++i) {
            best.offer(distances_[i], block_.ids[first + rows_[i]]);
        }
    }

    const simd::DistanceKernels& kernels_;
    std::span<const void* const> queries_;
    const FlatBlock& block_;
    std::span<TopK> best_;
    std::size_t listed_ = 0;
    std::uint32_t list_[kStep];
    std::uint32_t rows_[kStep];
    float distances_[kStep];
};

}  // namespace

FlatBlock FlatBlock::slice(std::size_t first, std::size_t n) const noexcept {
    VECDB_ASSERT(first % kWordRows == 0 && first + n <= count);
    FlatBlock part = *this;
    part.rows = rows.from(first);
    part.ids += first;
    part.norms += first;
    part.count = n;
    if (filter.allowed != nullptr) part.filter.allowed += first / kWordRows;
    if (filter.tombstones != nullptr) part.filter.tombstones += first / kWordRows;
    return part;
}

void scan_block(const simd::DistanceKernels& kernels,
                std::span<const void* const> queries,
                const FlatBlock& block,
                std::span<TopK> best) {
    BlockScan(kernels, queries, block, best).run();
}

}  // namespace vecdb::index
