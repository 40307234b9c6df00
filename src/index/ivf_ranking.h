#pragma once

/// \file
/// In which order lists are opened for a query: by the distance of their centroids.

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
    /// Start anew. Returns room for one distance per list; take_distances() reads them.
    [[nodiscard]] float* distances(std::size_t lists) {
        distances_.resize(lists);
        return distances_.data();
    }

    /// Take the distances; not a number is not allowed. Nothing is ordered yet.
    void take_distances() {
        keys_.resize(distances_.size());
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
        if (count < keys_.size()) std::nth_element(at(ordered_), at(count), keys_.end());
        std::sort(at(ordered_), at(count));
        ordered_ = count;
    }

  private:
    /// Return bits that are ordered as the numbers are.
    [[nodiscard]] static std::uint32_t ordered_bits(float x) noexcept {
        const auto bits = std::bit_cast<std::uint32_t>(x + 0.0F);  // -0 becomes +0
        return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
    }

    std::vector<float> distances_;
    std::vector<std::uint64_t> keys_;  ///< Distance above, number of the list below.
    std::size_t ordered_ = 0;
};

}  // namespace vecdb::index
