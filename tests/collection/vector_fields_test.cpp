// A collection of several vector fields answers as one of each would, whatever becomes of its rows.

#include "support/catch.h"
#include "support/memory_storage.h"
#include "support/vector_twins.h"

#include <vecdb/database.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vecdb {
namespace {

using test::all_fields;
using test::VectorTwins;

OpenOptions options_on(std::shared_ptr<Storage> files) {
    OpenOptions options;
    options.storage = std::move(files);
    options.checkpoint_bytes = 0;
    options.run.threads = 2;
    return options;
}

}  // namespace

TEST_CASE("every vector field is searched as if it were the only one", "[collection]") {
    VectorTwins twins(all_fields());
    twins.upsert(20, 0);
    twins.check();
    twins.upsert(900, 0);  // replaces the first, and is enough for codes of growing rows
    twins.check();
    twins.thin_out(7);
    twins.check();
    twins.build();
    twins.check();
    twins.thin_out(5);
    twins.upsert(300, 500);  // replaces sealed rows
    twins.check();
    twins.flush();  // builds on the graphs of the large segment, each with its own order
    twins.check();
    twins.thin_out(4);
    twins.upsert(100, 2'000);
    twins.flush();
    twins.check();
    twins.build();
    twins.check();
}

TEST_CASE("the first vector field may have no index of its own", "[collection]") {
    std::vector<VectorField> fields = all_fields();
    std::rotate(fields.begin(), fields.begin() + 4, fields.end());
    REQUIRE(fields[0].name == "half");
    VectorTwins twins(fields);
    twins.upsert(600, 0);
    twins.build();
    twins.check();
    twins.thin_out(3);
    twins.upsert(150, 550);
    twins.flush();
    twins.check();
}

TEST_CASE("graphs of several fields are built on those of the largest segment") {
    VectorTwins twins({{.name = "a", .dim = 16, .index = HnswOptions{.m = 8}},
                       {.name = "b", .dim = 16, .index = HnswOptions{.m = 8}},
                       {.name = "c", .dim = 16, .index = HnswOptions{.m = 8}}});
    twins.upsert(2'000, 0);
    twins.build();
    twins.thin_out(10);
    for (Id first = 2'000; first < 2'400; first += 100) {
        twins.upsert(100, first);
        twins.flush();
        CHECK(twins.together().stats().sealed_segments == 1);
    }
    twins.check();
}

TEST_CASE("rows too few for one of the indexes stay searchable", "[collection]") {
    VectorTwins twins({{.name = "graph", .dim = 4, .index = HnswOptions{.m = 4}},
                       {.name = "lists", .dim = 4, .index = IvfOptions{.nlist = 64}}});
    twins.upsert(40, 0);
    CHECK(twins.together().build_index().code() == StatusCode::kFailedPrecondition);
    twins.check();
    twins.together().flush().check();
    twins.check();
}

TEST_CASE("rows of several vector fields come back from disk", "[collection][persist]") {
    const auto files = std::make_shared<test::MemoryStorage>();
    const std::uint64_t budget = GENERATE(std::uint64_t{0}, std::uint64_t{1});  // rows in files
    OpenOptions options = options_on(files);
    options.memory_budget = budget;
    VectorTwins twins(Database::open("d", options).value(), all_fields());
    twins.upsert(700, 0);
    twins.build();
    twins.thin_out(6);
    twins.upsert(120, 650);
    twins.database().checkpoint().check();
    twins.upsert(60, 3'000);  // only in the log
    twins.thin_out(9);
    twins.check();
    const auto reopened = [&](OpenMode mode) {
        OpenOptions again = options_on(files->copy());
        again.mode = mode;
        return Database::open("d", again).value();
    };
    SECTION("after the process ended") {
        const Database database = reopened(OpenMode::kReadOnly);
        CHECK(database.open_report().damage.empty());
        twins.check(database.collection("together").value());
    }
    SECTION("after it was closed") {
        twins.database().close().check();
        Database database = reopened(OpenMode::kOpen);
        Collection again = database.collection("together").value();
        twins.check(again);
        again.flush().check();
        twins.check(again);
        again.build_index().check();
        twins.check(again);
        database.close().check();
    }
    SECTION("and from a snapshot") {
        twins.database().snapshot_to("s").check();
        OpenOptions snapshot = options_on(files);
        snapshot.mode = OpenMode::kReadOnly;
        const Database database = Database::open("s", snapshot).value();
        twins.check(database.collection("together").value());
    }
}

TEST_CASE("a damaged index of several fields is made again from the rows",
          "[collection][persist]") {
    const auto files = std::make_shared<test::MemoryStorage>();
    VectorTwins twins(Database::open("d", options_on(files)).value(), all_fields());
    twins.upsert(700, 0);
    twins.build();
    twins.database().close().check();
    for (const std::string& name : files->names()) {
        if (name.find("index-") == std::string::npos) continue;
        auto& bytes = files->bytes(name);
        bytes[bytes.size() / 2] ^= std::byte{1};
    }
    {
        OpenOptions options = options_on(files);
        options.mode = OpenMode::kReadOnly;
        const Database database = Database::open("d", options).value();
        CHECK(database.open_report().damage.size() == 1);
        twins.check(database.collection("together").value());
    }
    const RepairReport report = Database::repair("d", options_on(files)).value();
    CHECK(report.rebuilt_indexes == 1);
    const Database database = Database::open("d", options_on(files)).value();
    CHECK(database.open_report().damage.empty());
    twins.check(database.collection("together").value());
}

TEST_CASE("rows that can be read of a damaged file keep the vectors of every field",
          "[collection][persist]") {
    constexpr std::size_t kRows = 2'000;
    const auto files = std::make_shared<test::MemoryStorage>();
    const test::Matrix wide = test::normal_rows(kRows, 512, 1);
    const test::Matrix narrow = test::normal_rows(kRows, 8, 2);
    const std::vector<std::int64_t> thirds(kRows, 1);
    {
        Database database = Database::open("d", options_on(files)).value();
        Collection rows =
            database
                .create_collection(
                    "rows",
                    test::twin_schema(
                        {{.name = "wide", .dim = 512, .index = FlatOptions{.codes = Codes::kNone}},
                         {.name = "narrow", .dim = 8, .index = IvfOptions{.nlist = 20}}}))
                .value();
        rows.insert(test::sequential_ids(kRows),
                    wide.view(),
                    {{"narrow", narrow.view()}, {"third", thirds}})
            .check();
        rows.build_index().check();
        database.close().check();
    }
    for (const std::string& name : files->names()) {
        // One of the four blocks of the wide vectors.
        if (name.find("rows-") != std::string::npos) files->bytes(name)[1'500'000] ^= std::byte{1};
    }
    const RepairReport report = Database::repair("d", options_on(files)).value();
    CHECK(report.saved_rows > kRows / 2);
    CHECK(report.saved_rows < kRows);
    const Database database = Database::open("d", options_on(files)).value();
    const Collection rows = database.collection("rows").value();
    CHECK(rows.count() == report.saved_rows);
    const std::vector<std::string> fields = {"narrow"};
    const FetchedRows found = rows.get(test::sequential_ids(kRows), fields).value();
    for (std::size_t row = 0; row < kRows; ++row) {
        if (!found.found[row]) continue;
        INFO("row " << row);
        const auto vector = found.vectors[0].row(row);
        REQUIRE(std::equal(vector.begin(), vector.end(), narrow.row(row).begin()));
        REQUIRE(std::equal(wide.row(row).begin(), wide.row(row).end(), found.row(row).begin()));
    }
}

namespace {

/// A collection of two vector fields and one scalar field with one row.
Collection make_pairs() {
    Collection pairs = test::make_collection(test::twin_schema(
        {{.name = "image", .dim = 2}, {.name = "title", .dim = 3, .metric = Metric::kCosine}}));
    const std::vector<float> image = {1, 2};
    const std::vector<float> title = {3, 4, 0};
    pairs.insert(7, image, {{"title", title}, {"third", 1}}).check();
    return pairs;
}

const std::vector<std::string> kBoth = {"title", "third"};

}  // namespace

TEST_CASE("a row is written with a vector of each field, and read with those asked for") {
    Collection pairs = make_pairs();
    const FetchedRows row = pairs.get(7, kBoth).value();
    CHECK(row.field == "image");
    CHECK(row.row(0)[1] == 2.0F);
    REQUIRE(row.vectors.size() == 1);
    CHECK(row.vectors[0].field == "title");
    CHECK(row.vectors[0].row(0)[0] == 3.0F);
    CHECK(row.columns[0].values[0] == Scalar(1));
    CHECK(pairs.get(7).value().vectors.empty());

    const std::vector<float> image = {5, 6};
    const std::vector<float> title = {0, 0, 2};
    pairs.upsert(7, image, {{"third", 2}, {"title", VectorView(title)}}).check();
    CHECK(pairs.get(7, kBoth).value().vectors[0].row(0)[2] == 2.0F);
    const std::vector<std::string> first = {"image"};
    CHECK(pairs.get(7, first).value().vectors[0].row(0)[0] == 5.0F);

    const std::vector<Id> ids = {7, 8};
    const FetchedRows rows = pairs.get(ids, kBoth).value();
    CHECK(rows.found == std::vector<bool>{true, false});
    CHECK(rows.vectors[0].rows() == 2);
    CHECK(rows.vectors[0].row(1)[2] == 0.0F);
}

TEST_CASE("what is wrong with the vectors of a field refuses the whole batch") {
    Collection pairs = make_pairs();
    const std::vector<Id> ids = {1, 7, 3};
    const test::Matrix images = test::normal_rows(3, 2, 1);
    test::Matrix titles = test::normal_rows(3, 3, 2);
    const std::vector<std::int64_t> thirds = {1, 2, 3};
    const std::vector<float> spoilt = titles.values;
    const auto refused = [&](std::vector<ColumnView> columns,
                             std::initializer_list<std::string> words) {
        const Status status = pairs.upsert(ids, images.view(), columns);
        INFO(status.to_string());
        CHECK(status.code() == StatusCode::kInvalidArgument);
        for (const std::string& word : words)
            CHECK(test::names(status, word));
        CHECK(pairs.count() == 1);
        CHECK(pairs.get(7, kBoth).value().vectors[0].row(0)[0] == 3.0F);
    };
    refused({{"third", thirds}}, {"'title'", "not given"});
    refused({{"third", thirds}, {"title", thirds}}, {"'title'", "takes vectors"});
    refused({{"title", titles.view()}, {"third", titles.view()}}, {"'third'", "a vector"});
    refused({{"title", titles.view()}, {"third", thirds}, {"title", titles.view()}},
            {"'title'", "twice"});
    refused({{"title", titles.view()}, {"third", thirds}, {"image", images.view()}},
            {"'image'", "twice"});
    refused({{"titel", titles.view()}, {"title", titles.view()}, {"third", thirds}}, {"'titel'"});
    refused({{"title", titles.view().slice(0, 2)}, {"third", thirds}},
            {"'title'", "2 vectors for 3 rows"});
    refused({{"title", images.view()}, {"third", thirds}}, {"'title'", "dimension 2", "has 3"});
    const std::vector<std::int8_t> bytes(9);
    refused({{"title", MatrixView(bytes, 3)}, {"third", thirds}}, {"'title'", "int8", "float32"});
    titles.row(1)[2] = std::numeric_limits<float>::quiet_NaN();
    refused({{"title", titles.view()}, {"third", thirds}}, {"'title'", "row 1", "column 2", "NaN"});
    titles.row(1)[2] = 0.0F;
    titles.row(1)[0] = titles.row(1)[1] = 0.0F;
    refused({{"title", titles.view()}, {"third", thirds}}, {"'title'", "row 1", "zero vector"});
    // Also if a later row has the same id.
    const std::vector<Id> twice = {1, 3, 3};
    CHECK(
        pairs.upsert(twice, images.view(), {{"title", titles.view()}, {"third", thirds}}).code() ==
        StatusCode::kInvalidArgument);
    CHECK(pairs.count() == 1);
    titles.values = spoilt;
    CHECK(pairs.upsert(ids, images.view(), {{"title", titles.view()}, {"third", thirds}}).ok());
    CHECK(pairs.count() == 3);
}

TEST_CASE("a search of a field that is none, or by another shape, is refused") {
    const Collection pairs = make_pairs();
    const std::vector<float> two = {1, 2};
    const std::vector<float> three = {1, 2, 3};
    const auto refused = [&](const Status& status, std::initializer_list<std::string> words) {
        INFO(status.to_string());
        CHECK(status.code() == StatusCode::kInvalidArgument);
        for (const std::string& word : words)
            CHECK(test::names(status, word));
    };
    const SearchOptions none{.field = "third"};
    refused(pairs.search(two, none).status(), {"'third'", "'image'", "'title'"});
    refused(pairs.search(MatrixView(two, 2), none).status(), {"'third'"});
    refused(pairs.range_search(two, 1.0F, none).status(), {"'third'"});
    refused(pairs.cursor(two, none).status(), {"'third'"});
    refused(pairs.search_async(two, none).get().status(), {"'third'"});
    std::vector<Hit> slots(10);
    refused(pairs.search_into(two, none, slots).status(), {"'third'"});
    refused(pairs.search(two, {.field = "title"}).status(), {"dimension 2", "has 3"});
    refused(pairs.search(three, {}).status(), {"dimension 3", "has 2"});
    CHECK(pairs.search(three, {.field = "title"}).value().size() == 1);
    CHECK(pairs.search(two, {.field = "image"}).value().size() == 1);
    const std::vector<std::string> unknown = {"titel"};
    refused(pairs.get(7, unknown).status(), {"'titel'"});
}

TEST_CASE("a rebuild carries over the vectors of every field that both collections have") {
    Database database = Database::in_memory({.threads = 2}).value();
    const auto fields = std::vector<VectorField>{
        {.name = "image", .dim = 4}, {.name = "title", .dim = 3}, {.name = "old", .dim = 2}};
    Collection live = database.create_collection("live 1", test::twin_schema(fields)).value();
    database.create_alias("live", "live 1").check();
    const auto write = [&](Collection& to, std::span<const Id> ids, std::uint64_t seed) {
        const std::vector<std::int64_t> thirds(ids.size(), 5);
        const auto images = test::normal_rows(ids.size(), 4, seed);
        const auto titles = test::normal_rows(ids.size(), 3, seed + 1);
        const auto old = test::normal_rows(ids.size(), 2, seed + 2);
        to.upsert(ids,
                  images.view(),
                  {{"title", titles.view()}, {"old", old.view()}, {"third", thirds}})
            .check();
    };
    const std::vector<Id> ids = test::sequential_ids(30);
    write(live, ids, 1);
    const auto images = test::normal_rows(30, 4, 10);
    const auto titles = test::normal_rows(30, 3, 11);
    const std::vector<std::int64_t> thirds(30, 6);
    const std::vector<ColumnView> columns = {{"title", titles.view()}, {"third", thirds}};
    bool given = false;
    RebuildSource source;
    source.rows = 30;
    source.next = [&]() -> Result<RowBatch> {
        if (std::exchange(given, true)) return RowBatch();
        const std::vector<Id> late = {3, 40};
        write(live, late, 20);
        return RowBatch{ids, images.view(), {}, columns};
    };
    RebuildOptions options;
    options.carry_over = true;
    options.guards.min_recall = 1.0;
    options.guards.search.field = "title";
    options.schema = test::twin_schema({fields[0], fields[1]});
    const RebuildReport report = database.rebuild("live", source, options).value();
    CHECK(report.carried_rows == 2);
    CHECK(report.recall == 1.0);
    const Collection made = database.collection("live").value();
    const std::vector<Id> asked = {3, 40, 5};
    const FetchedRows rows = made.get(asked, kBoth).value();
    const auto late_titles = test::normal_rows(2, 3, 21);
    CHECK(rows.vectors[0].row(0)[1] == late_titles.row(0)[1]);
    CHECK(rows.vectors[0].row(1)[2] == late_titles.row(1)[2]);
    CHECK(rows.vectors[0].row(2)[0] == titles.row(5)[0]);
    CHECK(rows.columns[0].values == std::vector<Scalar>{5, 5, 6});

    // What could not be searched or carried over is refused before anything is built.
    given = false;
    options.guards.search.field = "titel";
    const std::size_t before = database.list_collections().size();
    CHECK(test::names(database.rebuild("live", source, options).status(), "'titel'"));
    CHECK(database.list_collections().size() == before);
    CHECK_FALSE(given);
    options.guards.search.field = "title";
    options.schema->vectors[1].dim = 9;
    Status status = database.rebuild("live", source, options).status();
    CHECK(status.code() == StatusCode::kInvalidArgument);
    CHECK(test::names(status, "9 x float32"));
    options.schema->vectors[1] = {.name = "new", .dim = 3};
    status = database.rebuild("live", source, options).status();
    CHECK(status.code() == StatusCode::kInvalidArgument);
    CHECK(test::names(status, "'new'"));
}

}  // namespace vecdb
