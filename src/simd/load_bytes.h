#pragma once

/// \file
/// Loads of fewer bytes than a register holds, which read nothing else.
/// Included by the files in arch/ only; internal linkage throughout.

#include <cstddef>
#include <cstdint>

namespace vecdb::simd {
namespace {

template <class Word>
inline Word load_word(const void* p) {
    Word word;
    __builtin_memcpy(&word, p, sizeof(Word));
    return word;
}

/// Return the first `count` (1 to 8) bytes at p and zeros.
inline std::uint64_t load_bytes8(const void* p, std::size_t count) {
    const auto* bytes = static_cast<const std::uint8_t*>(p);
    // Two loads that overlap where the count is no power of two: what both read is the same.
    if (count >= 8) return load_word<std::uint64_t>(bytes);
    if (count >= 4) {
        const std::uint64_t high = load_word<std::uint32_t>(bytes + count - 4);
        return load_word<std::uint32_t>(bytes) | high << 8 * (count - 4);
    }
    const std::uint64_t middle = bytes[count / 2];
    const std::uint64_t last = bytes[count - 1];
    return bytes[0] | middle << 8 * (count / 2) | last << 8 * (count - 1);
}

/// Sixteen bytes, the first in the low byte of `low`.
struct TwoWords {
    std::uint64_t low;
    std::uint64_t high;
};

/// Return the first `count` (1 to 16) bytes at p and zeros.
inline TwoWords load_bytes16(const void* p, std::size_t count) {
    if (count <= 8) return {load_bytes8(p, count), 0};
    const auto* bytes = static_cast<const std::uint8_t*>(p);
    const auto last = load_word<std::uint64_t>(bytes + count - 8);
    return {load_word<std::uint64_t>(bytes), last >> 8 * (16 - count)};
}

}  // namespace
}  // namespace vecdb::simd
