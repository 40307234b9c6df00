#pragma once

/// \file
/// The rows of one segment, read on and on.

#include "collection/query/segment_targets.h"

#include <vecdb/index.h>

#include <memory>
#include <vector>

namespace vecdb::collection {

/// Append cursors that together bring all rows of a segment that may be returned: that of its
/// index, searches of it again and again where it has none, or one for each block of rows.
/// `segment`, `query` and what the target refers to outlive them.
void open_cursors(const SearchTarget& target,
                  const SegmentTarget& segment,
                  const void* query,
                  std::vector<std::unique_ptr<IndexCursor>>& cursors);

}  // namespace vecdb::collection
