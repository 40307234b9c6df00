#pragma once

/// \file
/// In which order lists are opened for a query: by the distance of their centroids.

#include "index/codes.h"
#include "index/ivf_lists.h"

#include <vecdb/types.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vecdb::index {

/// The lists ordered for one query, as far as asked for. Keeps its memory from query to query.
/// Threads: single-threaded.
class ListRanking {
  public:
    /// Start anew. Returns room for one distance per list and kSpare more; take_distances() reads
    /// them.
    [[nodiscard]] float* distances(std::size_t lists) {
        keys_.resize(lists);
        distances_.resize(lists + kSpare);
        return distances_.data();
    }

    /// Take the distances; not a number is not allowed. Nothing is ordered yet.
    void take_distances() {
        for (std::size_t i = 0; i < keys_.size(); ++i)
            keys_[i] = std::uint64_t{ordered_bits(distances_[i])} << 32U | i;
        ordered_ = 0;
    }

    /// Return the i-th nearest list; of equally near ones the lower number comes first.
    [[nodiscard]] std::size_t operator[](std::size_t i) {
        if (i >= ordered_) order_up_to(std::max(i + 1, 2 * ordered_));
        return keys_[i] & 0xFFFFFFFFU;
    }

    /// Order the nearest `count` lists, at most all.
    void order_up_to(std::size_t count) {
        count = std::min(count, keys_.size());
        if (count <= ordered_) return;
        const auto at = [this](std::size_t i) {
            return keys_.begin() + static_cast<std::ptrdiff_t>(i);
        };
        std::size_t end = keys_.size();
        if (ordered_ == 0) end = bring_near_forward(count);
        if (count < end) std::nth_element(at(ordered_), at(count), at(end));
        std::sort(at(ordered_), at(count));
        ordered_ = count;
    }

    /// Some kernels write past the last distance.
    static constexpr std::size_t kSpare = 64;

  private:
    /// Bring at least the `count` smallest keys, and hopefully few more, to the front in one pass
    /// without branches, by a limit that a sample of the keys suggests. Returns how many.
    std::size_t bring_near_forward(std::size_t count) {
        constexpr std::size_t kStep = 16;
        const std::size_t size = keys_.size();
        const std::size_t rank = count / kStep + count / (2 * kStep) + 4;
        if (rank * 2 * kStep > size) return size;
        moved_.clear();
        for (std::size_t i = 0; i < size; i += kStep)
            moved_.push_back(keys_[i]);
        const auto middle = moved_.begin() + static_cast<std::ptrdiff_t>(rank);
        std::nth_element(moved_.begin(), middle, moved_.end());
        const std::uint64_t limit = *middle;
        moved_.resize(size + 1);
        std::size_t near = 0;
        std::size_t far = size;
        for (const std::uint64_t key : keys_) {
            const bool is_near = key <= limit;
            moved_[near] = key;
            moved_[far] = key;
            near += is_near ? 1U : 0U;
            far -= is_near ? 0U : 1U;
        }
        // Far keys were written from the end down: the last place written to lies above far.
        std::copy_n(moved_.begin(), near, keys_.begin());
        std::copy(moved_.begin() + static_cast<std::ptrdiff_t>(far) + 1,
                  moved_.end(),
                  keys_.begin() + static_cast<std::ptrdiff_t>(near));
        return near >= count ? near : size;
    }

    /// Return bits that are ordered as the numbers are.
    [[nodiscard]] static std::uint32_t ordered_bits(float x) noexcept {
        const auto bits = std::bit_cast<std::uint32_t>(x + 0.0F);  // -0 becomes +0
        return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
    }

    std::vector<float> distances_;
    std::vector<std::uint64_t> keys_;  ///< Distance above, number of the list below.
    std::vector<std::uint64_t> moved_;
    std::size_t ordered_ = 0;
};

/// Rank the lists by the distance of `query` to the centroids: by `coded`, if it is not empty, for
/// which `estimate` was made of the query.
void rank_lists(const IvfLists& lists,
                Metric metric,
                const float* query,
                const CodeTable& coded,
                const simd::CodeQuery& estimate,
                ListRanking& ranking);

}  // namespace vecdb::index
