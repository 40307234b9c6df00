#include "persist/formats/layout.h"

#include "check.h"
#include "persist/formats/file_format.h"
#include "persist/formats/npy_header.h"

#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <string>

namespace vecdb::persist {

namespace {

template <class T>
Result<T> read_number(const InputFile& file, std::uint64_t offset) {
    std::array<std::byte, sizeof(T)> bytes = {};
    VECDB_TRY(file.read_at(offset, bytes));
    T value = 0;
    std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
}

std::optional<std::uint64_t> multiply(std::uint64_t a, std::uint64_t b) noexcept {
    if (b != 0 && a > std::numeric_limits<std::uint64_t>::max() / b) return std::nullopt;
    return a * b;
}

std::optional<std::uint64_t> add(std::uint64_t a, std::uint64_t b) noexcept {
    if (a > std::numeric_limits<std::uint64_t>::max() - b) return std::nullopt;
    return a + b;
}

Status corruption(std::string message) {
    return {StatusCode::kCorruption, std::move(message)};
}

Status zero_dimension() {
    return {StatusCode::kInvalidArgument, "dimension 0, expected 1 or more"};
}

Status too_short(const InputFile& file, std::uint64_t header_bytes) {
    return corruption("truncated: " + std::to_string(file.size()) +
                      " bytes, expected a header of " + std::to_string(header_bytes));
}

/// Return the size that the header asks for, or nothing when 64 bits do not hold it.
std::optional<std::uint64_t> expected_bytes(const DatasetInfo& info) noexcept {
    const auto row_items = multiply(info.dim, item_bytes(info.item));
    if (!row_items) return std::nullopt;
    const auto row = add(*row_items, row_header_bytes(info.format));
    if (!row) return std::nullopt;
    const auto rows = multiply(info.rows, *row);
    return rows ? add(*rows, info.data_offset) : std::nullopt;
}

Status check_size(const DatasetInfo& info) {
    if (info.dim == 0) return zero_dimension();
    const auto expected = expected_bytes(info);
    if (expected == info.file_bytes) return {};
    const bool shorter = !expected || *expected > info.file_bytes;
    return corruption(std::string(shorter ? "truncated: " : "trailing bytes: ") +
                      std::to_string(info.file_bytes) + " bytes, expected " +
                      (expected ? std::to_string(*expected) : "more than 2^64") + " for " +
                      std::to_string(info.rows) + " x " + std::to_string(info.dim) + " " +
                      std::string(to_string(info.item)));
}

/// Return where the dictionary begins and ends.
Result<std::pair<std::uint64_t, std::uint64_t>> locate_npy_header(const InputFile& file) {
    std::array<std::byte, kNpyVersionEnd> start = {};
    if (file.size() < start.size() + 2) return too_short(file, start.size() + 2);
    VECDB_TRY(file.read_at(0, start));
    if (std::memcmp(start.data(), kNpyMagic.data(), kNpyMagic.size()) != 0) {
        return corruption("does not begin with \\x93NUMPY, expected a .npy file");
    }
    const int major = std::to_integer<int>(start[6]);
    const int minor = std::to_integer<int>(start[7]);
    if (major < 1 || major > 3 || minor != 0) {
        return Status(StatusCode::kUnsupported,
                      ".npy version " + std::to_string(major) + "." + std::to_string(minor) +
                          ", expected 1.0, 2.0 or 3.0");
    }
    if (major == 1) {
        VECDB_ASSIGN(const auto bytes, read_number<std::uint16_t>(file, kNpyVersionEnd));
        return std::pair<std::uint64_t, std::uint64_t>(kNpyVersionEnd + 2,
                                                       kNpyVersionEnd + 2 + bytes);
    }
    if (file.size() < kNpyVersionEnd + 4) return too_short(file, kNpyVersionEnd + 4);
    VECDB_ASSIGN(const auto bytes, read_number<std::uint32_t>(file, kNpyVersionEnd));
    return std::pair<std::uint64_t, std::uint64_t>(kNpyVersionEnd + 4,
                                                   kNpyVersionEnd + 4 + std::uint64_t{bytes});
}

Status read_npy(const InputFile& file, DatasetInfo& info) {
    VECDB_ASSIGN(const auto range, locate_npy_header(file));
    const auto [begin, end] = range;
    if (end - begin > kMaxNpyHeaderBytes) {
        return corruption(".npy header of " + std::to_string(end - begin) +
                          " bytes, expected at most " + std::to_string(kMaxNpyHeaderBytes));
    }
    if (end > file.size()) return too_short(file, end);
    std::string text(static_cast<std::size_t>(end - begin), '\0');
    VECDB_TRY(file.read_at(begin, std::as_writable_bytes(std::span(text))));
    VECDB_ASSIGN(const NpyHeader header, parse_npy_header(text));
    info.item = header.item;
    info.rows = header.rows;
    info.dim = header.dim;
    info.one_dimensional = header.one_dimensional;
    info.data_offset = end;
    return check_size(info);
}

Status read_rows_and_dim(const InputFile& file, DatasetInfo& info) {
    if (file.size() < kFileHeaderBytes) return too_short(file, kFileHeaderBytes);
    VECDB_ASSIGN(info.rows, read_number<std::uint32_t>(file, 0));
    VECDB_ASSIGN(info.dim, read_number<std::uint32_t>(file, 4));
    info.data_offset = kFileHeaderBytes;
    return check_size(info);
}

Status read_dim_per_row(const InputFile& file, DatasetInfo& info) {
    if (file.size() == 0) return corruption("is empty: no row tells the dimension");
    if (file.size() < kRowHeaderBytes) return too_short(file, kRowHeaderBytes);
    VECDB_ASSIGN(const auto dim, read_number<std::int32_t>(file, 0));
    if (dim == 0) return zero_dimension();
    if (dim < 0) return corruption("dimension " + std::to_string(dim) + ", expected 1 or more");
    info.dim = static_cast<std::uint64_t>(dim);
    const std::uint64_t row_bytes = kRowHeaderBytes + info.dim * item_bytes(info.item);
    info.rows = file.size() / row_bytes;
    if (file.size() % row_bytes != 0) {
        return corruption("truncated or with trailing bytes: " + std::to_string(file.size()) +
                          " bytes, expected a multiple of " + std::to_string(row_bytes) +
                          " for rows of " + std::to_string(dim) + " " +
                          std::string(to_string(info.item)));
    }
    const std::uint64_t last = info.rows - 1;
    VECDB_ASSIGN(const auto last_dim, read_number<std::int32_t>(file, last * row_bytes));
    return check_row_dim(last_dim, info, last);
}

}  // namespace

Status check_row_dim(std::int32_t found, const DatasetInfo& info, std::uint64_t row) {
    if (found > 0 && static_cast<std::uint64_t>(found) == info.dim) return {};
    return corruption("row " + std::to_string(row) + " has dimension " + std::to_string(found) +
                      ", expected " + std::to_string(info.dim) + " as row 0 has");
}

Result<DatasetInfo> read_layout(const InputFile& file, FileFormat format) {
    VECDB_ASSIGN(const FormatTraits traits, format_traits(format));
    DatasetInfo info;
    info.format = format;
    info.item = traits.item.value_or(info.item);
    info.file_bytes = file.size();
    switch (traits.layout) {
        case Layout::kNpy:
            VECDB_TRY(read_npy(file, info));
            break;
        case Layout::kDimPerRow:
            VECDB_TRY(read_dim_per_row(file, info));
            break;
        case Layout::kRowsAndDim:
            VECDB_TRY(read_rows_and_dim(file, info));
            break;
    }
    return info;
}

}  // namespace vecdb::persist
