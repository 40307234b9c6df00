#pragma once

/// \file
/// Making a collection whose ids are row numbers. All functions throw CommandError.

#include <vecdb/collection.h>
#include <vecdb/index_options.h>
#include <vecdb/types.h>
#include <vecdb/views.h>

#include <cstddef>
#include <string>

namespace vecdb::cli {

/// Make an empty collection in memory; it lives as long as its handles.
[[nodiscard]] Collection make_collection(std::size_t dim, Metric metric, const IndexOptions& index);

/// Read the file at `path` batch by batch into a new collection, under a progress bar.
[[nodiscard]] Collection import_file(const std::string& path, Metric metric);

/// Insert all `rows` in batches, under a progress bar. `name` stands for them in errors.
void import_rows(Collection& collection, const MatrixView& rows, const std::string& name);

/// Build the collection's index over all rows with `threads` threads, under a progress bar.
void build_index(Collection& collection, std::size_t threads);

}  // namespace vecdb::cli
