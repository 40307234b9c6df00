#pragma once

/// \file
/// The text dictionary at the start of a .npy file.

#include <vecdb/dataset_io.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vecdb::persist {

struct NpyHeader {
    ItemType item = ItemType::kFloat32;
    std::uint64_t rows = 0;
    std::uint64_t dim = 1;
    bool one_dimensional = false;
};

/// Magic and version. A header length of 2 bytes (version 1) or 4 bytes (2 and 3) follows.
inline constexpr std::string_view kNpyMagic("\x93NUMPY", 6);
inline constexpr std::size_t kNpyVersionEnd = 8;
inline constexpr std::uint64_t kMaxNpyHeaderBytes = 65'536;

/// Bytes before the rows in the files that we write, whatever the shape, so that the header can be
/// written again when the number of rows is known.
inline constexpr std::size_t kNpyWrittenHeaderBytes = 128;

/// Parse the dictionary, the text between the header length and the items.
/// Returns kCorruption naming the byte where it is malformed; kUnsupported for Fortran order,
/// big-endian and other item types, structures, and other than one or two axes.
[[nodiscard]] Result<NpyHeader> parse_npy_header(std::string_view text);

/// Write magic, version 1.0, length and dictionary: kNpyWrittenHeaderBytes bytes.
[[nodiscard]] std::string format_npy_header(const NpyHeader& header);

}  // namespace vecdb::persist
