// The databases of tests/data were written by the first version of each format, and are read by
// all that follow. `persist_test '[make-golden]'` with VECDB_GOLDEN_TO=DIRECTORY writes those of
// the present format; what is in tests/data is never written again.

#include "support/golden.h"

#include "support/catch.h"
#include "support/field_rows.h"
#include "support/memory_storage.h"
#include "support/reseal.h"
#include "support/small_database.h"
#include "support/temp_directory.h"

#include <vecdb/database.h>
#include <vecdb/search_report.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace vecdb {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using test::MemoryStorage;

/// \param which  "closed", or "crashed": as a process left it that ended while it had it open
fs::path golden(const std::string& which, const char* folder = "format-1") {
    return fs::path(VECDB_TEST_DATA) / folder / which;
}

/// Return the files of a directory as those of "d".
std::shared_ptr<MemoryStorage> files_of(const fs::path& directory) {
    auto files = std::make_shared<MemoryStorage>();
    for (const auto& entry : fs::directory_iterator(directory)) {
        const std::string bytes = test::read_bytes(entry.path());
        const auto content = std::as_bytes(std::span(bytes));
        files->bytes("d/" + entry.path().filename().string())
            .assign(content.begin(), content.end());
    }
    return files;
}

/// Return the ids and scores of all rows that a search of one vector field finds, beside a query of
/// integers.
std::string hits_of(const Collection& collection, const VectorField& field, SearchOptions options) {
    const std::vector<std::byte> query(vector_bytes(field.element_type, field.dim), std::byte{1});
    const std::vector<std::byte> zero(query.size());
    const bool bits = field.element_type == ElementType::kBit;
    const auto view =
        MatrixView::of(bits ? query.data() : zero.data(), 1, field.dim, field.element_type);
    options.field = field.name;
    std::string text = ' ' + field.name;
    const SearchResult found = collection.search(view, options).value();
    for (const Hit& hit : found[0])
        text += ' ' + std::to_string(hit.id) + '=' + std::to_string(hit.score);
    return text;
}

/// Return all rows of a collection, and how exact search of each of its vector fields orders them.
std::string rows_of(const Collection& collection) {
    const Schema& schema = collection.schema();
    std::string text = collection.name() + ":";
    for (const std::string& name : collection.list_partitions())
        text += ' ' + name + ' ' + std::to_string(collection.partition(name)->count());
    const VectorField& field = schema.vectors.front();
    if (field.metric == Metric::kCosine && field.zero_vector == ZeroVector::kReject) return text;
    for (const VectorField& each : schema.vectors)
        text += hits_of(collection, each, {.k = 100, .exact = true});
    const std::vector<Id> ids = collection.query({.limit = 1'000}).value().ids;
    const FetchedRows rows = collection.get(ids, test::field_names(schema)).value();
    text.append(reinterpret_cast<const char*>(rows.bytes.data()), rows.bytes.size());
    return text + '\n' + test::to_text(rows);
}

std::string all_of(const Database& database) {
    std::string text;
    for (const Alias& alias : database.list_aliases())
        text += alias.name + " is " + alias.collection + '\n';
    for (const std::string& name : database.list_collections())
        text += rows_of(database.collection(name).value());
    return text;
}

/// Return what a golden database has in it.
std::string expected(const test::GoldenSet& set) {
    Database database = Database::in_memory().value();
    set.write(database);
    set.go_on(database);
    return all_of(database);
}

void check_same(const VectorField& found, const VectorField& field) {
    CHECK(found.name == field.name);
    CHECK(found.dim == field.dim);
    CHECK(found.metric == field.metric);
    CHECK(found.element_type == field.element_type);
    CHECK(found.zero_vector == field.zero_vector);
    CHECK(found.index.index() == field.index.index());
}

void check_schemas(const Database& database, const test::GoldenSet& set) {
    for (const auto& [name, schema] : set.schemas()) {
        INFO(name);
        const Schema found = database.collection(name).value().schema();
        REQUIRE(found.vectors.size() == schema.vectors.size());
        for (std::size_t i = 0; i < found.vectors.size(); ++i)
            check_same(found.vectors[i], schema.vectors[i]);
        REQUIRE(found.scalars.size() == schema.scalars.size());
        for (std::size_t i = 0; i < found.scalars.size(); ++i) {
            CHECK(found.scalars[i].name == schema.scalars[i].name);
            CHECK(found.scalars[i].type == schema.scalars[i].type);
            CHECK(found.scalars[i].nullable == schema.scalars[i].nullable);
            CHECK(found.scalars[i].fallback == schema.scalars[i].fallback);
        }
        CHECK(found.rule.routing == schema.rule.routing);
        CHECK(found.rule.partitions == schema.rule.partitions);
        CHECK(found.segments.seal_rows == 0);
    }
}

/// Every index was read, and finds all rows when it looks everywhere.
void check_indexes(const Database& database, const test::GoldenSet& set) {
    for (const auto& [name, schema] : set.schemas()) {
        const Collection collection = database.collection(name).value();
        for (const VectorField& field : schema.vectors) {
            INFO(name << ", " << field.name);
            SearchReport report;
            SearchOptions options{.k = collection.count(), .nprobe = 3, .report = &report};
            if (field.metric == Metric::kCosine) continue;
            static_cast<void>(hits_of(collection, field, options));
            CHECK(report.hits == collection.count());
            const bool flat = std::holds_alternative<FlatOptions>(field.index);
            for (const SegmentReport& segment : report.segments)
                CHECK((flat || segment.rows < 10 || !segment.index.empty()));
        }
        CHECK(collection.stats().sealed_rows > 0);
    }
}

void make(const fs::path& to, const test::GoldenSet& set) {
    OpenOptions options;
    options.mode = OpenMode::kCreate;
    options.checkpoint_bytes = 0;
    options.keep_replaced = std::chrono::seconds(0);
    options.run.threads = 1;
    fs::create_directories(to);
    const std::string closed = (to / "closed").string();
    {
        Database database = Database::open(closed, options).value();
        set.write(database);
        database.checkpoint().check();
    }
    options.mode = OpenMode::kOpen;
    Database database = Database::open(closed, options).value();
    set.go_on(database);
    fs::copy(closed, to / "crashed", fs::copy_options::recursive);
    database.close().check();
}

}  // namespace

TEST_CASE("databases of every format are read", "[persist][golden]") {
    const std::string which = GENERATE("closed", "crashed");
    const test::GoldenSet& set = test::kGoldenSets[GENERATE(0, 1)];
    const std::string directory = golden(which, set.folder).string();
    INFO(directory);
    // Read where they are, by someone who need not be able to write there.
    OpenOptions options = test::small_options(nullptr, OpenMode::kReadOnly);
    options.verify = GENERATE(Verify::kFull, Verify::kLazy);
    const Database database = Database::open(directory, options).value();
    CHECK(database.open_report().damage.empty());
    CHECK(database.open_report().clean == (which == "closed"));
    CHECK(all_of(database) == expected(set));
    check_schemas(database, set);
    check_indexes(database, set);
    CHECK(Database::verify(directory, options)->sound());
}

TEST_CASE("databases of every format are written on", "[persist][golden]") {
    const auto files = files_of(golden(GENERATE("closed", "crashed")));
    {
        Database database =
            Database::open("d", test::small_options(files, OpenMode::kOpen)).value();
        Collection flat = database.collection("flat").value();
        test::insert_golden(flat, 500, 3);
        flat.build_index().check();
        database.checkpoint().check();
        CHECK(flat.count() == database.collection("other")->count());
        database.close().check();
    }
    const Database again =
        Database::open("d", test::small_options(files, OpenMode::kReadOnly)).value();
    Database database = Database::in_memory().value();
    test::write_golden(database);
    test::go_on_golden(database);
    Collection flat = database.collection("flat").value();
    test::insert_golden(flat, 500, 3);
    CHECK(all_of(again) == all_of(database));
}

TEST_CASE("databases of further fields are written on", "[persist][golden]") {
    const auto files = files_of(golden(GENERATE("closed", "crashed"), "format-1-fields"));
    const auto go_on = [](Database& database) {
        for (const auto& each : test::golden_field_schemas()) {
            Collection collection = database.collection(each.first).value();
            test::upsert_golden_fields(collection, 500, 3);
            collection.build_index().check();
        }
    };
    {
        Database database =
            Database::open("d", test::small_options(files, OpenMode::kOpen)).value();
        go_on(database);
        database.close().check();
    }
    const Database again =
        Database::open("d", test::small_options(files, OpenMode::kReadOnly)).value();
    Database database = Database::in_memory().value();
    test::write_golden_fields(database);
    test::go_on_golden_fields(database);
    go_on(database);
    CHECK(all_of(again) == all_of(database));
    check_indexes(again, test::kGoldenSets[1]);
}

TEST_CASE("a file of a later format is refused by its version", "[persist][golden]") {
    const auto golden_files = files_of(golden("closed"));
    for (const std::string& path : golden_files->names()) {
        if (path == "d/LOCK") continue;
        INFO(path);
        const auto files = golden_files->copy();
        files->bytes(path)[8] = std::byte{8};
        files->bytes(path)[12] = std::byte{7};
        test::Resealer::reseal(files->bytes(path));
        test::Resealer::reseal(*files);
        const auto before = files->copy();
        const auto opened = Database::open("d", test::small_options(files, OpenMode::kOpen));
        std::string told = opened.status().message();
        if (opened.ok()) {
            for (const std::string& damage : opened->open_report().damage)
                told += damage;
        } else {
            CHECK(opened.status().code() == StatusCode::kUnsupported);
        }
        CHECK_THAT(told, Contains("needs a reader of format 7"));
        CHECK(files->content(path) == before->content(path));
    }
}

TEST_CASE("golden databases are made", "[.][make-golden]") {
    const char* to = std::getenv("VECDB_GOLDEN_TO");
    REQUIRE(to != nullptr);
    for (const test::GoldenSet& set : test::kGoldenSets)
        make(fs::path(to) / set.folder, set);
}

}  // namespace vecdb
