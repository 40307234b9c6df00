#pragma once

/// \file
/// Names of collections, partitions and fields.

#include <vecdb/status.h>

#include <cstddef>
#include <functional>
#include <string_view>

namespace vecdb::collection {

/// Check that `name` is 1 to 255 bytes of UTF-8 without control characters. `what` begins the
/// message.
[[nodiscard]] Status validate_name(std::string_view what, std::string_view name);

/// Hashes names, so that a map of std::string is asked by std::string_view.
struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
        return std::hash<std::string_view>()(name);
    }
};

}  // namespace vecdb::collection
