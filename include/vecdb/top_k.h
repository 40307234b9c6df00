#pragma once

/// \file
/// The k nearest rows seen so far. Internally a hit's score is a distance: lower is nearer.

#include <vecdb/types.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>

namespace vecdb {

/// Order hits: smaller distance first, equal distances by ascending id.
[[nodiscard]] inline bool nearer(const Hit& a, const Hit& b) noexcept {
    return a.score < b.score || (a.score == b.score && a.id < b.id);
}

/// Keep the k nearest of the hits offered, in storage of the caller's: a heap with the farthest on
/// top. Threads: single-threaded.
class TopK {
  public:
    /// `slots` has room for k >= 1 hits and outlives this.
    explicit TopK(std::span<Hit> slots) noexcept : slots_(slots) {}

    /// Return the distance above which no hit enters; at the threshold the id decides.
    [[nodiscard]] float threshold() const noexcept {
        return count_ < slots_.size() ? std::numeric_limits<float>::infinity() : slots_[0].score;
    }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    /// Return how many hits are kept at most.
    [[nodiscard]] std::size_t capacity() const noexcept { return slots_.size(); }

    /// Take a hit if it is among the k nearest so far. Not a number is not allowed.
    void offer(float distance, Id id) noexcept {
        const Hit hit{id, distance};
        if (count_ < slots_.size()) {
            slots_[count_++] = hit;
            std::push_heap(begin(), end(), nearer);
        } else if (nearer(hit, slots_[0])) {
            replace_farthest(hit);
        }
    }

    /// Take every hit of `other`.
    void merge(const TopK& other) noexcept {
        for (const Hit& hit : other.slots_.first(other.count_))
            offer(hit.score, hit.id);
    }

    /// Sort nearest first; nothing may be offered afterwards. Returns the hits.
    std::span<Hit> sort() noexcept {
        std::sort_heap(begin(), end(), nearer);
        return slots_.first(count_);
    }

  private:
    [[nodiscard]] Hit* begin() noexcept { return slots_.data(); }
    [[nodiscard]] Hit* end() noexcept { return slots_.data() + count_; }

    void replace_farthest(const Hit& hit) noexcept {
        std::size_t hole = 0;
        for (;;) {
            std::size_t child = 2 * hole + 1;
            if (child >= count_) break;
            if (child + 1 < count_ && nearer(slots_[child], slots_[child + 1])) ++child;
            if (!nearer(hit, slots_[child])) break;
            slots_[hole] = slots_[child];
            hole = child;
        }
        slots_[hole] = hit;
    }

    std::span<Hit> slots_;
    std::size_t count_ = 0;
};

}  // namespace vecdb
