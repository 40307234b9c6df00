#include "support/catch.h"
#include "support/collections.h"
#include "support/model.h"
#include "support/random_data.h"

#include <vecdb/collection.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace vecdb {
namespace {

using test::Matrix;
using test::Model;

constexpr std::size_t kDims[] = {1, 2, 3, 7, 8, 9, 16, 17, 100, 128, 784};

/// The same rows in a collection and in the model.
struct Pair {
    Pair(Metric metric, std::span<const Id> ids, const Matrix& rows)
        : collection(test::make_collection(metric, ids, rows)), model(rows.dim, metric) {
        model.upsert(ids, rows.view());
    }

    [[nodiscard]] std::string fault(std::span<const float> query, std::size_t k) const {
        const Hits hits = collection.search(VectorView(query), {.k = k}).value();
        return model.fault(query, k, hits);
    }

    Collection collection;
    Model model;
};

TEST_CASE("search finds what brute force finds, in every dimension") {
    for (const Metric metric : test::kAllMetrics) {
        for (const std::size_t dim : kDims) {
            CAPTURE(to_string(metric), dim);
            const Matrix queries = test::normal_rows(4, dim, dim);
            const Pair pair(
                metric, test::shuffled_ids(1500, 7, 3), test::normal_rows(1500, dim, dim + 1));
            for (std::size_t q = 0; q < queries.rows; ++q) {
                CHECK(pair.fault(queries.row(q), 10) == "");
                CHECK(pair.fault(queries.row(q), 1500) == "");
            }
        }
    }
}

TEST_CASE("search finds what brute force finds, with any number of rows") {
    constexpr std::size_t kCounts[] = {
        0,   1,   2,   3,   7,    8,    9,    15,   16,   17,   31,   32,   33,  47,  48,
        49,  63,  64,  65,  95,   96,   97,   127,  128,  129,  191,  192,  193, 255, 256,
        257, 511, 512, 513, 1023, 1024, 1025, 2047, 2048, 2049, 4095, 4096, 4097};
    for (const std::size_t rows : kCounts) {
        for (const std::size_t dim : {2U, 17U}) {
            CAPTURE(rows, dim);
            const Metric metric = test::kAllMetrics[rows % 3];
            const Pair pair(
                metric, test::shuffled_ids(rows, rows), test::normal_rows(rows, dim, rows));
            const Matrix query = test::normal_rows(1, dim, 99);
            for (const std::size_t k : {std::size_t{1}, std::size_t{10}, rows, rows + 1}) {
                CHECK(pair.fault(query.row(0), k) == "");
            }
        }
    }
}

TEST_CASE("search is exact across the borders of storage blocks") {
    // 784 floats a row make blocks of few rows; 1 float a row makes the largest ones.
    for (const auto& [dim, rows] : {std::pair<std::size_t, std::size_t>{784, 5000}, {1, 140'000}}) {
        const Matrix data = test::integer_rows(rows, dim, 1000, dim);
        const Pair pair(Metric::kL2, test::sequential_ids(rows), data);
        for (std::size_t q = 0; q < 3; ++q) {
            CHECK(pair.fault(data.row((rows - 1) / (q + 1)), 25) == "");
        }
    }
}

TEST_CASE("k gives at most k hits and all rows when it is larger") {
    const Matrix rows = test::normal_rows(500, 8, 1);
    const Pair pair(Metric::kL2, test::shuffled_ids(500, 2), rows);
    for (const std::size_t k : {0U, 1U, 2U, 10U, 499U, 500U, 501U, 16'384U}) {
        CAPTURE(k);
        CHECK(pair.fault(rows.row(5), k) == "");
        CHECK(pair.collection.search(VectorView(rows.row(5)), {.k = k})->size() ==
              std::min<std::size_t>(k, 500));
    }
}

TEST_CASE("a smaller k gives the beginning of a larger one's answer") {
    for (const Metric metric : test::kAllMetrics) {
        const Matrix rows = test::integer_rows(3000, 5, 3, 4);
        Collection collection = test::make_collection(metric, test::shuffled_ids(3000, 5), [&] {
            Matrix nonzero = rows;
            for (std::size_t i = 0; i < nonzero.rows; ++i)
                nonzero.row(i)[0] += 10.0F;
            return nonzero;
        }());
        const std::vector<float> query = {1, 2, 3, 4, 5};
        const Hits all = collection.search(query, {.k = 3000}).value();
        for (std::size_t k = 1; k < 3000; k += k / 2 + 1) {
            const Hits some = collection.search(query, {.k = k}).value();
            CHECK(test::identical(some, std::span(all).first(k)));
        }
    }
}

TEST_CASE("k up to 16,384 is served from more rows than that") {
    const Matrix rows = test::integer_rows(20'000, 2, 50, 8);
    const Pair pair(Metric::kL2, test::shuffled_ids(20'000, 9), rows);
    const std::vector<float> query = {1, 1};
    const Hits hits = pair.collection.search(query, {.k = kMaxK}).value();
    CHECK(hits == pair.model.exact_search(query, kMaxK));
}

TEST_CASE("equal scores are ordered by id") {
    for (const Metric metric : test::kAllMetrics) {
        for (const std::size_t dim : {1U, 4U, 33U}) {
            CAPTURE(to_string(metric), dim);
            Matrix rows(2500, dim);
            for (float& value : rows.values)
                value = 1.0F;
            const std::vector<Id> ids = test::shuffled_ids(2500, dim, 2);
            Collection collection = test::make_collection(metric, ids, rows);
            const std::vector<float> query(dim, 2.0F);
            for (const std::size_t k : {1U, 10U, 100U, 2499U, 2500U}) {
                const std::vector<Id> got =
                    test::ids_of(collection.search(query, {.k = k}).value());
                std::vector<Id> expected = test::sequential_ids(k);
                for (Id& id : expected)
                    id *= 2;
                CHECK(got == expected);
            }
        }
    }
}

TEST_CASE("many ties between few distances are exact") {
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct}) {
        const Matrix rows = test::integer_rows(4000, 3, 1, 10);
        const Pair pair(metric, test::shuffled_ids(4000, 11), rows);
        for (std::size_t q = 0; q < 20; ++q) {
            for (const std::size_t k : {1U, 5U, 50U, 700U}) {
                const Hits hits = pair.collection.search(VectorView(rows.row(q)), {.k = k}).value();
                CHECK(hits == pair.model.exact_search(rows.row(q), k));
            }
        }
    }
}

TEST_CASE("scores are the metric's own") {
    Matrix rows(2, 2);
    rows.values = {3, 4, -6, 8};
    const std::vector<Id> ids = {1, 2};
    const std::vector<float> query = {3, 4};
    CHECK(test::make_collection(Metric::kL2, ids, rows).search(query).value() ==
          Hits{{1, 0.0F}, {2, 97.0F}});
    CHECK(test::make_collection(Metric::kInnerProduct, ids, rows).search(query).value() ==
          Hits{{1, 25.0F}, {2, 14.0F}});
    const Hits cosine = test::make_collection(Metric::kCosine, ids, rows).search(query).value();
    REQUIRE(cosine.size() == 2);
    CHECK(cosine[0].id == 1);
    CHECK(std::abs(cosine[0].score - 1.0F) < 1e-6F);
    CHECK(std::abs(cosine[1].score - 0.28F) < 1e-6F);
}

TEST_CASE("an empty collection gives an empty answer") {
    for (const Metric metric : test::kAllMetrics) {
        Collection collection = test::make_collection(3, metric);
        const std::vector<float> query = {1, 2, 3};
        CHECK(collection.search(query)->empty());
        CHECK(collection.search(query, {.k = 0})->empty());
        const SearchResult many = collection.search(MatrixView(query, 3), {.k = 4}).value();
        CHECK(many.queries() == 1);
        CHECK(many[0].empty());
        CHECK(many.padded().size() == 4);
    }
}

TEST_CASE("removed and replaced rows are not found") {
    const Matrix rows = test::integer_rows(600, 4, 5, 12);
    Pair pair(Metric::kL2, test::sequential_ids(600), rows);
    for (Id id = 0; id < 600; id += 3) {
        REQUIRE(pair.collection.remove(id).value() == 1);
        pair.model.remove(id);
    }
    for (Id id = 1; id < 600; id += 5) {
        REQUIRE(pair.collection.upsert(id, VectorView(rows.row(0))).ok());
        pair.model.upsert(id, rows.row(0));
    }
    for (std::size_t q = 0; q < 10; ++q) {
        const Hits hits = pair.collection.search(VectorView(rows.row(q)), {.k = 200}).value();
        CHECK(hits == pair.model.exact_search(rows.row(q), 200));
    }
}

TEST_CASE("threads do not change the answer") {
    const Matrix rows = test::normal_rows(60'000, 20, 13);
    for (const Metric metric : test::kAllMetrics) {
        Collection collection = test::make_collection(metric, test::shuffled_ids(60'000, 14), rows);
        const VectorView query(rows.row(77));
        for (const std::size_t k : {1U, 10U, 5000U}) {
            const Hits one = collection.search(query, {.k = k}).value();
            for (const std::size_t threads : {0U, 2U, 3U, 8U, 1024U}) {
                CAPTURE(k, threads);
                const Hits hits = collection.search(query, {.k = k, .threads = threads}).value();
                CHECK(test::identical(one, hits));
            }
        }
    }
}

TEST_CASE("a query that cannot be answered is refused by name and number") {
    const Matrix rows = test::normal_rows(5, 4, 1);
    for (const Metric metric : test::kAllMetrics) {
        const Collection collection = test::make_collection(metric, test::sequential_ids(5), rows);
        const std::vector<float> good = {1, 2, 3, 4};
        const auto refusal = [&](VectorView query, const SearchOptions& options = {}) {
            const Status one = collection.search(query, options).status();
            const Status many = collection.search(MatrixView(query), options).status();
            std::vector<Hit> room(20'000);
            const Status into = collection.search_into(query, options, room).status();
            CHECK(one.code() == StatusCode::kInvalidArgument);
            CHECK(many.code() == StatusCode::kInvalidArgument);
            CHECK(into.code() == StatusCode::kInvalidArgument);
            CHECK_FALSE(many.message().empty());
            CHECK(into.message() == one.message());
            return one;
        };
        const std::vector<float> shorter = {1, 2, 3};
        CHECK(test::names(refusal(shorter), "3"));
        CHECK(test::names(refusal(shorter), "4"));
        (void)refusal(VectorView());
        for (const float bad : {std::numeric_limits<float>::quiet_NaN(),
                                std::numeric_limits<float>::infinity(),
                                -std::numeric_limits<float>::infinity()}) {
            std::vector<float> query = good;
            query[2] = bad;
            CHECK(test::names(refusal(query), "2"));
            CHECK(test::names(refusal(query), std::isnan(bad) ? "NaN" : "inf"));
        }
        const std::vector<std::int8_t> bytes = {1, 2, 3, 4};
        CHECK(test::names(refusal(bytes), "int8"));
        CHECK(test::names(refusal(good, {.k = kMaxK + 1}), "16385"));
        CHECK(test::names(refusal(good, {.threads = kMaxThreads + 1}), "1025"));
        const std::vector<float> zero(4);
        if (metric == Metric::kCosine) CHECK(test::names(refusal(zero), "zero"));
    }
}

}  // namespace
}  // namespace vecdb
