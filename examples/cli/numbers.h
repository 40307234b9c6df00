#pragma once

/// \file
/// Reading numbers that stand inside an option's text.

#include <cstddef>
#include <string>

namespace vecdb::cli {

/// Read a whole number. Throws CommandError(kUsage), beginning with `what`, for anything else.
[[nodiscard]] std::size_t parse_count(const std::string& what, const std::string& text);

/// Read a finite number. Throws CommandError(kUsage), beginning with `what`, for anything else.
[[nodiscard]] double parse_real(const std::string& what, const std::string& text);

}  // namespace vecdb::cli
