#pragma once

/// \file
/// Hashing of ids.

#include <vecdb/types.h>

#include <cstdint>

namespace vecdb::collection {

/// Fibonacci hashing: the higher a bit of the product, the more bits of the id it depends on; from
/// bit 20 on they do for tables.
[[nodiscard]] constexpr std::uint64_t hash_id(Id id) noexcept {
    auto hash = static_cast<std::uint64_t>(id);
    hash ^= hash >> 32U;
    return hash * 0x9E37'79B9'7F4A'7C15U;
}

}  // namespace vecdb::collection
