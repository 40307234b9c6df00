#pragma once

/// \file
/// Rows in memory: vectors, ids, norms and scalars in blocks that never move once they are
/// full-sized.

#include "collection/storage/columns.h"
#include "simd/aligned_buffer.h"

#include <vecdb/schema.h>
#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace vecdb::collection {

/// How a vector lies in memory.
struct VectorFormat {
    std::size_t dim = 0;
    ElementType type = ElementType::kFloat32;

    [[nodiscard]] std::size_t bytes() const noexcept { return vector_bytes(type, dim); }
};

/// How a row lies in memory.
struct RowFormat {
    RowFormat() = default;
    /// \param fields  null: there are none
    RowFormat(const VectorFormat& field,  // NOLINT(google-explicit-constructor)
              std::shared_ptr<const ScalarFields> fields = nullptr) noexcept
        : first(field), scalars(std::move(fields)) {}

    /// Return the number of vector fields, at least 1.
    [[nodiscard]] std::size_t vector_fields() const noexcept {
        return further != nullptr ? 1 + further->size() : 1;
    }
    [[nodiscard]] const VectorFormat& vector(std::size_t field) const noexcept {
        return field == 0 ? first : (*further)[field - 1];
    }
    /// Return the bytes of the vectors of a row.
    [[nodiscard]] std::size_t vectors_bytes() const noexcept;
    /// Return the bytes of a row, without its texts.
    [[nodiscard]] std::size_t bytes() const noexcept;
    [[nodiscard]] std::span<const ScalarField> fields() const noexcept {
        return scalars != nullptr ? std::span<const ScalarField>(*scalars)
                                  : std::span<const ScalarField>();
    }

    VectorFormat first;
    std::shared_ptr<const std::vector<VectorFormat>> further;  ///< Null: there is one vector field.
    std::shared_ptr<const ScalarFields> scalars;
};

/// What rows of a collection consist of.
struct RowFields {
    std::span<const VectorField> vectors;         ///< At least one.
    std::shared_ptr<const ScalarFields> scalars;  ///< Null: there are none.

    [[nodiscard]] const VectorField& first() const noexcept { return vectors.front(); }
    /// Throws std::bad_alloc.
    [[nodiscard]] RowFormat format() const;
};

/// The vectors of one field in a block of rows.
struct VectorColumn {
    VectorColumn(const VectorFormat& format, std::size_t rows)
        : elements(rows * format.bytes()), norms(rows) {}
    /// View vectors that somebody keeps.
    VectorColumn(std::span<const std::byte> stored_elements,
                 std::span<const float> stored_norms) noexcept
        : elements(const_cast<std::byte*>(stored_elements.data()), stored_elements.size()),
          norms(const_cast<float*>(stored_norms.data()), stored_norms.size()) {}

    simd::AlignedBuffer<std::byte> elements;
    /// Squared lengths, 0 of bits; under cosine, lengths before rows became unit rows.
    simd::AlignedBuffer<float> norms;
};

/// Room for `capacity` rows. Rows below a published count are constant; the writer fills the
/// others.
struct RowBlock {
    /// \param texts  one for each scalar field, null where it has none
    RowBlock(std::size_t rows,
             const RowFormat& format,
             std::span<const std::shared_ptr<Texts>> texts);
    /// View rows that `owner` keeps where they are; they are never written to.
    RowBlock(std::span<const Id> stored_ids,
             VectorColumn stored_first,
             std::vector<VectorColumn> stored_further,
             std::vector<Cells> stored_cells,
             std::shared_ptr<const void> owner) noexcept
        : source(std::move(owner)),
          capacity(stored_ids.size()),
          ids(const_cast<Id*>(stored_ids.data()), stored_ids.size()),
          first(std::move(stored_first)),
          further(std::move(stored_further)),
          cells(std::move(stored_cells)) {}

    [[nodiscard]] const VectorColumn& vectors(std::size_t field) const noexcept {
        return field == 0 ? first : further[field - 1];
    }

    std::shared_ptr<const void> source;  ///< Null: the memory is the block's own.
    std::size_t capacity;
    simd::AlignedBuffer<Id> ids;
    VectorColumn first;                 ///< Of the first vector field.
    std::vector<VectorColumn> further;  ///< Of the others.
    std::vector<Cells> cells;           ///< One for each scalar field.
};

/// Most rows of a block of a growing segment.
inline constexpr std::size_t kMaxBlockRows = std::size_t{1} << 16U;

using BlockTable = std::vector<std::shared_ptr<RowBlock>>;

/// The blocks of one segment. Row r lies in block r / rows_per_block().
///
/// A sealed segment has one block. Of a growing one every block but the first is made full-sized;
/// the first starts small and is copied to a larger one as it grows, so that a small collection
/// stays small. Readers hold the table they were given. Threads: one writer; tables handed out are
/// immutable.
class RowStore {
  public:
    /// Make an empty store that grows.
    explicit RowStore(const RowFormat& format);
    /// Make room for exactly `rows` >= 1 rows in one piece. Throws std::bad_alloc.
    RowStore(const RowFormat& format, std::size_t rows);
    /// Hold the rows of `block`, which is full.
    RowStore(const RowFormat& format, std::shared_ptr<RowBlock> block);

    [[nodiscard]] const RowFormat& format() const noexcept { return format_; }
    /// A multiple of 64.
    [[nodiscard]] std::size_t rows_per_block() const noexcept { return rows_per_block_; }

    /// Make room for `rows` rows in all, of which `used` are to be kept. Throws std::bad_alloc and
    /// then changes nothing.
    void reserve(std::size_t rows, std::size_t used);

    [[nodiscard]] const std::shared_ptr<const BlockTable>& blocks() const noexcept {
        return blocks_;
    }

    [[nodiscard]] std::byte* vector(std::size_t row, std::size_t field = 0) const noexcept {
        return block(row).vectors(field).elements.data() +
               offset(row) * format_.vector(field).bytes();
    }
    [[nodiscard]] Id& id(std::size_t row) const noexcept { return block(row).ids[offset(row)]; }
    [[nodiscard]] float& norm(std::size_t row, std::size_t field = 0) const noexcept {
        return block(row).vectors(field).norms[offset(row)];
    }
    [[nodiscard]] std::span<const Cells> cells(std::size_t row) const noexcept {
        return block(row).cells;
    }
    /// Return where a row is in its block, and so in cells(row).
    [[nodiscard]] std::size_t offset(std::size_t row) const noexcept {
        return static_cast<std::uint32_t>(row) % rows_per_block_;
    }
    /// Return how many rows from `row` on lie in one piece.
    [[nodiscard]] std::size_t run(std::size_t row) const noexcept {
        return rows_per_block() - offset(row);
    }

    /// Return the bytes that `used` rows take.
    [[nodiscard]] std::size_t memory_bytes(std::size_t used) const noexcept;

  private:
    // Row numbers fit 32 bits, and 32-bit divisions are much the faster ones.
    [[nodiscard]] RowBlock& block(std::size_t row) const noexcept {
        return *(*blocks_)[static_cast<std::uint32_t>(row) / rows_per_block_];
    }

    std::shared_ptr<RowBlock> make_block(std::size_t rows);

    RowFormat format_;
    std::uint32_t rows_per_block_;
    std::vector<std::shared_ptr<Texts>>
        texts_;  // one for each scalar field, from the first block on
    std::shared_ptr<const BlockTable> blocks_;
};

}  // namespace vecdb::collection
