#include "collection/query/range_search.h"

#include "collection/number_text.h"
#include "collection/query/page.h"
#include "collection/query/search.h"
#include "index/exact.h"
#include "index/parallel.h"
#include "index/top_k.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace vecdb::collection {

Status check_radius(Metric metric, float radius) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    if (larger_is_nearer(metric)) {
        if (radius < kInfinity) return {};  // not so for NaN
        return {StatusCode::kInvalidArgument,
                "radius is " + number_text(radius) + "; under " + std::string(to_string(metric)) +
                    " it must be below infinity"};
    }
    if (radius >= 0.0F) return {};
    return {StatusCode::kInvalidArgument,
            "radius is " + number_text(radius) + "; under " + std::string(to_string(metric)) +
                " it must be at least 0"};
}

Status check_ring(Metric metric, std::optional<float> inner, float radius) {
    if (!inner || !is_better(metric, radius, *inner)) return {};
    return {
        StatusCode::kInvalidArgument,
        "inner_radius is " + number_text(*inner) + ", beyond the radius " + number_text(radius)};
}

Hits range_search(const SearchTarget& target,
                  const void* query,
                  float radius,
                  std::size_t threads) {
    const VectorField& field = target.field;
    const float distance = larger_is_nearer(field.metric) ? -radius : radius;
    Hits hits;
    target.enter(SearchRecorder::Stage::kIndex);
    for (const SegmentTarget& segment : target.segments) {
        if (segment.index == nullptr) continue;
        const index::FlatBlock block = segment.block(0);
        SegmentNote note(target.recorder, *segment.segment);
        IndexSearch how = target.index_search(segment, block);
        how.counters = note.counters();
        segment.index->range_search(index_rows(field, block), query, distance, how, hits);
    }
    target.enter(SearchRecorder::Stage::kScan);
    target.note_scanned(1);
    const std::vector<index::FlatBlock> parts = scanned_slices(target);
    std::vector<Hits> found(threads);
    index::parallel_for(
        parts.size(),
        threads,
        [&](std::size_t part, std::size_t thread) {
            const index::FlatBlock& block = parts[part];
            index::scan_range(
                index_rows(field, block), query, distance, block.filter, found[thread]);
        },
        index::Team::kThreads);
    target.enter(SearchRecorder::Stage::kFinish);
    for (const Hits& part : found)
        hits.insert(hits.end(), part.begin(), part.end());
    std::sort(hits.begin(), hits.end(), index::nearer);
    to_scores(field.metric, hits);
    return hits;
}

}  // namespace vecdb::collection
