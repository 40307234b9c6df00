#pragma once

/// \file
/// The index that compares the query with every allowed row: exact.

#include <vecdb/index.h>
#include <vecdb/schema.h>
#include <vecdb/status.h>

#include <memory>

namespace vecdb::index {

/// Make the flat index of a field. With codes (float32 rows, FlatOptions::codes kDefault or kSq4)
/// it holds about dim / 2 + 8 bytes a row in blocks and again, rounded up to 64, in code rows for
/// masks; for heads of fewer dimensions less; and for rows of 250 dimensions or more another
/// 256 + 64 bytes. Same hits as without codes.
/// Returns kUnsupported for kSq4 over rows that are not float32.
[[nodiscard]] Result<std::unique_ptr<Index>> make_flat_index(const VectorField& field);

}  // namespace vecdb::index
