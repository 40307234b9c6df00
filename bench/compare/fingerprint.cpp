#include "compare/fingerprint.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace vecdb::bench {
namespace {

// FNV-1a over words of eight bytes, the last one filled up.
std::uint64_t hash_of(std::string_view bytes) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (std::size_t at = 0; at < bytes.size(); at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data() + at, std::min<std::size_t>(8, bytes.size() - at));
        hash = (hash ^ word) * 0x100000001b3U;
        hash ^= hash >> 29U;
    }
    return hash ^ (hash >> 32U);
}

}  // namespace

std::string fingerprint(std::string_view bytes) {
    char digits[9];
    std::snprintf(digits, sizeof digits, "%08x", static_cast<unsigned>(hash_of(bytes)));
    return digits;
}

std::string fingerprint(const Floats& rows) {
    const std::string_view bytes(reinterpret_cast<const char*>(rows.values.data()), rows.bytes());
    return std::to_string(rows.rows) + 'x' + std::to_string(rows.dim) + '-' + fingerprint(bytes);
}

}  // namespace vecdb::bench
