#pragma once

/// \file
/// Removed rows of one version.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace vecdb::collection {

/// Bits over row numbers, 1 = removed, cut into one chunk per block of rows so that a write copies
/// only the chunks it touches. Threads: immutable.
class Tombstones {
  public:
    /// Return the bits of one block, or null when none of its rows is removed.
    [[nodiscard]] const std::uint64_t* block(std::size_t index) const noexcept {
        return index < chunks_.size() && chunks_[index] ? chunks_[index]->data() : nullptr;
    }

    /// Return these and `rows`, which must not be removed yet; blocks hold `rows_per_block` rows.
    [[nodiscard]] std::shared_ptr<const Tombstones> with(std::span<const std::uint32_t> rows,
                                                         std::size_t rows_per_block) const;

    [[nodiscard]] std::size_t memory_bytes() const noexcept;

  private:
    using Chunk = std::vector<std::uint64_t>;
    std::vector<std::shared_ptr<const Chunk>> chunks_;
};

}  // namespace vecdb::collection
