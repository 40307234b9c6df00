#pragma once

/// \file
/// Names of collections and fields.

#include <vecdb/status.h>

#include <string_view>

namespace vecdb::collection {

/// Check that `name` is 1 to 255 bytes of UTF-8 without control characters. `what` begins the
/// message.
[[nodiscard]] Status validate_name(std::string_view what, std::string_view name);

}  // namespace vecdb::collection
