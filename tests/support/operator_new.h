#pragma once

/// \file
/// What a program asks of operator new, and memory that is not to be had. Tests that include this
/// also compile support/operator_new.cpp, which replaces operator new of the whole program.

#include <atomic>
#include <cstddef>

namespace vecdb::test {

/// Calls of operator new of any kind.
extern std::atomic<std::size_t> allocations;
/// Bytes asked of operator new that were not given back.
extern std::atomic<std::size_t> live_bytes;
/// The largest that live_bytes has been since this was last set.
extern std::atomic<std::size_t> most_live_bytes;
/// The largest number of bytes asked of operator new at once since it was last set to 0.
extern std::atomic<std::size_t> largest_allocation;
/// Calls of operator new that still succeed before one fails; that one makes it negative, and while
/// it is negative none fails.
extern std::atomic<long> until_failure;

}  // namespace vecdb::test
