#include "index/exact.h"

#include <vecdb/index.h>

namespace vecdb {

void IndexRows::distances(const void* query,
                          std::span<const std::uint32_t> list,
                          std::span<float> out) const {
    index::ListDistances (*this)(query, list, out.data());
}

Status Index::add(const IndexRows& /*rows*/, std::size_t /*first*/, const IndexBuild& /*how*/) {
    return {StatusCode::kUnsupported,
            "index " + std::string(capabilities().name) + " does not grow; build it again"};
}

Result<std::vector<std::uint32_t>> Index::build_on(const IndexRows& /*rows*/,
                                                   const Index& /*base*/,
                                                   std::span<const std::uint32_t> /*kept*/,
                                                   const IndexBuild& /*how*/) {
    return Status(StatusCode::kUnsupported,
                  "index " + std::string(capabilities().name) + " is built from rows alone");
}

std::size_t Index::build_on_ratio(Metric /*metric*/) const noexcept {
    return 0;
}

std::size_t Index::unreachable_rows() const noexcept {
    return 0;
}

void Index::range_search(const IndexRows& rows,
                         const void* query,
                         float radius,
                         const IndexSearch& how,
                         std::vector<Hit>& hits) const {
    index::scan_range(rows, query, radius, how.filter, hits);
    if (how.counters != nullptr) how.counters->add_compared(SearchPlan::kRows, how.allowed_rows);
}

std::unique_ptr<IndexCursor> Index::cursor(const IndexRows& /*rows*/,
                                           const void* /*query*/,
                                           const IndexSearch& /*how*/) const {
    return nullptr;
}

std::string_view to_string(SearchPlan plan) noexcept {
    switch (plan) {
        case SearchPlan::kRows:
            return "rows";
        case SearchPlan::kCodes:
            return "codes";
        case SearchPlan::kGraph:
            return "graph";
        case SearchPlan::kLists:
            return "lists";
        case SearchPlan::kGraphRows:
            return "graph, then rows";
        case SearchPlan::kNone:
            break;
    }
    return "none";
}

}  // namespace vecdb
