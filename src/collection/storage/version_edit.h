#pragma once

/// \file
/// From one version of a collection to the next.

#include "collection/version.h"

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace vecdb::collection {

/// Where a live row stands: partition by number, segment as in PartitionVersion::segment().
struct Place {
    std::uint32_t partition;
    std::uint32_t segment;
    std::uint32_t row;
    friend auto operator<=>(const Place&,
                            const Place&) = default;  // NOLINT(modernize-use-nullptr)
};

/// The next version while a writer makes it; partitions are copied when they are first changed.
/// Threads: single-threaded.
class VersionEdit {
  public:
    /// \param current  outlives the edit
    explicit VersionEdit(const Version& current) : current_(current) {}

    /// Return a partition, which exists, to be changed.
    [[nodiscard]] PartitionVersion& change(std::uint32_t number);

    /// Put a state of a partition, null for none, in place of what is there.
    void set(std::uint32_t number, std::shared_ptr<PartitionVersion> partition) {
        changed_[number] = std::move(partition);
    }

    /// Mark live rows as removed. Sealed segments of which none is left go.
    void remove(std::vector<Place> places);

    /// Make the version; live rows of all changed partitions are counted anew. `writes` is at least
    /// 1 when rows were added or removed, 0 when they were only put in another order. Ends the
    /// edit.
    [[nodiscard]] std::shared_ptr<Version> finish(std::uint64_t writes);

    using Changed = std::map<std::uint32_t, std::shared_ptr<PartitionVersion>>;
    /// Return the changed partitions by number.
    [[nodiscard]] const Changed& changed() const noexcept { return changed_; }

  private:
    const Version& current_;
    Changed changed_;
};

}  // namespace vecdb::collection
