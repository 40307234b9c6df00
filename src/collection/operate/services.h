#pragma once

/// \file
/// What the collections of a database share.

#include "collection/operate/background.h"
#include "collection/operate/thread_budget.h"
#include "collection/storage/store.h"
#include "index/helper_executor.h"

#include <vecdb/database_options.h>
#include <vecdb/executor.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace vecdb::collection {

/// What does a database's work; the database and its collections hold it together.
/// Threads: internally synchronised.
struct Services {
    /// As validated options ask for.
    Services(const DatabaseOptions& options, std::shared_ptr<Store> files);

    const std::shared_ptr<Store> store;  ///< Outlives the background.
    /// Bytes of sealed rows that are in memory.
    const std::shared_ptr<std::atomic<std::uint64_t>> sealed_bytes =
        std::make_shared<std::atomic<std::uint64_t>>(0);
    Background background;
    /// Of calls, and of asynchronous searches beside the thread that is theirs.
    const std::shared_ptr<ThreadBudget> helpers;
    const std::shared_ptr<Executor> executor;  ///< Of asynchronous searches.
    Executor* const helper_executor;           ///< That of the user, if any: helps calls too.

    /// Return the most threads that one call may have.
    [[nodiscard]] std::size_t most_threads() const noexcept { return 1 + helpers->limit(); }
};

/// The threads of one call, as long as it lives: the calling one, and helpers that were free.
class CallThreads {
  public:
    /// \param wanted  with the calling one; 0: as many as the database allows
    CallThreads(Services& services, std::size_t wanted) noexcept
        : helpers_(services.helpers->take((wanted == 0 ? services.most_threads() : wanted) - 1)),
          executor_(services.helper_executor) {}

    /// Return their number, at least 1.
    [[nodiscard]] std::size_t count() const noexcept { return 1 + helpers_.count(); }

  private:
    ThreadBudget::Grant helpers_;
    index::HelperExecutor executor_;
};

}  // namespace vecdb::collection
