#include "index/coded_rescorer.h"
#include "index/coded_scan.h"
#include "simd/dispatch.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb::index {
namespace {

/// Rows scored between two looks at the survivors; a multiple of 64.
constexpr std::size_t kRangeStep = 2'048;

/// Memory of a scan, kept by each thread.
struct Scratch {
    PreparedQuery query;
    PreparedQuery middle;
    std::vector<std::uint32_t> rows = std::vector<std::uint32_t>(kRangeStep);
    std::vector<float> bounds = std::vector<float>(kRangeStep);
};

}  // namespace

// NOLINTNEXTLINE(readability-function-size): what to search, for what, and where to put it
void range_coded(const CodedStages& stages,
                 const IndexRows& rows,
                 const float* query,
                 float radius,
                 const RowFilter& filter,
                 std::vector<Hit>& hits,
                 SearchCounters* counters) {
    thread_local Scratch memory;
    stages.blocks->prepare(*stages.space, query, 1.0F, memory.query);
    Rescorer rescorer(stages, rows, query, memory.middle);
    std::uint32_t kept_rows[kRescored];
    float kept_distances[kRescored];
    const auto flush = [&](std::span<const std::uint32_t> list) {
        const std::size_t kept = rescorer.select(list, radius, {kept_rows, kept_distances});
        for (std::size_t i = 0; i < kept; ++i)
            hits.push_back({rows.ids[kept_rows[i]], kept_distances[i]});
    };
    for (std::size_t first = 0; first < rows.count; first += kRangeStep) {
        const std::size_t count = std::min(kRangeStep, rows.count - first);
        const std::size_t kept =
            simd::table_in_use().codes.block4(memory.query.code,
                                              stages.blocks->blocks(first),
                                              count,
                                              radius,
                                              {memory.rows.data(), memory.bounds.data()});
        std::uint32_t list[kRescored];
        std::size_t n = 0;
        for (std::size_t i = 0; i < kept; ++i) {
            const std::uint32_t row = static_cast<std::uint32_t>(first) + memory.rows[i];
            if (!filter.test(row)) continue;
            list[n++] = row;
            if (n < kRescored) continue;
            flush({list, n});
            n = 0;
        }
        flush({list, n});
    }
    if (counters == nullptr) return;
    counters->plan = SearchPlan::kCodes;
    counters->distances += rows.count;
    counters->rescored += rescorer.compared();
}

}  // namespace vecdb::index
