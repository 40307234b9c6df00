#pragma once

/// \file
/// The table of dataset file formats.

#include <vecdb/dataset_io.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace vecdb::persist {

/// How a format says what it holds. FORMATS.md shows the bytes.
enum class Layout : std::uint8_t {
    kNpy,         ///< A dictionary in text before the rows.
    kDimPerRow,   ///< int32 dim before every row.
    kRowsAndDim,  ///< uint32 rows, uint32 dim before the rows.
};

struct FormatTraits {
    FileFormat format;
    std::string_view name;  ///< The extension without the dot.
    Layout layout;
    std::optional<ItemType> item;  ///< Empty: the file tells.
};

/// Bytes before every row in Layout::kDimPerRow, and before all rows in Layout::kRowsAndDim.
inline constexpr std::uint64_t kRowHeaderBytes = 4;
inline constexpr std::uint64_t kFileHeaderBytes = 8;

/// Look a format up. Returns kInvalidArgument for a value that is no enumerator.
[[nodiscard]] Result<FormatTraits> format_traits(FileFormat format);

/// Return the bytes before every row of a format.
[[nodiscard]] std::uint64_t row_header_bytes(FileFormat format) noexcept;

}  // namespace vecdb::persist
