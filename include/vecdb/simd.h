#pragma once

/// \file
/// Which instruction set the distance kernels use. Chosen once per process, by the CPU and the
/// operating system, or by the environment variable VECDB_SIMD; empty counts as not set.

#include <vecdb/export.h>
#include <vecdb/status.h>

#include <string_view>
#include <vector>

namespace vecdb {

/// Return the level in use: "scalar", "sse2", "avx2", "avx512", "avx512vnni" or "neon".
/// Returns kInvalidArgument when VECDB_SIMD names no level, and kUnsupported when it names one
/// that this build or machine cannot run; every Database construction then fails the same way.
[[nodiscard]] VECDB_EXPORT Result<std::string_view> active_simd_level();

/// List the levels that this build and machine can run, slowest first. Not affected by VECDB_SIMD.
[[nodiscard]] VECDB_EXPORT std::vector<std::string_view> available_simd_levels();

/// List the levels compiled into this build, slowest first.
[[nodiscard]] VECDB_EXPORT std::vector<std::string_view> compiled_simd_levels();

}  // namespace vecdb
