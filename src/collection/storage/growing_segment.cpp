#include "collection/storage/growing_segment.h"

#include "check.h"

#include <algorithm>

namespace vecdb::collection {

std::optional<std::uint32_t> GrowingSegment::last_before(Id id, std::size_t rows) const noexcept {
    std::optional<std::uint32_t> row = map_.find(id);
    auto end = links_.end();
    while (row && *row >= rows) {
        const auto link =
            std::lower_bound(links_.begin(), end, *row, [](const Link& each, std::uint32_t wanted) {
                return each.row < wanted;
            });
        if (link == end || link->row != *row) return std::nullopt;
        row = link->before;
        end = link;
    }
    return row;
}

void GrowingSegment::reserve_ids(std::size_t count, std::size_t repeated) {
    const std::size_t links = links_.size() + repeated;
    if (links > links_.capacity()) links_.reserve(std::max(links, 2 * links_.capacity()));
    map_.reserve(count);
}

void GrowingSegment::enter(std::uint32_t row) noexcept {
    const std::optional<std::uint32_t> before = map_.insert_or_replace(row);
    if (!before) return;
    VECDB_ASSERT(links_.size() < links_.capacity());
    links_.push_back({row, *before});
}

}  // namespace vecdb::collection
