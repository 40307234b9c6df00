#include "persist/formats/file_format.h"

#include "check.h"
#include "persist/errors.h"

#include <algorithm>
#include <string>

namespace vecdb {

namespace {

using persist::FormatTraits;
using persist::Layout;

constexpr std::array<FormatTraits, 8> kFormats = {{
    {FileFormat::kNpy, "npy", Layout::kNpy, std::nullopt},
    {FileFormat::kFvecs, "fvecs", Layout::kDimPerRow, ItemType::kFloat32},
    {FileFormat::kIvecs, "ivecs", Layout::kDimPerRow, ItemType::kInt32},
    {FileFormat::kBvecs, "bvecs", Layout::kDimPerRow, ItemType::kUint8},
    {FileFormat::kFbin, "fbin", Layout::kRowsAndDim, ItemType::kFloat32},
    {FileFormat::kIbin, "ibin", Layout::kRowsAndDim, ItemType::kInt32},
    {FileFormat::kU8bin, "u8bin", Layout::kRowsAndDim, ItemType::kUint8},
    {FileFormat::kI8bin, "i8bin", Layout::kRowsAndDim, ItemType::kInt8},
}};

const FormatTraits* find(FileFormat format) noexcept {
    for (const FormatTraits& traits : kFormats) {
        if (traits.format == format) return &traits;
    }
    return nullptr;
}

std::string lower_case(std::string text) {
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return text;
}

std::string known_extensions() {
    std::string list;
    for (const FormatTraits& traits : kFormats) {
        list += (list.empty() ? "." : ", .") + std::string(traits.name);
    }
    return list;
}

}  // namespace

std::string_view to_string(FileFormat format) noexcept {
    const FormatTraits* traits = find(format);
    return traits == nullptr ? "unknown" : traits->name;
}

Result<FileFormat> file_format_of(const std::filesystem::path& path) {
    return guard([&]() -> Result<FileFormat> {
        const std::string extension = path.extension().string();
        for (const FormatTraits& traits : kFormats) {
            if (lower_case(extension) == "." + std::string(traits.name)) return traits.format;
        }
        const Status status(
            StatusCode::kInvalidArgument,
            "extension \"" + extension + "\", expected one of " + known_extensions());
        return persist::in_file(path, status);
    });
}

namespace persist {

Result<FormatTraits> format_traits(FileFormat format) {
    const FormatTraits* traits = find(format);
    if (traits != nullptr) return *traits;
    return Status(StatusCode::kInvalidArgument,
                  "format " + std::to_string(static_cast<int>(format)) + " is unknown");
}

std::uint64_t row_header_bytes(FileFormat format) noexcept {
    const FormatTraits* traits = find(format);
    return traits != nullptr && traits->layout == Layout::kDimPerRow ? kRowHeaderBytes : 0;
}

}  // namespace persist

}  // namespace vecdb
