#pragma once

/// \file
/// From the live rows of segments to one sealed segment.

#include "collection/storage/sealed_segment.h"
#include "collection/version.h"

#include <vecdb/build_options.h>
#include <vecdb/schema.h>
#include <vecdb/status.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace vecdb::collection {

/// Segments of one partition, in the order in which their rows are put together; where the first
/// has most of the rows, and an index, that index is built on. Views: the version that they are of
/// outlives them.
using SealSources = std::vector<const SegmentVersion*>;

/// A sealed segment and where its rows come from.
struct Seal {
    std::shared_ptr<SealedSegment> segment;  ///< Null when there was no row.
    /// Row i of the segment was the order[i]-th live row of the sources; empty: the i-th.
    std::vector<std::uint32_t> order;
};

/// What to do when the rows are too few for the index.
enum class TooFew : std::uint8_t {
    kFail,     ///< Return its kFailedPrecondition.
    kNoIndex,  ///< Leave the segment without: its rows are compared one by one.
};

/// What an index is built on.
enum class BuiltOn : std::uint8_t {
    kFirstSource,  ///< That of the first source, where that is faster.
    kNothing,      ///< Only the rows: slower, and the best index for them.
};

/// Copy the live rows of `sources`, build the indexes of their vector fields over them, and store
/// the rows in the order that the first of them proposes, and the vectors of each further field in
/// that of its own. Returns what the index returns, kFailedPrecondition (more than
/// 2^31 - 1 rows), kInternal (the proposed order is no permutation), kCancelled, kDeadlineExceeded.
/// Throws std::bad_alloc and what a custom index throws.
[[nodiscard]] Result<Seal> seal(const SealSources& sources,
                                const RowFields& fields,
                                BuiltOn base,
                                TooFew too_few,
                                const BuildOptions& options);

/// Return the rows of `seal`, made of `sources`, that `current` has no longer. Between the two no
/// numbering of a source was replaced by another; sealed segments may be gone, with all their rows.
[[nodiscard]] std::vector<std::uint32_t> removed_since(const SealSources& sources,
                                                       const PartitionVersion& current,
                                                       const Seal& seal);

}  // namespace vecdb::collection
