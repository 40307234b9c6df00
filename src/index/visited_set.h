#pragma once

/// \file
/// Which nodes a walk has been to.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vecdb::index {

/// A bit per node, all clear between walks, and a log of the nodes found fresh, which is what
/// clears a large set cheaply: only the words that were touched.
/// Threads: single-threaded.
class VisitedSet {
  public:
    /// Make room for `nodes` nodes and for lists of up to `width` fresh ones. Without a log clear()
    /// is slow, and this is fast.
    void reserve(std::size_t nodes, std::size_t width, bool log = true) {
        if (words_.size() < (nodes + 63) / 64) words_.resize((nodes + 63) / 64);
        nodes_ = nodes;
        room_ = width + 16;  // kernels write whole registers
        const std::size_t places = (log ? kLog : room_) + 2 * room_;
        if (log_.size() < places) log_.resize(places);
    }

    [[nodiscard]] std::uint64_t* words() noexcept { return words_.data(); }

    /// Return where the next fresh nodes are to be written. What the last two calls returned stays.
    [[nodiscard]] std::uint32_t* next() noexcept {
        if (used_ + room_ > log_.size()) {
            used_ = 0;
            forgot_ = true;
        }
        return log_.data() + used_;
    }
    /// Keep `count` nodes written at next().
    void keep(std::size_t count) noexcept { used_ += count; }

    void clear() noexcept {
        const std::size_t words = (nodes_ + 63) / 64;
        if (forgot_ || words <= kFewWords) {
            std::fill_n(words_.begin(), words, std::uint64_t{0});
        } else {
            for (std::size_t i = 0; i < used_; ++i)
                words_[log_[i] / 64] = 0;
        }
        used_ = 0;
        forgot_ = false;
    }

  private:
    static constexpr std::size_t kLog = 16'384;
    /// Up to here clearing all words takes less than clearing those touched.
    static constexpr std::size_t kFewWords = 8'192;

    std::vector<std::uint64_t> words_;
    std::vector<std::uint32_t> log_;
    std::size_t nodes_ = 0;
    std::size_t room_ = 0;
    std::size_t used_ = 0;
    bool forgot_ = false;
};

}  // namespace vecdb::index
