#include "collection/storage/version_edit.h"

#include <algorithm>
#include <span>
#include <utility>

namespace vecdb::collection {
namespace {

/// Remove rows, all of one segment, from it.
void remove_rows(SegmentVersion& segment, std::span<const Place> places) {
    std::vector<std::uint32_t> rows(places.size());
    std::transform(
        places.begin(), places.end(), rows.begin(), [](const Place& place) { return place.row; });
    segment.remove(rows);
}

/// Return how many places at the beginning of `places` are in the segment of the first.
std::size_t of_one_segment(std::span<const Place> places) {
    const auto other = std::find_if(places.begin(), places.end(), [&](const Place& place) {
        return place.segment != places.front().segment ||
               place.partition != places.front().partition;
    });
    return static_cast<std::size_t>(other - places.begin());
}

}  // namespace

PartitionVersion& VersionEdit::change(std::uint32_t number) {
    std::shared_ptr<PartitionVersion>& partition = changed_[number];
    if (partition == nullptr) {
        partition = std::make_shared<PartitionVersion>(*current_.partitions.get(number));
    }
    return *partition;
}

void VersionEdit::remove(std::vector<Place> places) {
    std::sort(places.begin(), places.end());
    for (std::span<const Place> left = places; !left.empty();) {
        const Place first = left.front();
        const auto same = left.first(of_one_segment(left));
        left = left.subspan(same.size());
        PartitionVersion& partition = change(first.partition);
        if (first.segment == partition.sealed->size()) {
            remove_rows(partition.growing, same);
            continue;
        }
        auto sealed = std::make_shared<SealedList>(*partition.sealed);
        auto segment = std::make_shared<SegmentVersion>(*(*sealed)[first.segment]);
        remove_rows(*segment, same);
        (*sealed)[first.segment] = std::move(segment);
        partition.sealed = std::move(sealed);
    }
}

std::shared_ptr<Version> VersionEdit::finish(std::uint64_t writes) {
    auto next = std::make_shared<Version>(current_);
    if (writes != 0) {
        next->sequence += writes;
        next->time = std::max(current_.time, std::chrono::system_clock::now());
    }
    for (auto& [number, partition] : changed_) {
        const PartitionVersion* before = current_.partitions.get(number);
        if (before != nullptr) next->live_rows -= before->live_rows;
        if (partition != nullptr) {
            const auto empty = [](const auto& segment) {
                return segment->live_rows == 0;
            };
            if (std::any_of(partition->sealed->begin(), partition->sealed->end(), empty)) {
                auto sealed = std::make_shared<SealedList>(*partition->sealed);
                std::erase_if(*sealed, empty);
                partition->sealed = std::move(sealed);
            }
            partition->count_live_rows();
            if (writes != 0) partition->sequence = next->sequence;
            next->live_rows += partition->live_rows;
        }
        next->partitions = next->partitions.with(number, std::move(partition));
    }
    return next;
}

}  // namespace vecdb::collection
