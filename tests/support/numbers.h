#pragma once

/// \file
/// Numbers that say how long a test is to be.

#include <cstdint>
#include <cstdlib>

namespace vecdb::test {

/// Return the number in an environment variable, or another one if it is not set.
inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* const text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe)
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace vecdb::test
