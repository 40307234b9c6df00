#pragma once

/// \file
/// Who runs the library's tasks.

#include <vecdb/export.h>

#include <functional>

namespace vecdb {

/// Runs tasks: a program's own pool or event loop, given to DatabaseOptions::executor. A database
/// shares it with its collections; the last of them lets it go, which may happen in a thread of its
/// own when a task's callback held the last handle.
///
/// Tasks do not wait for each other, so that one thread is enough.
/// Threads: post() is called from any thread, also from within a task.
class VECDB_EXPORT Executor {
  public:
    Executor() = default;
    Executor(const Executor&) = delete;
    Executor& operator=(const Executor&) = delete;
    virtual ~Executor() = default;

    /// Run `task` once, in any thread, also here and now; it throws nothing. One that will not be
    /// run is destroyed. May throw; the task is not run then.
    virtual void post(std::function<void()> task) = 0;
};

}  // namespace vecdb
