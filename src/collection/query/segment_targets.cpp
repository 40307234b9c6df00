#include "collection/query/segment_targets.h"

#include <algorithm>
#include <utility>

namespace vecdb::collection {
namespace {

/// Rows a thread takes at a time.
constexpr std::size_t kTaskRows = 8'192;
static_assert(kTaskRows % 64 == 0);

/// Bytes compared that are worth a thread: several times what starting one costs.
constexpr std::size_t kThreadWork = std::size_t{8} << 20U;

}  // namespace

void find_targets(const PartitionVersion& partition,
                  std::size_t field,
                  const SearchOptions& options,
                  std::vector<SegmentTarget>& out,
                  SearchRecorder* recorder) {
    const auto begin = static_cast<std::ptrdiff_t>(out.size());
    for (std::size_t s = 0; s < partition.segment_count(); ++s) {
        const SegmentVersion& segment = partition.segment(s);
        if (segment.live_rows == 0) continue;
        AllowedRows allowed{nullptr, segment.live_rows};
        if (!options.filter.allows_all()) allowed = options.filter.state()->rows(segment);
        const Index* index = options.exact ? nullptr : segment.index(field);
        if (recorder != nullptr) recorder->found(partition, segment, index, allowed.live);
        if (allowed.live == 0) continue;
        if (allowed.rows != nullptr)
            allowed.rows = FilterRows::in_order(std::move(allowed.rows), segment, field);
        // In place: sorting them would take memory.
        const auto place = std::upper_bound(
            out.begin() + begin,
            out.end(),
            segment.live_rows,
            [](std::size_t live, const auto& each) { return live > each.segment->live_rows; });
        out.insert(place,
                   {&partition, &segment, field, index, std::move(allowed.rows), allowed.live});
    }
}

IndexSearch SearchTarget::index_search(const SegmentTarget& segment,
                                       const index::FlatBlock& block) const noexcept {
    return {.filter = block.filter,
            .allowed_rows = segment.live,
            .ef = options.ef,
            .nprobe = options.nprobe,
            .rerank = options.rerank,
            .bound = options.bound};
}

void SearchTarget::note_scanned(std::size_t queries) const {
    if (recorder == nullptr || !recorder->on()) return;
    for (const SegmentTarget& segment : segments) {
        if (segment.index != nullptr) continue;
        SearchCounters counters;
        counters.add_compared(SearchPlan::kRows, segment.live * queries);
        recorder->add(*segment.segment, counters, {});
    }
}

std::vector<index::FlatBlock> scanned_slices(const SearchTarget& target) {
    std::vector<index::FlatBlock> parts;
    for (const SegmentTarget& segment : target.segments) {
        if (segment.index != nullptr) continue;
        for (std::size_t b = 0; b < segment.segment->block_count(); ++b) {
            const index::FlatBlock block = segment.block(b);
            for (std::size_t first = 0; first < block.count; first += kTaskRows) {
                parts.push_back(block.slice(first, std::min(kTaskRows, block.count - first)));
            }
        }
    }
    return parts;
}

std::size_t useful_threads(const SearchTarget& target, std::size_t queries) noexcept {
    std::size_t scanned = 0;
    bool indexed = false;
    for (const SegmentTarget& segment : target.segments) {
        if (segment.index != nullptr) {
            indexed = true;
        } else {
            scanned += segment.segment->rows;
        }
    }
    // An index searches one query on one thread.
    const std::size_t bytes = vector_bytes(target.field.element_type, target.field.dim);
    return std::max(scanned * bytes * queries / kThreadWork + 1,
                    indexed ? queries : std::size_t{1});
}

}  // namespace vecdb::collection
