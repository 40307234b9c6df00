#include "index/flat_scan.h"

#include "check.h"
#include "index/exact.h"

#include <algorithm>
#include <cstdint>

namespace vecdb::index {
namespace {

/// Rows looked at between two readings of the threshold.
constexpr std::size_t kStep = 256;
constexpr std::size_t kWordRows = 64;
constexpr std::size_t kRoom = std::max(kStep, kMostListed);

/// The scan of one block: steps whose rows are all allowed are taken as ranges, others as lists.
class BlockScan {
  public:
    BlockScan(const simd::DistanceKernels& kernels,
              std::span<const void* const> queries,
              const FlatBlock& block,
              std::span<TopK> best) noexcept
        : kernels_(kernels), queries_(queries), block_(block), best_(best) {}

    void run() {
        const std::size_t count = block_.count;
        for (std::size_t first = 0; first < count;) {
            std::size_t last = std::min(first + kStep, count);
            if (all_allowed(first, last)) {
                scan_range(first, last - first);
            } else {
                while (last < count && !all_allowed(last, std::min(last + kStep, count)))
                    last = std::min(last + kStep, count);
                for_each_allowed(
                    block_.filter, first, last, [&](std::span<const std::uint32_t> list) {
                        scan_list(list);
                    });
            }
            first = last;
        }
    }

  private:
    [[nodiscard]] bool all_allowed(std::size_t first, std::size_t last) const noexcept {
        if (block_.filter.allows_all()) return true;
        for (; first < last; first += kWordRows) {
            const std::uint64_t exist = last - first < kWordRows
                                            ? (std::uint64_t{1} << (last - first)) - 1
                                            : ~std::uint64_t{0};
            if ((~block_.filter.word(first / kWordRows) & exist) != 0) return false;
        }
        return true;
    }

    void scan_range(std::size_t first, std::size_t count) {
        const simd::Rows rows = block_.rows.from(first);
        for (std::size_t q = 0; q < queries_.size(); ++q) {
            const std::size_t kept =
                kernels_.range(queries_[q], rows, count, best_[q].threshold(), {rows_, distances_});
            offer(best_[q], kept, first);
        }
    }

    void scan_list(std::span<const std::uint32_t> list) {
        for (std::size_t q = 0; q < queries_.size(); ++q) {
            const std::size_t kept = kernels_.list(queries_[q],
                                                   block_.rows,
                                                   list.data(),
                                                   list.size(),
                                                   best_[q].threshold(),
                                                   {rows_, distances_});
            offer(best_[q], kept, 0);
        }
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
    std::uint32_t rows_[kRoom];
    float distances_[kRoom];
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
