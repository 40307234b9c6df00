#include "support/catch.h"
#include "support/collections.h"
#include "support/memory_storage.h"
#include "support/random_data.h"
#include "support/small_database.h"

#include <vecdb/collection.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace vecdb {
namespace {

using test::Matrix;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Search one by one and in a batch; both must give the same answer, which is returned.
Hits search_both(const Collection& collection, VectorView query, std::size_t k) {
    const Hits one = collection.search(query, {.k = k}).value();
    std::vector<float> copies;
    const float* first = MatrixView(query).row<float>(0);
    for (int i = 0; i < 9; ++i)
        copies.insert(copies.end(), first, first + query.dim());
    const SearchResult many = collection.search(MatrixView(copies, query.dim()), {.k = k}).value();
    for (std::size_t q = 0; q < many.queries(); ++q)
        CHECK(test::identical(many[q], one));
    return one;
}

TEST_CASE("an l2 distance that overflows is infinite, last, and ordered by id") {
    for (const std::size_t dim : {1U, 5U, 64U}) {
        CAPTURE(dim);
        Matrix rows = test::normal_rows(300, dim, 1);
        for (std::size_t i = 0; i < 300; i += 3)
            rows.row(i)[0] = i % 2 == 0 ? 3e38F : -2e19F;
        const std::vector<Id> ids = test::shuffled_ids(300, 2);
        const Collection collection = test::make_collection(Metric::kL2, ids, rows);
        const Hits hits = search_both(collection, VectorView(rows.row(1)), 300);
        REQUIRE(hits.size() == 300);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < 300; ++i) {
            wrong += std::isinf(hits[i].score) != (i >= 200) ? 1U : 0U;
            wrong += i > 200 && hits[i - 1].id >= hits[i].id ? 1U : 0U;
        }
        CHECK(wrong == 0);
        CHECK(search_both(collection, VectorView(rows.row(1)), 210).size() == 210);
    }
}

TEST_CASE("when every distance overflows the answer is ordered by id") {
    Matrix rows(500, 3);
    for (float& value : rows.values)
        value = 3e38F;
    const Collection collection =
        test::make_collection(Metric::kL2, test::shuffled_ids(500, 3), rows);
    const std::vector<float> query = {-3e38F, 1, 2};
    const Hits hits = search_both(collection, query, 20);
    CHECK(test::ids_of(hits) == test::sequential_ids(20));
    CHECK(hits[19].score == kInfinity);
}

TEST_CASE("an inner product that overflows is infinite on its side") {
    Matrix rows(4, 2);
    rows.values = {1, 1, 3e38F, 3e38F, -3e38F, -3e38F, 2, 2};
    const Collection collection =
        test::make_collection(Metric::kInnerProduct, test::sequential_ids(4), rows);
    const std::vector<float> query = {2, 2};
    const Hits hits = search_both(collection, query, 4);
    CHECK(test::ids_of(hits) == std::vector<Id>{1, 3, 0, 2});
    CHECK(hits[0].score == kInfinity);
    CHECK(hits[3].score == -kInfinity);
}

TEST_CASE("an inner product that is not a number is ordered last") {
    Matrix rows = test::normal_rows(100, 40, 5);
    for (float& value : rows.row(10))
        value = 3e38F;
    for (std::size_t d = 1; d < 40; d += 2)
        rows.row(10)[d] = -3e38F;
    const Collection collection =
        test::make_collection(Metric::kInnerProduct, test::sequential_ids(100), rows);
    const std::vector<float> query(40, 3e38F);
    const Hits hits = search_both(collection, query, 100);
    REQUIRE(hits.size() == 100);
    std::size_t not_numbers = 0;
    for (const Hit& hit : hits)
        not_numbers += std::isnan(hit.score) ? 1U : 0U;
    CHECK(not_numbers == 0);
    for (std::size_t i = 1; i < hits.size(); ++i) {
        const bool ordered = hits[i - 1].score > hits[i].score ||
                             (hits[i - 1].score == hits[i].score && hits[i - 1].id < hits[i].id);
        CHECK(ordered);
    }
}

TEST_CASE("l2 distances just within float are not infinite") {
    Matrix rows(2, 1);
    rows.values = {1.8e19F, 1.0e19F};
    const Collection collection = test::make_collection(Metric::kL2, test::sequential_ids(2), rows);
    const std::vector<float> query = {0.0F};
    const Hits hits = search_both(collection, query, 2);
    CHECK(test::ids_of(hits) == std::vector<Id>{1, 0});
    CHECK(std::isfinite(hits[1].score));
}

TEST_CASE("denormals are told apart") {
    Matrix rows(64, 1);
    for (std::size_t i = 0; i < 64; ++i) {
        rows.values[i] = static_cast<float>(64 - i) * std::numeric_limits<float>::denorm_min();
    }
    const std::vector<float> query = {1.0F};
    const Collection product =
        test::make_collection(Metric::kInnerProduct, test::sequential_ids(64), rows);
    const Hits hits = search_both(product, query, 64);
    CHECK(test::ids_of(hits) == test::sequential_ids(64));
    CHECK(hits[63].score == std::numeric_limits<float>::denorm_min());

    // Squares of denormals vanish, so all these rows are at distance 0.
    const Collection l2 = test::make_collection(Metric::kL2, test::shuffled_ids(64, 1), rows);
    const std::vector<float> zero = {0.0F};
    const Hits ties = search_both(l2, zero, 64);
    CHECK(test::ids_of(ties) == test::sequential_ids(64));
    CHECK(ties[63].score == 0.0F);
}

TEST_CASE("zeros of both signs are equal") {
    Matrix rows(200, 2);
    for (std::size_t i = 0; i < 200; ++i) {
        rows.row(i)[0] = i % 2 == 0 ? 0.0F : -0.0F;
        rows.row(i)[1] = i % 3 == 0 ? 0.0F : -0.0F;
    }
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct}) {
        const Collection collection =
            test::make_collection(metric, test::shuffled_ids(200, 4), rows);
        for (const std::vector<float>& query : {std::vector<float>{0, 0},
                                                std::vector<float>{-0.0F, -0.0F},
                                                std::vector<float>{-3, 5}}) {
            CAPTURE(to_string(metric), query[0], query[1]);
            const Hits hits = search_both(collection, query, 50);
            CHECK(test::ids_of(hits) == test::sequential_ids(50));
        }
    }
}

TEST_CASE("cosine does not depend on the length of rows and queries") {
    const std::vector<float> directions = {1, 0, 0.8F, 0.6F, 0, 1, -0.6F, 0.8F, -1, 0};
    for (const float row_length : {1e-42F, 1e-38F, 1e-25F, 1.0F, 1e25F, 3e38F}) {
        for (const float query_length : {1e-42F, 1e-25F, 1.0F, 1e25F, 3e38F}) {
            CAPTURE(row_length, query_length);
            Matrix rows(5, 2);
            for (std::size_t i = 0; i < directions.size(); ++i) {
                rows.values[i] = directions[i] * row_length;
            }
            const Collection collection =
                test::make_collection(Metric::kCosine, test::sequential_ids(5), rows);
            const std::vector<float> query = {query_length, 0.0F};
            const Hits hits = search_both(collection, query, 5);
            CHECK(test::ids_of(hits) == test::sequential_ids(5));
            CHECK(std::abs(hits[1].score - 0.8F) < 2e-3F);  // denormal rows have few digits
        }
    }
}

TEST_CASE("zero vectors accepted as far have cosine 0 with everything") {
    Schema schema = Schema::single(2, Metric::kCosine);
    schema.vectors[0].zero_vector = ZeroVector::kFar;
    Collection collection = test::make_collection(schema);
    Matrix rows(4, 2);
    rows.values = {-1, 0, 0, 0, 1, 0, -0.0F, 0};
    REQUIRE(collection.insert(test::sequential_ids(4), rows.view()).ok());
    const std::vector<float> query = {2, 0};
    CHECK(test::ids_of(search_both(collection, query, 4)) == std::vector<Id>{2, 1, 3, 0});
    CHECK(search_both(collection, query, 4)[1].score == 0.0F);
    CHECK(test::floats(*collection.get(1)) == std::vector<float>{0, 0});

    const std::vector<float> zero = {0, 0};
    const Hits hits = search_both(collection, zero, 4);
    CHECK(test::ids_of(hits) == test::sequential_ids(4));
    for (const Hit& hit : hits)
        CHECK(hit.score == 0.0F);
}

TEST_CASE("cosine scores stay within [-1, 1] to rounding") {
    const Matrix rows = test::normal_rows(500, 100, 6);
    const Collection collection =
        test::make_collection(Metric::kCosine, test::sequential_ids(500), rows);
    for (std::size_t i = 0; i < 100; ++i) {
        const Hits hits = collection.search(VectorView(rows.row(i)), {.k = 1}).value();
        CHECK(hits[0].id == static_cast<Id>(i));
        CHECK(std::abs(hits[0].score - 1.0F) < 1e-5F);
    }
}

TEST_CASE("a batch agrees with single searches where products overflow in one order only") {
    constexpr std::size_t kDim = 32;
    Matrix rows(20'000, kDim);
    for (std::size_t i = 0; i < rows.rows; ++i) {
        rows.row(i)[0] = 1e19F;
        if (i % 2 == 0) continue;
        rows.row(i)[1] = -1e19F;
        rows.row(i)[16] = 1e19F;
    }
    Matrix queries(7, kDim);
    for (float& value : queries.values)
        value = 3e19F;
    // Equal distances go by ascending id: the last rows must replace the first ones.
    std::vector<Id> ids = test::sequential_ids(rows.rows);
    std::reverse(ids.begin(), ids.end());
    const Collection collection = test::make_collection(Metric::kInnerProduct, ids, rows);
    const SearchResult batch = collection.search(queries.view(), {.k = 5}).value();
    const Hits single = collection.search(VectorView(queries.row(0)), {.k = 5}).value();
    for (std::size_t q = 0; q < queries.rows; ++q) {
        CHECK(std::equal(batch[q].begin(), batch[q].end(), single.begin(), single.end()));
    }
}

/// Fill a database with rows of which some are of `value`, one sealed half and one growing, and
/// tell what it answers to them, then when it is opened again, and then when that is.
void check_reopened(const IndexOptions& index, Metric metric, float value) {
    const auto files = std::make_shared<test::MemoryStorage>();
    constexpr std::size_t kRows = 40, kDim = 5;
    Matrix rows = test::normal_rows(kRows, kDim, 8);
    for (std::size_t i = 0; i < kRows; i += 3) {
        for (std::size_t d = 0; d < 1 + i % kDim; ++d)
            rows.row(i)[d] = d % 2 == 0 ? value : -value;
    }
    const std::vector<Id> ids = test::sequential_ids(kRows);
    Schema schema = Schema::single(kDim, metric);
    schema.vectors[0].index = index;
    schema.segments.seal_rows = 0;
    std::vector<Hits> before;
    for (const OpenMode mode : {OpenMode::kCreate, OpenMode::kOpen, OpenMode::kOpen}) {
        Database database = Database::open("d", test::small_options(files, mode)).value();
        CHECK(database.open_report().damage == std::vector<std::string>());
        if (mode == OpenMode::kCreate) {
            Collection made = database.create_collection("rows", schema).value();
            made.insert(std::span(ids).first(20), rows.view().slice(0, 20)).check();
            made.build_index().check();
            made.insert(std::span(ids).last(20), rows.view().slice(20, 20)).check();
        }
        const Collection collection = database.collection("rows").value();
        std::vector<Hits> answers;
        for (std::size_t q = 0; q < 6; ++q)
            answers.push_back(collection.search(VectorView(rows.row(q)), {.k = kRows}).value());
        for (const float far : {1e-40F, 1e-30F, 1e38F}) {
            const std::vector<float> query(kDim, far);
            answers.push_back(collection.search(query, {.k = kRows}).value());
        }
        if (before.empty()) before = answers;
        CHECK(answers == before);
        CHECK(collection.count() == kRows);
        REQUIRE(database.checkpoint().ok());
    }
}

TEST_CASE("rows whose squared length overflows are there when they are opened again") {
    const IndexOptions kIndexes[] = {
        FlatOptions{},
        FlatOptions{.codes = Codes::kNone},
        HnswOptions{.m = 2, .ef_construction = 8},
        HnswOptions{.m = 2, .ef_construction = 8, .codes = Codes::kSq8},
        IvfOptions{.nlist = 2},
        IvfOptions{.nlist = 2, .codes = Codes::kPq4}};
    for (const IndexOptions& index : kIndexes) {
        for (const Metric metric : test::kAllMetrics) {
            // A vector's length must be a float under cosine.
            const float largest = metric == Metric::kCosine ? 1e38F : 3e38F;
            for (const float value : {1e-45F, 1e19F, 3e19F, largest}) {
                CAPTURE(index.index(), to_string(metric), value);
                check_reopened(index, metric, value);
            }
        }
    }
}

}  // namespace
}  // namespace vecdb
