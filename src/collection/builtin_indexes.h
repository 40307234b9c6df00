#pragma once

/// \file
/// The indexes that come with the library, by name.

#include <vecdb/index.h>
#include <vecdb/schema.h>
#include <vecdb/status.h>

#include <memory>
#include <span>

namespace vecdb::collection {

/// Enter the library's own indexes in the registry; later calls do nothing.
/// Threads: may be called from any thread.
void register_builtin();

/// Tell whether sealed rows of `field` are compared one by one, without an index.
[[nodiscard]] bool is_scanned(const VectorField& field) noexcept;

/// Tell whether those of all fields are.
[[nodiscard]] bool are_scanned(std::span<const VectorField> fields) noexcept;

/// Make the index of `field`, not built yet: as index::make_index(), with the library's own.
[[nodiscard]] Result<std::unique_ptr<Index>> make_index(const VectorField& field);

}  // namespace vecdb::collection
