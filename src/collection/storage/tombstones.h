#pragma once

/// \file
/// Removed rows of one version.

#include "mutex.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace vecdb::collection {

/// Bits over row numbers, 1 = removed, cut into chunks of rows so that a write copies only the
/// chunks it touches. All calls for one numbering of rows name the same size of chunks.
/// Threads: immutable but for what whole() remembers, which is internally synchronised.
class Tombstones {
  public:
    /// Return the bits of one chunk, or null when none of its rows is removed.
    [[nodiscard]] const std::uint64_t* block(std::size_t index) const noexcept {
        return index < chunks_.size() && chunks_[index] ? chunks_[index]->data() : nullptr;
    }

    /// Return the bits of rows [0, rows) in one piece, or null when none is removed. The first call
    /// puts them together, which costs a copy and may throw std::bad_alloc. All calls of one object
    /// name the same `rows`.
    [[nodiscard]] const std::uint64_t* whole(std::size_t rows, std::size_t chunk_rows) const;

    /// Return these and `rows`, which must not be removed yet; chunks hold `chunk_rows` rows, a
    /// multiple of 64.
    [[nodiscard]] std::shared_ptr<const Tombstones> with(std::span<const std::uint32_t> rows,
                                                         std::size_t chunk_rows) const;

    [[nodiscard]] std::size_t memory_bytes() const noexcept;

  private:
    using Chunk = std::vector<std::uint64_t>;

    std::vector<std::shared_ptr<const Chunk>> chunks_;
    mutable Mutex joining_;
    mutable Chunk joined_ VECDB_GUARDED_BY(joining_);           // written once
    mutable std::atomic<const std::uint64_t*> whole_{nullptr};  // its words, then
};

}  // namespace vecdb::collection
