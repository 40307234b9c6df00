#include "index/conformance/truth.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <numeric>

namespace vecdb::test {

Truth::Truth(const Segment& segment, std::size_t rows)
    : rows_(rows), sorted_(segment.queries()), find_(segment.queries()) {
    std::vector<std::uint32_t> list(rows);
    std::iota(list.begin(), list.end(), 0U);
    std::vector<float> distances(rows);
    for (std::size_t q = 0; q < segment.queries(); ++q) {
        segment.rows(rows).distances(segment.query(q), list, distances);
        for (std::size_t i = 0; i < rows; ++i)
            sorted_[q].push_back({{segment.ids()[i], distances[i]}, i});
        std::sort(sorted_[q].begin(), sorted_[q].end(), [](const Place& a, const Place& b) {
            return nearer(a.hit, b.hit);
        });
        for (std::size_t place = 0; place < rows; ++place)
            find_[q][sorted_[q][place].hit.id] = place;
    }
}

std::vector<Hit> Truth::nearest(std::size_t query, const Mask& mask, std::size_t k) const {
    std::vector<Hit> hits;
    for (const Place& place : sorted_[query]) {
        if (hits.size() == k) break;
        if (mask.filter().test(place.row)) hits.push_back(place.hit);
    }
    return hits;
}

std::vector<Hit> Truth::within(std::size_t query, const Mask& mask, float radius) const {
    std::vector<Hit> hits;
    for (const Place& place : sorted_[query]) {
        if (!(place.hit.score <= radius)) break;
        if (mask.filter().test(place.row)) hits.push_back(place.hit);
    }
    return hits;
}

std::string Truth::fault(std::size_t query, const Mask& mask, std::span<const Hit> answer) const {
    for (std::size_t i = 0; i < answer.size(); ++i) {
        const Hit& hit = answer[i];
        const std::string who = "hit " + std::to_string(i) + ", id " + std::to_string(hit.id);
        const auto found = find_[query].find(hit.id);
        if (found == find_[query].end()) return who + ", is of no row";
        const Place& place = sorted_[query][found->second];
        if (!mask.filter().test(place.row)) return who + ", is not allowed";
        if (std::bit_cast<std::uint32_t>(hit.score) !=
            std::bit_cast<std::uint32_t>(place.hit.score)) {
            return who + ", has distance " + std::to_string(hit.score) + " for " +
                   std::to_string(place.hit.score);
        }
        if (i > 0 && !nearer(answer[i - 1], hit)) return who + ", stands twice or out of order";
    }
    return {};
}

std::vector<Hit> ask(const Index& index,
                     const IndexRows& rows,
                     const void* query,
                     const IndexSearch& how,
                     std::size_t k) {
    std::vector<Hit> hits(k);
    TopK best(hits);
    index.search(rows, {&query, 1}, how, {&best, 1});
    hits.resize(best.sort().size());
    return hits;
}

double recall(std::span<const Hit> answer, std::span<const Hit> truth) {
    if (truth.empty()) return 1;
    const auto near = std::count_if(answer.begin(), answer.end(), [&](const Hit& hit) {
        return hit.score <= truth.back().score;
    });
    return static_cast<double>(near) / static_cast<double>(truth.size());
}

}  // namespace vecdb::test
