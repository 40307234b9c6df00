#include "support/catch.h"
#include "support/collections.h"
#include "support/model.h"
#include "support/random_data.h"

#include <vecdb/collection.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace vecdb {
namespace {

using test::make_collection;
using test::Matrix;

constexpr Id kLargestId = std::numeric_limits<Id>::max();

/// Distance of two floats in steps of the representable numbers around the first.
double ulps_between(float expected, float got) {
    const float next = std::nextafter(std::abs(expected), std::numeric_limits<float>::infinity());
    const double step = static_cast<double>(next) - static_cast<double>(std::abs(expected));
    return std::abs(static_cast<double>(expected) - static_cast<double>(got)) / step;
}

/// Largest deviation of what get returns for `rows` under cosine, in units in the last place.
double worst_ulps(const Matrix& rows) {
    const std::vector<Id> ids = test::sequential_ids(rows.rows);
    const Collection collection = make_collection(Metric::kCosine, ids, rows);
    const FetchedRows fetched = collection.get(ids).value();
    double worst = 0.0;
    for (std::size_t i = 0; i < rows.values.size(); ++i) {
        worst = std::max(worst, ulps_between(rows.values[i], fetched.elements()[i]));
    }
    return worst;
}

TEST_CASE("inserted rows are counted and fetched") {
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct}) {
        for (const std::size_t dim : {1U, 3U, 16U, 129U}) {
            const Matrix rows = test::normal_rows(700, dim, 1);
            const std::vector<Id> ids = test::shuffled_ids(700, 2, 1'000'003);
            Collection collection = make_collection(metric, ids, rows);
            CHECK(collection.count() == 700);
            const FetchedRows fetched = collection.get(ids).value();
            CHECK(fetched.dim == dim);
            CHECK(test::floats(fetched) == rows.values);
            CHECK(fetched.found == std::vector<bool>(700, true));
        }
    }
}

TEST_CASE("rows added in batches of every size stay what they were") {
    Collection collection = make_collection(5);
    test::Model model(5, Metric::kL2);
    Id next = 0;
    for (std::size_t size = 0; size < 120; ++size) {
        const Matrix rows = test::normal_rows(size, 5, size);
        const std::vector<Id> ids = test::sequential_ids(size, next);
        next += static_cast<Id>(size);
        REQUIRE(collection.insert(ids, rows.view()).ok());
        model.upsert(ids, rows.view());
    }
    REQUIRE(collection.count() == model.rows().size());
    std::size_t wrong = 0;
    for (const auto& [id, vector] : model.rows()) {
        wrong += test::floats(*collection.get(id)) == vector ? 0U : 1U;
    }
    CHECK(wrong == 0);
}

TEST_CASE("rows may be given with a stride and from any float's address") {
    const Matrix wide = test::normal_rows(50, 9, 3);
    Collection collection = make_collection(7);
    const MatrixView view(wide.values.data() + 1, 50, 7, 9);
    REQUIRE(collection.insert(test::sequential_ids(50), view).ok());
    const FetchedRows fetched = collection.get(test::sequential_ids(50)).value();
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < 50; ++i) {
        for (std::size_t d = 0; d < 7; ++d) {
            wrong += fetched.row(i)[d] == wide.row(i)[d + 1] ? 0U : 1U;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("ids 0 and 2^63 - 1 are rows like others") {
    const std::vector<float> vector = {1, 2};
    Collection collection = make_collection(2);
    REQUIRE(collection.insert(0, vector).ok());
    REQUIRE(collection.insert(kLargestId, vector).ok());
    CHECK(collection.count() == 2);
    CHECK(collection.get(kLargestId)->found[0]);
    CHECK(test::ids_of(collection.search(vector).value()) == std::vector<Id>{0, kLargestId});
    CHECK(collection.remove(kLargestId).value() == 1);
    CHECK(collection.remove(0).value() == 1);
    CHECK(collection.count() == 0);
}

TEST_CASE("an empty batch changes nothing") {
    Collection collection = make_collection(3);
    const Matrix none(0, 3);
    CHECK(collection.insert({}, none.view()).ok());
    CHECK(collection.upsert({}, none.view()).ok());
    CHECK(collection.remove(std::vector<Id>{}).value() == 0);
    CHECK(test::floats(*collection.get(std::vector<Id>{})).empty());
    CHECK(collection.count() == 0);
}

TEST_CASE("get answers in the order asked, with zeros for ids of no row") {
    const Matrix rows = test::normal_rows(3, 2, 1);
    Collection collection = make_collection(Metric::kL2, std::vector<Id>{10, 20, 30}, rows);
    REQUIRE(collection.remove(20).ok());
    const std::vector<Id> asked = {30, 5, 20, 10, 30, -1, kLargestId};
    const FetchedRows fetched = collection.get(asked).value();
    CHECK(fetched.found == std::vector<bool>{true, false, false, true, true, false, false});
    REQUIRE(fetched.elements().size() == asked.size() * 2);
    CHECK(fetched.row(0)[1] == rows.row(2)[1]);
    CHECK(fetched.row(3)[0] == rows.row(0)[0]);
    CHECK(fetched.row(4)[0] == rows.row(2)[0]);
    for (const std::size_t missing : {1U, 2U, 5U, 6U}) {
        CHECK(fetched.row(missing)[0] == 0.0F);
        CHECK(fetched.row(missing)[1] == 0.0F);
    }
}

TEST_CASE("remove counts the rows that it removed") {
    const Matrix rows = test::normal_rows(10, 2, 1);
    Collection collection = make_collection(Metric::kL2, test::sequential_ids(10), rows);
    CHECK(collection.remove(std::vector<Id>{3, 3, 99, 4, -7, 3}).value() == 2);
    CHECK(collection.count() == 8);
    CHECK(collection.remove(3).value() == 0);
    CHECK(collection.remove(std::vector<Id>{3, 4}).value() == 0);
    CHECK_FALSE(collection.get(3)->found[0]);
    REQUIRE(collection.insert(3, VectorView(rows.row(0))).ok());
    CHECK(collection.count() == 9);
    CHECK(collection.remove(test::sequential_ids(10)).value() == 9);
    CHECK(collection.count() == 0);
}

TEST_CASE("upsert adds rows and replaces those that exist") {
    const Matrix rows = test::normal_rows(6, 3, 1);
    Collection collection = make_collection(3);
    REQUIRE(collection.upsert(std::vector<Id>{1, 2, 3}, rows.view().slice(0, 3)).ok());
    REQUIRE(collection.upsert(std::vector<Id>{4, 2}, rows.view().slice(3, 2)).ok());
    REQUIRE(collection.upsert(1, VectorView(rows.row(5))).ok());
    CHECK(collection.count() == 4);
    CHECK(test::floats(*collection.get(1))[0] == rows.row(5)[0]);
    CHECK(test::floats(*collection.get(2))[0] == rows.row(4)[0]);
    CHECK(test::floats(*collection.get(3))[0] == rows.row(2)[0]);
    CHECK(test::floats(*collection.get(4))[0] == rows.row(3)[0]);
    CHECK(collection.search(VectorView(rows.row(0)))->size() == 4);
}

TEST_CASE("of an id that stands twice in an upsert the last counts") {
    const Matrix rows = test::normal_rows(5, 3, 1);
    for (const bool exists : {false, true}) {
        Collection collection = make_collection(3);
        if (exists) REQUIRE(collection.insert(7, VectorView(rows.row(4))).ok());
        REQUIRE(collection.upsert(std::vector<Id>{7, 8, 7, 7}, rows.view().slice(0, 4)).ok());
        CHECK(collection.count() == 2);
        CHECK(test::floats(*collection.get(7))[0] == rows.row(3)[0]);
        CHECK(test::floats(*collection.get(8))[0] == rows.row(1)[0]);
    }
}

TEST_CASE("under cosine get returns each element within 2 units in the last place") {
    CHECK(worst_ulps(test::normal_rows(3000, 100, 4)) <= 2.0);
    CHECK(worst_ulps(test::normal_rows(3000, 3, 5)) <= 2.0);
    CHECK(worst_ulps(test::normal_rows(2000, 1, 6)) <= 2.0);
    for (const float scale : {1e-44F, 1e-40F, 1e-30F, 1e-20F, 1e20F, 1e35F}) {
        CAPTURE(scale);
        Matrix rows = test::normal_rows(500, 20, 7);
        for (float& value : rows.values)
            value *= scale;
        rows.values[0] = scale;  // no row is zero
        CHECK(worst_ulps(rows) <= 2.0);
    }
}

TEST_CASE("under cosine get returns elements that are small beside the vector's length") {
    Matrix rows(1, 3);
    rows.values = {1e10F, 1.1e-19F, -3.3e-20F};  // the promise ends at 2^-100 of the length
    CHECK(worst_ulps(rows) <= 2.0);
}

TEST_CASE("stored zeros of either sign and denormals are fetched as they were") {
    Matrix rows(2, 2);
    rows.values = {0.0F, -0.0F, 1e-45F, -1e-40F};
    Collection collection = make_collection(Metric::kL2, std::vector<Id>{1, 2}, rows);
    const FetchedRows fetched = collection.get(std::vector<Id>{1, 2}).value();
    CHECK(test::floats(fetched) == rows.values);
    CHECK(std::signbit(fetched.elements()[1]));
}

}  // namespace
}  // namespace vecdb
