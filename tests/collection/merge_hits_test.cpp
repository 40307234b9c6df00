#include "support/catch.h"
#include "support/collections.h"
#include "support/random_data.h"

#include <vecdb/merge_hits.h>

#include <algorithm>
#include <limits>
#include <map>
#include <span>
#include <vector>

namespace vecdb {
namespace {

using Lists = std::vector<Hits>;

Hits merged(Metric metric, const Lists& lists, std::size_t k) {
    const std::vector<std::span<const Hit>> views(lists.begin(), lists.end());
    return merge_hits(metric, views, k).value();
}

/// Sort as a search does.
void sort(Metric metric, Hits& hits) {
    const bool larger = larger_is_nearer(metric);
    std::sort(hits.begin(), hits.end(), [larger](const Hit& a, const Hit& b) {
        if (a.score != b.score) return larger ? a.score > b.score : a.score < b.score;
        return a.id < b.id;
    });
}

/// What a merge should give: the best hit of every id, sorted, cut.
Hits expected(Metric metric, const Lists& lists, std::size_t k) {
    std::map<Id, Hit> best;
    const bool larger = larger_is_nearer(metric);
    for (const Hits& list : lists) {
        for (const Hit& hit : list) {
            const auto [known, added] = best.emplace(hit.id, hit);
            const bool better =
                larger ? hit.score > known->second.score : hit.score < known->second.score;
            if (!added && better) known->second = hit;
        }
    }
    Hits hits;
    for (const auto& [id, hit] : best)
        hits.push_back(hit);
    sort(metric, hits);
    hits.resize(std::min(k, hits.size()));
    return hits;
}

TEST_CASE("a merge has the nearest of all lists, each id once, ties by id") {
    const Metric metric = GENERATE(Metric::kL2, Metric::kInnerProduct, Metric::kCosine);
    const auto seed = GENERATE(1U, 2U, 3U, 4U, 5U);
    CAPTURE(seed);
    test::Random random(seed);
    for (const std::size_t count : {0U, 1U, 2U, 7U, 32U}) {
        Lists lists(count);
        for (Hits& list : lists) {
            // Few scores and few ids, so that both are often equal.
            for (std::size_t i = random() % 40; i > 0; --i) {
                list.push_back(
                    {static_cast<Id>(random() % 200), static_cast<float>(random() % 8) - 4.0F});
            }
            sort(metric, list);
        }
        for (const std::size_t k : {0U, 1U, 10U, 100U, 10'000U}) {
            CAPTURE(count, k);
            REQUIRE(test::identical(merged(metric, lists, k), expected(metric, lists, k)));
        }
    }
}

TEST_CASE("padding ends a list that is merged") {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const Lists lists = {{{4, 1.0F}, {kNoId, kInfinity}, {kNoId, kInfinity}},
                         {{kNoId, kInfinity}},
                         {{9, 0.5F}, {2, 1.0F}}};
    CHECK(merged(Metric::kL2, lists, 10) == Hits{{9, 0.5F}, {2, 1.0F}, {4, 1.0F}});
}

TEST_CASE("merged searches of two collections are a search of one that has both") {
    const Metric metric = GENERATE(Metric::kL2, Metric::kInnerProduct, Metric::kCosine);
    const test::Matrix rows = test::normal_rows(400, 12, 7);
    const std::vector<Id> ids = test::shuffled_ids(400, 8);
    const Collection all = test::make_collection(metric, ids, rows);
    Collection parts[2] = {test::make_collection(12, metric), test::make_collection(12, metric)};
    for (std::size_t i = 0; i < ids.size(); ++i)
        parts[i % 2].insert(ids[i], rows.row(i)).check();
    const test::Matrix queries = test::normal_rows(5, 12, 9);
    for (std::size_t q = 0; q < queries.rows; ++q) {
        const VectorView query(queries.row(q));
        const Lists lists = {parts[0].search(query).value(), parts[1].search(query).value()};
        CHECK(test::identical(merged(metric, lists, 10), all.search(query).value()));
    }
}

}  // namespace
}  // namespace vecdb
