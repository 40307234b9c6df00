#include "index/ivf_ranking.h"

#include "index/exact.h"
#include "simd/dispatch.h"

#include <array>
#include <limits>

namespace vecdb::index {
namespace {

/// 0, 1, 2, ...: a list of all rows of a step.
constexpr auto kFirstNumbers = [] {
    std::array<std::uint32_t, kListStep> numbers{};
    for (std::size_t i = 0; i < numbers.size(); ++i)
        numbers[i] = static_cast<std::uint32_t>(i);
    return numbers;
}();

}  // namespace

void rank_lists(const IvfLists& lists,
                Metric metric,
                const float* query,
                const CodeTable& coded,
                const simd::CodeQuery& estimate,
                ListRanking& ranking) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const simd::KernelTable& table = simd::table_in_use();
    const std::size_t dim = lists.dim();
    const bool by_product = larger_is_nearer(metric);
    const auto range =
        table.distances(by_product ? Metric::kInnerProduct : Metric::kL2, ElementType::kFloat32)
            .range;
    float* distances = ranking.distances(lists.count());
    std::uint32_t kept[kListStep];
    for (std::size_t first = 0; first < lists.count(); first += kListStep) {
        const std::size_t count = std::min(kListStep, lists.count() - first);
        const simd::Kept to{kept, distances + first};
        if (coded.empty()) {
            range(query, {lists.centroids() + first * dim, dim, dim}, count, kInfinity, to);
        } else {
            const simd::CodeRows all = coded.code_rows();
            const simd::CodeRows part{all.base + first * all.stride, all.stride};
            const auto row_kernel = coded.row_kernel(table);
            row_kernel(estimate, part, kFirstNumbers.data(), count, 0, kInfinity, to);
        }
    }
    ranking.take_distances();
}

}  // namespace vecdb::index
