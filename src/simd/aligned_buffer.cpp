#include "simd/aligned_buffer.h"

#include <cstdint>
#include <new>

#if defined(__linux__)
#    include <sys/mman.h>
#endif

namespace vecdb::simd {
namespace {

constexpr std::align_val_t kLineAlignment{kCacheLine};

#if defined(__linux__)

constexpr std::size_t round_up(std::size_t bytes, std::size_t unit) {
    return (bytes + unit - 1) / unit * unit;
}
constexpr std::size_t kPage = 4'096;

/// Return the bytes to map: whole large pages when little of the last one is left over.
constexpr std::size_t mapped_bytes(std::size_t bytes) {
    const std::size_t large = round_up(bytes, kLargePage);
    return large - bytes <= bytes / 32 ? large : round_up(bytes, kPage);
}

void* map_large(std::size_t bytes) {
    if (bytes > SIZE_MAX - 2 * kLargePage) throw std::bad_alloc();
    const std::size_t wanted = mapped_bytes(bytes);
    void* const start = ::mmap(
        nullptr, wanted + kLargePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) throw std::bad_alloc();
    // Give back what lies before the first large page and after the end.
    auto* const first = static_cast<std::byte*>(start);
    const std::size_t before = round_up(reinterpret_cast<std::uintptr_t>(start), kLargePage) -
                               reinterpret_cast<std::uintptr_t>(start);
    if (before > 0) ::munmap(first, before);
    if (before < kLargePage) ::munmap(first + before + wanted, kLargePage - before);
    // Advice, for whole large pages only: a last part of one is not blown up to 2 MiB.
    ::madvise(first + before, wanted / kLargePage * kLargePage, MADV_HUGEPAGE);
    return first + before;
}

#endif

}  // namespace

void* allocate_aligned(std::size_t bytes) {
#if defined(__linux__)
    if (bytes >= kLargePage) return map_large(bytes);
#endif
    return ::operator new(bytes, kLineAlignment);
}

void free_aligned(void* memory, std::size_t bytes) noexcept {
#if defined(__linux__)
    if (bytes >= kLargePage) {
        ::munmap(memory, mapped_bytes(bytes));
        return;
    }
#endif
    ::operator delete(memory, kLineAlignment);
}

}  // namespace vecdb::simd
