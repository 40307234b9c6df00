#pragma once

/// \file
/// operator_new.h whose `live_bytes` and `allocations` count memory of mmap too. Tests that include
/// this compile support/operator_new.cpp and support/live_memory.cpp, and link with
/// -Wl,--wrap=mmap,--wrap=munmap.

#include "support/operator_new.h"
