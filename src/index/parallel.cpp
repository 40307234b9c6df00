#include "index/parallel.h"

#include "mutex.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
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
    if (team == Team::kPool) {
        run_pool(queue, threads);
    } else {
        run_threads(queue, threads);
    }
    queue.rethrow();
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
