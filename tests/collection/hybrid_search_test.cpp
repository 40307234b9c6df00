// One question in several vector fields, against a fusion that is written down from the formulas.

#include "support/catch.h"
#include "support/collections.h"
#include "support/random_data.h"
#include "support/vector_twins.h"

#include <vecdb/database.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <numbers>
#include <string>
#include <variant>
#include <vector>

namespace vecdb {
namespace {

using test::VectorTwins;

std::vector<VectorField> three_fields() {
    return {
        {.name = "image", .dim = 12, .metric = Metric::kCosine},
        {.name = "title", .dim = 8, .metric = Metric::kL2, .index = IvfOptions{.nlist = 4}},
        {.name = "place", .dim = 3, .metric = Metric::kInnerProduct, .index = HnswOptions{.m = 4}}};
}

/// Rows in sealed and growing segments and two partitions, some of them removed.
VectorTwins make_twins() {
    VectorTwins twins(three_fields());
    twins.upsert(500, 0);
    twins.build();
    twins.upsert(120, 450);
    twins.thin_out(8);
    return twins;
}

using Scores = std::map<Id, double>;

/// Return the scores of all rows in one field.
Scores all_scores(const VectorTwins& twins, std::size_t field, VectorView query) {
    Scores scores;
    for (const Hit& hit :
         twins.alone(field).search(query, {.k = twins.rows(), .exact = true}).value())
        scores[hit.id] = static_cast<double>(hit.score);
    return scores;
}

/// One part of a question as the reference sees it.
struct Part {
    std::size_t field;
    std::vector<float> query;
    std::size_t candidates;
    double weight;
};

std::vector<FieldQuery> queries_of(const VectorTwins& twins, const std::vector<Part>& parts) {
    std::vector<FieldQuery> queries;
    for (const Part& part : parts) {
        queries.push_back(
            {part.query,
             {.k = part.candidates, .field = twins.fields()[part.field].name, .exact = true}});
    }
    return queries;
}

/// Return the ids nearest by one field, nearest first.
std::vector<Id> candidates_of(const VectorTwins& twins, const Part& part) {
    return test::ids_of(
        twins.alone(part.field).search(part.query, {.k = part.candidates, .exact = true}).value());
}

std::vector<double> weights_of(const std::vector<Part>& parts) {
    std::vector<double> weights;
    for (const Part& part : parts)
        weights.push_back(part.weight);
    return weights;
}

double on_scale(
    Normalisation normalisation, Metric metric, double score, double least, double most) {
    if (normalisation == Normalisation::kMinMax) {
        if (least == most) return 1.0;
        const double above = metric == Metric::kL2 ? most - score : score - least;
        return above / (most - least);
    }
    if (normalisation == Normalisation::kNone) return score;
    switch (metric) {
        case Metric::kL2:
            return 1.0 - 2.0 * std::atan(score) / std::numbers::pi;
        case Metric::kInnerProduct:
            return 0.5 + std::atan(score) / std::numbers::pi;
        default:
            return (1.0 + score) / 2.0;
    }
}

/// Add up the normalised scores of every row that is a candidate of some part.
Scores weighted(const VectorTwins& twins,
                const std::vector<Part>& parts,
                Normalisation normalisation) {
    Scores sums;
    for (const Part& part : parts) {
        for (const Id id : candidates_of(twins, part))
            sums[id] = 0.0;
    }
    for (const Part& part : parts) {
        const Scores scores = all_scores(twins, part.field, part.query);
        double least = std::numeric_limits<double>::infinity();
        double most = -least;
        for (const auto& each : sums) {
            least = std::min(least, scores.at(each.first));
            most = std::max(most, scores.at(each.first));
        }
        const Metric metric = twins.fields()[part.field].metric;
        for (auto& [id, sum] : sums)
            sum += part.weight * on_scale(normalisation, metric, scores.at(id), least, most);
    }
    return sums;
}

Scores by_ranks(const VectorTwins& twins, const std::vector<Part>& parts, double constant) {
    Scores sums;
    for (const Part& part : parts) {
        double rank = 0.0;
        for (const Id id : candidates_of(twins, part))
            sums[id] += part.weight / (constant + ++rank);
    }
    return sums;
}

/// Require that `hits` are the k best of `sums`.
void check_best(const Hits& hits, const Scores& sums, std::size_t k) {
    Hits expected;
    for (const auto& [id, sum] : sums)
        expected.push_back({id, static_cast<float>(sum)});
    std::sort(expected.begin(), expected.end(), [](const Hit& a, const Hit& b) {
        return a.score != b.score ? a.score > b.score : a.id < b.id;
    });
    expected.resize(std::min(k, expected.size()));
    REQUIRE(hits.size() == expected.size());
    for (std::size_t i = 0; i < hits.size(); ++i) {
        INFO("hit " << i);
        CHECK(hits[i].id == expected[i].id);
        CHECK(std::abs(hits[i].score - expected[i].score) <= 1e-6F * std::abs(expected[i].score));
    }
}

std::vector<std::vector<Part>> some_questions() {
    const auto query = [](std::size_t dim, std::uint64_t seed) {
        return test::normal_rows(1, dim, seed).values;
    };
    return {
        {{0, query(12, 1), 30, 0.7}, {1, query(8, 2), 30, 0.3}},
        {{1, query(8, 3), 5, 1.0}, {2, query(3, 4), 80, 2.5}, {0, query(12, 5), 1, 0.1}},
        {{2, query(3, 6), 20, 1.0}},
        {{0, query(12, 7), 10, 1.0}, {0, query(12, 8), 10, 1.0}},  // two questions of one field
        {{1, query(8, 9), 500, 1.0}, {0, query(12, 10), 500, 0.0}},
    };
}

}  // namespace

TEST_CASE("several fields are searched together as the formulas say", "[collection]") {
    const VectorTwins twins = make_twins();
    for (const std::vector<Part>& parts : some_questions()) {
        CAPTURE(parts.size(), parts[0].field, parts[0].candidates);
        const std::vector<FieldQuery> queries = queries_of(twins, parts);
        for (const double constant : {60.0, 1.0}) {
            const Hits hits = twins.together()
                                  .hybrid_search(queries,
                                                 RankFusionOptions{.k = 12,
                                                                   .rank_constant = constant,
                                                                   .weights = weights_of(parts)})
                                  .value();
            check_best(hits, by_ranks(twins, parts, constant), 12);
        }
        for (const Normalisation normalisation : {Normalisation::kMinMax, Normalisation::kArctan}) {
            const Hits hits =
                twins.together()
                    .hybrid_search(
                        queries,
                        WeightedFusionOptions{
                            .k = 12, .weights = weights_of(parts), .normalisation = normalisation})
                    .value();
            check_best(hits, weighted(twins, parts, normalisation), 12);
        }
    }
}

TEST_CASE("similarities of several fields are added up as they are", "[collection]") {
    const VectorTwins twins = make_twins();
    const std::vector<Part> parts = {{0, test::normal_rows(1, 12, 1).values, 40, 0.5},
                                     {2, test::normal_rows(1, 3, 2).values, 40, 2.0}};
    const WeightedFusionOptions options{
        .k = 10, .weights = weights_of(parts), .normalisation = Normalisation::kNone};
    check_best(twins.together().hybrid_search(queries_of(twins, parts), options).value(),
               weighted(twins, parts, Normalisation::kNone),
               10);
}

TEST_CASE("parts of a hybrid search have options of their own and one moment", "[collection]") {
    VectorTwins twins = make_twins();
    Collection& rows = twins.together();
    const std::vector<float> image = test::normal_rows(1, 12, 1).values;
    const std::vector<float> title = test::normal_rows(1, 8, 2).values;
    const Filter even = Filter::where([](Id id) { return id % 2 == 0; });

    const Hits first = rows.hybrid_search({{image, {.k = 5, .filter = even}},
                                           {title, {.k = 5, .field = "title", .filter = even}}})
                           .value();
    CHECK(first.size() >= 5);
    CHECK(std::all_of(first.begin(), first.end(), [](const Hit& hit) { return hit.id % 2 == 0; }));

    SearchReport report;
    CHECK(rows.hybrid_search(
                  {{image, {.k = 5, .report = &report}}, {title, {.k = 7, .field = "title"}}})
              .ok());
    CHECK(report.k == 5);
    CHECK(report.metric == "cosine");
    CHECK(report.field == "image");

    rows.set_retention({.window = std::chrono::hours(1), .max_writes = 10}).check();
    twins.thin_out(50);
    const Pin pin = rows.pin();
    const Moment moment = rows.sequence();
    const Hits before = pin.hybrid_search({{image, {.k = 9}}, {title, {.k = 9, .field = "title"}}},
                                          WeightedFusionOptions())
                            .value();
    rows.remove(before[0].id).status().check();
    CHECK(pin.hybrid_search({{image, {.k = 9}}, {title, {.k = 9, .field = "title"}}},
                            WeightedFusionOptions())
              .value() == before);
    CHECK(rows.hybrid_search({{image, {.k = 9, .as_of = moment}},
                              {title, {.k = 9, .field = "title", .as_of = moment}}},
                             WeightedFusionOptions())
              .value() == before);
    const Hits after = rows.hybrid_search({{image, {.k = 9}}, {title, {.k = 9, .field = "title"}}},
                                          WeightedFusionOptions())
                           .value();
    CHECK(std::none_of(
        after.begin(), after.end(), [&](const Hit& hit) { return hit.id == before[0].id; }));
    CHECK(rows.hybrid_search({{image, {.k = 0}}, {title, {.k = 0, .field = "title"}}})
              .value()
              .empty());
}

TEST_CASE("a hybrid search says which part is wrong", "[collection]") {
    const VectorTwins twins = make_twins();
    const Collection& rows = twins.together();
    const std::vector<float> image(12, 1.0F);
    const std::vector<float> title(8, 1.0F);
    const auto refused = [&](const std::vector<FieldQuery>& parts,
                             const FusionOptions& how,
                             std::initializer_list<std::string> words) {
        const Status status = rows.hybrid_search(parts, how).status();
        INFO(status.to_string());
        CHECK(status.code() == StatusCode::kInvalidArgument);
        for (const std::string& word : words)
            CHECK(test::names(status, word));
    };
    const FieldQuery good{image, {}};
    refused({}, {}, {"0 parts", "1 to 64"});
    refused(std::vector<FieldQuery>(65, good), {}, {"65 parts", "1 to 64"});
    CHECK(rows.hybrid_search(std::vector<FieldQuery>(64, good)).ok());
    refused({good, {title, {}}}, {}, {"part 1", "dimension 8", "12"});
    refused({good, {title, {.field = "titel"}}}, {}, {"part 1", "'titel'", "'image'", "'place'"});
    refused({good, {title, {.k = 16'385, .field = "title"}}}, {}, {"part 1", "16385", "16384"});
    refused({{image, {.as_of = Moment(std::uint64_t{0})}}, good}, {}, {"part 1", "as_of"});
    refused({good, good}, RankFusionOptions{.weights = {1.0}}, {"1 weights for 2 lists"});
    refused({good}, RankFusionOptions{.k = 16'385}, {"16385", "16384"});
    refused({good, good}, WeightedFusionOptions{.weights = {1.0, -1.0}}, {"weight 1", "-1"});
    refused({good}, WeightedFusionOptions{.kinds = {ScoreKind::kCosine}}, {"kinds", "empty"});
    refused({{title, {.field = "title"}}},
            WeightedFusionOptions{.normalisation = Normalisation::kNone},
            {"list 0", "distances"});
    const std::vector<float> nothing(12, 0.0F);
    refused({good, {nothing, {}}}, {}, {"part 1", "zero vector"});
}

}  // namespace vecdb
