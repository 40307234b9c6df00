#include "collection/storage/tombstones.h"

#include <algorithm>

namespace vecdb::collection {

std::shared_ptr<const Tombstones> Tombstones::with(std::span<const std::uint32_t> rows,
                                                   std::size_t rows_per_block) const {
    auto result = std::make_shared<Tombstones>(*this);
    std::vector<Chunk*> copies;  // the chunks that this call made and may change
    for (const std::uint32_t row : rows) {
        const std::size_t index = row / rows_per_block;
        if (index >= result->chunks_.size()) result->chunks_.resize(index + 1);
        if (index >= copies.size()) copies.resize(index + 1);
        if (copies[index] == nullptr) {
            auto copy = result->chunks_[index] ? std::make_shared<Chunk>(*result->chunks_[index])
                                               : std::make_shared<Chunk>(rows_per_block / 64);
            copies[index] = copy.get();
            result->chunks_[index] = std::move(copy);
        }
        const std::size_t bit = row % rows_per_block;
        (*copies[index])[bit / 64] |= std::uint64_t{1} << (bit % 64);
    }
    return result;
}

std::size_t Tombstones::memory_bytes() const noexcept {
    std::size_t bytes = chunks_.size() * sizeof(chunks_[0]);
    for (const auto& chunk : chunks_) {
        if (chunk) bytes += chunk->size() * sizeof(std::uint64_t);
    }
    return bytes;
}

}  // namespace vecdb::collection
