#pragma once

/// \file
/// How a collection is: what waits to be done, what failed, where the memory goes.

#include <vecdb/status.h>

#include <cstddef>

namespace vecdb {

/// The state of a collection behind its answers.
struct Health {
    std::size_t live_rows = 0;
    /// Removed or replaced rows whose space has not returned yet. What Pins and Retention hold
    /// beside the present is not counted here.
    std::size_t removed_rows = 0;
    /// Live rows that are searched exactly, as they are in no sealed segment.
    std::size_t growing_rows = 0;
    std::size_t sealed_segments = 0;
    /// Sealed rows that no walk through their graph comes to, live or not; only an exact search
    /// finds them. The library's own graphs are made so that there are none.
    std::size_t unreachable_rows = 0;
    /// Partitions whose segments are to be sealed or merged in the background.
    std::size_t pending_partitions = 0;
    /// Segments are being rewritten now, in the background or by a call.
    bool rewriting = false;
    /// Segments that are not searched, as their files are damaged; see
    /// SearchOptions::allow_partial.
    std::size_t damaged_segments = 0;
    /// The first failure in the background since the last flush, which returns it.
    Status background_error = {};

    /// Bytes of memory held for vectors with their ids and norms, to find ids, for indexes and to
    /// mark removed rows.
    std::size_t row_bytes = 0;
    std::size_t id_bytes = 0;
    std::size_t index_bytes = 0;
    std::size_t removed_bytes = 0;
    /// Bytes of row_bytes that lie in files, in memory as far as the system sees fit.
    std::size_t mapped_bytes = 0;

    /// Tell whether nothing waits to be done.
    [[nodiscard]] bool at_rest() const noexcept { return pending_partitions == 0 && !rewriting; }
};

}  // namespace vecdb
