#pragma once

/// \file
/// Rows of a dataset file, converted batch by batch.

#include "check.h"
#include "persist/formats/file_format.h"
#include "persist/formats/input_file.h"
#include "persist/formats/item_type.h"
#include "persist/formats/layout.h"

#include <vecdb/dataset_io.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

namespace vecdb::persist {

/// Read rows as `Out`, float or std::int64_t, through one buffer of at most 1 MiB. A row may be
/// longer than the buffer. `info` must be what read_layout() returned for `file`.
template <class Out>
class RowReader {
  public:
    RowReader(const InputFile& file, const DatasetInfo& info) noexcept
        : file_(file),
          info_(info),
          item_bytes_(item_bytes(info.item)),
          header_bytes_(row_header_bytes(info.format)),
          row_bytes_(header_bytes_ + info.dim * item_bytes_) {}

    /// Read rows [first, first + rows), which must exist, to rows x dim values at `out`.
    [[nodiscard]] Status read(std::uint64_t first, std::uint64_t rows, Out* out) {
        const std::uint64_t offset = info_.data_offset + first * row_bytes_;
        if (header_bytes_ == 0) return read_items(offset, rows * info_.dim, out);
        if (row_bytes_ <= kBufferBytes) return read_short_rows(first, rows, out);
        for (std::uint64_t row = first; row < first + rows; ++row, out += info_.dim) {
            VECDB_TRY(read_long_row(row, out));
        }
        return {};
    }

  private:
    static constexpr std::uint64_t kBufferBytes = std::uint64_t{1} << 20U;
    static constexpr ItemType kOutType = ItemTypeOf<Out>::kValue;

    [[nodiscard]] std::span<std::byte> buffer(std::uint64_t bytes) {
        if (buffer_.size() < bytes) buffer_.resize(static_cast<std::size_t>(bytes));
        return std::span(buffer_).first(static_cast<std::size_t>(bytes));
    }

    [[nodiscard]] Status read_items(std::uint64_t offset, std::uint64_t count, Out* out) {
        if (info_.item == kOutType) {
            const std::span<Out> values(out, static_cast<std::size_t>(count));
            return file_.read_at(offset, std::as_writable_bytes(values));
        }
        const std::uint64_t step = kBufferBytes / item_bytes_;
        for (std::uint64_t done = 0; done < count; done += step) {
            const std::uint64_t items = std::min(step, count - done);
            const std::span<std::byte> bytes = buffer(items * item_bytes_);
            VECDB_TRY(file_.read_at(offset + done * item_bytes_, bytes));
            convert_items(info_.item, bytes.data(), static_cast<std::size_t>(items), out + done);
        }
        return {};
    }

    [[nodiscard]] Status read_short_rows(std::uint64_t first, std::uint64_t rows, Out* out) {
        const std::uint64_t step = kBufferBytes / row_bytes_;
        for (std::uint64_t done = 0; done < rows; done += step) {
            const std::uint64_t count = std::min(step, rows - done);
            const std::span<std::byte> bytes = buffer(count * row_bytes_);
            VECDB_TRY(file_.read_at(info_.data_offset + (first + done) * row_bytes_, bytes));
            for (std::uint64_t i = 0; i < count; ++i, out += info_.dim) {
                const std::byte* row = bytes.data() + i * row_bytes_;
                VECDB_TRY(check_row(row, first + done + i));
                convert_items(
                    info_.item, row + header_bytes_, static_cast<std::size_t>(info_.dim), out);
            }
        }
        return {};
    }

    [[nodiscard]] Status read_long_row(std::uint64_t row, Out* out) {
        const std::uint64_t offset = info_.data_offset + row * row_bytes_;
        const std::span<std::byte> header = buffer(header_bytes_);
        VECDB_TRY(file_.read_at(offset, header));
        VECDB_TRY(check_row(header.data(), row));
        return read_items(offset + header_bytes_, info_.dim, out);
    }

    [[nodiscard]] Status check_row(const std::byte* header, std::uint64_t row) const {
        std::int32_t dim = 0;
        std::memcpy(&dim, header, sizeof(dim));
        return check_row_dim(dim, info_, row);
    }

    const InputFile& file_;
    const DatasetInfo& info_;
    std::uint64_t item_bytes_;
    std::uint64_t header_bytes_;
    std::uint64_t row_bytes_;
    std::vector<std::byte> buffer_;
};

}  // namespace vecdb::persist
