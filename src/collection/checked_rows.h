#pragma once

/// \file
/// A batch of rows on its way in: checked against the fields of its collection, into the log and
/// out of it.

#include "collection/storage/columns.h"

#include <vecdb/columns.h>
#include <vecdb/schema.h>
#include <vecdb/status.h>
#include <vecdb/types.h>
#include <vecdb/views.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb::collection {

/// What a caller writes: as many ids, vectors of the first vector field and values in each column.
struct RowsToWrite {
    std::span<const Id> ids;
    MatrixView vectors;
    std::span<const ColumnView> columns;
};

/// As many ids, vectors of each vector field and values of each scalar field. Vectors have the
/// shape of their field; their elements are not looked at. Views what the caller or the log keeps.
struct CheckedRows {
    std::span<const Id> ids;
    std::vector<MatrixView> vectors;  ///< One for each vector field.
    ColumnBatch columns;

    /// Check what a caller writes, and add defaults and nulls. Returns kInvalidArgument. Throws
    /// std::bad_alloc.
    [[nodiscard]] static Result<CheckedRows> from(const Schema& schema, const RowsToWrite& given);
    /// Read a batch from the log; `values` is what encode() wrote. Returns kInvalidArgument,
    /// kCorruption. Throws std::bad_alloc.
    [[nodiscard]] static Result<CheckedRows> decode(const Schema& schema,
                                                    std::span<const Id> ids,
                                                    MatrixView vectors,
                                                    std::span<const std::byte> values);
    /// Return what the log keeps of rows `rows` beside their ids and first vectors: scalar values
    /// and further vectors. Throws std::bad_alloc.
    [[nodiscard]] std::vector<std::byte> encode(const Schema& schema,
                                                std::span<const std::uint32_t> rows) const;
};

}  // namespace vecdb::collection
