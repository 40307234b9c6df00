#pragma once

/// \file
/// One value of a scalar field.

#include <cstdint>
#include <string>
#include <variant>

namespace vecdb {

/// A value of a scalar field: std::monostate is null, a std::string is one of ScalarType::kString,
/// which is UTF-8, or kBytes. A double is not NaN.
///
/// Integers of any type become std::int64_t and literals in quotes std::string; an unsigned 64-bit
/// integer does not compile, as not all of its values fit.
using Scalar = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

}  // namespace vecdb
