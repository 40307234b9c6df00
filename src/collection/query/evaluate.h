#pragma once

/// \file
/// Which rows of a segment pass an expression.

#include "collection/query/bound_expression.h"
#include "collection/version.h"

#include <vecdb/bitset.h>

#include <cstddef>

namespace vecdb::collection {

/// Set the bit of every row of [first, segment.rows) that passes, removed rows too. `passed` has a
/// bit for each row of the segment, which is clear from `first` on; the fields are those that the
/// expression was bound to. Throws std::bad_alloc.
void evaluate(const BoundExpression& expression,
              const SegmentVersion& segment,
              std::size_t first,
              Bitset& passed);

}  // namespace vecdb::collection
