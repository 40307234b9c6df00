#include "collection/operate/task_pool.h"

#include <condition_variable>
#include <deque>
#include <utility>

namespace vecdb::collection {

/// The tasks that wait to be run.
class TaskPool::Queue {
  public:
    explicit Queue(std::shared_ptr<ThreadBudget> more) : more_(std::move(more)) {}

    void push(std::function<void()> task) VECDB_EXCLUDES(mutex_) {
        {
            const Lock lock(mutex_);
            tasks_.push_back(std::move(task));
        }
        changed_.notify_one();
    }
    /// Tell whether a thread waits that no task needs yet.
    [[nodiscard]] bool has_idle_thread() VECDB_EXCLUDES(mutex_) {
        const Lock lock(mutex_);
        return waiting_ > tasks_.size();
    }
    /// Let threads end for which there is nothing to do.
    void end() VECDB_EXCLUDES(mutex_) {
        {
            const Lock lock(mutex_);
            ended_ = true;
        }
        changed_.notify_all();
    }
    /// Run tasks until the end.
    void work() VECDB_EXCLUDES(mutex_) {
        while (run_next()) {
        }
    }

  private:
    /// Wait for a task and run it; returns false when there will be none.
    bool run_next() VECDB_EXCLUDES(mutex_) {
        ThreadBudget::Grant thread;  // given back after the task is gone
        std::function<void()> task;
        {
            const Lock lock(mutex_);
            while (!take_thread(thread)) {
                if (ended_) return false;
                ++waiting_;
                changed_.wait(mutex_);
                --waiting_;
            }
            task = std::move(tasks_.front());
            tasks_.pop_front();
            // More threads may have become free since the next was posted.
            if (!tasks_.empty()) changed_.notify_one();
        }
        task();
        return true;
    }

    /// Take a thread for the next task. If there is none, somebody is at work, and comes back.
    bool take_thread(ThreadBudget::Grant& thread) VECDB_REQUIRES(mutex_) {
        if (tasks_.empty()) return false;
        thread = own_.take(1);
        if (thread.count() == 0) thread = more_->take(1);
        return thread.count() > 0;
    }

    ThreadBudget own_{1};
    const std::shared_ptr<ThreadBudget> more_;
    Mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<std::function<void()>> tasks_ VECDB_GUARDED_BY(mutex_);
    std::size_t waiting_ VECDB_GUARDED_BY(mutex_) = 0;
    bool ended_ VECDB_GUARDED_BY(mutex_) = false;
};

TaskPool::TaskPool(std::shared_ptr<ThreadBudget> more)
    : most_(1 + more->limit()), queue_(std::make_shared<Queue>(std::move(more))) {}

TaskPool::~TaskPool() {
    queue_->end();
    const Lock lock(mutex_);
    for (std::thread& thread : threads_) {
        if (thread.get_id() == std::this_thread::get_id()) {
            thread.detach();  // it comes to its end with the queue alone
        } else {
            thread.join();
        }
    }
}

void TaskPool::post(std::function<void()> task) {
    {
        const Lock lock(mutex_);
        if (threads_.size() < most_ && !queue_->has_idle_thread()) start_thread();
    }
    queue_->push(std::move(task));
}

void TaskPool::start_thread() {
    try {
        threads_.emplace_back([queue = queue_] { queue->work(); });
    } catch (...) {
        // Fewer threads do the work.
        if (threads_.empty()) throw;
    }
}

}  // namespace vecdb::collection
