#include "index/exact.h"

#include "check.h"
#include "simd/dispatch.h"

#include <algorithm>
#include <limits>

namespace vecdb::index {

ListDistances::ListDistances(const IndexRows& rows) noexcept
    : rows_{rows.base, rows.stride, rows.dim},
      list_(simd::table_in_use().distances(rows.metric, rows.element_type).list) {
    VECDB_ASSERT(list_ != nullptr);
}

void ListDistances::operator()(const void* query,
                               std::span<const std::uint32_t> list,
                               float* out) const {
    std::uint32_t rows[kListStep];
    for (std::size_t done = 0; done < list.size(); done += kListStep) {
        const auto part = list.subspan(done, std::min(kListStep, list.size() - done));
        select(query, part, std::numeric_limits<float>::infinity(), {rows, out + done});
    }
}

std::size_t ListDistances::select(const void* query,
                                  std::span<const std::uint32_t> list,
                                  float threshold,
                                  const simd::Kept& kept) const {
    return list_(query, rows_, list.data(), list.size(), threshold, kept);
}

void offer_listed(const IndexRows& rows,
                  const ListDistances& distances,
                  const void* query,
                  std::span<const std::uint32_t> list,
                  TopK& best) {
    std::uint32_t kept_rows[kListStep];
    float kept_distances[kListStep];
    for (std::size_t done = 0; done < list.size(); done += kListStep) {
        const auto part = list.subspan(done, std::min(kListStep, list.size() - done));
        const std::size_t n =
            distances.select(query, part, best.threshold(), {kept_rows, kept_distances});
        for (std::size_t i = 0; i < n; ++i)
            best.offer(kept_distances[i], rows.ids[kept_rows[i]]);
    }
}

void scan_allowed(const IndexRows& rows, const void* query, const RowFilter& filter, TopK& best) {
    const ListDistances distances(rows);
    for_each_allowed(filter, 0, rows.count, [&](std::span<const std::uint32_t> list) {
        offer_listed(rows, distances, query, list, best);
    });
}

void scan_range(const IndexRows& rows,
                const void* query,
                float radius,
                const RowFilter& filter,
                std::vector<Hit>& hits) {
    const ListDistances distances(rows);
    std::uint32_t kept_rows[kMostListed];
    float kept_distances[kMostListed];
    for_each_allowed(filter, 0, rows.count, [&](std::span<const std::uint32_t> list) {
        const std::size_t n = distances.select(query, list, radius, {kept_rows, kept_distances});
        for (std::size_t i = 0; i < n; ++i)
            hits.push_back({rows.ids[kept_rows[i]], kept_distances[i]});
    });
}

}  // namespace vecdb::index
