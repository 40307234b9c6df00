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

constexpr std::size_t row_bytes(std::size_t vector_bytes) {
    return vector_bytes + sizeof(Id) + sizeof(float);
}

std::shared_ptr<RowBlock> grow(const RowBlock& old,
                               std::size_t capacity,
                               std::size_t vector_bytes,
                               std::size_t used) {
    auto larger = std::make_shared<RowBlock>(capacity, vector_bytes);
    std::memcpy(larger->vectors.data(), old.vectors.data(), used * vector_bytes);
    std::memcpy(larger->ids.data(), old.ids.data(), used * sizeof(Id));
    std::memcpy(larger->norms.data(), old.norms.data(), used * sizeof(float));
    return larger;
}

}  // namespace

RowStore::RowStore(const VectorFormat& format)
    : format_(format),
      vector_bytes_(format.bytes()),
      rows_per_block_(static_cast<std::uint32_t>(
          std::clamp(kBlockBytes / vector_bytes_, kMinBlockRows, kMaxBlockRows) / 64 * 64)),
      blocks_(std::make_shared<BlockTable>()) {}

RowStore::RowStore(const VectorFormat& format, std::size_t rows)
    : RowStore(format, std::make_shared<RowBlock>(rows, format.bytes())) {}

RowStore::RowStore(const VectorFormat& format, std::shared_ptr<RowBlock> block)
    : format_(format),
      vector_bytes_(format.bytes()),
      rows_per_block_(static_cast<std::uint32_t>((block->capacity + 63) / 64 * 64)) {
    auto table = std::make_shared<BlockTable>();
    table->push_back(std::move(block));
    blocks_ = std::move(table);
}

void RowStore::reserve(std::size_t rows, std::size_t used) {
    const std::size_t full = rows_per_block();
    const std::size_t first = blocks_->empty() ? 0 : blocks_->front()->capacity;
    const std::size_t capacity = first < full ? first : blocks_->size() * full;
    if (rows <= capacity) return;

    auto table = std::make_shared<BlockTable>(*blocks_);
    if (first < full) {
        const std::size_t wanted = std::min(full, std::max(std::bit_ceil(rows), kFirstRows));
        if (first == 0) {
            table->push_back(std::make_shared<RowBlock>(wanted, vector_bytes_));
        } else {
            table->front() = grow(*table->front(), wanted, vector_bytes_, used);
        }
    }
    const std::size_t wanted_blocks = (rows + full - 1) / full;
    while (table->size() < wanted_blocks)
        table->push_back(std::make_shared<RowBlock>(full, vector_bytes_));
    blocks_ = std::move(table);
}

std::size_t RowStore::memory_bytes(std::size_t used) const noexcept {
    const std::size_t small = blocks_->size() == 1 ? blocks_->front()->capacity : 0;
    // Blocks large enough to come from the system cost what was touched of them.
    const bool lazy = small * vector_bytes_ >= simd::kLargePage;
    const std::size_t rows = lazy ? used : std::max(small, used);
    return rows * row_bytes(vector_bytes_) + blocks_->size() * sizeof(RowBlock);
}

}  // namespace vecdb::collection
