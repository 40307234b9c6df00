#pragma once

/// \file
/// A number of threads that calls share.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <utility>

namespace vecdb::collection {

/// Threads that may be at work at once. Nobody waits for any: a call takes those that are free.
/// Threads: internally synchronised.
class ThreadBudget {
  public:
    /// Threads that were taken; they return with the end of this, or of the one that it was moved
    /// to. Outlived by the budget.
    class Grant {
      public:
        Grant() noexcept = default;
        Grant(ThreadBudget& from, std::size_t count) noexcept : from_(&from), count_(count) {}
        ~Grant() {
            if (count_ > 0) from_->free_.fetch_add(count_, std::memory_order_relaxed);
        }
        Grant(Grant&& other) noexcept
            : from_(other.from_), count_(std::exchange(other.count_, 0)) {}
        Grant& operator=(Grant&& other) noexcept {
            std::swap(from_, other.from_);
            std::swap(count_, other.count_);
            return *this;
        }
        Grant(const Grant&) = delete;
        Grant& operator=(const Grant&) = delete;

        [[nodiscard]] std::size_t count() const noexcept { return count_; }

      private:
        ThreadBudget* from_ = nullptr;
        std::size_t count_ = 0;
    };

    explicit ThreadBudget(std::size_t threads) noexcept : limit_(threads), free_(threads) {}

    [[nodiscard]] std::size_t limit() const noexcept { return limit_; }

    /// Take up to `wanted` threads.
    [[nodiscard]] Grant take(std::size_t wanted) noexcept {
        std::size_t free = free_.load(std::memory_order_relaxed);
        std::size_t count = std::min(wanted, free);
        while (count > 0 &&
               !free_.compare_exchange_weak(free, free - count, std::memory_order_relaxed)) {
            count = std::min(wanted, free);
        }
        return {*this, count};
    }

  private:
    const std::size_t limit_;
    std::atomic<std::size_t> free_;
};

}  // namespace vecdb::collection
