#pragma once

/// \file
/// One scalar value of a row.

#include <cstdint>
#include <string>
#include <variant>

namespace vecdb {

/// A value of a scalar field, or null (std::monostate). Of ScalarType::kString and kBytes it is a
/// std::string.
using Scalar = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

}  // namespace vecdb
