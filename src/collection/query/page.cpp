#include "collection/query/page.h"

#include <algorithm>

namespace vecdb::collection {

std::size_t count_within(Metric metric, float threshold, std::span<const Hit> hits) noexcept {
    const auto within = [&](const Hit& hit) {  // not so for NaN, which comes last
        return larger_is_nearer(metric) ? hit.score >= threshold : hit.score <= threshold;
    };
    const auto end = std::partition_point(hits.begin(), hits.end(), within);
    return static_cast<std::size_t>(end - hits.begin());
}

std::size_t keep_page(Metric metric, const SearchOptions& options, std::span<Hit> hits) noexcept {
    std::size_t count = hits.size();
    if (options.score_threshold) count = count_within(metric, *options.score_threshold, hits);
    const std::size_t passed = std::min(options.offset, count);
    if (passed > 0) std::copy(hits.data() + passed, hits.data() + count, hits.data());
    return count - passed;
}

}  // namespace vecdb::collection
