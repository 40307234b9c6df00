#include "collection/storage/merge_policy.h"

#include <algorithm>
#include <map>

namespace vecdb::collection {
namespace {

/// Rows of the smallest size when the policy seals nothing by itself.
constexpr std::size_t kSmallestSize = 4'096;

/// Return the size of a segment: 0 up to policy.seal_rows, one more with each factor.
std::size_t size_of(std::size_t rows, const SegmentPolicy& policy) {
    std::size_t size = 0;
    std::size_t limit = policy.seal_rows != 0 ? policy.seal_rows : kSmallestSize;
    // The rows of a merge are a little more or less than the sum of what was sealed.
    for (limit *= 2; rows >= limit; limit *= policy.merge_segments)
        ++size;
    return size;
}

bool is_full_of_removed(const SegmentVersion& segment, const SegmentPolicy& policy) {
    const auto removed = static_cast<double>(segment.rows - segment.live_rows);
    return removed > static_cast<double>(policy.max_removed) * static_cast<double>(segment.rows);
}

}  // namespace

std::vector<std::size_t> next_rewrite(const PartitionVersion& partition,
                                      const SegmentPolicy& policy,
                                      std::size_t seal_rows) {
    const SealedList& sealed = *partition.sealed;
    if (partition.growing.live_rows >= std::max(seal_rows, std::size_t{1})) return {sealed.size()};
    std::map<std::size_t, std::vector<std::size_t>> sizes;
    for (std::size_t s = 0; s < sealed.size(); ++s) {
        if (is_full_of_removed(*sealed[s], policy)) return {s};
        sizes[size_of(sealed[s]->live_rows, policy)].push_back(s);
    }
    for (auto& [size, segments] : sizes) {
        if (segments.size() >= policy.merge_segments) return std::move(segments);
    }
    return {};
}

}  // namespace vecdb::collection
