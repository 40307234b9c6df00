#include "support/operator_new.h"

#include <cstddef>

#include <sys/mman.h>

using vecdb::test::allocations;
using vecdb::test::live_bytes;

// NOLINTBEGIN: names that the linker's --wrap asks for
extern "C" {
void* __real_mmap(void* at, std::size_t bytes, int protection, int flags, int file, off_t offset);
int __real_munmap(void* at, std::size_t bytes);

void* __wrap_mmap(void* at, std::size_t bytes, int protection, int flags, int file, off_t offset) {
    void* const memory = __real_mmap(at, bytes, protection, flags, file, offset);
    if (memory != MAP_FAILED) {
        live_bytes += bytes;
        ++allocations;
    }
    return memory;
}

int __wrap_munmap(void* at, std::size_t bytes) {
    live_bytes -= bytes;
    return __real_munmap(at, bytes);
}
}
// NOLINTEND
