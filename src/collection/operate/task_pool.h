#pragma once

/// \file
/// The library's own executor.

#include "collection/operate/thread_budget.h"
#include "mutex.h"

#include <vecdb/executor.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace vecdb::collection {

/// Runs tasks in the order of posting. One thread is always its own; for each further one that is
/// at work it takes a thread from a budget that it shares with others. Threads are started when
/// they are first needed, and kept.
/// Threads: internally synchronised. May be destroyed in one of its tasks.
class TaskPool final : public Executor {
  public:
    explicit TaskPool(std::shared_ptr<ThreadBudget> more);
    /// Waits until all tasks have been run; in one of them, for those of the other threads.
    ~TaskPool() override;
    TaskPool(const TaskPool&) = delete;
    TaskPool& operator=(const TaskPool&) = delete;

    /// Throws std::bad_alloc, and std::system_error when no thread can be had.
    void post(std::function<void()> task) override VECDB_EXCLUDES(mutex_);

  private:
    class Queue;

    void start_thread() VECDB_REQUIRES(mutex_);

    const std::size_t most_;
    const std::shared_ptr<Queue> queue_;  // kept by the threads too
    Mutex mutex_;
    std::vector<std::thread> threads_ VECDB_GUARDED_BY(mutex_);
};

}  // namespace vecdb::collection
