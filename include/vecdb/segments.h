#pragma once

/// \file
/// When rows are put in order without being asked for.

#include <vecdb/export.h>
#include <vecdb/status.h>

#include <cstddef>

namespace vecdb {

/// How the segments of a partition are kept few and clean. New rows go to its growing segment,
/// which is searched exactly. In the background, growing segments are sealed, that is, they get an
/// index, and sealed ones are merged, which drops the rows that were removed. Searches go on
/// meanwhile over what was there before; Collection::health tells what is pending. Until a rewrite
/// ends its rows and their index are in memory twice.
///
/// A graph (HnswOptions, but for ip) takes rows up: growing ones and smaller segments are added to
/// a copy of the largest segment that is not too large for them, so that few remain. It finds a
/// little less than one made at once; WriteHandle::build_index makes that.
struct SegmentPolicy {
    /// Rows of a growing segment that are sealed, 64 to 2^31 - 1; all that came until then go
    /// along. 0: nothing is done in the background, only by WriteHandle::flush and build_index.
    std::size_t seal_rows = 4'096;
    /// Sealed segments of one size, to this factor, that are merged into one where indexes take up
    /// no rows; 2 to 32. More: fewer rows written again, more segments to search.
    std::size_t merge_segments = 4;
    /// Part of a sealed segment's rows that may be removed ones before it is written again; 0.01 to
    /// 1.
    float max_removed = 0.1F;
    /// Rows of a growing segment from which on writers wait for the background, which takes longer
    /// to seal rows than others to insert them: so searches stay fast while rows pour in. 0: they
    /// never wait; otherwise at least 2 seal_rows, and seal_rows not 0.
    std::size_t max_growing_rows = 0;

    /// Returns kInvalidArgument naming the field, its value and its limit.
    [[nodiscard]] VECDB_EXPORT Status validate() const;
};

}  // namespace vecdb
