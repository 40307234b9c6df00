#include "collection/storage/tombstones.h"

#include <algorithm>

namespace vecdb::collection {

const std::uint64_t* Tombstones::whole(std::size_t rows, std::size_t chunk_rows) const {
    if (chunks_.empty()) return nullptr;
    if (rows <= chunk_rows) return block(0);
    if (const std::uint64_t* known = whole_.load(std::memory_order_acquire)) return known;
    const Lock lock(joining_);
    if (joined_.empty()) {
        Chunk joined((rows + 63) / 64);
        for (std::size_t i = 0; i < chunks_.size(); ++i) {
            if (!chunks_[i]) continue;
            const std::size_t first = i * (chunk_rows / 64);
            const std::size_t words = std::min(chunk_rows / 64, joined.size() - first);
            std::copy_n(
                chunks_[i]->begin(), words, joined.begin() + static_cast<std::ptrdiff_t>(first));
        }
        joined_.swap(joined);
    }
    whole_.store(joined_.data(), std::memory_order_release);
    return joined_.data();
}

std::shared_ptr<const Tombstones> Tombstones::with(std::span<const std::uint32_t> rows,
                                                   std::size_t chunk_rows) const {
    auto result = std::make_shared<Tombstones>();
    result->chunks_ = chunks_;
    std::vector<Chunk*> copies;  // the chunks that this call made and may change
    for (const std::uint32_t row : rows) {
        const std::size_t index = row / chunk_rows;
        if (index >= result->chunks_.size()) result->chunks_.resize(index + 1);
        if (index >= copies.size()) copies.resize(index + 1);
        if (copies[index] == nullptr) {
            auto copy = result->chunks_[index] ? std::make_shared<Chunk>(*result->chunks_[index])
                                               : std::make_shared<Chunk>(chunk_rows / 64);
            copies[index] = copy.get();
            result->chunks_[index] = std::move(copy);
        }
        const std::size_t bit = row % chunk_rows;
        (*copies[index])[bit / 64] |= std::uint64_t{1} << (bit % 64);
    }
    return result;
}

std::size_t Tombstones::memory_bytes() const noexcept {
    std::size_t bytes = chunks_.size() * sizeof(chunks_[0]);
    for (const auto& chunk : chunks_) {
        if (chunk) bytes += chunk->size() * sizeof(std::uint64_t);
    }
    const Lock lock(joining_);
    return bytes + joined_.size() * sizeof(std::uint64_t);
}

}  // namespace vecdb::collection
