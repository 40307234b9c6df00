#pragma once

/// \file
/// The item types of dataset files: their NumPy names, and conversion to float and int64.

#include <vecdb/dataset_io.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace vecdb::persist {

/// Return the NumPy type code without the byte order, for example "f4".
[[nodiscard]] std::string_view npy_code(ItemType type) noexcept;

/// Find the type of a NumPy type code.
[[nodiscard]] std::optional<ItemType> item_type_of(std::string_view npy_code) noexcept;

[[nodiscard]] constexpr bool is_integer(ItemType type) noexcept {
    return type != ItemType::kFloat32 && type != ItemType::kFloat16 && type != ItemType::kFloat64;
}

/// Convert `count` items of `type`, of any alignment, to the nearest float.
void convert_items(ItemType type, const std::byte* items, std::size_t count, float* out) noexcept;

/// Convert `count` integers of `type`, of any alignment; bool becomes 0 or 1.
void convert_items(ItemType type,
                   const std::byte* items,
                   std::size_t count,
                   std::int64_t* out) noexcept;

}  // namespace vecdb::persist
