#pragma once

/// \file
/// The scalar values of rows: how they lie in memory, and how they come and go.

#include "collection/storage/texts.h"
#include "simd/aligned_buffer.h"

#include <vecdb/columns.h>
#include <vecdb/schema.h>
#include <vecdb/status.h>
#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace vecdb::collection {

using ScalarFields = std::vector<ScalarField>;

/// Return a copy of the scalar fields of a schema that rows keep; null when there are none. Throws
/// std::bad_alloc.
[[nodiscard]] inline std::shared_ptr<const ScalarFields> share_scalars(const Schema& schema) {
    return schema.scalars.empty() ? nullptr : std::make_shared<const ScalarFields>(schema.scalars);
}

[[nodiscard]] std::string_view name_of(ScalarType type) noexcept;
/// Say that there is no field of that name, and which there are: kInvalidArgument.
[[nodiscard]] Status no_such_field(std::span<const ScalarField> fields, const std::string& name);

/// Return the bytes of a cell: a bool as 0 or 1, a number, or the u32 number of a text.
[[nodiscard]] constexpr std::size_t cell_bytes(ScalarType type) noexcept {
    switch (type) {
        case ScalarType::kBool:
            return 1;
        case ScalarType::kInt64:
        case ScalarType::kDouble:
            return 8;
        default:
            return 4;
    }
}
[[nodiscard]] constexpr bool has_texts(ScalarType type) noexcept {
    return type == ScalarType::kString || type == ScalarType::kBytes;
}

/// The values of one scalar field in a block of rows. Where a row is null, its cell is 0.
/// Threads: as the block; texts as Texts.
struct Cells {
    /// Make room for `rows` rows. Throws std::bad_alloc.
    Cells(const ScalarField& field, std::size_t rows, std::shared_ptr<Texts> known_texts);
    /// View cells that somebody keeps.
    Cells(const ScalarField& field,
          std::span<const std::byte> stored_values,
          std::span<const std::uint8_t> stored_nulls,
          std::shared_ptr<Texts> stored_texts) noexcept;

    template <class T>
    [[nodiscard]] T* as() const noexcept {
        return reinterpret_cast<T*>(values.data());
    }
    [[nodiscard]] bool is_null(std::size_t row) const noexcept {
        return nulls.size() != 0 && nulls[row] != 0;
    }
    [[nodiscard]] std::string_view text(std::size_t row) const noexcept {
        return (*texts)[as<std::uint32_t>()[row]];
    }
    [[nodiscard]] Scalar value(std::size_t row) const;

    /// Copy the cell of a row of the same field. Throws std::bad_alloc.
    void copy(std::size_t to, const Cells& from, std::size_t row) const;
    /// Return the bytes of a row, without texts.
    [[nodiscard]] std::size_t row_bytes() const noexcept {
        return cell_bytes(type) + (nulls.size() != 0 ? 1 : 0);
    }

    ScalarType type;
    simd::AlignedBuffer<std::byte> values;
    simd::AlignedBuffer<std::uint8_t> nulls;  ///< 1 where null; empty: the field has no nulls.
    std::shared_ptr<Texts> texts;             ///< Of kString and kBytes.
};

/// The values of all scalar fields for some rows, field by field in the order of the schema.
/// Texts are views of memory that others keep.
class ColumnBatch {
  public:
    struct Column {
        std::vector<std::uint64_t> numbers;  ///< Their bits; 0 where null.
        std::vector<std::string_view> texts;
        std::vector<std::uint8_t> nulls;  ///< Empty: none is null.
    };

    /// A batch of rows without scalar fields.
    ColumnBatch() = default;

    /// Check what a caller gave for `rows` rows, and add defaults and nulls. Returns
    /// kInvalidArgument. Throws std::bad_alloc.
    [[nodiscard]] static Result<ColumnBatch> from(const ScalarFields& fields,
                                                  std::span<const ColumnView> given,
                                                  std::size_t rows);
    /// Read what encode() wrote; texts are views of `bytes`. Returns kCorruption. Throws
    /// std::bad_alloc.
    [[nodiscard]] static Result<ColumnBatch> decode(const ScalarFields& fields,
                                                    std::span<const std::byte> bytes,
                                                    std::size_t rows);
    /// Append rows `rows` to `to`, which has a multiple of 8 bytes, as every field takes. Throws
    /// std::bad_alloc.
    void encode(const ScalarFields& fields,
                std::span<const std::uint32_t> rows,
                std::vector<std::byte>& to) const;

    /// Add a row: one cell of each field. Throws std::bad_alloc.
    void append(const ScalarFields& fields, std::span<const Cells> cells, std::size_t row);

    /// Write row `from` to row `to` of a block. Throws std::bad_alloc.
    void store(std::size_t from, std::span<const Cells> cells, std::size_t to) const;

    /// Tell whether a row is that of another batch of the same fields.
    [[nodiscard]] bool same(std::size_t row, const ColumnBatch& other, std::size_t its) const;

    [[nodiscard]] const std::vector<Column>& columns() const noexcept { return columns_; }
    [[nodiscard]] bool empty() const noexcept { return columns_.empty(); }

  private:
    std::vector<Column> columns_;
};

/// Check that a field takes a value. Returns kInvalidArgument.
[[nodiscard]] Status check_value(const ScalarField& field, const Scalar& value);

/// Return where fields of these names are. Returns kInvalidArgument for a name of none.
[[nodiscard]] Result<std::vector<std::size_t>> find_fields(const ScalarFields& fields,
                                                           std::span<const std::string> names);

}  // namespace vecdb::collection
