#pragma once

/// \file
/// One value of a scalar field.

#include <cstdint>
#include <string>
#include <variant>

namespace vecdb {

/// A value of a scalar field: std::monostate is null, the other alternatives stand in the order of
/// ScalarType. A double is not NaN, a string is UTF-8.
///
/// Integers of any type become std::int64_t and literals in quotes std::string; an unsigned 64-bit
/// integer does not compile, as not all of its values fit.
using Scalar = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

}  // namespace vecdb
