#pragma once

/// \file
/// A search that others run.

#include "collection/version.h"
#include "index/top_k.h"
#include "mutex.h"
#include "simd/kernel_table.h"

#include <vecdb/executor.h>
#include <vecdb/schema.h>
#include <vecdb/search.h>
#include <vecdb/status.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace vecdb::collection {

/// What an asynchronous search is asked, with all that it needs: rows live as long as it does,
/// their collection and the database's threads need not.
struct AsyncQuestion {
    const simd::KernelTable& kernels;
    VectorField field;
    std::size_t number;            ///< Of the field in its schema.
    SearchOptions options;         ///< Valid.
    std::vector<std::byte> query;  ///< As prepare_queries() makes it.
    std::shared_ptr<const Version> version;
    std::vector<const PartitionVersion*> partitions;  ///< Those with rows; none if k is 0.
};

/// Called once, in any thread; what it throws is dropped.
using AsyncDone = std::function<void(Result<Hits>)>;

/// Call `done`.
void deliver(const AsyncDone& done, Result<Hits> result) noexcept;

/// One search in several tasks. Each takes partitions, one after the other, searches them with a
/// top-k of their own and gathers what it finds; the one that finishes the last partition merges
/// what all have gathered. Tasks that come late find nothing left to do.
/// Threads: internally synchronised.
class AsyncSearch {
  public:
    /// \param tasks  most tasks, at least 1
    AsyncSearch(AsyncQuestion question, std::size_t tasks);
    /// Delivers kCancelled, or why there were no tasks, if there was no answer: whoever would have
    /// found it is gone.
    ~AsyncSearch();
    AsyncSearch(const AsyncSearch&) = delete;
    AsyncSearch& operator=(const AsyncSearch&) = delete;

    /// Have `executor` run the tasks; they share `search`.
    static void start(std::shared_ptr<AsyncSearch> search,
                      Executor& executor,
                      AsyncDone done) noexcept;

  private:
    /// The nearest of the partitions that one task took.
    struct Gathered {
        std::vector<Hit> slots;
        std::optional<index::TopK> best;  ///< Over the slots, once there are any.
    };

    void work(Gathered& gathered) noexcept;
    void search(const PartitionVersion& partition, Gathered& gathered) const;
    [[nodiscard]] Result<Hits> merged();
    void fail(Status status) noexcept VECDB_EXCLUDES(mutex_);
    [[nodiscard]] Status failure() VECDB_EXCLUDES(mutex_);
    void finish(Result<Hits> result) noexcept;

    // Let go with the answer, so that a late task keeps no rows.
    std::optional<AsyncQuestion> question_;
    const std::size_t partitions_;
    std::vector<Gathered> gathered_;  // by task
    std::atomic<std::size_t> next_{0};
    std::atomic<std::size_t> unfinished_;
    std::atomic<bool> failed_{false};
    Mutex mutex_;
    Status failure_ VECDB_GUARDED_BY(mutex_);
    AsyncDone done_;  // empty once called
};

}  // namespace vecdb::collection
