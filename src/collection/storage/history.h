#pragma once

/// \file
/// Versions that may be asked for again.

#include "collection/version.h"
#include "mutex.h"

#include <vecdb/retention.h>
#include <vecdb/search.h>
#include <vecdb/status.h>

#include <cstddef>
#include <deque>
#include <memory>

namespace vecdb::collection {

/// The versions of a collection that Retention keeps, in their order.
/// Threads: internally synchronised.
class History {
  public:
    using Pointer = std::shared_ptr<const Version>;

    /// Keep what `retention` says, from `current` on and of what is known.
    void set(const Retention& retention, const Pointer& current) VECDB_EXCLUDES(mutex_);

    /// Keep a version that is about to be published; one of the same sequence number makes room for
    /// it. Throws std::bad_alloc and then changes nothing.
    void add(const Pointer& version) VECDB_EXCLUDES(mutex_);

    /// Return the version of a moment. `current` is the published one; later ones are not looked
    /// at. Errors as of SearchOptions::as_of.
    [[nodiscard]] Result<Pointer> find(const Moment& moment, const Pointer& current)
        VECDB_EXCLUDES(mutex_);

  private:
    using Dropped = std::deque<Pointer>;

    /// Take out what is no longer kept when `more` versions come, for the caller to let go without
    /// the lock.
    [[nodiscard]] Dropped forget(std::size_t more) VECDB_REQUIRES(mutex_);

    Mutex mutex_;
    Retention retention_ VECDB_GUARDED_BY(mutex_);
    std::deque<Pointer> versions_ VECDB_GUARDED_BY(mutex_);  // ascending; empty without a window
};

}  // namespace vecdb::collection
