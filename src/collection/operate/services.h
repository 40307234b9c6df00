#pragma once

/// \file
/// What the collections of a database share.

#include "collection/operate/background.h"
#include "collection/operate/thread_budget.h"

#include <vecdb/database_options.h>

#include <cstddef>

namespace vecdb::collection {

/// What does a database's work. Outlived by its collections.
/// Threads: internally synchronised.
struct Services {
    /// As validated options ask for.
    explicit Services(const DatabaseOptions& options);

    Background background;
    ThreadBudget helpers;  ///< Of calls; DatabaseOptions::threads without that of async searches.
};

/// The threads of one call, as long as it lives: the calling one, and helpers that were free.
class CallThreads {
  public:
    /// \param wanted  with the calling one; 0: as many as the database allows
    CallThreads(Services& services, std::size_t wanted) noexcept
        : helpers_(services.helpers.take(wanted == 0 ? services.helpers.limit() : wanted - 1)) {}

    /// Return their number, at least 1.
    [[nodiscard]] std::size_t count() const noexcept { return 1 + helpers_.count(); }

  private:
    ThreadBudget::Grant helpers_;
};

}  // namespace vecdb::collection
