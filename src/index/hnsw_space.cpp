#include "index/hnsw_space.h"

#include "simd/dispatch.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vecdb::index {

HnswSpace::HnswSpace(const IndexRows& rows, const CodeSpace& head, const CodeTable* codes)
    : rows_(rows), head_(head), codes_(codes) {
    const bool angular = rows.metric == Metric::kInnerProduct || rows.metric == Metric::kCosine;
    products_ = codes != nullptr || angular;
    if (products_) measure_squares();
    if (rows.metric == Metric::kInnerProduct) level_lengths();
}

/// Work out each node's product with itself, by the kernel that compares it with others.
void HnswSpace::measure_squares() {
    HnswQuery query;
    squares_.resize(rows_.count);
    for (std::size_t i = 0; i < rows_.count; ++i) {
        const auto node = static_cast<std::uint32_t>(i);
        prepare(node, query);
        float value = 0;
        std::uint32_t kept_nodes[16];
        float kept_values[16];
        const simd::Kept kept{kept_nodes, kept_values};
        pair_distances(node, query)(&node, 1, std::numeric_limits<float>::infinity(), kept);
        value = -kept_values[0];
        squares_[i] = std::max(0.0F, value);
    }
}

/// Work out the coordinate that makes all rows as long as the longest.
void HnswSpace::level_lengths() {
    extra_.resize(rows_.count);
    const ListDistances products(rows_);
    float longest = 0;
    for (std::size_t i = 0; i < rows_.count; ++i) {
        const auto node = static_cast<std::uint32_t>(i);
        products(rows_.row(i), {&node, 1}, &extra_[i]);
        extra_[i] = -extra_[i];
        longest = std::max(longest, extra_[i]);
    }
    for (float& each : extra_)
        each = std::sqrt(std::max(0.0F, longest - each));
}

WalkDistances HnswSpace::search_for(std::uint32_t node, HnswQuery& query) const {
    if (codes_ == nullptr) return {rows_, rows_.row(node)};
    codes_->prepare(head_, static_cast<const float*>(rows_.row(node)), 0, query.search);
    return {simd::table_in_use(), *codes_, query.search.estimate};
}

void HnswSpace::prepare(std::uint32_t node, HnswQuery& query) const {
    if (codes_ != nullptr) codes_->prepare_row(node, query.pair);
}

WalkDistances HnswSpace::pair_distances(std::uint32_t node, HnswQuery& query) const {
    if (codes_ == nullptr) return {rows_, rows_.row(node)};
    return {simd::table_in_use(), *codes_, query.pair.estimate};
}

void HnswSpace::between(std::uint32_t node,
                        HnswQuery& query,
                        std::span<const std::uint32_t> list,
                        float* out) const {
    const std::size_t room = (list.size() + 15) / 16 * 16;
    if (query.nodes.size() < room) {
        query.nodes.resize(room);
        query.values.resize(room);
    }
    const simd::Kept kept{query.nodes.data(), query.values.data()};
    pair_distances(node, query)(
        list.data(), list.size(), std::numeric_limits<float>::infinity(), kept);
    for (std::size_t i = 0; i < list.size(); ++i) {
        float distance = query.values[i];
        if (products_) distance = squares_[node] + squares_[list[i]] + 2 * distance;
        if (!extra_.empty()) {
            const float difference = extra_[node] - extra_[list[i]];
            distance += difference * difference;
        }
        out[i] = std::max(0.0F, distance);
    }
}

}  // namespace vecdb::index
