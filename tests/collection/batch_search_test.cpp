#include "support/catch.h"
#include "support/collections.h"
#include "support/model.h"
#include "support/random_data.h"

#include <vecdb/collection.h>

#include <cstddef>
#include <string>
#include <vector>

namespace vecdb {
namespace {

using test::Matrix;

constexpr std::size_t kQueryCounts[] = {1, 2, 5, 6, 7, 16, 33, 100};

/// Count queries of `queries` whose batch answer differs in any bit from a search of their own.
std::size_t differences(const Collection& collection,
                        const Matrix& queries,
                        const SearchOptions& options) {
    SearchOptions alone = options;
    alone.threads = 1;
    std::vector<Hits> expected;
    for (std::size_t q = 0; q < queries.rows; ++q) {
        expected.push_back(collection.search(VectorView(queries.row(q)), alone).value());
    }
    std::size_t different = 0;
    for (const std::size_t count : kQueryCounts) {
        if (count > queries.rows) continue;
        const SearchResult result =
            collection.search(queries.view().slice(queries.rows - count, count), options).value();
        if (result.queries() != count || result.k() != options.k) return queries.rows;
        for (std::size_t q = 0; q < count; ++q) {
            const Hits& hits = expected[queries.rows - count + q];
            different += test::identical(result[q], hits) ? 0U : 1U;
        }
    }
    return different;
}

std::size_t differences(const Collection& collection, const Matrix& queries) {
    std::size_t total = 0;
    for (const std::size_t k : {1U, 10U, 250U}) {
        for (const std::size_t threads : {1U, 2U}) {
            total += differences(collection, queries, {.k = k, .threads = threads});
        }
    }
    return total;
}

TEST_CASE("a batch gives what single searches give") {
    for (const Metric metric : test::kAllMetrics) {
        for (const std::size_t dim : {1U, 3U, 8U, 17U, 100U, 384U}) {
            CAPTURE(to_string(metric), dim);
            const std::size_t rows = dim > 100 ? 1500 : 3001;
            const Collection collection = test::make_collection(
                metric, test::shuffled_ids(rows, 1), test::normal_rows(rows, dim, 2));
            CHECK(differences(collection, test::normal_rows(100, dim, 3)) == 0);
        }
    }
}

TEST_CASE("a batch gives what brute force gives") {
    for (const Metric metric : test::kAllMetrics) {
        const Matrix rows = test::normal_rows(2000, 24, 4);
        const Matrix queries = test::normal_rows(33, 24, 5);
        const std::vector<Id> ids = test::shuffled_ids(2000, 6);
        const Collection collection = test::make_collection(metric, ids, rows);
        test::Model model(24, metric);
        model.upsert(ids, rows.view());
        const SearchResult result = collection.search(queries.view(), {.k = 20}).value();
        for (std::size_t q = 0; q < queries.rows; ++q) {
            CHECK(model.fault(queries.row(q), 20, result[q]) == "");
        }
    }
}

TEST_CASE("a batch is exact where norms are 10,000 times the distances") {
    for (const std::size_t dim : {2U, 16U, 100U}) {
        for (const float centre : {1000.0F, 14'000.0F, 1e6F}) {
            CAPTURE(dim, centre);
            const Matrix rows = test::far_rows(3000, dim, centre, 7);
            const Matrix queries = test::far_rows(100, dim, centre, 8);
            const std::vector<Id> ids = test::shuffled_ids(3000, 9);
            for (const Metric metric : test::kAllMetrics) {
                CAPTURE(to_string(metric));
                const Collection collection = test::make_collection(metric, ids, rows);
                CHECK(differences(collection, queries) == 0);
            }
            test::Model model(dim, Metric::kL2);
            model.upsert(ids, rows.view());
            const Collection l2 = test::make_collection(Metric::kL2, ids, rows);
            const SearchResult result = l2.search(queries.view(), {.k = 10}).value();
            for (std::size_t q = 0; q < 20; ++q) {
                CHECK(model.fault(queries.row(q), 10, result[q]) == "");
            }
        }
    }
}

TEST_CASE("queries that are rows themselves come first at distance 0") {
    const Matrix rows = test::far_rows(2000, 32, 20'000.0F, 10);
    const Collection collection =
        test::make_collection(Metric::kL2, test::sequential_ids(2000), rows);
    const SearchResult result = collection.search(rows.view().slice(0, 100), {.k = 3}).value();
    for (std::size_t q = 0; q < 100; ++q)
        CHECK(result[q][0] == Hit{static_cast<Id>(q), 0.0F});
}

TEST_CASE("a batch orders ties by id") {
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct}) {
        const Matrix rows = test::integer_rows(3000, 4, 1, 11);
        const Matrix queries = test::integer_rows(100, 4, 2, 12);
        const std::vector<Id> ids = test::shuffled_ids(3000, 13);
        const Collection collection = test::make_collection(metric, ids, rows);
        CHECK(differences(collection, queries) == 0);
        test::Model model(4, metric);
        model.upsert(ids, rows.view());
        const SearchResult result = collection.search(queries.view(), {.k = 40}).value();
        for (std::size_t q = 0; q < 10; ++q) {
            const Hits expected = model.exact_search(queries.row(q), 40);
            CHECK(Hits(result[q].begin(), result[q].end()) == expected);
        }
    }
}

TEST_CASE("a batch with filters gives what single searches give") {
    const Matrix rows = test::normal_rows(5000, 20, 14);
    const Matrix queries = test::normal_rows(33, 20, 15);
    for (const Metric metric : test::kAllMetrics) {
        Collection collection = test::make_collection(metric, test::shuffled_ids(5000, 16), rows);
        REQUIRE(collection.remove(test::sequential_ids(700, 100)).ok());
        for (const Id step : {1, 2, 10, 100, 1000}) {
            CAPTURE(to_string(metric), step);
            const Filter filter = Filter::where([step](Id id) { return id % step == 0; });
            for (const std::size_t threads : {1U, 2U}) {
                const SearchOptions options{.k = 12, .filter = filter, .threads = threads};
                CHECK(differences(collection, queries, options) == 0);
            }
        }
    }
}

TEST_CASE("rows whose distances overflow do not disturb a batch") {
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct}) {
        for (const float huge : {1e19F, 1e25F, 3e38F}) {
            CAPTURE(to_string(metric), huge);
            Matrix rows = test::normal_rows(1200, 10, 17);
            for (std::size_t i = 0; i < rows.rows; i += 7)
                rows.row(i)[i % 10] = huge;
            Matrix queries = test::normal_rows(33, 10, 18);
            const Collection collection =
                test::make_collection(metric, test::shuffled_ids(1200, 19), rows);
            CHECK(differences(collection, queries) == 0);
            CHECK(differences(collection, queries, {.k = 1200}) == 0);
            queries.row(5)[3] = huge;
            queries.row(32)[9] = -huge;
            CHECK(differences(collection, queries) == 0);
        }
    }
}

TEST_CASE("a batch of tiny and mixed magnitudes gives what single searches give") {
    Matrix rows = test::normal_rows(1200, 12, 20);
    for (std::size_t i = 0; i < rows.rows; ++i) {
        const float scale = i % 4 == 0 ? 1e-40F : i % 4 == 1 ? 1e-20F : i % 4 == 2 ? 1.0F : 1e10F;
        for (float& value : rows.row(i))
            value *= scale;
    }
    Matrix queries = test::normal_rows(33, 12, 21);
    for (std::size_t q = 0; q < queries.rows; q += 3) {
        for (float& value : queries.row(q))
            value *= 1e-30F;
    }
    for (const Metric metric : test::kAllMetrics) {
        CAPTURE(to_string(metric));
        const Collection collection =
            test::make_collection(metric, test::shuffled_ids(1200, 22), rows);
        CHECK(differences(collection, queries) == 0);
    }
}

TEST_CASE("a batch across storage blocks gives what single searches give") {
    const Matrix rows = test::far_rows(30'000, 30, 50.0F, 23);
    const Collection collection =
        test::make_collection(Metric::kL2, test::shuffled_ids(30'000, 24), rows);
    const Matrix queries = test::far_rows(16, 30, 50.0F, 25);
    for (const std::size_t threads : {0U, 1U, 2U, 3U, 8U}) {
        CHECK(differences(collection, queries, {.k = 10, .threads = threads}) == 0);
    }
    CHECK(differences(collection, queries, {.k = 16'384}) == 0);
}

TEST_CASE("queries may be given with a stride") {
    const Matrix wide = test::normal_rows(20, 9, 26);
    const Collection collection = test::make_collection(
        Metric::kL2, test::sequential_ids(400), test::normal_rows(400, 7, 27));
    const SearchResult result =
        collection.search(MatrixView(wide.values.data() + 1, 20, 7, 9), {.k = 5}).value();
    for (std::size_t q = 0; q < 20; ++q) {
        const Hits alone =
            collection.search(VectorView(wide.row(q).data() + 1, 7), {.k = 5}).value();
        CHECK(test::identical(result[q], alone));
    }
}

TEST_CASE("one bad query refuses the batch and is named") {
    const Collection collection = test::make_collection(
        Metric::kCosine, test::sequential_ids(9), test::normal_rows(9, 4, 28));
    for (const std::size_t place : {0U, 10U, 19U}) {
        Matrix queries = test::normal_rows(20, 4, 29);
        for (float& value : queries.row(place))
            value = 0.0F;
        const Status zero = collection.search(queries.view()).status();
        CHECK(zero.code() == StatusCode::kInvalidArgument);
        CHECK(test::names(zero, std::to_string(place)));
        queries.row(place)[1] = std::numeric_limits<float>::quiet_NaN();
        CHECK(collection.search(queries.view()).status().code() == StatusCode::kInvalidArgument);
    }
}

TEST_CASE("a batch without queries or without k is empty") {
    const Collection collection =
        test::make_collection(Metric::kL2, test::sequential_ids(9), test::normal_rows(9, 4, 30));
    const Matrix queries = test::normal_rows(3, 4, 31);
    CHECK(collection.search(queries.view().slice(0, 0))->queries() == 0);
    const SearchResult none = collection.search(queries.view(), {.k = 0}).value();
    CHECK(none.queries() == 3);
    CHECK(none[2].empty());
    CHECK(none.padded().empty());
}

TEST_CASE("the fixed shape is padded with no id and the worst score") {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    for (const Metric metric : test::kAllMetrics) {
        const Collection collection =
            test::make_collection(metric, test::sequential_ids(3), test::normal_rows(3, 4, 32));
        const SearchResult result =
            collection.search(test::normal_rows(7, 4, 33).view(), {.k = 5}).value();
        REQUIRE(result.padded().size() == 35);
        for (std::size_t q = 0; q < 7; ++q) {
            CHECK(result[q].size() == 3);
            const auto row = result.padded().subspan(q * 5, 5);
            CHECK(test::identical(row.first(3), result[q]));
            for (const Hit& hit : row.last(2)) {
                CHECK(hit.id == kNoId);
                CHECK(hit.score == (metric == Metric::kL2 ? kInfinity : -kInfinity));
            }
        }
    }
}

}  // namespace
}  // namespace vecdb
