#pragma once

/// \file
/// Memory for kernels: aligned to cache lines, in large pages when it is large.

#include <cstddef>
#include <memory>
#include <type_traits>

namespace vecdb::simd {

inline constexpr std::size_t kCacheLine = 64;
inline constexpr std::size_t kLargePage = std::size_t{2} << 20U;

/// Return `bytes` of uninitialised memory aligned to 64 bytes. From 2 MiB on it comes straight from
/// the system, aligned to a large page and marked for large pages, is provided as it is touched and
/// goes back when freed. Throws std::bad_alloc.
[[nodiscard]] void* allocate_aligned(std::size_t bytes);
/// Free what allocate_aligned(bytes) returned.
void free_aligned(void* memory, std::size_t bytes) noexcept;

/// Own uninitialised room for `size` elements from allocate_aligned, or view another's.
template <class T>
class AlignedBuffer {
  public:
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

    AlignedBuffer() = default;
    /// Throws std::bad_alloc.
    explicit AlignedBuffer(std::size_t size)
        : data_(static_cast<T*>(allocate_aligned(size * sizeof(T))), Free{size * sizeof(T), true}),
          size_(size) {}
    /// View `size` elements that somebody else owns.
    AlignedBuffer(T* data, std::size_t size) noexcept : data_(data, Free{}), size_(size) {}

    [[nodiscard]] T* data() const noexcept { return data_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] T& operator[](std::size_t i) const noexcept { return data_.get()[i]; }

  private:
    struct Free {
        std::size_t bytes = 0;
        bool owned = false;
        void operator()(T* memory) const noexcept {
            if (owned) free_aligned(memory, bytes);
        }
    };

    std::unique_ptr<T, Free> data_;
    std::size_t size_ = 0;
};

}  // namespace vecdb::simd
