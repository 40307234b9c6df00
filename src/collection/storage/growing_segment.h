#pragma once

/// \file
/// Rows that are still being added to.

#include "collection/storage/id_map.h"
#include "collection/storage/row_store.h"

#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace vecdb::collection {

/// Rows in the order in which they came, and the map from ids to them. Rows of one id follow each
/// other in a chain, so that every version finds the one that it knows.
/// Threads: as RowStore for the rows; the lookups may run concurrently, reserve_ids() and enter()
/// need exclusive access.
class GrowingSegment {
  public:
    explicit GrowingSegment(const RowFormat& format) : store_(format), map_(store_) {}

    [[nodiscard]] RowStore& store() noexcept { return store_; }
    [[nodiscard]] const RowStore& store() const noexcept { return store_; }

    /// Return the last row of `id`, live or not.
    [[nodiscard]] std::optional<std::uint32_t> last(Id id) const noexcept { return map_.find(id); }

    /// Return the last row of `id`, live or not, among the first `rows`.
    [[nodiscard]] std::optional<std::uint32_t> last_before(Id id, std::size_t rows) const noexcept;

    /// Make room to enter `count` rows, of which `repeated` have an id that was entered before.
    /// Throws std::bad_alloc and then changes nothing.
    void reserve_ids(std::size_t count, std::size_t repeated);

    /// Enter `row`, whose id is in the store; it follows all entered before. Room must have been
    /// reserved.
    void enter(std::uint32_t row) noexcept;

    /// Return the bytes that finding ids takes.
    [[nodiscard]] std::size_t ids_memory_bytes() const noexcept {
        return map_.memory_bytes() + links_.capacity() * sizeof(Link);
    }
    /// Return the bytes that `rows` rows take.
    [[nodiscard]] std::size_t memory_bytes(std::size_t rows) const noexcept {
        return store_.memory_bytes(rows) + ids_memory_bytes();
    }

  private:
    /// From a row to the one that had its id before.
    struct Link {
        std::uint32_t row;
        std::uint32_t before;
    };

    RowStore store_;
    IdMap map_;
    std::vector<Link> links_;  // by ascending row
};

}  // namespace vecdb::collection
