#pragma once

/// \file
/// For how long the past of a collection can be read.

#include <vecdb/export.h>
#include <vecdb/status.h>

#include <chrono>
#include <cstddef>

namespace vecdb {

/// Which moments SearchOptions::as_of and ReadHandle::pin reach. By default only the present, and
/// what Pins hold.
struct Retention {
    /// Moments this far back, at most 100 years.
    std::chrono::milliseconds window = std::chrono::milliseconds{0};
    /// Writes back from the last one, 1 to 2^24, if that is less. Each costs 300 bytes, a
    /// kilobyte among 1,000 partitions, and up to 8 KiB more for each segment that it removes rows
    /// from; segments that were replaced in that time stay in memory.
    std::size_t max_writes = 100'000;

    /// Returns kInvalidArgument naming the field, its value and its limit.
    [[nodiscard]] VECDB_EXPORT Status validate() const;
};

}  // namespace vecdb
