#pragma once

/// \file
/// Calls of the operating system that are to be made again.

#include "persist/errors.h"

#include <vecdb/status.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <unistd.h>

namespace vecdb::persist {

/// Make a call again for as long as a signal interrupts it.
template <class Call>
auto retried(Call call) {
    auto result = call();
    while (result < 0 && errno == EINTR)
        result = call();
    return result;
}

/// Fill `out` with the bytes of a file from `offset` on. Returns kCorruption when it ends before
/// that, kIoError.
[[nodiscard]] inline Status read_all(int descriptor,
                                     std::uint64_t offset,
                                     std::span<std::byte> out) {
    while (!out.empty()) {
        const ssize_t got = retried([&] {
            return ::pread(descriptor, out.data(), out.size(), static_cast<off_t>(offset));
        });
        if (got < 0) return io_error("cannot read", errno);
        if (got == 0) {
            return {StatusCode::kCorruption,
                    "ends at byte " + std::to_string(offset) + ", expected " +
                        std::to_string(out.size()) + " more"};
        }
        offset += static_cast<std::uint64_t>(got);
        out = out.subspan(static_cast<std::size_t>(got));
    }
    return {};
}

}  // namespace vecdb::persist
