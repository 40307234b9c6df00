#pragma once

/// \file
/// Floats as elements of any type, in plain code of the tests' own.

#include <vecdb/types.h>

#include <cstddef>
#include <span>
#include <vector>

namespace vecdb::test {

/// Convert one row: halves round to the nearest, int8 is 24 times the value and cut off at 127 (of
/// a unit row: 127 times), a bit says whether the value is above 0.
[[nodiscard]] std::vector<std::byte> to_elements(ElementType type, std::span<const float> row);

}  // namespace vecdb::test
