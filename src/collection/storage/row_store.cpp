#include "collection/storage/row_store.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace vecdb::collection {
namespace {

/// Vectors of a full-sized block: large enough that blocks are few and large pages fit, small
/// enough that the unused end of the last one does not matter.
constexpr std::size_t kBlockBytes = std::size_t{8} << 20U;
constexpr std::size_t kMinBlockRows = 64;
/// Rows of the first block at first: tenants with a handful of rows are many.
constexpr std::size_t kFirstRows = 8;

/// Copy the first `used` rows of a block to a larger one.
void copy_rows(const RowBlock& from,
               const RowBlock& to,
               const RowFormat& format,
               std::size_t used) {
    std::memcpy(to.ids.data(), from.ids.data(), used * sizeof(Id));
    for (std::size_t field = 0; field < format.vector_fields(); ++field) {
        const VectorColumn& vectors = from.vectors(field);
        std::memcpy(to.vectors(field).elements.data(),
                    vectors.elements.data(),
                    used * format.vector(field).bytes());
        std::memcpy(to.vectors(field).norms.data(), vectors.norms.data(), used * sizeof(float));
    }
    for (std::size_t i = 0; i < to.cells.size(); ++i) {
        const Cells& cells = from.cells[i];
        std::memcpy(to.cells[i].values.data(), cells.values.data(), used * cell_bytes(cells.type));
        if (cells.nulls.size() != 0)
            std::memcpy(to.cells[i].nulls.data(), cells.nulls.data(), used);
    }
}

}  // namespace

std::size_t RowFormat::vectors_bytes() const noexcept {
    std::size_t bytes = 0;
    for (std::size_t field = 0; field < vector_fields(); ++field)
        bytes += vector(field).bytes();
    return bytes;
}

std::size_t RowFormat::bytes() const noexcept {
    std::size_t bytes = vectors_bytes() + vector_fields() * sizeof(float) + sizeof(Id);
    for (const ScalarField& field : fields())
        bytes += cell_bytes(field.type) + (field.nullable ? 1 : 0);
    return bytes;
}

RowFormat RowFields::format() const {
    RowFormat format({first().dim, first().element_type}, scalars);
    if (vectors.size() == 1) return format;
    std::vector<VectorFormat> further;
    for (const VectorField& field : vectors.subspan(1))
        further.push_back({field.dim, field.element_type});
    format.further = std::make_shared<const std::vector<VectorFormat>>(std::move(further));
    return format;
}

RowBlock::RowBlock(std::size_t rows,
                   const RowFormat& format,
                   std::span<const std::shared_ptr<Texts>> texts)
    : capacity(rows), ids(rows), first(format.first, rows) {
    further.reserve(format.vector_fields() - 1);
    for (std::size_t field = 1; field < format.vector_fields(); ++field)
        further.emplace_back(format.vector(field), rows);
    const auto fields = format.fields();
    cells.reserve(fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i)
        cells.emplace_back(fields[i], rows, texts[i]);
}

RowStore::RowStore(const RowFormat& format)
    : format_(format),
      rows_per_block_(static_cast<std::uint32_t>(
          std::clamp(kBlockBytes / format.vectors_bytes(), kMinBlockRows, kMaxBlockRows) / 64 *
          64)),
      blocks_(std::make_shared<BlockTable>()) {}

RowStore::RowStore(const RowFormat& format, std::size_t rows) : RowStore(format) {
    auto table = std::make_shared<BlockTable>();
    table->push_back(make_block(rows));
    blocks_ = std::move(table);
    rows_per_block_ = static_cast<std::uint32_t>((rows + 63) / 64 * 64);
}

RowStore::RowStore(const RowFormat& format, std::shared_ptr<RowBlock> block)
    : format_(format),
      rows_per_block_(static_cast<std::uint32_t>((block->capacity + 63) / 64 * 64)) {
    auto table = std::make_shared<BlockTable>();
    table->push_back(std::move(block));
    blocks_ = std::move(table);
}

/// Make a block whose texts are those of all blocks.
std::shared_ptr<RowBlock> RowStore::make_block(std::size_t rows) {
    const auto fields = format_.fields();
    if (texts_.size() != fields.size()) {
        std::vector<std::shared_ptr<Texts>> texts(fields.size());
        for (std::size_t i = 0; i < fields.size(); ++i) {
            if (has_texts(fields[i].type)) texts[i] = std::make_shared<Texts>();
        }
        texts_ = std::move(texts);
    }
    return std::make_shared<RowBlock>(rows, format_, texts_);
}

void RowStore::reserve(std::size_t rows, std::size_t used) {
    const std::size_t full = rows_per_block();
    const std::size_t first = blocks_->empty() ? 0 : blocks_->front()->capacity;
    const std::size_t capacity = first < full ? first : blocks_->size() * full;
    if (rows <= capacity) return;

    auto table = std::make_shared<BlockTable>(*blocks_);
    if (first < full) {
        const std::size_t wanted = std::min(full, std::max(std::bit_ceil(rows), kFirstRows));
        auto larger = make_block(wanted);
        if (first == 0) {
            table->push_back(std::move(larger));
        } else {
            copy_rows(*table->front(), *larger, format_, used);
            table->front() = std::move(larger);
        }
    }
    const std::size_t wanted_blocks = (rows + full - 1) / full;
    while (table->size() < wanted_blocks)
        table->push_back(make_block(full));
    blocks_ = std::move(table);
}

std::size_t RowStore::memory_bytes(std::size_t used) const noexcept {
    const std::size_t small = blocks_->size() == 1 ? blocks_->front()->capacity : 0;
    // Blocks large enough to come from the system cost what was touched of them.
    const bool lazy = small * format_.first.bytes() >= simd::kLargePage;
    const std::size_t rows = lazy ? used : std::max(small, used);
    std::size_t bytes = rows * format_.bytes() + blocks_->size() * sizeof(RowBlock);
    if (blocks_->empty()) return bytes;
    for (const Cells& cells : blocks_->front()->cells)
        bytes += sizeof(Cells) + (cells.texts != nullptr ? cells.texts->memory_bytes() : 0);
    return bytes;
}

}  // namespace vecdb::collection
