#pragma once

/// \file
/// Arrays whose neighbours in memory cannot be touched: reading or writing past the end (or before
/// the start) ends the program with a segmentation fault, in every build and under every emulator.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>

#include <sys/mman.h>
#include <unistd.h>

namespace vecdb::test {

/// Which end of the array lies at a forbidden page.
enum class Edge { kEnd, kStart };

/// Own `count` elements of a trivial type, all bytes 0xFF (as floats: not a number).
template <class T>
class GuardedArray {
  public:
    /// With an alignment above that of T up to alignment - 1 bytes may lie between the last element
    /// and the forbidden page; padding_untouched() tells whether they still are as they were.
    explicit GuardedArray(std::size_t count,
                          Edge edge = Edge::kEnd,
                          std::size_t alignment = alignof(T))
        : count_(count) {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        const std::size_t bytes = count * sizeof(T);
        const std::size_t usable = std::max<std::size_t>(1, (bytes + page - 1) / page) * page;
        mapped_bytes_ = usable + 2 * page;
        void* map = mmap(
            nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (map == MAP_FAILED) throw std::bad_alloc();
        map_ = static_cast<std::byte*>(map);
        std::byte* const first = map_ + page;
        end_ = first + usable;
        std::memset(first, 0xFF, usable);
        mprotect(map_, page, PROT_NONE);
        mprotect(end_, page, PROT_NONE);
        const std::size_t offset = edge == Edge::kStart ? 0 : (usable - bytes) & ~(alignment - 1);
        data_ = reinterpret_cast<T*>(first + offset);
    }
    ~GuardedArray() { munmap(map_, mapped_bytes_); }
    GuardedArray(const GuardedArray&) = delete;
    GuardedArray& operator=(const GuardedArray&) = delete;

    [[nodiscard]] T* data() noexcept { return data_; }
    [[nodiscard]] const T* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] T* begin() noexcept { return data_; }
    [[nodiscard]] T* end() noexcept { return data_ + count_; }
    [[nodiscard]] T& operator[](std::size_t i) noexcept { return data_[i]; }
    [[nodiscard]] const T& operator[](std::size_t i) const noexcept { return data_[i]; }

    /// Tell whether the bytes between the last element and the forbidden page are as they were.
    [[nodiscard]] bool padding_untouched() const noexcept {
        const auto* padding = reinterpret_cast<const std::byte*>(data_ + count_);
        return std::all_of(padding, static_cast<const std::byte*>(end_), [](std::byte b) {
            return b == std::byte{0xFF};
        });
    }

  private:
    std::size_t count_;
    std::size_t mapped_bytes_ = 0;
    std::byte* map_ = nullptr;
    std::byte* end_ = nullptr;
    T* data_ = nullptr;
};

}  // namespace vecdb::test
