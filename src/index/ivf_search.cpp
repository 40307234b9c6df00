#include "index/ivf_search.h"

#include "simd/dispatch.h"

namespace vecdb::index {

VectorListScan::VectorListScan(const IndexRows& rows,
                               const void* query,
                               const IndexSearch& how,
                               TopK& best) noexcept
    : rows_(rows),
      query_(query),
      how_(how),
      best_(best),
      distances_(rows),
      range_(simd::table_in_use().distances(rows.metric, rows.element_type).range) {}

void VectorListScan::scan(std::size_t first, std::size_t last) {
    if (how_.filter.allows_all()) return scan_range(first, last);
    for_each_allowed(how_.filter, first, last, [&](std::span<const std::uint32_t> list) {
        compared_ += list.size();
        offer_listed(rows_, distances_, query_, list, best_);
    });
}

void VectorListScan::scan_range(std::size_t first, std::size_t last) {
    std::uint32_t kept[kListStep];
    float distances[kListStep];
    compared_ += last - first;
    for (; first < last; first += kListStep) {
        const simd::Rows part{rows_.row(first), rows_.stride, rows_.dim};
        const std::size_t n = range_(
            query_, part, std::min(kListStep, last - first), best_.threshold(), {kept, distances});
        for (std::size_t i = 0; i < n; ++i)
            best_.offer(distances[i], rows_.ids[first + kept[i]]);
    }
}

}  // namespace vecdb::index
