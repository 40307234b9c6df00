#pragma once

/// \file
/// Names for what is kept on disk, so that nothing is read back that was made from something else.

#include "compare/dataset.h"

#include <string>
#include <string_view>

namespace vecdb::bench {

/// Return eight hexadecimal digits that change with the bytes.
[[nodiscard]] std::string fingerprint(std::string_view bytes);

/// Return "ROWSxDIM-" and eight digits that change with the values.
[[nodiscard]] std::string fingerprint(const Floats& rows);

}  // namespace vecdb::bench
