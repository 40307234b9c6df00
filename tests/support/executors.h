#pragma once

/// \file
/// Executors as users may have them.

#include <vecdb/executor.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <new>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace vecdb::test {

/// Runs every task in a thread of its own.
class ThreadPerTask final : public Executor {
  public:
    ~ThreadPerTask() override {
        for (std::thread& thread : threads_)
            thread.join();
    }
    void post(std::function<void()> task) override {
        const std::lock_guard lock(mutex_);
        threads_.emplace_back(std::move(task));
    }

  private:
    std::mutex mutex_;
    std::vector<std::thread> threads_;
};

/// Runs every task where it is posted.
class Inline final : public Executor {
  public:
    void post(std::function<void()> task) override { task(); }
};

/// Keeps tasks until it is told what to do with them. Threads: single-threaded.
class Manual final : public Executor {
  public:
    void post(std::function<void()> task) override {
        if (posts_++ == failing_) {
            if (out_of_memory_) throw std::bad_alloc();
            throw std::runtime_error("no more tasks");
        }
        tasks_.push_back(std::move(task));
    }

    /// Let the post after `posts` more throw.
    void fail_after(std::size_t posts, bool out_of_memory = false) {
        failing_ = posts_ + posts;
        out_of_memory_ = out_of_memory;
    }
    [[nodiscard]] std::size_t size() const { return tasks_.size(); }
    void run_one() {
        const std::function<void()> task = std::move(tasks_.front());
        tasks_.pop_front();
        task();
    }
    void run_all() {
        while (!tasks_.empty())
            run_one();
    }
    void drop_all() { tasks_.clear(); }

  private:
    std::deque<std::function<void()>> tasks_;
    std::size_t posts_ = 0;
    std::size_t failing_ = static_cast<std::size_t>(-1);
    bool out_of_memory_ = false;
};

}  // namespace vecdb::test
