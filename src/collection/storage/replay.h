#pragma once

/// \file
/// Which partitions have a record of the log already.

#include <cstdint>
#include <span>

namespace vecdb::collection {

/// A record that is done again when a database is opened. Partitions were saved at different times:
/// one that has the record, or is not there any more, takes no part. So an id may stand in two
/// partitions for a while, one of them ahead of the other.
struct Replay {
    std::uint64_t record = 0;
    /// By number of the partition, the last record that it has; UINT64_MAX: it is not there.
    std::span<const std::uint64_t> covered;

    [[nodiscard]] bool takes_part(std::uint32_t partition) const noexcept {
        return partition < covered.size() && covered[partition] < record;
    }
};

}  // namespace vecdb::collection
