#pragma once

/// \file
/// What a dataset file holds and where: its header, checked against its size.

#include "persist/formats/input_file.h"

#include <vecdb/dataset_io.h>

namespace vecdb::persist {

/// Read and check the header. Afterwards data_offset + rows x (row header + dim x item bytes) is
/// exactly the file's size, without overflow. Messages do not name the path.
[[nodiscard]] Result<DatasetInfo> read_layout(const InputFile& file, FileFormat format);

/// Check the dimension that stands before row `row` of a *vecs file.
[[nodiscard]] Status check_row_dim(std::int32_t found, const DatasetInfo& info, std::uint64_t row);

}  // namespace vecdb::persist
