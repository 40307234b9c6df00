#pragma once

/// \file
/// From id to row number.

#include "collection/storage/row_store.h"

#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace vecdb::collection {

/// A hash table of row numbers with open addressing and linear probing, at most 3/4 full. The ids
/// themselves are read from the row store, so an entry takes 4 bytes.
/// Threads: const methods may run concurrently; changes need exclusive access.
class IdMap {
  public:
    /// \param store  outlives the map and holds the id of every row entered
    explicit IdMap(const RowStore& store) noexcept : store_(store) {}
    ~IdMap() = default;
    IdMap(const IdMap&) = delete;
    IdMap& operator=(const IdMap&) = delete;

    [[nodiscard]] std::optional<std::uint32_t> find(Id id) const noexcept;

    /// Make room for `count` more entries. Throws std::bad_alloc and then changes nothing.
    void reserve(std::size_t count);

    /// Enter `row`, whose id is in the store, in place of the row of that id if there is one, which
    /// is returned. Room must have been reserved.
    std::optional<std::uint32_t> insert_or_replace(std::uint32_t row) noexcept;

    /// View the table, to be saved.
    [[nodiscard]] std::span<const std::uint32_t> slots() const noexcept { return slots_; }
    /// Take over a table that was saved and outlives this, for the first `rows` rows of the store.
    /// Nothing may be entered then. Returns whether it is one that finds each of them; nothing has
    /// changed if not. Throws std::bad_alloc.
    [[nodiscard]] bool adopt(std::span<const std::uint32_t> slots, std::size_t rows);

    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return slots_.size() * sizeof(std::uint32_t);
    }

  private:
    [[nodiscard]] std::size_t home(Id id) const noexcept;
    [[nodiscard]] std::size_t next(std::size_t slot) const noexcept {
        return (slot + 1) & (slots_.size() - 1);
    }
    /// Return the slot of `id`, or the empty slot where it belongs; the table is not empty.
    [[nodiscard]] std::size_t locate(Id id) const noexcept;

    const RowStore& store_;
    std::span<const std::uint32_t> slots_;  // kEmpty, or a row number; the size is a power of two
    std::vector<std::uint32_t> own_;        // what slots_ views, unless it was adopted
    std::size_t count_ = 0;
};

}  // namespace vecdb::collection
