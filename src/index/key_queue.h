#pragma once

/// \file
/// Many keys of which few are taken, smallest first.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace vecdb::index {

/// Gives keys back smallest first. Only the smallest are kept sorted. The others lie in parts, in
/// no order within: a push appends to one of few, and of the part with the smallest keys ever
/// smaller ones are split off when the sorted ones are used up, so that m of n keys take O(n + m
/// log m) (Paredes and Navarro, "Optimal incremental sorting"). Threads: single-threaded.
class KeyQueue {
  public:
    /// Throws std::bad_alloc.
    explicit KeyQueue(std::vector<std::uint64_t> keys = {});

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Tell whether front() takes no time; it does not throw then.
    [[nodiscard]] bool ready() const noexcept { return !near_.empty(); }

    /// Throws std::bad_alloc, which changes nothing.
    void push(std::uint64_t key) {
        const auto part =
            std::find_if(parts_.begin(), parts_.end(), [&](const Part& p) { return key >= p.low; });
        if (part != parts_.end()) {
            part->keys.push_back(key);
        } else {
            near_.insert(std::upper_bound(near_.begin(), near_.end(), key, std::greater<>()), key);
        }
        ++size_;
    }
    /// Return the smallest key; there is one. Throws std::bad_alloc, which loses none.
    [[nodiscard]] std::uint64_t front() {
        if (near_.empty()) take_part();
        return near_.back();
    }
    /// Take out what front() has returned.
    void pop() noexcept {
        near_.pop_back();
        --size_;
    }

    /// Take all keys out, in any order. Throws std::bad_alloc, which loses none.
    [[nodiscard]] std::vector<std::uint64_t> release();

  private:
    /// Keys that are not below `low`, but below those of the part before.
    struct Part {
        std::uint64_t low = 0;
        std::vector<std::uint64_t> keys = {};
    };

    void take_part();

    std::vector<std::uint64_t> near_;  ///< Keys below those of all parts, the smallest last.
    std::vector<Part> parts_;          ///< Largest keys first.
    std::size_t size_ = 0;
};

}  // namespace vecdb::index
