#include "support/catch.h"
#include "support/collections.h"
#include "support/random_data.h"

#include <vecdb/collection.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace vecdb {
namespace {

using test::Matrix;

constexpr std::size_t kDim = 6;
constexpr std::size_t kBatch = 90;
constexpr std::size_t kStored = 40;
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// A collection with rows 1000 to 1039, and what it answers before a batch is refused.
class Refusing {
  public:
    explicit Refusing(Metric metric)
        : rows_(test::normal_rows(kStored, kDim, 1)),
          collection_(test::make_collection(metric, test::sequential_ids(kStored, 1000), rows_)),
          before_(answer()) {}

    Collection& collection() { return collection_; }

    /// Tell whether rows and answers are what they were.
    [[nodiscard]] bool unchanged() const {
        return collection_.count() == kStored && collection_.stats().live_rows == kStored &&
               test::identical(before_, answer());
    }

  private:
    [[nodiscard]] Hits answer() const {
        return collection_.search(VectorView(rows_.row(3)), {.k = 1000}).value();
    }

    Matrix rows_;
    Collection collection_;
    Hits before_;
};

/// A batch of good new rows to spoil.
struct Batch {
    std::vector<Id> ids = test::sequential_ids(kBatch, 5000);
    Matrix rows = test::normal_rows(kBatch, kDim, 2);
};

std::string row_text(std::size_t row) {
    return "row " + std::to_string(row);
}

constexpr std::size_t kPlaces[] = {0, kBatch / 2, kBatch - 1};

TEST_CASE("a row that is not finite refuses the whole batch") {
    for (const Metric metric : test::kAllMetrics) {
        for (const float value : {kNaN, kInfinity, -kInfinity}) {
            for (const std::size_t place : kPlaces) {
                CAPTURE(to_string(metric), value, place);
                Refusing refusing(metric);
                Batch batch;
                batch.rows.row(place)[kDim - 1] = value;
                const Status insert = refusing.collection().insert(batch.ids, batch.rows.view());
                CHECK(insert.code() == StatusCode::kInvalidArgument);
                CHECK(test::names(insert, row_text(place)));
                CHECK(test::names(insert, std::to_string(kDim - 1)));
                CHECK(test::names(insert, std::isnan(value) ? "NaN" : "inf"));
                const Status upsert = refusing.collection().upsert(batch.ids, batch.rows.view());
                CHECK(upsert.code() == StatusCode::kInvalidArgument);
                CHECK(refusing.unchanged());
            }
        }
    }
}

TEST_CASE("a row that is not finite refuses the whole batch, also if a later one has its id") {
    for (const Metric metric : test::kAllMetrics) {
        CAPTURE(to_string(metric));
        Refusing refusing(metric);
        Batch batch;
        batch.ids[7] = batch.ids[kBatch - 1];
        batch.rows.row(7)[2] = kInfinity;
        const Status upsert = refusing.collection().upsert(batch.ids, batch.rows.view());
        CHECK(upsert.code() == StatusCode::kInvalidArgument);
        CHECK(test::names(upsert, row_text(7)));
        CHECK(refusing.unchanged());
        batch.rows.row(7)[2] = 1.0F;
        CHECK(refusing.collection().upsert(batch.ids, batch.rows.view()).ok());
        CHECK(refusing.collection().count() == kStored + kBatch - 1);
    }
}

TEST_CASE("a zero vector under cosine refuses the whole batch") {
    for (const std::size_t place : kPlaces) {
        Refusing refusing(Metric::kCosine);
        Batch batch;
        for (float& value : batch.rows.row(place))
            value = -0.0F;
        const Status insert = refusing.collection().insert(batch.ids, batch.rows.view());
        CHECK(insert.code() == StatusCode::kInvalidArgument);
        CHECK(test::names(insert, row_text(place)));
        CHECK(test::names(insert, "zero"));
        CHECK(refusing.collection().upsert(batch.ids, batch.rows.view()).code() ==
              StatusCode::kInvalidArgument);
        CHECK(refusing.unchanged());
    }
}

TEST_CASE("a zero vector is a row like others under l2 and inner product") {
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct}) {
        Collection collection = test::make_collection(2, metric);
        const std::vector<float> zero(2);
        CHECK(collection.insert(1, zero).ok());
        CHECK(collection.search(zero)->size() == 1);
    }
}

TEST_CASE("a negative id refuses the whole batch") {
    for (const Id id : {Id{-1}, Id{-2}, std::numeric_limits<Id>::min()}) {
        for (const std::size_t place : kPlaces) {
            Refusing refusing(Metric::kL2);
            Batch batch;
            batch.ids[place] = id;
            const Status insert = refusing.collection().insert(batch.ids, batch.rows.view());
            CHECK(insert.code() == StatusCode::kInvalidArgument);
            CHECK(test::names(insert, row_text(place)));
            CHECK(test::names(insert, std::to_string(id)));
            CHECK(refusing.collection().upsert(batch.ids, batch.rows.view()).code() ==
                  StatusCode::kInvalidArgument);
            CHECK(refusing.unchanged());
        }
    }
}

TEST_CASE("an id that stands twice in a batch refuses its insert") {
    for (const auto& [first, second] : {std::pair<std::size_t, std::size_t>{0, 1},
                                        {0, kBatch - 1},
                                        {40, 41},
                                        {kBatch - 2, kBatch - 1}}) {
        CAPTURE(first, second);
        Refusing refusing(Metric::kL2);
        Batch batch;
        batch.ids[second] = batch.ids[first];
        const Status insert = refusing.collection().insert(batch.ids, batch.rows.view());
        CHECK(insert.code() == StatusCode::kAlreadyExists);
        CHECK(test::names(insert, std::to_string(batch.ids[first])));
        CHECK(test::names(insert, row_text(second)));
        CHECK(refusing.unchanged());
    }
}

TEST_CASE("an id that exists refuses the whole insert") {
    for (const std::size_t place : kPlaces) {
        Refusing refusing(Metric::kL2);
        Batch batch;
        batch.ids[place] = 1017;
        const Status insert = refusing.collection().insert(batch.ids, batch.rows.view());
        CHECK(insert.code() == StatusCode::kAlreadyExists);
        CHECK(test::names(insert, row_text(place)));
        CHECK(test::names(insert, "1017"));
        CHECK(refusing.unchanged());
    }
}

TEST_CASE("the wrong dimension is refused with both numbers") {
    for (const std::size_t dim : {kDim - 1, kDim + 1}) {
        Refusing refusing(Metric::kL2);
        const Matrix rows = test::normal_rows(kBatch, dim, 2);
        const Status insert = refusing.collection().insert(Batch().ids, rows.view());
        CHECK(insert.code() == StatusCode::kInvalidArgument);
        CHECK(test::names(insert, std::to_string(dim)));
        CHECK(test::names(insert, std::to_string(kDim)));
        CHECK(refusing.collection().upsert(Batch().ids, rows.view()).code() ==
              StatusCode::kInvalidArgument);
        CHECK(refusing.unchanged());
    }
}

TEST_CASE("another element type is refused by name") {
    Refusing refusing(Metric::kL2);
    const std::vector<std::int8_t> bytes(kBatch * kDim, 1);
    const std::vector<Float16> halves(kBatch * kDim);
    const std::vector<std::uint8_t> bits(kBatch);
    const std::vector<Id> ids = Batch().ids;
    Collection& collection = refusing.collection();
    const Status insert = collection.insert(ids, MatrixView(bytes, kDim));
    CHECK(insert.code() == StatusCode::kInvalidArgument);
    CHECK(test::names(insert, "int8"));
    CHECK(test::names(insert, "float32"));
    CHECK(collection.upsert(ids, MatrixView(halves, kDim)).code() == StatusCode::kInvalidArgument);
    CHECK(collection.insert(ids, MatrixView::bits(bits.data(), kBatch, kDim)).code() ==
          StatusCode::kInvalidArgument);
    CHECK(refusing.unchanged());
}

TEST_CASE("as many ids as vectors are needed") {
    Refusing refusing(Metric::kL2);
    Batch batch;
    for (const int change : {-1, +1}) {
        batch.ids = test::sequential_ids(kBatch + static_cast<std::size_t>(change), 5000);
        const Status insert = refusing.collection().insert(batch.ids, batch.rows.view());
        CHECK(insert.code() == StatusCode::kInvalidArgument);
        CHECK(test::names(insert, std::to_string(kBatch)));
        CHECK(test::names(insert, std::to_string(batch.ids.size())));
        CHECK(refusing.collection().upsert(batch.ids, batch.rows.view()).code() ==
              StatusCode::kInvalidArgument);
    }
    CHECK(refusing.collection().insert({}, batch.rows.view()).code() ==
          StatusCode::kInvalidArgument);
    CHECK(refusing.unchanged());
}

TEST_CASE("a good batch follows a refused one") {
    Refusing refusing(Metric::kL2);
    Batch batch;
    batch.rows.row(kBatch - 1)[0] = kNaN;
    REQUIRE_FALSE(refusing.collection().insert(batch.ids, batch.rows.view()).ok());
    batch.rows.row(kBatch - 1)[0] = 1.0F;
    REQUIRE(refusing.collection().insert(batch.ids, batch.rows.view()).ok());
    CHECK(refusing.collection().count() == kStored + kBatch);
    CHECK(refusing.collection().get(5000 + kBatch - 1)->elements()[0] == 1.0F);
}

struct Free {
    void operator()(void* memory) const noexcept { std::free(memory); }
};

/// Zeros that take no memory until they are looked at.
template <class T>
std::unique_ptr<T[], Free> untouched(std::size_t count) {
    return std::unique_ptr<T[], Free>(static_cast<T*>(std::calloc(count, sizeof(T))));
}

TEST_CASE("a batch of 2^24 rows is looked at, a larger one is not") {
    Collection collection = test::make_collection(1);
    const std::size_t over = kMaxBatchRows + 1;
    const auto ids = untouched<Id>(over);
    const auto values = untouched<float>(over);
    REQUIRE(ids != nullptr);
    REQUIRE(values != nullptr);
    const MatrixView rows(values.get(), over, 1);
    const Status refused = collection.insert({ids.get(), over}, rows);
    CHECK(refused.code() == StatusCode::kInvalidArgument);
    CHECK(test::names(refused, "16777217"));
    CHECK(test::names(refused, "16777216"));
    CHECK(collection.upsert({ids.get(), over}, rows).code() == StatusCode::kInvalidArgument);
    CHECK(collection.count() == 0);
    // All ids are 0, so at the limit the next check refuses.
    CHECK(collection.insert({ids.get(), kMaxBatchRows}, rows.slice(0, kMaxBatchRows)).code() ==
          StatusCode::kAlreadyExists);
}

}  // namespace
}  // namespace vecdb
