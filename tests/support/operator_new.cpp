#include "support/operator_new.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace vecdb::test {
std::atomic<std::size_t> allocations = 0;
std::atomic<std::size_t> live_bytes = 0;
std::atomic<std::size_t> most_live_bytes = 0;
std::atomic<std::size_t> largest_allocation = 0;
std::atomic<long> until_failure = -1;

namespace {

/// Stands right before the memory handed out.
struct Label {
    void* start;
    std::size_t bytes;
};

void* allocate(std::size_t bytes, std::size_t alignment) noexcept {
    ++allocations;
    // Exact only while one thread allocates; that is enough for a limit.
    if (bytes > largest_allocation) largest_allocation = bytes;
    if (until_failure.load() >= 0 && until_failure.fetch_sub(1) == 0) return nullptr;
    const std::size_t lead = std::max(alignment, sizeof(Label));
    if (bytes > static_cast<std::size_t>(-1) - 2 * lead) return nullptr;
    // aligned_alloc wants a multiple of the alignment.
    void* const start = std::aligned_alloc(lead, (bytes + lead + lead - 1) / lead * lead);
    if (start == nullptr) return nullptr;
    char* const memory = static_cast<char*>(start) + lead;
    reinterpret_cast<Label*>(memory)[-1] = {start, bytes};
    const std::size_t live = live_bytes += bytes;
    if (live > most_live_bytes) most_live_bytes = live;
    return memory;
}

void* allocate_or_throw(std::size_t bytes, std::size_t alignment) {
    if (void* const memory = allocate(bytes, alignment)) return memory;
    throw std::bad_alloc();
}

void release(void* memory) noexcept {
    if (memory == nullptr) return;
    const Label label = static_cast<Label*>(memory)[-1];
    live_bytes -= label.bytes;
    std::free(label.start);
}

constexpr std::size_t kAlignment = __STDCPP_DEFAULT_NEW_ALIGNMENT__;

std::size_t of(std::align_val_t alignment) {
    return static_cast<std::size_t>(alignment);
}

}  // namespace
}  // namespace vecdb::test

using namespace vecdb::test;  // NOLINT(google-build-using-namespace): for the operators below

void* operator new(std::size_t bytes) {
    return allocate_or_throw(bytes, kAlignment);
}
void* operator new[](std::size_t bytes) {
    return allocate_or_throw(bytes, kAlignment);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return allocate_or_throw(bytes, of(alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
    return allocate_or_throw(bytes, of(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    return allocate(bytes, kAlignment);
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
    return allocate(bytes, kAlignment);
}
void operator delete(void* memory) noexcept {
    release(memory);
}
void operator delete[](void* memory) noexcept {
    release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    release(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
    release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    release(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
    release(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
    release(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
    release(memory);
}
