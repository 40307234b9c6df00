// import, search and info of databases in directories.

#include "run_tool.h"
#include "support/catch.h"

#include <vecdb/database.h>

namespace vecdb::test {
namespace {

std::vector<Id> ids_of(const nlohmann::json& query) {
    std::vector<Id> ids;
    for (const auto& hit : query["hits"])
        ids.push_back(hit["id"]);
    return ids;
}

ToolRun import(const ToolFiles& files, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"import", files.base, files("db"), "--json", "-"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tool(arguments);
}

ToolRun search(const ToolFiles& files, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"search", files("db"), "--json", "-"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tool(arguments);
}

Collection reopened(const ToolFiles& files, const std::string& name) {
    return Database::open(files("db"), {.mode = OpenMode::kReadOnly})
        .value()
        .collection(name)
        .value();
}

}  // namespace

TEST_CASE("import makes a database whose collection has the file's name and rows") {
    const ToolFiles files;
    const ToolRun run = import(files);
    REQUIRE(run.exit_code == 0);
    CHECK(run.err.empty());
    const auto json = run.json();
    CHECK(json["collection"] == "base");
    CHECK(json["created"] == true);
    CHECK(json["rows"] == 5);
    CHECK(json["rows_per_second"].get<double>() > 0);

    const Collection collection = reopened(files, "base");
    CHECK(collection.count() == 5);
    CHECK(collection.schema().vectors[0].metric == Metric::kL2);
    CHECK(collection.stats().sealed_rows == 5);
    CHECK(collection.get(3).value().row(0)[0] == 3.0F);
}

TEST_CASE("import takes name, metric, type, index, ids and batches from the command line") {
    const ToolFiles files;
    const std::string ids = files("ids.npy");
    const std::vector<Id> chosen = {7, 3, 1000, 0, 5};
    write_dataset(ids, ItemsView::column(chosen)).check();
    const ToolRun run = import(files,
                               {"--collection",
                                "points",
                                "--metric",
                                "ip",
                                "--type",
                                "float16",
                                "--index",
                                "hnsw m=8 codes=none",
                                "--ids",
                                ids,
                                "--batch",
                                "2",
                                "--sync",
                                "off",
                                "--no-index",
                                "--seal-rows",
                                "64"});
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    const Collection collection = reopened(files, "points");
    const VectorField& field = collection.schema().vectors[0];
    CHECK(field.metric == Metric::kInnerProduct);
    CHECK(field.element_type == ElementType::kFloat16);
    CHECK(std::get<HnswOptions>(field.index).m == 8);
    CHECK(collection.schema().segments.seal_rows == 64);
    CHECK(collection.stats().sealed_rows == 0);
    CHECK(collection.get(1000).value().found[0]);
    CHECK(search(files, {"--query-id", "1000", "--k", "1"}).json()["queries"][0]["hits"][0]["id"] ==
          5);
}

TEST_CASE("import goes on in a collection that is there") {
    const ToolFiles files;
    REQUIRE(import(files, {"--index", "hnsw m=8"}).exit_code == 0);
    const ToolRun more = import(files, {"--first-id", "5", "--metric", "l2"});
    REQUIRE(more.exit_code == 0);
    CHECK(more.json()["created"] == false);
    CHECK(more.json()["rows_in_collection"] == 10);
    CHECK(import(files, {"--first-id", "8", "--upsert"}).json()["rows_in_collection"] == 13);
    CHECK(import(files, {"--collection", "other"}).json()["created"] == true);

    const ToolRun taken = import(files, {"--first-id", "12", "--batch", "1"});
    CHECK(taken.exit_code == 3);
    CHECK(taken.says({"base.npy", "id 12"}));
    const ToolRun half = import(files, {"--first-id", "13", "--batch", "2"});
    CHECK(half.exit_code == 0);
}

TEST_CASE("import refuses options that do not fit the collection that is there") {
    const ToolFiles files;
    REQUIRE(import(files, {"--index", "hnsw m=8"}).exit_code == 0);
    const std::vector<std::vector<std::string>> wrong = {{"--metric", "ip"},
                                                         {"--type", "int8"},
                                                         {"--index", "hnsw m=16"},
                                                         {"--index", "flat"},
                                                         {"--seal-rows", "100"}};
    for (std::vector<std::string> options : wrong) {
        INFO(options[0]);
        options.insert(options.end(), {"--first-id", "100"});
        const ToolRun run = import(files, options);
        CHECK(run.exit_code == 2);
        CHECK(run.says({options[0], "base"}));
    }
    CHECK(import(files, {"--index", "hnsw m=8 alpha=1.2", "--first-id", "100"}).exit_code == 0);

    const std::string wide = files.write<float>("wide.npy", {1, 2, 3}, 3);
    const ToolRun run = run_tool({"import", wide, files("db"), "--collection", "base"});
    CHECK(run.exit_code == 3);
    CHECK(run.says({"wide.npy", "dimension 3", "'base' 2"}));
}

TEST_CASE("an import that fails before its first row leaves no collection") {
    const ToolFiles files;
    const ToolRun zero = import(files, {"--metric", "cosine"});
    CHECK(zero.exit_code == 3);
    CHECK(zero.says({"base.npy", "row 0"}));
    CHECK(import(files).json()["created"] == true);
}

TEST_CASE("import tells what is wrong before it makes a directory") {
    const ToolFiles files;
    const std::string ids = files.write<std::int64_t>("ids.npy", {1, 2, 3}, 1);
    const std::vector<std::vector<std::string>> usage = {{"--metric", "l3"},
                                                         {"--index", "magic"},
                                                         {"--index", "hnsw m=1"},
                                                         {"--metric", "hamming", "--type", "int8"},
                                                         {"--batch", "0"},
                                                         {"--first-id", "-1"},
                                                         {"--first-id", "9223372036854775804"},
                                                         {"--first-id", "1", "--ids", ids},
                                                         {"--sync", "never"},
                                                         {"--seal-rows", "3"}};
    for (const auto& options : usage) {
        const ToolRun run = import(files, options);
        INFO(run.err);
        CHECK(run.exit_code == 2);
        CHECK(run.says({}));
    }
    CHECK(import(files, {"--ids", ids}).exit_code == 3);
    CHECK(import(files, {"--ids", files("absent.npy")}).exit_code == 3);
    CHECK(run_tool({"import", files("absent.npy"), files("db")}).exit_code == 3);
    CHECK_FALSE(std::filesystem::exists(files("db")));

    const ToolRun nowhere = run_tool({"import", files.base, files("no/such/db")});
    CHECK(nowhere.exit_code == 5);
    CHECK(nowhere.says({"no/such/db"}));
}

TEST_CASE("import keeps int8 and bits as they are") {
    const ToolFiles files;
    const std::string small = files.write<std::int8_t>("small.npy", {1, -2, 3, 4, 127, -128}, 3);
    REQUIRE(run_tool({"import", small, files("db")}).exit_code == 0);
    CHECK(reopened(files, "small").get(1).value().row<std::int8_t>(0)[2] == -128);

    const std::string bits = files.write<std::uint8_t>("bits.npy", {0xFF, 0, 0x0F, 0}, 2);
    REQUIRE(run_tool({"import", bits, files("db"), "--metric", "hamming"}).exit_code == 0);
    CHECK(reopened(files, "bits").schema().vectors[0].dim == 16);
    const ToolRun found = search(files, {"--collection", "bits", "--queries", bits, "--k", "2"});
    REQUIRE(found.exit_code == 0);
    CHECK(found.json()["queries"][0]["hits"][1]["score"] == 4.0);

    const ToolRun large = run_tool({"import", bits, files("db"), "--type", "int8"});
    CHECK(large.exit_code == 2);  // the collection is there, of bits
    const ToolRun other =
        run_tool({"import", bits, files("db"), "--type", "int8", "--collection", "other"});
    CHECK(other.exit_code == 3);
    CHECK(other.says({"bits.npy", "row 0", "255"}));
}

TEST_CASE("search of a directory answers by a stored row and by a file") {
    const ToolFiles files;
    REQUIRE(import(files, {"--first-id", "10"}).exit_code == 0);
    const ToolRun stored = search(files, {"--query-id", "11", "--k", "3"});
    REQUIRE(stored.exit_code == 0);
    CHECK(ids_of(stored.json()["queries"][0]) == std::vector<Id>{11, 10, 12});
    CHECK(stored.json()["collection"] == "base");
    CHECK(stored.json()["metric"] == "l2");

    const ToolRun file = search(files, {"--queries", files.queries, "--k", "1", "--exact"});
    REQUIRE(file.exit_code == 0);
    CHECK(ids_of(file.json()["queries"][0]) == std::vector<Id>{10});
    CHECK(ids_of(file.json()["queries"][1]) == std::vector<Id>{14});

    const std::vector<float> point = {2, 0};
    write_dataset(files("one.npy"), ItemsView::column(point)).check();
    const ToolRun one = search(files, {"--query", files("one.npy"), "--k", "1"});
    REQUIRE(one.exit_code == 0);
    CHECK(ids_of(one.json()["queries"][0]) == std::vector<Id>{12});

    const std::string mask = files.mask("mask.npy", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1});
    const ToolRun filtered = search(files, {"--query-id", "10", "--allowed", mask});
    REQUIRE(filtered.exit_code == 0);
    CHECK(ids_of(filtered.json()["queries"][0]) == std::vector<Id>{12, 14});
    CHECK(filtered.json()["allowed"] == 2);
    CHECK(run_tool({"search", files("db"), "--query-id", "10"}).out.starts_with("id "));
}

TEST_CASE("search of a directory needs a name where there are several collections") {
    const ToolFiles files;
    REQUIRE(import(files).exit_code == 0);
    REQUIRE(import(files, {"--collection", "other"}).exit_code == 0);
    {
        Database db = Database::open(files("db")).value();
        db.create_alias("live", "other").check();
        db.close().check();
    }
    const ToolRun run = search(files, {"--query-id", "1"});
    CHECK(run.exit_code == 2);
    CHECK(run.says({"--collection", "base", "other", "live"}));
    const ToolRun live = search(files, {"--query-id", "1", "--collection", "live"});
    CHECK(live.json()["collection"] == "other");
    const ToolRun absent = search(files, {"--query-id", "1", "--collection", "dead"});
    CHECK(absent.exit_code == 3);
    CHECK(absent.says({"'dead'", "base", "other", "live"}));
}

TEST_CASE("search of a directory refuses what does not fit it") {
    const ToolFiles files;
    REQUIRE(import(files).exit_code == 0);
    const std::string wide = files.write<float>("wide.npy", {1, 2, 3}, 3);
    CHECK(search(files, {"--query", wide}).exit_code == 3);
    CHECK(search(files, {"--query", wide}).says({"wide.npy", "dimension 3", "'base' 2"}));
    CHECK(search(files, {"--query-id", "5"}).exit_code == 2);
    CHECK(search(files, {"--query-id", "5"}).says({"--query-id", "no row 5"}));
    CHECK(search(files, {"--query-row", "1"}).says({"--query-row", "--query-id"}));
    CHECK(search(files, {"--query-id", "1", "--metric", "l2"}).says({"--metric"}));
    CHECK(search(files, {"--query-id", "1", "--query", wide}).exit_code == 2);
    CHECK(search(files, {}).exit_code == 2);
    const ToolRun file = run_tool({"search", files.base, "--query-id", "1"});
    CHECK(file.exit_code == 2);
    CHECK(file.says({"--query-id", "base.npy"}));
    CHECK(run_tool({"search", files("absent"), "--query-id", "1"}).exit_code == 3);
    std::filesystem::create_directory(files("empty"));
    CHECK(run_tool({"search", files("empty"), "--query-id", "1"}).exit_code == 3);
}

TEST_CASE("info of a directory tells collections, partitions, aliases and how it was closed") {
    const ToolFiles files;
    REQUIRE(import(files, {"--index", "hnsw m=8"}).exit_code == 0);
    {
        Database db = Database::open(files("db")).value();
        Collection base = db.collection("base").value();
        const std::vector<float> row = {9, 9};
        base.create_partition("more").value().insert(100, row).check();
        CHECK(base.remove(0).value() == 1);
        db.create_alias("live", "base").check();
        db.close().check();
    }
    const ToolRun run = run_tool({"info", files("db"), "--json", "-"});
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    const auto json = run.json();
    CHECK(json["clean"] == true);
    CHECK(json["replayed_rows"] == 1);
    CHECK(json["damage"].empty());
    CHECK(json["bytes"].get<int>() > 0);
    CHECK(json["aliases"] == nlohmann::json::parse(R"([{"name":"live","collection":"base"}])"));
    const auto base = json["collections"].at(0);
    CHECK(base["name"] == "base");
    CHECK(base["rows"] == 5);
    CHECK(base["sealed_segments"] == 1);
    CHECK(base["removed_rows"] == 1);
    CHECK(base["growing_rows"] == 1);
    CHECK(base["index"].get<std::string>().starts_with("hnsw m=8"));
    CHECK(base["partitions"][1] == nlohmann::json::parse(R"({"name":"more","rows":1})"));

    const ToolRun text = run_tool({"info", files("db")});
    for (const char* part : {"collection base", "alias live of base", "partition more, 1 row\n"}) {
        INFO(part);
        CHECK(text.out.find(part) != std::string::npos);
    }
}

TEST_CASE("info tells that a writer did not close the database") {
    const ToolFiles files;
    REQUIRE(import(files).exit_code == 0);
    const Database db = Database::open(files("db")).value();
    const ToolRun run = run_tool({"info", files("db"), "--json", "-"});
    REQUIRE(run.exit_code == 0);
    CHECK(run.json()["clean"] == false);
    CHECK(run_tool({"info", files("absent")}).exit_code == 3);
    CHECK(run_tool({"info", files("absent"), "--system"}).exit_code == 2);
}

TEST_CASE("import draws its progress on a terminal only") {
    const ToolFiles files;
    const ToolRun shown =
        run_tool({"import", files.base, files("db"), "--batch", "2"}, {.terminal = true});
    CHECK(shown.exit_code == 0);
    for (const char* part : {"importing", "rows/s", "building the index"}) {
        CHECK(shown.err.find(part) != std::string::npos);
    }
}

}  // namespace vecdb::test
