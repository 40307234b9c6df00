#pragma once

/// \file
/// What a database may use of the machine.

#include <vecdb/executor.h>
#include <vecdb/export.h>
#include <vecdb/status.h>

#include <cstddef>
#include <memory>

namespace vecdb {

/// How a database is to run.
struct DatabaseOptions {
    /// Most threads that the library has at work for this database at any time, beside those that
    /// call it: 1 to 1,024; 0 means as many as the machine has. One of them is kept for
    /// asynchronous searches, so that none waits for a long build. The others help whoever asks: a
    /// search, build or write of n threads is its calling thread and up to n - 1 of those that are
    /// free when it begins, which it gives back when it ends; tasks of asynchronous searches take
    /// them one at a time. So with 1 a call never has more than its own thread. Answers and indexes
    /// do not depend on it.
    ///
    /// With an executor these are tasks of it. Beside them one thread seals and merges segments
    /// in the background, where Schema::segments asks for it, and takes no helpers.
    std::size_t threads = 0;
    /// Runs asynchronous searches, and helps searches, builds and writes of several threads, which
    /// never wait for a task that it has not begun; null: threads of the library's own, which are
    /// started when they are first needed.
    std::shared_ptr<Executor> executor = {};

    /// Returns kInvalidArgument naming the field, its value and its limit.
    [[nodiscard]] VECDB_EXPORT Status validate() const;
};

}  // namespace vecdb
