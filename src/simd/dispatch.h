#pragma once

/// \file
/// The kernel tables of this build, and the one in use.

#include "simd/kernel_table.h"

#include <vecdb/status.h>

#include <span>
#include <string_view>

namespace vecdb::simd {

/// List the tables compiled in, slowest first.
[[nodiscard]] std::span<const KernelTable* const> compiled_tables() noexcept;

/// List the tables that CPU and operating system can run, slowest first; never empty.
[[nodiscard]] std::span<const KernelTable* const> available_tables() noexcept;

/// Return the table in use: the last available one, or the one that VECDB_SIMD names.
/// The environment is read once, at the first call. Errors as vecdb::active_simd_level().
[[nodiscard]] Result<const KernelTable*> active_table();

/// Return the table in use. Only after active_table() succeeded once, which making a Database does.
[[nodiscard]] const KernelTable& table_in_use() noexcept;

/// Choose by name, as VECDB_SIMD would: for tests, and for the one place that reads the
/// environment.
[[nodiscard]] Result<const KernelTable*> choose_table(std::string_view name);

}  // namespace vecdb::simd
