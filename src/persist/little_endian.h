#pragma once

/// \file
/// Numbers as they stand in files: fixed width, lowest byte first.

#include <bit>
#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>

namespace vecdb::persist {

static_assert(std::endian::native == std::endian::little, "other byte orders are not supported");

/// Write `value` to bytes [at, at + sizeof(T)) of `to`.
template <class T>
void store(std::span<std::byte> to, std::size_t at, const T& value) noexcept {
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(to.subspan(at, sizeof(T)).data(), &value, sizeof(T));
}

/// Read bytes [at, at + sizeof(T)) of `from`.
template <class T>
[[nodiscard]] T load(std::span<const std::byte> from, std::size_t at) noexcept {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, from.subspan(at, sizeof(T)).data(), sizeof(T));
    return value;
}

/// Return `size` rounded up to a multiple of `unit`, a power of two.
template <class T>
[[nodiscard]] constexpr T padded(T size, T unit) noexcept {
    return (size + unit - 1) & ~(unit - 1);
}

}  // namespace vecdb::persist
