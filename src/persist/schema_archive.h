#pragma once

/// \file
/// Schemas in bytes. FORMAT.md has the table.

#include "persist/archive.h"

#include <vecdb/schema.h>

namespace vecdb::persist {

/// Write a schema. Throws std::bad_alloc.
void write_schema(ArchiveWriter& to, const Schema& schema);

/// Read a schema; `from` has failed when there is none that could be. What it says is not validated
/// otherwise: Schema::validate() does. Throws std::bad_alloc.
[[nodiscard]] Schema read_schema(ArchiveReader& from);

}  // namespace vecdb::persist
