#pragma once

/// \file
/// How much memory a program holds and how often it asked for some. Tests that include this also
/// compile support/live_memory.cpp, which replaces operator new of the whole program, and link with
/// -Wl,--wrap=mmap,--wrap=munmap.

#include <atomic>
#include <cstddef>

namespace vecdb::test {

/// Bytes asked of operator new and mmap that were not given back.
extern std::atomic<std::size_t> live_bytes;
/// Calls of operator new and mmap.
extern std::atomic<std::size_t> allocations;

}  // namespace vecdb::test
