#include "support/largest_allocation.h"

#include <cstdlib>
#include <new>

namespace vecdb::test {
std::atomic<std::size_t> largest_allocation = 0;
}  // namespace vecdb::test

void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    auto& largest = vecdb::test::largest_allocation;
    if (bytes > largest) largest = bytes;
    return std::malloc(bytes != 0 ? bytes : 1);
}
void* operator new(std::size_t bytes) {
    if (void* memory = operator new(bytes, std::nothrow)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
