#pragma once

/// \file
/// Hits that wait for being brought.

#include "index/top_k.h"

#include <vecdb/types.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace vecdb::index {

/// Gives hits back nearest first. Threads: single-threaded.
class HitQueue {
  public:
    [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }
    [[nodiscard]] const Hit& front() const noexcept { return heap_.front(); }
    [[nodiscard]] std::span<const Hit> hits() const noexcept { return heap_; }  ///< In any order.

    /// Make room for so many more, which push() then takes without throwing.
    void reserve_more(std::size_t count) { heap_.reserve(heap_.size() + count); }
    void push(const Hit& hit) {
        heap_.push_back(hit);
        std::push_heap(heap_.begin(), heap_.end(), farther);
    }
    void pop() noexcept {
        std::pop_heap(heap_.begin(), heap_.end(), farther);
        heap_.pop_back();
    }
    void clear() noexcept { heap_.clear(); }

  private:
    static bool farther(const Hit& a, const Hit& b) noexcept { return nearer(b, a); }

    std::vector<Hit> heap_;
};

/// Move the nearest `count` hits, or all, from a queue behind `hits`; returns their number. Throws
/// std::bad_alloc before any is moved.
inline std::size_t bring(HitQueue& from, std::size_t count, std::vector<Hit>& hits) {
    count = std::min(count, from.size());
    hits.reserve(hits.size() + count);
    for (std::size_t i = 0; i < count; ++i, from.pop())
        hits.push_back(from.front());
    return count;
}

}  // namespace vecdb::index
