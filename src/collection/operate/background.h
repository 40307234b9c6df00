#pragma once

/// \file
/// Work that nobody waits for.

#include "mutex.h"

#include <vecdb/control.h>

#include <condition_variable>
#include <functional>
#include <list>
#include <thread>

namespace vecdb::collection {

/// A thread that does jobs one after the other; it is started with the first. Every job belongs to
/// an owner, who outlives it by forget().
/// Threads: internally synchronised; destroyed by none of its jobs.
class Background {
  public:
    /// Must not throw, and should end soon after the token is cancelled.
    using Job = std::function<void(const CancelToken&)>;

    Background() = default;
    ~Background();
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

    /// Do `job` after all that were posted before. Throws std::bad_alloc, and std::system_error
    /// when no thread can be had.
    void post(const void* owner, Job job) VECDB_EXCLUDES(mutex_);

    /// Drop the jobs of `owner` and, if one is being done, cancel it and wait for its end. Does not
    /// wait in a job.
    void forget(const void* owner) noexcept VECDB_EXCLUDES(mutex_);

  private:
    struct Posted {
        const void* owner;
        Job job;
        CancelToken cancel;
    };

    void work() VECDB_EXCLUDES(mutex_);
    bool do_next() VECDB_EXCLUDES(mutex_);
    void drop_posted(const void* owner) noexcept VECDB_REQUIRES(mutex_);

    Mutex mutex_;
    std::condition_variable_any changed_;
    std::list<Posted> jobs_ VECDB_GUARDED_BY(mutex_);
    const void* running_ VECDB_GUARDED_BY(mutex_) = nullptr;  // the owner of the job being done
    CancelToken* cancel_ VECDB_GUARDED_BY(mutex_) = nullptr;  // of that job
    bool stop_ VECDB_GUARDED_BY(mutex_) = false;
    std::thread thread_ VECDB_GUARDED_BY(mutex_);
};

}  // namespace vecdb::collection
