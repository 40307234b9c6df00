#pragma once

/// \file
/// Workers that are not the library's own threads.

#include <vecdb/executor.h>

namespace vecdb::index {

/// While it lives, parallel_for called in this thread has tasks of an executor help it, instead of
/// threads of the library's own.
/// Threads: destroyed in the thread that made it.
class HelperExecutor {
  public:
    /// \param executor  null: threads of the library's own
    explicit HelperExecutor(Executor* executor) noexcept;
    ~HelperExecutor();
    HelperExecutor(const HelperExecutor&) = delete;
    HelperExecutor& operator=(const HelperExecutor&) = delete;

  private:
    Executor* before_;
};

}  // namespace vecdb::index
