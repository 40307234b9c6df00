#pragma once

/// \file
/// The checksum of everything that is written: XXH3 with 64 bits.

#include <cstddef>
#include <cstdint>
#include <span>

namespace vecdb::persist {

/// Return XXH3-64 of `bytes`.
[[nodiscard]] std::uint64_t checksum(std::span<const std::byte> bytes,
                                     std::uint64_t seed = 0) noexcept;

}  // namespace vecdb::persist
