// Any bytes as calls on a database, right ones and wrong ones: each is answered as the model of the
// database says, or refused with a reason, and nothing has changed then. With
// VECDB_FUZZ_TRACE in the environment it says how each call ended.

#include "fuzz/calls/caller.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    constexpr std::size_t kMostCalls = 64;
    vecdb::test::Caller caller({bytes, size});
    for (std::size_t calls = 0; calls < kMostCalls && caller.call();)
        ++calls;
    caller.finish();
    return 0;
}
