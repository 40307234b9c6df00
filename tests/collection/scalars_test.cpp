// Scalar values are those that were written, wherever their rows have gone since.

#include "collection/storage/columns.h"
#include "support/catch.h"
#include "support/collections.h"
#include "support/memory_storage.h"
#include "support/names.h"
#include "support/random_data.h"
#include "support/small_database.h"

#include <vecdb/database.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vecdb {
namespace {

using test::Random;

constexpr std::size_t kDim = 4;
const std::vector<std::string> kFields = {"sold", "price", "weight", "brand", "payload", "rank"};

Schema schema_of(const IndexOptions& index = FlatOptions{}) {
    Schema schema = Schema::single(kDim);
    schema.vectors[0].index = index;
    schema.segments.seal_rows = 0;
    schema.scalars = {{.name = "sold", .type = ScalarType::kBool, .nullable = true},
                      {.name = "price", .type = ScalarType::kInt64, .nullable = true},
                      {.name = "weight", .type = ScalarType::kDouble},
                      {.name = "brand", .type = ScalarType::kString, .nullable = true},
                      {.name = "payload", .type = ScalarType::kBytes, .nullable = true},
                      {.name = "rank", .type = ScalarType::kInt64, .fallback = std::int64_t{7}}};
    return schema;
}

Scalar random_value(ScalarType type, Random& random) {
    switch (type) {
        case ScalarType::kBool:
            return random() % 2 == 0;
        case ScalarType::kInt64:
            return random() % 8 == 0 ? std::numeric_limits<std::int64_t>::min()
                                     : static_cast<std::int64_t>(random() % 100) - 50;
        case ScalarType::kDouble:
            return random() % 8 == 0 ? -0.0 : static_cast<double>(random() % 1'000) / 8;
        case ScalarType::kString:
            return "brand " + std::string(random() % 20, 'x') + std::to_string(random() % 10);
        default:
            return std::string(random() % 300, static_cast<char>(random()));
    }
}

/// A collection beside what its rows should be.
class Model {
  public:
    explicit Model(Collection collection, std::uint64_t seed = 1)
        : collection_(std::move(collection)), random_(seed) {}

    /// Replace or add rows with random values.
    void upsert(std::span<const Id> ids) {
        const auto rows = test::normal_rows(ids.size(), kDim, random_());
        std::vector<std::vector<Scalar>> values(kFields.size());
        const Schema schema = schema_of();
        for (std::size_t field = 0; field < kFields.size(); ++field) {
            const ScalarField& known = schema.scalars[field];
            for (std::size_t i = 0; i < ids.size(); ++i) {
                const bool null = known.nullable && random_() % 4 == 0;
                values[field].push_back(null ? Scalar() : random_value(known.type, random_));
            }
        }
        std::vector<ColumnView> columns;
        for (std::size_t field = 0; field < kFields.size(); ++field)
            columns.emplace_back(kFields[field], std::span<const Scalar>(values[field]));
        collection_.upsert(ids, rows.view(), columns).check();
        for (std::size_t i = 0; i < ids.size(); ++i) {
            std::vector<Scalar>& row = rows_[ids[i]];
            row.clear();
            for (const auto& column : values)
                row.push_back(column[i]);
        }
    }
    void upsert(std::size_t count, Id first) { upsert(test::sequential_ids(count, first)); }
    void remove(std::span<const Id> ids) {
        collection_.remove(ids).status().check();
        for (const Id id : ids)
            rows_.erase(id);
    }

    /// Require that every row has its values, in any order of fields.
    void check(const Collection& collection) const {
        REQUIRE(collection.count() == rows_.size());
        std::vector<Id> ids;
        for (const auto& row : rows_)
            ids.push_back(row.first);
        const FetchedRows found = collection.get(ids, kFields).value();
        REQUIRE(found.columns.size() == kFields.size());
        for (std::size_t field = 0; field < kFields.size(); ++field) {
            INFO(kFields[field]);
            REQUIRE(found.columns[field].field == kFields[field]);
            std::size_t i = 0;
            for (const auto& [id, values] : rows_) {
                INFO("id " << id);
                REQUIRE(found.columns[field].values[i] == values[field]);
                ++i;
            }
        }
    }
    void check() const { check(collection_); }

    [[nodiscard]] std::vector<Scalar> values_of(std::span<const Id> ids, std::size_t field) const {
        std::vector<Scalar> values;
        for (const Id id : ids)
            values.push_back(rows_.at(id)[field]);
        return values;
    }

    /// Return how many of the rows are there, and require that those have their values.
    [[nodiscard]] std::size_t check_some(const Collection& collection) const {
        std::size_t there = 0;
        for (const auto& [id, values] : rows_) {
            const FetchedRows found = collection.get(id, kFields).value();
            if (!found.found[0]) continue;
            ++there;
            for (std::size_t field = 0; field < kFields.size(); ++field)
                REQUIRE(found.columns[field].values[0] == values[field]);
        }
        return there;
    }

    [[nodiscard]] Collection& collection() { return collection_; }

  private:
    Collection collection_;
    Random random_;
    std::map<Id, std::vector<Scalar>> rows_;
};

std::vector<Id> every(Id step, Id end) {
    std::vector<Id> ids;
    for (Id id = 0; id < end; id += step)
        ids.push_back(id);
    return ids;
}

}  // namespace

TEST_CASE("values of every type come back", "[scalars]") {
    Database database = Database::in_memory().value();
    Collection rows = database.create_collection("rows", schema_of()).value();
    const std::array<bool, 2> sold = {true, false};
    const std::vector<std::int64_t> price = {5, -7};
    const std::vector<double> weight = {0.5, 1e300};
    const std::vector<std::string_view> brand = {"acme", "größer"};
    const std::string bytes("\0\xff", 2);
    const std::vector<std::string> payload = {bytes, ""};
    const auto vectors = test::normal_rows(2, kDim, 1);
    const std::vector<Id> ids = {3, 9};
    rows.insert(ids,
                vectors.view(),
                {{"sold", sold},
                 {"price", price},
                 {"weight", weight},
                 {"brand", brand},
                 {"payload", payload}})
        .check();
    const std::vector<float> vector(kDim, 1.0F);
    rows.insert(5, vector, {{"weight", 2.5}, {"brand", "zenith"}, {"price", 12}}).check();
    const FetchedRows found = rows.get(std::vector<Id>{9, 4, 3, 5}, kFields).value();
    const auto column = [&](std::size_t field) {
        return found.columns[field].values;
    };
    using Values = std::vector<Scalar>;
    CHECK(column(0) == Values{false, {}, true, {}});
    CHECK(column(1) == Values{std::int64_t{-7}, {}, std::int64_t{5}, std::int64_t{12}});
    CHECK(column(2) == Values{1e300, {}, 0.5, 2.5});
    CHECK(column(3) == Values{"größer", {}, "acme", "zenith"});
    CHECK(column(4) == Values{"", {}, bytes, {}});
    CHECK(column(5) == Values{std::int64_t{7}, {}, std::int64_t{7}, std::int64_t{7}});
    CHECK(rows.get(std::vector<Id>{9}).value().columns.empty());
}

TEST_CASE("values go with their rows", "[scalars]") {
    const IndexOptions index =
        GENERATE(IndexOptions(FlatOptions{}),
                 IndexOptions(HnswOptions{.m = 4, .ef_construction = 16}),
                 IndexOptions(IvfOptions{.nlist = 4, .codes = Codes::kNone}));
    Database database = Database::in_memory().value();
    Model model(database.create_collection("rows", schema_of(index)).value());
    model.upsert(300, 0);
    model.check();
    model.upsert(every(3, 300));
    model.check();
    const Pin before = model.collection().pin();
    const Model then = model;
    model.collection().build_index().check();
    model.check();
    model.remove(every(5, 300));
    model.upsert(100, 250);
    model.check();
    model.collection().flush().check();
    model.check();
    model.upsert(every(7, 340));
    model.collection().build_index().check();
    model.check();
    const std::vector<Id> some = {0, 5, 299};
    CHECK(before.get(some, kFields)->columns[3].values == then.values_of(some, 3));
}

TEST_CASE("growing rows keep their values when they move", "[scalars]") {
    Database database = Database::in_memory().value();
    Model model(database.create_collection("rows", schema_of()).value());
    for (Id first = 0; first < 3'000; first += 100)
        model.upsert(100, first);  // the first block grows
    model.check();
    for (int round = 0; round < 3; ++round)
        model.upsert(every(1, 3'000));  // most rows are dead: the others are copied
    model.check();
}

TEST_CASE("values of many blocks come back", "[scalars]") {
    Database database = Database::in_memory().value();
    Model model(database.create_collection("rows", schema_of()).value());
    model.upsert(70'000, 0);
    model.check();
    model.collection().build_index().check();
    model.check();
}

TEST_CASE("values come back from disk", "[scalars][durable]") {
    const auto files = std::make_shared<test::MemoryStorage>();
    const auto open = [&](OpenMode mode) {
        return Database::open("d", test::small_options(files, mode)).value();
    };
    const IndexOptions index = GENERATE(IndexOptions(FlatOptions{}),
                                        IndexOptions(HnswOptions{.m = 4, .ef_construction = 16}));
    Database database = open(OpenMode::kCreate);
    Model model(database.create_collection("rows", schema_of(index)).value());
    const auto check_reopened = [&] {
        const auto copy = files->copy();
        const Database reader =
            Database::open("d", test::small_options(copy, OpenMode::kReadOnly)).value();
        CHECK(reader.open_report().damage.empty());
        model.check(reader.collection("rows").value());
        CHECK(Database::verify("d", test::small_options(copy, OpenMode::kReadOnly))->sound());
    };
    model.upsert(200, 0);
    check_reopened();  // out of the log
    database.checkpoint().check();
    check_reopened();  // growing rows
    model.collection().build_index().check();
    model.upsert(20, 190);
    model.remove(every(9, 200));
    check_reopened();  // a sealed segment and the log
    database.checkpoint().check();
    check_reopened();
    model.upsert(every(11, 230));
    model.collection().build_index().check();
    database.close().check();
    check_reopened();
    // The schema comes back with all that it says.
    const Schema schema = open(OpenMode::kReadOnly).collection("rows").value().schema();
    REQUIRE(schema.scalars.size() == kFields.size());
    CHECK(schema.scalars[3].nullable);
    CHECK_FALSE(schema.scalars[2].nullable);
    CHECK(schema.scalars[5].fallback == Scalar(std::int64_t{7}));
}

TEST_CASE("rows are rescued with all their values or not at all", "[scalars][repair]") {
    constexpr std::size_t kRows = 12'000;  // their payloads fill more than a block
    const auto files = std::make_shared<test::MemoryStorage>();
    Database database = Database::open("d", test::small_options(files, OpenMode::kCreate)).value();
    Model model(database.create_collection("rows", schema_of()).value());
    model.upsert(kRows, 0);
    model.collection().build_index().check();
    database.close().check();
    const auto copy = files->copy();
    for (const std::string& path : copy->names()) {
        if (!path.starts_with("d/rows-")) continue;
        auto& bytes = copy->bytes(path);
        REQUIRE(bytes.size() > std::size_t{3} << 19U);
        bytes[bytes.size() * 7 / 10] ^= std::byte{1};  // in a payload
    }
    const RepairReport report =
        Database::repair("d", test::small_options(copy, OpenMode::kOpen)).value();
    const Database repaired =
        Database::open("d", test::small_options(copy, OpenMode::kReadOnly)).value();
    const Collection rows = repaired.collection("rows").value();
    const std::size_t there = model.check_some(rows);
    CHECK(there > 0);
    CHECK(there < kRows);
    CHECK(rows.count() == there);
    CHECK(report.saved_rows == there);
}

TEST_CASE("values are carried over into a rebuilt collection", "[scalars]") {
    Database database = Database::in_memory().value();
    Model model(database.create_collection("rows", schema_of()).value());
    database.create_alias("live", "rows").check();
    model.upsert(100, 0);
    const auto vectors = test::normal_rows(100, kDim, 5);
    const std::vector<Id> ids = test::sequential_ids(100);
    const FetchedRows all = model.collection().get(ids, kFields).value();
    std::vector<ColumnView> columns;
    for (const ScalarColumn& column : all.columns)
        columns.emplace_back(column.field, std::span<const Scalar>(column.values));
    int calls = 0;
    RebuildSource source;
    source.rows = 100;
    source.next = [&]() -> Result<RowBatch> {
        if (++calls == 1) {
            return RowBatch{
                .ids = ids, .vectors = vectors.view(), .partition = {}, .columns = columns};
        }
        model.upsert(every(10, 130));  // meanwhile
        return RowBatch();
    };
    RebuildOptions options;
    options.carry_over = true;
    options.warm_up_queries = 0;
    options.guards.built = {};
    const RebuildReport report = database.rebuild("live", source, options).value();
    CHECK(report.collection != "rows");
    model.check(database.collection("live").value());
}

TEST_CASE("values that cannot be are refused", "[scalars]") {
    Database database = Database::in_memory().value();
    Collection rows = database.create_collection("rows", schema_of()).value();
    const std::vector<float> vector(kDim, 1.0F);
    struct Case {
        std::vector<FieldValue> values;
        std::vector<const char*> named;
    };
    const std::string long_text(kMaxTextBytes + 1, 'x');
    const Case cases[] = {
        {{}, {"'weight'", "is not given"}},
        {{{"weight", Scalar()}}, {"'weight'", "null", "row 0"}},
        {{{"weight", 1.0}, {"color", "red"}}, {"'color'", "'brand'"}},
        {{{"weight", std::int64_t{1}}}, {"'weight'", "int64", "double"}},
        {{{"weight", std::numeric_limits<double>::quiet_NaN()}}, {"'weight'", "no number"}},
        {{{"weight", 1.0}, {"price", 1.5}}, {"'price'", "double", "int64"}},
        {{{"weight", 1.0}, {"sold", "yes"}}, {"'sold'", "text", "bool"}},
        {{{"weight", 1.0}, {"brand", "a\xff"}}, {"'brand'", "UTF-8", "byte 1"}},
        {{{"weight", 1.0}, {"brand", long_text}}, {"1048577", "1048576"}},
        {{{"weight", 1.0}, {"payload", long_text}}, {"1048577", "1048576"}},
        {{{"weight", 1.0}, {"weight", 2.0}}, {"'weight'", "twice"}},
    };
    for (const Case& each : cases) {
        std::vector<ColumnView> columns;
        for (const FieldValue& value : each.values)
            columns.emplace_back(value.field, std::span(&value.value, 1));
        const Id id = 1;
        const Status refused = rows.insert({&id, 1}, VectorView(vector), columns);
        INFO(refused.message());
        CHECK(refused.code() == StatusCode::kInvalidArgument);
        for (const char* name : each.named)
            CHECK(test::names(refused, name));
        CHECK(rows.count() == 0);
    }
    const std::vector<double> two = {1.0, 2.0};
    const Id id = 1;
    const Status lengths = rows.insert({&id, 1}, VectorView(vector), {{"weight", two}});
    CHECK(test::names(lengths, "2 values for 1 rows"));
    CHECK(rows.get(1, std::vector<std::string>{"colour"}).status().code() ==
          StatusCode::kInvalidArgument);
    rows.insert(1, vector, {{"weight", 1.0}, {"brand", std::string(kMaxTextBytes, 'x')}}).check();
}

TEST_CASE("a null is stored as 0, whatever stood for it in a file", "[scalars]") {
    const collection::ScalarFields fields = {{.name = "n", .nullable = true}};
    std::vector<std::byte> bytes(16);
    bytes[0] = std::byte{1};  // row 0 is null ...
    bytes[8] = std::byte{5};  // ... and has a number
    const auto batch = collection::ColumnBatch::decode(fields, bytes, 1).value();
    const collection::Cells cells(fields[0], 1, nullptr);
    batch.store(0, std::span(&cells, 1), 0);
    CHECK(cells.is_null(0));
    CHECK(cells.as<std::int64_t>()[0] == 0);
}

TEST_CASE("scalar fields of a schema are checked", "[scalars]") {
    const auto status_of = [](ScalarField field) {
        Schema schema = Schema::single(kDim);
        schema.scalars.push_back(std::move(field));
        return schema.validate();
    };
    CHECK(status_of({.name = "a", .type = ScalarType::kBytes}).ok());
    CHECK(status_of({.name = "a", .fallback = std::int64_t{1}}).ok());
    CHECK(test::names(status_of({.name = "a", .fallback = 1.5}), "fallback"));
    CHECK_FALSE(status_of({.name = "a", .type = static_cast<ScalarType>(6)}).ok());
    CHECK_FALSE(status_of({.name = "a", .type = static_cast<ScalarType>(0)}).ok());
    Schema many = Schema::single(kDim);
    for (std::size_t i = 0; i < kMaxScalarFields; ++i)
        many.scalars.push_back({.name = "f" + std::to_string(i)});
    CHECK(many.validate().ok());
    many.scalars.push_back({.name = "one more"});
    CHECK(test::names(many.validate(), "257"));
}

}  // namespace vecdb
