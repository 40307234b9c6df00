#pragma once

/// \file
/// The version of these headers. CMake reads the three numbers below; nothing else repeats them.

#include <vecdb/export.h>

#include <string_view>

#define VECDB_VERSION_MAJOR 0
#define VECDB_VERSION_MINOR 1
#define VECDB_VERSION_PATCH 0

namespace vecdb {

/// Return the version of the linked library, "major.minor.patch".
/// May differ from the VECDB_VERSION_ macros, which are those of the headers compiled against.
[[nodiscard]] VECDB_EXPORT std::string_view version() noexcept;

}  // namespace vecdb
