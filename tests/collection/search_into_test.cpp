#include "support/catch.h"
#include "support/collections.h"
#include "support/exact_index.h"
#include "support/operator_new.h"
#include "support/random_data.h"

#include <vecdb/collection.h>

#include <cstddef>
#include <limits>
#include <vector>

namespace vecdb {
namespace {

using test::allocations;
using test::Matrix;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST_CASE("search_into gives what search gives") {
    for (const Metric metric : test::kAllMetrics) {
        const Matrix rows = test::normal_rows(3000, 20, 1);
        const Collection collection =
            test::make_collection(metric, test::shuffled_ids(3000, 2), rows);
        for (const std::size_t k : {1U, 10U, 3000U}) {
            std::vector<Hit> room(k);
            const VectorView query(rows.row(k % 7));
            const Hits hits = collection.search(query, {.k = k}).value();
            CHECK(collection.search_into(query, {.k = k}, room).value() == k);
            CHECK(test::identical(room, hits));
        }
    }
}

TEST_CASE("too little room is refused with both numbers and nothing is written") {
    const Matrix rows = test::normal_rows(30, 3, 1);
    const Collection collection =
        test::make_collection(Metric::kL2, test::sequential_ids(30), rows);
    std::vector<Hit> room(7, Hit{77, 7.0F});
    const Status refused = collection.search_into(VectorView(rows.row(0)), {.k = 8}, room).status();
    CHECK(refused.code() == StatusCode::kInvalidArgument);
    CHECK(test::names(refused, "7"));
    CHECK(test::names(refused, "8"));
    CHECK(room == std::vector<Hit>(7, Hit{77, 7.0F}));
    CHECK(collection.search_into(VectorView(rows.row(0)), {.k = 0}, {}).value() == 0);
}

TEST_CASE("places past the true count are padded") {
    for (const Metric metric : test::kAllMetrics) {
        const Matrix rows = test::normal_rows(4, 3, 1);
        Collection collection = test::make_collection(metric, test::sequential_ids(4), rows);
        const float worst = metric == Metric::kL2 ? kInfinity : -kInfinity;
        for (const std::size_t live : {4U, 3U, 0U}) {
            CAPTURE(to_string(metric), live);
            while (collection.count() > live) {
                REQUIRE(collection.remove(static_cast<Id>(collection.count()) - 1).ok());
            }
            std::vector<Hit> room(6, Hit{77, 7.0F});
            const VectorView query(rows.row(0));
            CHECK(collection.search_into(query, {.k = 6}, room).value() == live);
            for (std::size_t i = live; i < 6; ++i)
                CHECK(room[i] == Hit{kNoId, worst});
        }
    }
}

/// Count the allocations of many searches after the first few.
std::size_t allocations_of(const Collection& collection,
                           const Matrix& queries,
                           const SearchOptions& options) {
    std::vector<Hit> room(options.k);
    std::size_t failures = 0;
    std::size_t before = 0;
    for (int round = 0; round < 5; ++round) {
        if (round == 2) before = allocations;
        for (std::size_t q = 0; q < queries.rows; ++q) {
            const VectorView query(queries.row(q));
            failures += collection.search_into(query, options, room).ok() ? 0U : 1U;
        }
    }
    const std::size_t after = allocations;
    CHECK(failures == 0);
    return after - before;
}

TEST_CASE("the counter sees allocations of the library") {
    const Matrix rows = test::normal_rows(10, 3, 1);
    const Collection collection =
        test::make_collection(Metric::kL2, test::sequential_ids(10), rows);
    const std::size_t before = allocations;
    const Hits hits = collection.search(VectorView(rows.row(0))).value();
    CHECK(allocations > before);
}

TEST_CASE("search_into allocates nothing in steady state") {
    for (const Metric metric : test::kAllMetrics) {
        for (const std::size_t dim : {3U, 100U}) {
            CAPTURE(to_string(metric), dim);
            const Matrix queries = test::normal_rows(10, dim, 2);
            Collection collection = test::make_collection(
                metric, test::shuffled_ids(20'000, 3), test::normal_rows(20'000, dim, 4));
            for (const std::size_t k : {1U, 10U, 1000U}) {
                CHECK(allocations_of(collection, queries, {.k = k}) == 0);
            }
            REQUIRE(collection.remove(test::sequential_ids(500, 50)).ok());
            CHECK(allocations_of(collection, queries, {.k = 10}) == 0);
        }
    }
}

TEST_CASE("search_into allocates nothing with a prepared filter") {
    const Matrix queries = test::normal_rows(10, 16, 5);
    const Collection collection = test::make_collection(
        Metric::kL2, test::shuffled_ids(20'000, 6), test::normal_rows(20'000, 16, 7));
    for (const Id step : {1, 2, 10, 100, 1000, 100'000'000}) {
        CAPTURE(step);
        const Filter filter = Filter::where([step](Id id) { return id % step == 0; });
        REQUIRE(collection.prepare(filter).ok());
        CHECK(allocations_of(collection, queries, {.k = 10, .filter = filter}) == 0);
    }
}

TEST_CASE("search_into allocates nothing over sealed and growing rows") {
    Schema plain = Schema::single(16);
    plain.vectors[0].index = FlatOptions{.codes = Codes::kNone};
    for (const Schema& schema : {test::exact_schema(16), plain}) {
        const Matrix queries = test::normal_rows(10, 16, 8);
        Collection collection = test::make_collection(schema);
        const Matrix rows = test::normal_rows(70'000, 16, 9);
        REQUIRE(collection.insert(test::shuffled_ids(70'000, 10), rows.view()).ok());
        REQUIRE(collection.build_index().ok());
        const Filter filter = Filter::where([](Id id) { return id % 10 == 3; });
        CHECK(allocations_of(collection, queries, {.k = 10}) == 0);
        CHECK(allocations_of(collection, queries, {.k = 10, .filter = filter}) == 0);
        REQUIRE(collection.upsert(test::sequential_ids(500, 50), rows.view().slice(0, 500)).ok());
        CHECK(allocations_of(collection, queries, {.k = 10}) == 0);
        CHECK(allocations_of(collection, queries, {.k = 10, .filter = filter}) == 0);
    }
}

}  // namespace
}  // namespace vecdb
