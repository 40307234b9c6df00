#pragma once

/// \file
/// The mark of functions that do nothing but prefetch.

/// GCC takes such a function for one without effects and removes the calls that it does not inline
/// at once, so all of them must be inlined. tests/symbols.sh looks whether kernels still prefetch.
#define VECDB_PREFETCHES [[gnu::always_inline]] inline
