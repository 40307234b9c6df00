#pragma once

/// \file
/// From the live rows of a version to one sealed segment.

#include "collection/storage/sealed_segment.h"
#include "collection/version.h"

#include <vecdb/rebuild.h>
#include <vecdb/schema.h>
#include <vecdb/status.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace vecdb::collection {

/// A sealed segment and where its rows come from.
struct Seal {
    std::shared_ptr<SealedSegment> segment;  ///< Null when there was no row.
    /// Row i of the segment was the order[i]-th live row of the version; empty: the i-th.
    std::vector<std::uint32_t> order;
};

/// Copy the live rows of `frozen`, build the index of `field` over them, and store them in the
/// order that it proposes. Returns what the index returns, kFailedPrecondition (more than 2^31 - 1
/// rows), kInternal (the proposed order is no permutation), kCancelled, kDeadlineExceeded. Throws
/// std::bad_alloc and what a custom index throws.
[[nodiscard]] Result<Seal> seal(const Version& frozen,
                                const VectorField& field,
                                const BuildOptions& options);

/// Return the rows of `seal`, made of `frozen`, that `current` has no longer. Between the two no
/// numbering of `frozen` was replaced by another; sealed segments may be gone, with all their rows.
[[nodiscard]] std::vector<std::uint32_t> removed_since(const Version& frozen,
                                                       const Version& current,
                                                       const Seal& seal);

}  // namespace vecdb::collection
