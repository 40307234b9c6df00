#pragma once

/// \file
/// Replacing the rows behind an alias: build, check, warm up, switch.

#include <vecdb/columns.h>
#include <vecdb/control.h>
#include <vecdb/export.h>
#include <vecdb/schema.h>
#include <vecdb/search.h>
#include <vecdb/status.h>
#include <vecdb/types.h>
#include <vecdb/views.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

namespace vecdb {

/// Some rows on their way into a new collection.
struct RowBatch {
    std::span<const Id> ids;
    MatrixView vectors;
    /// Name of the partition, made when there is none; empty: as Collection::insert chooses.
    std::string partition = {};
    /// Values of scalar fields, as Collection::insert takes them.
    std::span<const ColumnView> columns = {};
};

/// Where the rows of a rebuild come from.
struct RebuildSource {
    /// How many rows there are. Looked at before anything is built.
    std::size_t rows = 0;
    /// Gives the rows, batch by batch; one without rows is the last. Views stay valid until the
    /// next call. Called from the calling thread; a failure ends the rebuild and is what it
    /// returns.
    std::function<Result<RowBatch>()> next = {};
};

/// How far a number of rows may be from that of the live collection. Both hold if both are set.
struct CountBounds {
    /// Rows more or less.
    std::optional<std::size_t> rows = {};
    /// The same as a part of the live rows, at least 0: 0.1 allows 10 % more or less.
    std::optional<double> part = {};
};

/// What must hold before an alias is switched.
struct RebuildGuards {
    /// Of RebuildSource::rows, before anything is built.
    CountBounds source = {};
    /// Of the rows of the new collection when it is built. They must be RebuildSource::rows too.
    CountBounds built = {};
    /// Least part of the true nearest that searches of the new collection must find, 0 to 1; 0: not
    /// measured.
    double min_recall = 0.0;
    /// Rows of the new collection, evenly chosen, that are queries to measure recall and to warm
    /// up. 1 to 2^24.
    std::size_t queries = 100;
    /// How they are searched; k is 1 at least.
    SearchOptions search = {};
};

/// How a rebuild is to run.
struct RebuildOptions {
    /// Name of the new collection; empty: the alias with "." and the first number that is free.
    std::string name = {};
    /// Of the new collection; none: that of the live one.
    std::optional<Schema> schema = {};
    RebuildGuards guards = {};
    /// Searches before the switch, so that the first real ones find everything in place.
    /// 0 to 2^24.
    std::size_t warm_up_queries = 1'000;
    /// What to do with writes to the live collection after the rebuild began: false: refuse to
    /// switch; true: repeat them on the new one, for the last of which writers wait. Its vectors
    /// must have the same dimension and element type then.
    bool carry_over = false;
    /// Leave the old collection in the database. Otherwise it is dropped, unless another alias
    /// stands for it, and refuses writes with kFailedPrecondition from the switch on, so that none
    /// is lost: writers resolve the alias again.
    bool keep_old = false;
    /// Threads used to build the index, as in BuildOptions.
    std::size_t threads = 0;
    /// Called with the failure when a rebuild fails, from the calling thread. Must not throw.
    std::function<void(const Status&)> alert = {};
    Control control = {};

    /// Returns kInvalidArgument naming the field, its value and its limit.
    [[nodiscard]] VECDB_EXPORT Status validate() const;
};

/// What a rebuild did.
struct RebuildReport {
    std::string collection;         ///< Behind the alias now.
    std::string previous;           ///< Before.
    std::size_t rows = 0;           ///< Of the new collection.
    std::size_t previous_rows = 0;  ///< Of the old one when the rebuild began.
    std::optional<double> recall;   ///< If it was measured.
    std::size_t carried_rows = 0;   ///< Rows written or removed that were carried over.
    double write_seconds = 0.0;     ///< From the source into the new collection.
    double build_seconds = 0.0;     ///< Its index.
    double check_seconds = 0.0;     ///< Recall and warm-up.
    double switch_seconds = 0.0;    ///< In which writers of the old collection waited.
};

}  // namespace vecdb
