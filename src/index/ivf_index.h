#pragma once

/// \file
/// The IVF index: rows are clustered, and a query looks only at the lists whose centroids are
/// nearest. A list is a consecutive range of the segment's rows.

#include <vecdb/index.h>
#include <vecdb/schema.h>
#include <vecdb/status.h>

#include <memory>

namespace vecdb::index {

/// Make the IVF index of a field whose options are IvfOptions. Returns kInvalidArgument for
/// parameters out of range and kUnsupported for codes of other than float32 elements.
[[nodiscard]] Result<std::unique_ptr<Index>> make_ivf_index(const VectorField& field);

}  // namespace vecdb::index
