#include "support/catch.h"
#include "support/collections.h"
#include "support/random_data.h"

#include <vecdb/collection.h>
#include <vecdb/filter.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace vecdb {
namespace {

using test::Matrix;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Rows at 0, 1, 2, ... on a line.
Collection line(Metric metric, std::size_t rows) {
    Matrix matrix(rows, 1);
    for (std::size_t i = 0; i < rows; ++i)
        matrix.row(i)[0] = static_cast<float>(i);
    return test::make_collection(metric, test::sequential_ids(rows), matrix);
}

TEST_CASE("rows at the radius are within it, under every metric in its own terms") {
    const std::vector<float> two = {2.0F};
    const Collection near = line(Metric::kL2, 10);
    CHECK(near.range_search(two, 1.0F).value() == Hits{{2, 0.0F}, {1, 1.0F}, {3, 1.0F}});
    CHECK(near.range_search(two, 0.999F).value() == Hits{{2, 0.0F}});
    CHECK(near.range_search(two, 0.0F).value() == Hits{{2, 0.0F}});
    CHECK(near.range_search(two, -0.0F).value() == Hits{{2, 0.0F}});

    const Collection product = line(Metric::kInnerProduct, 10);
    CHECK(product.range_search(two, 16.0F).value() == Hits{{9, 18.0F}, {8, 16.0F}});
    CHECK(product.range_search(two, 18.1F).value().empty());
    CHECK(product.range_search(two, -1.0F).value().size() == 10);

    const Collection cosine = test::make_collection(Metric::kCosine, test::sequential_ids(3), [] {
        Matrix rows(3, 2);
        rows.values = {1, 0, 0, 5, -3, 0};
        return rows;
    }());
    const std::vector<float> right = {7.0F, 0.0F};
    CHECK(cosine.range_search(right, 0.0F).value() == Hits{{0, 1.0F}, {1, 0.0F}});
    CHECK(cosine.range_search(right, -1.0F).value().size() == 3);
    CHECK(cosine.range_search(right, 1.0F).value() == Hits{{0, 1.0F}});
}

TEST_CASE("a radius without end takes every allowed row, more than k may be") {
    const std::vector<float> zero = {0.0F};
    const Collection collection = line(Metric::kL2, 20'000);
    CHECK(collection.range_search(zero, kInfinity).value().size() == 20'000);
    CHECK(collection.range_search(zero, kInfinity, {.k = 3}).value().size() == 20'000);
    CHECK(collection.range_search(zero, 25.0F, {.k = kMaxK + 1}).value().size() == 6);
    const Filter filter = Filter::where([](Id id) { return id % 10 == 3; });
    CHECK(collection.range_search(zero, kInfinity, {.filter = filter}).value().size() == 2'000);
    CHECK(collection.range_search(zero, 200.0F, {.filter = filter}).value() ==
          Hits{{3, 9.0F}, {13, 169.0F}});
    const Collection product = line(Metric::kInnerProduct, 100);
    CHECK(product.range_search(zero, -kInfinity).value().size() == 100);
}

TEST_CASE("a radius that means nothing is refused with value and limit") {
    const std::vector<float> query = {1.0F};
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const Metric metric : test::kAllMetrics) {
        Matrix row(1, 1);
        row.row(0)[0] = 1.0F;
        const Collection collection = test::make_collection(metric, test::sequential_ids(1), row);
        const Status status = collection.range_search(query, nan).status();
        CHECK(status.code() == StatusCode::kInvalidArgument);
        CHECK(test::names(status, "nan"));
        const bool larger = larger_is_nearer(metric);
        const float bad = larger ? kInfinity : -kInfinity;
        CHECK(collection.range_search(query, bad).status().code() == StatusCode::kInvalidArgument);
        const Status negative = collection.range_search(query, -0.5F).status();
        CHECK(negative.ok() == larger);
        if (!larger) CHECK(test::names(negative, "-0.5"));
    }
}

TEST_CASE("bad queries and options are refused like those of search") {
    const Collection collection = line(Metric::kL2, 3);
    const std::vector<float> two_dims = {1.0F, 2.0F}, bad = {std::nanf("")}, good = {1.0F};
    CHECK(collection.range_search(two_dims, 1).status().code() == StatusCode::kInvalidArgument);
    CHECK(collection.range_search(bad, 1).status().code() == StatusCode::kInvalidArgument);
    CHECK(collection.range_search(good, 1, {.threads = kMaxThreads + 1}).status().code() ==
          StatusCode::kInvalidArgument);
    CHECK(collection.range_search(good, 1, {.ef = 65'537}).status().code() ==
          StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace vecdb
