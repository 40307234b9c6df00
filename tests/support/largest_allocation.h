#pragma once

/// \file
/// How much memory a call asks for at once. Tests that include this also compile
/// support/largest_allocation.cpp, which replaces operator new of the whole program.

#include <atomic>
#include <cstddef>

namespace vecdb::test {

/// The largest number of bytes asked of operator new since it was last set to 0.
extern std::atomic<std::size_t> largest_allocation;

}  // namespace vecdb::test
