#include "support/catch.h"
#include "support/collections.h"
#include "support/random_data.h"

#include <vecdb/fusion.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vecdb {
namespace {

using Lists = std::vector<Hits>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr double kPi = 3.14159265358979323846;

std::vector<std::span<const Hit>> views(const Lists& lists) {
    return {lists.begin(), lists.end()};
}

Result<Hits> by_rank(const Lists& lists, const RankFusionOptions& options = {}) {
    return fuse_reciprocal_rank(views(lists), options);
}

Result<Hits> by_score(const Lists& lists, const WeightedFusionOptions& options) {
    return fuse_weighted(views(lists), options);
}

/// Draw lists of distinct ids with few scores, so that sums are often equal.
Lists random_lists(test::Random& random, std::size_t count) {
    Lists lists(count);
    for (Hits& list : lists) {
        std::vector<Id> ids = test::shuffled_ids(60, random());
        ids.resize(random() % 40);
        for (const Id id : ids)
            list.push_back({id, static_cast<float>(random() % 9) / 4.0F});
    }
    return lists;
}

std::vector<double> random_weights(test::Random& random, std::size_t count) {
    std::vector<double> weights(random() % 2 == 0 ? 0 : count);
    for (double& weight : weights)
        weight = static_cast<double>(random() % 5) / 2.0;
    return weights;
}

double weight_of(const std::vector<double>& weights, std::size_t list) {
    return weights.empty() ? 1.0 : weights[list];
}

/// Sort sums by score and id, and cut.
Hits sorted(const std::map<Id, double>& sums, std::size_t k) {
    Hits hits;
    for (const auto& [id, sum] : sums)
        hits.push_back({id, static_cast<float>(sum)});
    std::stable_sort(
        hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return a.score > b.score; });
    hits.resize(std::min(k, hits.size()));
    return hits;
}

Hits expected_by_rank(const Lists& lists, const RankFusionOptions& options) {
    std::map<Id, double> sums;
    for (std::size_t l = 0; l < lists.size(); ++l) {
        for (std::size_t i = 0; i < lists[l].size(); ++i) {
            sums[lists[l][i].id] += weight_of(options.weights, l) /
                                    (options.rank_constant + static_cast<double>(i + 1));
        }
    }
    return sorted(sums, options.k);
}

double normalised(double s, ScoreKind kind, Normalisation normalisation, const Hits& list) {
    if (normalisation == Normalisation::kNone) return s;
    if (normalisation == Normalisation::kMinMax) {
        double least = std::numeric_limits<double>::max();
        double most = -least;
        for (const Hit& hit : list) {
            least = std::min(least, static_cast<double>(hit.score));
            most = std::max(most, static_cast<double>(hit.score));
        }
        if (least == most) return 1.0;
        return (kind == ScoreKind::kDistance ? most - s : s - least) / (most - least);
    }
    if (kind == ScoreKind::kDistance) return 1.0 - 2.0 * (std::atan(s) / kPi);
    if (kind == ScoreKind::kInnerProduct) return 0.5 + std::atan(s) / kPi;
    if (kind == ScoreKind::kCosine) return (1.0 + s) / 2.0;
    return 2.0 * (std::atan(s) / kPi);
}

Hits expected_by_score(const Lists& lists, const WeightedFusionOptions& options) {
    std::map<Id, double> sums;
    for (std::size_t l = 0; l < lists.size(); ++l) {
        for (const Hit& hit : lists[l]) {
            sums[hit.id] +=
                weight_of(options.weights, l) *
                normalised(hit.score, options.kinds[l], options.normalisation, lists[l]);
        }
    }
    return sorted(sums, options.k);
}

TEST_CASE("fusion by rank adds up reciprocal ranks") {
    const auto seed = GENERATE(range(1U, 11U));
    CAPTURE(seed);
    test::Random random(seed);
    for (const std::size_t count : {0U, 1U, 2U, 5U, 20U}) {
        const Lists lists = random_lists(random, count);
        for (const std::size_t k : {0U, 1U, 10U, 16'384U}) {
            const RankFusionOptions options{.k = k,
                                            .rank_constant = static_cast<double>(random() % 80),
                                            .weights = random_weights(random, count)};
            CAPTURE(count, k, options.rank_constant);
            REQUIRE(
                test::identical(by_rank(lists, options).value(), expected_by_rank(lists, options)));
        }
    }
}

TEST_CASE("fusion by score adds up normalised scores") {
    const auto seed = GENERATE(range(1U, 11U));
    const auto normalisation =
        GENERATE(Normalisation::kNone, Normalisation::kMinMax, Normalisation::kArctan);
    CAPTURE(seed, static_cast<int>(normalisation));
    test::Random random(seed);
    for (const std::size_t count : {0U, 1U, 2U, 5U, 20U}) {
        const Lists lists = random_lists(random, count);
        WeightedFusionOptions options{.normalisation = normalisation};
        const std::size_t first = normalisation == Normalisation::kNone ? 1 : 0;
        for (std::size_t l = 0; l < count; ++l)
            options.kinds.push_back(static_cast<ScoreKind>(1 + first + random() % (4 - first)));
        for (const std::size_t k : {0U, 1U, 10U, 16'384U}) {
            options.k = k;
            options.weights = random_weights(random, count);
            CAPTURE(count, k);
            REQUIRE(test::identical(by_score(lists, options).value(),
                                    expected_by_score(lists, options)));
        }
    }
}

TEST_CASE("ranks count from 1 and ties go by id") {
    const Lists lists = {{{7, 0.9F}, {3, 0.8F}, {5, 0.7F}}, {{3, 12.0F}, {7, 11.0F}}};
    const Hits fused = by_rank(lists).value();
    REQUIRE(fused.size() == 3);
    const auto both = static_cast<float>(1.0 / 61.0 + 1.0 / 62.0);
    CHECK(fused[0] == Hit{3, both});
    CHECK(fused[1] == Hit{7, both});
    CHECK(fused[2] == Hit{5, static_cast<float>(1.0 / 63.0)});
    const Hits weighted = by_rank(lists, {.k = 1, .rank_constant = 0, .weights = {2, 1}}).value();
    CHECK(weighted == Hits{{7, 2.5F}});
}

TEST_CASE("scores of several kinds are fused as computed by hand") {
    const Lists lists = {{{1, 0.0F}, {2, 1.0F}, {3, 4.0F}}, {{3, 10.0F}, {4, 5.0F}}};
    const std::vector<ScoreKind> kinds = {ScoreKind::kDistance, ScoreKind::kRelevance};
    const Hits by_range = by_score(lists, {.kinds = kinds, .weights = {0.5, 2.0}}).value();
    CHECK(by_range == Hits{{3, 2.0F}, {1, 0.5F}, {2, 0.375F}, {4, 0.0F}});
    const Lists ones = {{{1, 1.0F}}, {{2, 1.0F}}, {{3, 1.0F}}, {{4, 1.0F}}};
    const Hits by_angle = by_score(ones,
                                   {.kinds = {ScoreKind::kDistance,
                                              ScoreKind::kInnerProduct,
                                              ScoreKind::kCosine,
                                              ScoreKind::kRelevance},
                                    .normalisation = Normalisation::kArctan})
                              .value();
    CHECK(by_angle == Hits{{3, 1.0F}, {2, 0.75F}, {1, 0.5F}, {4, 0.5F}});
    const Hits plain = by_score({{{1, -2.0F}, {2, 3.0F}}, {{2, -4.0F}}},
                                {.kinds = {ScoreKind::kInnerProduct, ScoreKind::kInnerProduct},
                                 .normalisation = Normalisation::kNone})
                           .value();
    CHECK(plain == Hits{{2, -1.0F}, {1, -2.0F}});
}

TEST_CASE("hits of equal scores in a list all get 1") {
    const WeightedFusionOptions options{.kinds = {ScoreKind::kDistance, ScoreKind::kRelevance}};
    const Lists lists = {{{1, 3.0F}, {2, 3.0F}}, {{9, 0.0F}}};
    CHECK(by_score(lists, options).value() == Hits{{1, 1.0F}, {2, 1.0F}, {9, 1.0F}});
}

TEST_CASE("padding ends a list that is fused") {
    const Lists lists = {{{4, 1.0F}, {kNoId, kInfinity}, {4, kNaN}}, {{kNoId, kInfinity}}};
    CHECK(by_rank(lists).value() == Hits{{4, static_cast<float>(1.0 / 61.0)}});
    const WeightedFusionOptions options{.kinds = {ScoreKind::kDistance, ScoreKind::kDistance}};
    CHECK(by_score(lists, options).value() == Hits{{4, 1.0F}});
}

TEST_CASE("sums that are the same float are ties") {
    const Lists lists = {{{8, 1.0F}, {5, 1.0F}}, {{8, 2.0F}, {5, 1.0F}}};
    const WeightedFusionOptions options{.kinds = {ScoreKind::kCosine, ScoreKind::kCosine},
                                        .weights = {1.0, 1e-9},
                                        .normalisation = Normalisation::kNone};
    CHECK(by_score(lists, options).value() == Hits{{5, 1.0F}, {8, 1.0F}});
}

TEST_CASE("sums past the range of a float are its ends") {
    constexpr float kMost = std::numeric_limits<float>::max();
    const WeightedFusionOptions options{.kinds = {ScoreKind::kInnerProduct},
                                        .weights = {1e6},
                                        .normalisation = Normalisation::kNone};
    const Lists lists = {{{8, kMost}, {5, kMost / 2}, {6, -kMost}}};
    CHECK(by_score(lists, options).value() == Hits{{5, kMost}, {8, kMost}, {6, -kMost}});
}

TEST_CASE("lists of searches fuse by the kind of their metric") {
    CHECK(score_kind(Metric::kL2) == ScoreKind::kDistance);
    CHECK(score_kind(Metric::kHamming) == ScoreKind::kDistance);
    CHECK(score_kind(Metric::kJaccard) == ScoreKind::kDistance);
    CHECK(score_kind(Metric::kInnerProduct) == ScoreKind::kInnerProduct);
    CHECK(score_kind(Metric::kCosine) == ScoreKind::kCosine);
    const Metric metric = GENERATE(Metric::kL2, Metric::kInnerProduct, Metric::kCosine);
    const test::Matrix rows = test::normal_rows(50, 8, 3);
    const Collection collection = test::make_collection(metric, test::sequential_ids(50), rows);
    const Hits found = collection.search(VectorView(rows.row(7)), {.k = 50}).value();
    for (const auto normalisation : {Normalisation::kMinMax, Normalisation::kArctan}) {
        const Hits fused =
            by_score({found},
                     {.k = 50, .kinds = {score_kind(metric)}, .normalisation = normalisation})
                .value();
        CHECK(test::ids_of(fused) == test::ids_of(found));
    }
}

void check_refused(const Result<Hits>& fused, std::string_view part) {
    CAPTURE(part);
    REQUIRE_FALSE(fused.ok());
    CAPTURE(fused.status().message());
    CHECK(fused.status().code() == StatusCode::kInvalidArgument);
    CHECK(fused.status().message().find(part) != std::string::npos);
}

TEST_CASE("options that are wrong are refused by name, value and limit") {
    const Lists two(2);
    check_refused(by_rank(two, {.k = 16'385}), "k is 16385; allowed are 0 to 16384");
    check_refused(by_rank(two, {.rank_constant = -1}), "rank_constant is -1.000000; allowed are 0");
    check_refused(by_rank(two, {.rank_constant = kNaN}), "rank_constant is nan");
    check_refused(by_rank(two, {.weights = {1}}), "there are 1 weights for 2 lists");
    check_refused(by_rank(two, {.weights = {1, -0.5}}), "weight 1 is -0.500000; allowed are 0 to");
    check_refused(by_rank(two, {.weights = {kNaN, 1}}), "weight 0 is nan");
    check_refused(by_rank(two, {.weights = {1, 1'000'001}}), "allowed are 0 to 1000000");
    const std::vector<ScoreKind> kinds(2, ScoreKind::kDistance);
    check_refused(by_score(two, {}), "there are 0 kinds for 2 lists");
    check_refused(by_score(two, {.k = 16'385, .kinds = kinds}), "k is 16385");
    check_refused(by_score(two, {.kinds = kinds, .weights = {1, 2, 3}}), "3 weights for 2 lists");
    check_refused(by_score(two, {.kinds = kinds, .weights = {1, kInfinity}}), "weight 1 is inf");
    check_refused(by_score(two, {.kinds = kinds, .normalisation = Normalisation::kNone}),
                  "list 0 has distances");
    check_refused(by_score(two, {.kinds = {ScoreKind::kCosine, static_cast<ScoreKind>(9)}}),
                  "kind 9 of list 1 is none of ScoreKind's");
    check_refused(by_score(two, {.kinds = kinds, .normalisation = static_cast<Normalisation>(7)}),
                  "normalisation 7 is none");
}

TEST_CASE("lists that are wrong are refused by hit") {
    struct Case {
        Hits list;
        const char* message;
        bool ranks_allow = false;
    };
    const Case cases[] = {
        {{{1, 0}, {-2, 0}}, "hit 1 of list 1 has id -2; ids are at least 0"},
        {{{1, 0}, {2, 0}, {1, 0}}, "hit 2 of list 1 has id 1, which stands before"},
        {{{1, kNaN}}, "hit 0 of list 1 has score nan"},
        {{{1, kInfinity}}, "hit 0 of list 1 has score inf", true},
        {{{1, -kInfinity}}, "hit 0 of list 1 has score -inf", true},
    };
    const WeightedFusionOptions options{.kinds = {ScoreKind::kCosine, ScoreKind::kCosine}};
    for (const Case& each : cases) {
        const Lists lists = {{{1, 0}}, each.list};
        check_refused(by_score(lists, options), each.message);
        if (each.ranks_allow) {
            CHECK(by_rank(lists).ok());
        } else {
            check_refused(by_rank(lists), each.message);
        }
    }
}

}  // namespace
}  // namespace vecdb
