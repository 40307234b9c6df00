#include "check.h"

#include <vecdb/merge_hits.h>
#include <vecdb/top_k.h>

#include <algorithm>
#include <unordered_set>
#include <vector>

namespace vecdb {
namespace {

using Rest = std::span<const Hit>;

bool is_over(Rest rest) {
    return rest.empty() || rest.front().id == kNoId;
}

/// Orders what is left of lists so that the nearest first hit is on top of a heap.
class FartherFirst {
  public:
    explicit FartherFirst(Metric metric) noexcept : larger_(larger_is_nearer(metric)) {}

    bool operator()(Rest a, Rest b) const noexcept {
        return nearer(as_distance(b.front()), as_distance(a.front()));
    }

  private:
    [[nodiscard]] Hit as_distance(Hit hit) const noexcept {
        return {hit.id, larger_ ? -hit.score : hit.score};
    }

    bool larger_;
};

}  // namespace

Result<Hits> merge_hits(Metric metric, std::span<const Rest> lists, std::size_t k) {
    return guard([&]() -> Result<Hits> {
        const FartherFirst farther_first(metric);
        std::vector<Rest> heap;
        std::size_t total = 0;
        for (const Rest list : lists) {
            if (is_over(list)) continue;
            heap.push_back(list);
            total += list.size();
        }
        std::make_heap(heap.begin(), heap.end(), farther_first);
        Hits merged;
        merged.reserve(std::min(k, total));
        std::unordered_set<Id> seen(merged.capacity());
        while (!heap.empty() && merged.size() < k) {
            std::pop_heap(heap.begin(), heap.end(), farther_first);
            Rest& rest = heap.back();
            if (seen.insert(rest.front().id).second) merged.push_back(rest.front());
            rest = rest.subspan(1);
            if (is_over(rest)) {
                heap.pop_back();
            } else {
                std::push_heap(heap.begin(), heap.end(), farther_first);
            }
        }
        return merged;
    });
}

}  // namespace vecdb
