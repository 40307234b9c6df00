#pragma once

/// \file
/// How an index is to be built.

#include <vecdb/control.h>
#include <vecdb/export.h>
#include <vecdb/status.h>

#include <cstddef>

namespace vecdb {

/// How Collection::build_index is to run.
struct BuildOptions {
    /// Threads used at most, 1 to 1,024; 0 means as many as DatabaseOptions::threads allows. The
    /// index does not depend on it.
    std::size_t threads = 0;
    /// Progress, cancel token and deadline.
    Control control = {};

    /// Returns kInvalidArgument naming the field, its value and its limit.
    [[nodiscard]] VECDB_EXPORT Status validate() const;
};

}  // namespace vecdb
