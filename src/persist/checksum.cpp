#include "persist/checksum.h"

// The header alone, so that a program that links vecdb needs no library for it.
#define XXH_INLINE_ALL  // NOLINT(readability-identifier-naming): the name is not ours
#include <xxhash.h>

namespace vecdb::persist {

std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t seed) noexcept {
    return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace vecdb::persist
