#include "collection/storage/merge_policy.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <span>

namespace vecdb::collection {
namespace {

using Fields = std::span<const VectorField>;

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

/// Tell whether `rows` rows are enough to build on the indexes of a segment for them.
bool takes_up(const SegmentVersion& segment, std::size_t rows, Fields fields) {
    if (segment.sealed == nullptr || !segment.sealed->has_index()) return false;
    if (segment.live_rows < rows) return false;
    for (std::size_t field = 0; field < fields.size(); ++field) {
        const Index* index = segment.index(field);
        if (index == nullptr) continue;
        if (segment.live_rows / rows >= index->build_on_ratio(fields[field].metric)) return false;
    }
    return true;
}

/// Return the growing segment and the largest one that it is to be put together with, if any.
std::vector<std::size_t> seal_with(const PartitionVersion& partition, Fields fields) {
    const SealedList& sealed = *partition.sealed;
    std::vector<std::size_t> segments = {sealed.size()};
    std::size_t largest = 0;
    for (std::size_t s = 0; s < sealed.size(); ++s) {
        const std::size_t rows = sealed[s]->live_rows;
        if (rows <= largest || !takes_up(*sealed[s], partition.growing.live_rows, fields)) continue;
        segments = {s, sealed.size()};
        largest = rows;
    }
    return segments;
}

/// Return the smallest segment that another one takes up, with those that take up both; else none.
std::vector<std::size_t> built_on(const SealedList& sealed, Fields fields) {
    std::vector<std::size_t> segments(sealed.size());
    std::iota(segments.begin(), segments.end(), std::size_t{0});
    std::sort(segments.begin(), segments.end(), [&](std::size_t a, std::size_t b) {
        return sealed[a]->live_rows < sealed[b]->live_rows;
    });
    std::vector<std::size_t> together;
    std::size_t rows = 0;
    for (const std::size_t s : segments) {
        const bool takes = rows != 0 && takes_up(*sealed[s], rows, fields);
        if (!takes && together.size() > 1) break;
        if (!takes) {
            together.clear();
            rows = 0;
        }
        together.push_back(s);
        rows += sealed[s]->live_rows;
    }
    return together.size() > 1 ? together : std::vector<std::size_t>();
}

}  // namespace

std::vector<std::size_t> next_rewrite(const PartitionVersion& partition,
                                      const SegmentPolicy& policy,
                                      std::span<const VectorField> fields,
                                      std::size_t seal_rows) {
    const SealedList& sealed = *partition.sealed;
    if (partition.growing.live_rows >= std::max(seal_rows, std::size_t{1}))
        return seal_with(partition, fields);
    for (std::size_t s = 0; s < sealed.size(); ++s) {
        if (is_full_of_removed(*sealed[s], policy)) return {s};
    }
    if (sealed.size() < 2) return {};  // nearly always, and every write asks
    if (auto segments = built_on(sealed, fields); !segments.empty()) return segments;
    std::map<std::size_t, std::vector<std::size_t>> sizes;
    for (std::size_t s = 0; s < sealed.size(); ++s)
        sizes[size_of(sealed[s]->live_rows, policy)].push_back(s);
    for (auto& [size, segments] : sizes) {
        if (segments.size() >= policy.merge_segments) return std::move(segments);
    }
    return {};
}

}  // namespace vecdb::collection
