#include "index/parallel.h"

#include "index/helper_executor.h"
#include "mutex.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#if defined(VECDB_WITH_OPENMP)
#    include <omp.h>
#endif

namespace vecdb::index {
namespace {

/// The tasks of one call, shared by its workers.
class TaskQueue {
  public:
    TaskQueue(std::size_t tasks, TaskRef body) noexcept : tasks_(tasks), body_(body) {}

    void work(std::size_t worker) noexcept {
        try {
            while (!failed_.load(std::memory_order_relaxed)) {
                const std::size_t task = next_.fetch_add(1, std::memory_order_relaxed);
                if (task >= tasks_) return;
                body_(task, worker);
            }
        } catch (...) {
            const Lock lock(mutex_);
            if (!error_) error_ = std::current_exception();
            failed_.store(true, std::memory_order_relaxed);
        }
    }

    void rethrow() {
        const Lock lock(mutex_);
        if (error_) std::rethrow_exception(error_);
    }

  private:
    std::size_t tasks_;
    TaskRef body_;
    std::atomic<std::size_t> next_{0};
    std::atomic<bool> failed_{false};
    Mutex mutex_;
    std::exception_ptr error_ VECDB_GUARDED_BY(mutex_);
};

/// Lets helpers to the tasks of a call as long as it lasts: those of an executor may come later.
class Door {
  public:
    explicit Door(TaskQueue& queue) noexcept : queue_(queue) {}

    /// Help, if the call still lasts.
    void work(std::size_t worker) noexcept VECDB_EXCLUDES(mutex_) {
        {
            const Lock lock(mutex_);
            if (closed_) return;
            ++inside_;
        }
        queue_.work(worker);
        const Lock lock(mutex_);
        --inside_;
        left_.notify_all();
    }
    /// Let nobody in any more, and wait for those inside.
    void close() noexcept VECDB_EXCLUDES(mutex_) {
        const Lock lock(mutex_);
        closed_ = true;
        while (inside_ > 0)
            left_.wait(mutex_);
    }

  private:
    TaskQueue& queue_;  // gone once the door is closed
    Mutex mutex_;
    std::condition_variable_any left_;
    std::size_t inside_ VECDB_GUARDED_BY(mutex_) = 0;
    bool closed_ VECDB_GUARDED_BY(mutex_) = false;
};

thread_local Executor* helper_executor = nullptr;

void run_executor(TaskQueue& queue, std::size_t threads, Executor& executor) {
    const auto door = std::make_shared<Door>(queue);
    try {
        for (std::size_t worker = 1; worker < threads; ++worker)
            executor.post([door, worker] { door->work(worker); });
    } catch (...) {
        // As in run_threads().
    }
    queue.work(0);
    door->close();
}

void run_threads(TaskQueue& queue, std::size_t threads) {
    std::vector<std::thread> others;
    others.reserve(threads - 1);
    try {
        for (std::size_t worker = 1; worker < threads; ++worker) {
            others.emplace_back([&queue, worker] { queue.work(worker); });
        }
    } catch (...) {
        // No more threads, or no memory for them. Fewer threads than asked for: those that run do
        // all the work.
    }
    queue.work(0);
    for (std::thread& thread : others)
        thread.join();
}

void run_pool(TaskQueue& queue, std::size_t threads) {
#if defined(VECDB_WITH_OPENMP)
    const int count = static_cast<int>(threads);
#    pragma omp parallel for num_threads(count) schedule(static, 1) default(none) \
        shared(queue, count)
    for (int worker = 0; worker < count; ++worker)
        queue.work(static_cast<std::size_t>(worker));
#else
    run_threads(queue, threads);
#endif
}

}  // namespace

void parallel_for(std::size_t tasks, std::size_t threads, TaskRef body, Team team) {
    threads = std::min(threads, tasks);
    if (threads <= 1) {
        for (std::size_t task = 0; task < tasks; ++task)
            body(task, 0);
        return;
    }
    TaskQueue queue(tasks, body);
    if (helper_executor != nullptr) {
        run_executor(queue, threads, *helper_executor);
    } else if (team == Team::kPool) {
        run_pool(queue, threads);
    } else {
        run_threads(queue, threads);
    }
    queue.rethrow();
}

HelperExecutor::HelperExecutor(Executor* executor) noexcept
    : before_(std::exchange(helper_executor, executor)) {}

HelperExecutor::~HelperExecutor() {
    helper_executor = before_;
}

#if defined(VECDB_WITH_OPENMP)
// The number belongs to the calling thread: others keep theirs.
SerialRegions::SerialRegions() noexcept : before_(omp_get_max_threads()) {
    omp_set_num_threads(1);
}

SerialRegions::~SerialRegions() {
    omp_set_num_threads(before_);
}
#else
SerialRegions::SerialRegions() noexcept : before_(0) {}
SerialRegions::~SerialRegions() = default;
#endif

std::size_t machine_threads() noexcept {
    return std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

}  // namespace vecdb::index
