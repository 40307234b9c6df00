// The databases of tests/data were written by the first version of each format, and are read by
// all that follow. `persist_test '[make-golden]'` with VECDB_GOLDEN_TO=DIRECTORY writes those of
// the present format; what is in tests/data is never written again.

#include "support/golden.h"

#include "support/catch.h"
#include "support/memory_storage.h"
#include "support/reseal.h"
#include "support/small_database.h"
#include "support/temp_directory.h"

#include <vecdb/database.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace vecdb {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using test::MemoryStorage;

/// \param which  "closed", or "crashed": as a process left it that ended while it had it open
fs::path golden(const std::string& which) {
    return fs::path(VECDB_TEST_DATA) / "format-1" / which;
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

/// Return all rows of a collection in the order of exact search, beside a query of integers.
std::string rows_of(const Collection& collection) {
    std::string text = collection.name() + ":";
    for (const std::string& name : collection.list_partitions())
        text += ' ' + name + ' ' + std::to_string(collection.partition(name)->count());
    const VectorField& field = collection.schema().vectors.front();
    const std::vector<std::byte> query(vector_bytes(field.element_type, field.dim), std::byte{1});
    const std::vector<std::byte> zero(query.size());
    const bool bits = field.element_type == ElementType::kBit;
    const auto view =
        MatrixView::of(bits ? query.data() : zero.data(), 1, field.dim, field.element_type);
    std::vector<Id> ids;
    if (field.metric == Metric::kCosine && field.zero_vector == ZeroVector::kReject) return text;
    const SearchResult hits = collection.search(view, {.k = 100, .exact = true}).value();
    for (const Hit& hit : hits[0]) {
        ids.push_back(hit.id);
        text += ' ' + std::to_string(hit.id) + '=' + std::to_string(hit.score);
    }
    const FetchedRows rows = collection.get(ids).value();
    return text.append(reinterpret_cast<const char*>(rows.bytes.data()), rows.bytes.size()) + '\n';
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
std::string expected() {
    Database database = Database::in_memory().value();
    test::write_golden(database);
    test::go_on_golden(database);
    return all_of(database);
}

void check_schemas(const Database& database) {
    for (const auto& [name, schema] : test::golden_schemas()) {
        INFO(name);
        const Schema found = database.collection(name).value().schema();
        CHECK(found.vectors[0].name == schema.vectors[0].name);
        CHECK(found.vectors[0].dim == schema.vectors[0].dim);
        CHECK(found.vectors[0].metric == schema.vectors[0].metric);
        CHECK(found.vectors[0].element_type == schema.vectors[0].element_type);
        CHECK(found.vectors[0].zero_vector == schema.vectors[0].zero_vector);
        CHECK(found.vectors[0].index.index() == schema.vectors[0].index.index());
        CHECK(found.rule.routing == schema.rule.routing);
        CHECK(found.rule.partitions == schema.rule.partitions);
        CHECK(found.segments.seal_rows == 0);
    }
}

/// Every index was read, and finds all rows when it looks everywhere.
void check_indexes(const Database& database) {
    for (const std::string name : {"graph", "graph codes", "lists", "product", "flat codes"}) {
        INFO(name);
        const Collection collection = database.collection(name).value();
        SearchOptions options{.k = collection.count()};
        options.nprobe = 3;
        const std::vector<float> query(test::kGoldenDim);
        CHECK(collection.search(query, options)->size() == collection.count());
        CHECK(collection.stats().sealed_rows == 22);
    }
}

void make(const fs::path& to) {
    OpenOptions options;
    options.mode = OpenMode::kCreate;
    options.checkpoint_bytes = 0;
    options.keep_replaced = std::chrono::seconds(0);
    options.run.threads = 1;
    const std::string closed = (to / "closed").string();
    {
        Database database = Database::open(closed, options).value();
        test::write_golden(database);
        database.checkpoint().check();
    }
    options.mode = OpenMode::kOpen;
    Database database = Database::open(closed, options).value();
    test::go_on_golden(database);
    fs::copy(closed, to / "crashed", fs::copy_options::recursive);
    database.close().check();
}

}  // namespace

TEST_CASE("databases of every format are read", "[persist][golden]") {
    const std::string which = GENERATE("closed", "crashed");
    INFO(which);
    // Read where they are, by someone who need not be able to write there.
    OpenOptions options = test::small_options(nullptr, OpenMode::kReadOnly);
    options.verify = GENERATE(Verify::kFull, Verify::kLazy);
    const Database database = Database::open(golden(which).string(), options).value();
    CHECK(database.open_report().damage.empty());
    CHECK(database.open_report().clean == (which == "closed"));
    CHECK(all_of(database) == expected());
    check_schemas(database);
    check_indexes(database);
    CHECK(Database::verify(golden(which).string(), options)->sound());
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
    make(to);
}

}  // namespace vecdb
