#include "index/hnsw_order.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

namespace vecdb::index {
namespace {

/// How far back a neighbour is looked for when the last node has none left.
constexpr std::size_t kLookBack = 32;

constexpr std::uint32_t kNone = ~std::uint32_t{0};

/// Places nodes one by one.
class Placement {
  public:
    explicit Placement(const HnswGraph& graph) : graph_(graph), placed_(graph.nodes(), false) {
        order_.reserve(graph.nodes());
    }

    void place(std::uint32_t node) {
        if (placed_[node]) return;
        placed_[node] = true;
        order_.push_back(node);
    }

    /// Place everything that is not placed yet.
    std::vector<std::uint32_t> finish() {
        while (order_.size() < graph_.nodes()) {
            const std::uint32_t next = near_last();
            place(next != kNone ? next : first_left());
        }
        return std::move(order_);
    }

  private:
    [[nodiscard]] std::uint32_t near_last() const {
        const std::size_t back = std::min(kLookBack, order_.size());
        for (std::size_t i = 1; i <= back; ++i) {
            for (const std::uint32_t each : graph_.neighbours(order_[order_.size() - i])) {
                if (!placed_[each]) return each;
            }
        }
        return kNone;
    }
    std::uint32_t first_left() {
        while (placed_[left_])
            ++left_;
        return left_;
    }

    const HnswGraph& graph_;
    std::vector<bool> placed_;
    std::vector<std::uint32_t> order_;
    std::uint32_t left_ = 0;
};

}  // namespace

std::vector<std::uint32_t> random_order(std::size_t nodes, std::uint64_t seed) {
    std::vector<std::uint32_t> order(nodes);
    std::iota(order.begin(), order.end(), 0U);
    std::mt19937_64 random(seed);  // std::shuffle's use of it differs between libraries
    for (std::size_t left = nodes; left > 1; --left)
        std::swap(order[left - 1], order[random() % left]);
    return order;
}

std::vector<std::uint32_t> locality_order(const HnswGraph& graph,
                                          std::span<const std::uint32_t> entries) {
    Placement placement(graph);
    for (const std::uint32_t node : entries)
        placement.place(node);
    return placement.finish();
}

HnswGraph renumbered(const HnswGraph& graph, std::span<const std::uint32_t> order) {
    std::vector<std::uint32_t> numbers(order.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        numbers[order[i]] = static_cast<std::uint32_t>(i);
    HnswGraph result(graph.nodes(), graph.width());
    std::vector<std::uint32_t> list;
    for (std::size_t i = 0; i < order.size(); ++i) {
        list.clear();
        for (const std::uint32_t each : graph.neighbours(order[i]))
            list.push_back(numbers[each]);
        result.set(static_cast<std::uint32_t>(i), list);
    }
    return result;
}

}  // namespace vecdb::index
