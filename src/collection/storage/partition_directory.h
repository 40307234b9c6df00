#pragma once

/// \file
/// From id to the partitions that may hold it.

#include "collection/storage/id_hash.h"

#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vecdb::collection {

/// A hash table that names, for an id, every partition it was entered with, and seldom one more.
/// Whoever asks looks there: an entry is 4 bytes, a partition's number and 12 bits of the hash. So
/// nothing is ever taken out, and ids that are gone cost their place until the table is made anew.
/// Open addressing, linear probing, at most 3/4 full.
/// Threads: const methods may run concurrently; changes need exclusive access.
class PartitionDirectory {
  public:
    /// Make room for `ids` entries. Throws std::bad_alloc.
    explicit PartitionDirectory(std::size_t ids);

    /// Tell whether `count` more entries fit.
    [[nodiscard]] bool has_room(std::size_t count) const noexcept {
        return used_ + count <= slots_.size() / 4 * 3;
    }
    [[nodiscard]] std::size_t used() const noexcept { return used_; }

    /// Note that `partition` holds `id`. There must be room.
    void enter(Id id, std::uint32_t partition) noexcept;

    /// Call holds(partition) for those that may hold `id` until it answers true; return whether it
    /// did.
    template <class Holds>
    bool find(Id id, Holds&& holds) const {
        const std::uint64_t hash = hash_id(id);
        for (std::size_t slot = home(hash); slots_[slot] != kEmpty; slot = next(slot)) {
            const std::uint32_t entry = slots_[slot];
            if ((entry & kMark) == mark(hash) && holds(entry >> kMarkBits)) return true;
        }
        return false;
    }

    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return slots_.capacity() * sizeof(std::uint32_t);
    }

  private:
    static constexpr std::uint32_t kEmpty = 0xFFFF'FFFF;
    static constexpr unsigned kMarkBits = 12;
    static constexpr std::uint32_t kMark = (1U << kMarkBits) - 1;

    /// Return 12 bits of the hash, never all set, so that no entry is kEmpty.
    [[nodiscard]] static std::uint32_t mark(std::uint64_t hash) noexcept {
        const auto bits = static_cast<std::uint32_t>(hash >> 20U) & kMark;
        return bits == kMark ? kMark - 1 : bits;
    }
    [[nodiscard]] std::size_t home(std::uint64_t hash) const noexcept;
    [[nodiscard]] std::size_t next(std::size_t slot) const noexcept {
        return (slot + 1) & (slots_.size() - 1);
    }

    std::vector<std::uint32_t> slots_;  // kEmpty, or partition and mark; the size is a power of two
    std::size_t used_ = 0;
};

}  // namespace vecdb::collection
