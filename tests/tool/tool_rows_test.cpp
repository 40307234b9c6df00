// Rows by their scalar values: search --where and --fields, query, count, and the fields in info.

#include "run_tool.h"
#include "support/catch.h"

#include <vecdb/database.h>

#include <cstdint>
#include <limits>

namespace vecdb::test {
namespace {

using nlohmann::json;

/// A database `shop` whose collection "products" has rows 10..14 at (i, 0).
class Shop {
  public:
    Shop() {
        Database db = Database::open(directory()).value();
        Schema schema = Schema::single(2);
        schema.scalars = {{.name = "price", .type = ScalarType::kInt64},
                          {.name = "brand", .type = ScalarType::kString, .nullable = true},
                          {.name = "score", .type = ScalarType::kDouble, .fallback = 0.5},
                          {.name = "sold", .type = ScalarType::kBool},
                          {.name = "blob", .type = ScalarType::kBytes, .nullable = true}};
        Collection products = db.create_collection("products", schema).value();
        const std::vector<Id> ids = {10, 11, 12, 13, 14};
        const std::vector<float> vectors = {0, 0, 1, 0, 2, 0, 3, 0, 4, 0};
        const std::vector<std::int64_t> prices = {50, 10, 40, 20, 30};
        const std::vector<Scalar> brands = {{}, "acme", "zo\xC3\xAB", "acme", "a\n\"b\""};
        const std::vector<double> scores = {
            0.1, -2, std::numeric_limits<double>::infinity(), 0.5, 1e-300};
        const std::vector<Scalar> sold = {true, false, false, false, true};
        const std::vector<Scalar> blobs = {{}, std::string("\x00\xFF", 2), {}, {}, {}};
        products
            .insert(ids,
                    MatrixView(vectors, 2),
                    {{"price", prices},
                     {"brand", brands},
                     {"score", scores},
                     {"sold", sold},
                     {"blob", blobs}})
            .check();
        db.close().check();
    }

    [[nodiscard]] std::string directory() const { return files("shop"); }
    /// Run `command` on the database, with JSON on standard output.
    [[nodiscard]] ToolRun run(const std::string& command,
                              const std::vector<std::string>& more = {}) const {
        std::vector<std::string> arguments = {command, directory(), "--json", "-"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_tool(arguments);
    }

    ToolFiles files;
};

std::vector<Id> ids_of(const json& rows) {
    std::vector<Id> ids;
    for (const auto& row : rows)
        ids.push_back(row["id"]);
    return ids;
}

/// The commands that take --where, each with what else it needs.
std::vector<std::vector<std::string>> asking_commands(const std::string& directory) {
    return {{"search", directory, "--query-id", "10"}, {"query", directory}, {"count", directory}};
}

ToolRun run_with(std::vector<std::string> command, const std::vector<std::string>& more) {
    command.insert(command.end(), more.begin(), more.end());
    return run_tool(command);
}

}  // namespace

TEST_CASE("search --where finds rows that fulfil the condition, with the fields asked for") {
    const Shop shop;
    const ToolRun run = shop.run(
        "search",
        {"--query-id", "10", "--where", "!sold && price < 40", "--fields", "price,brand,blob"});
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    CHECK(run.json()["where"] == "!sold && price < 40");
    CHECK(run.json()["allowed"] == 2);
    CHECK(run.json()["queries"][0]["hits"] == json::parse(R"([
        {"id": 11, "score": 1.0, "fields": {"price": 10, "brand": "acme", "blob": "00ff"}},
        {"id": 13, "score": 9.0, "fields": {"price": 20, "brand": "acme", "blob": null}}])"));

    const ToolRun plain = shop.run("search", {"--query-id", "10", "--k", "1"});
    CHECK(plain.json()["where"].is_null());
    CHECK(plain.json()["queries"][0]["hits"] == json::parse(R"([{"id": 10, "score": 0.0}])"));
}

TEST_CASE("search pages, cuts and groups, and explains what it did") {
    const Shop shop;
    const auto hits = [&](const std::vector<std::string>& more) {
        std::vector<std::string> options = {"--query-id", "10"};
        options.insert(options.end(), more.begin(), more.end());
        const ToolRun run = shop.run("search", options);
        INFO(run.err);
        REQUIRE(run.exit_code == 0);
        return ids_of(run.json()["queries"][0]["hits"]);
    };
    CHECK(hits({"--k", "2", "--offset", "1"}) == std::vector<Id>{11, 12});
    CHECK(hits({"--score-threshold", "4"}) == std::vector<Id>{10, 11, 12});
    CHECK(hits({"--group-by", "brand"}) == std::vector<Id>{10, 11, 12, 14});
    CHECK(hits({"--group-by", "sold", "--k", "1", "--offset", "1"}) == std::vector<Id>{11});

    const std::vector<std::string> asked = {
        "--query-id", "10", "--where", "price < 40", "--explain"};
    const json explained = shop.run("search", asked).json()["explain"];
    CHECK(explained["hits"] == 3);
    CHECK(explained["allowed_rows"] == 3);
    CHECK(explained["live_rows"] == 5);
    CHECK(explained["segments"][0]["plan"] == "rows");
    CHECK(explained["segments"][0]["reason"] == "the segment has no index");
    CHECK(explained["segments"][0]["distances"] == 3);
    CHECK(shop.run("search", {"--query-id", "10"}).json().count("explain") == 0);
    std::vector<std::string> text = {"search", shop.directory()};
    text.insert(text.end(), asked.begin(), asked.end());
    CHECK(run_tool(text).out.find("allowed 3 of 5 rows") != std::string::npos);

    const ToolRun none = shop.run("search", {"--query-id", "10", "--group-by", "cost"});
    CHECK(none.exit_code == 2);
    CHECK(none.says({"--group-by", "'cost'", "price, brand, score, sold, blob"}));
    const ToolRun wrong = shop.run("search", {"--query-id", "10", "--group-by", "score"});
    CHECK(wrong.exit_code != 0);
    CHECK(wrong.says({"group_by", "'score'", "double", "int64"}));
    const std::string file = shop.files.mask("rows.npy", {1, 0});
    for (const std::string option :
         {"--explain", "--offset=1", "--group-by=a", "--score-threshold=1"}) {
        const ToolRun refused =
            run_tool({"search", file, "--query-row", "0", "--metric", "l2", option});
        CHECK(refused.exit_code == 2);
        CHECK(
            refused.says({option.substr(0, option.find('=')), "not the directory of a database"}));
    }
}

TEST_CASE("search joins --where with --allowed") {
    const Shop shop;
    const std::string mask =
        shop.files.mask("mask.npy", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0});
    const ToolRun run =
        shop.run("search", {"--query-id", "10", "--where", "!sold", "--allowed", mask});
    REQUIRE(run.exit_code == 0);
    CHECK(ids_of(run.json()["queries"][0]["hits"]) == std::vector<Id>{11, 12});
    CHECK(run.json()["allowed"] == 2);
}

TEST_CASE("search gives every hit of many queries the values of its own row") {
    const Shop shop;
    const ToolRun run =
        shop.run("search", {"--queries", shop.files.queries, "--k", "2", "--fields", "price"});
    REQUIRE(run.exit_code == 0);
    const auto queries = run.json()["queries"];
    const auto price = [&](int query, int hit) {
        return queries[query]["hits"][hit]["fields"]["price"].get<int>();
    };
    CHECK(std::vector<int>{price(0, 0), price(0, 1), price(1, 0), price(1, 1)} ==
          std::vector<int>{50, 10, 30, 20});
    const ToolRun text = run_tool({"search",
                                   shop.directory(),
                                   "--queries",
                                   shop.files.queries,
                                   "--k",
                                   "1",
                                   "--fields",
                                   "price,sold"});
    CHECK(text.out ==
          "query 0\n"
          "id          score       price       sold\n"
          "10          0.040000    50          true\n"
          "query 1\n"
          "id          score       price       sold\n"
          "14          0.010000    30          true\n");
}

TEST_CASE("query shows rows by ascending id with all their values") {
    const Shop shop;
    const ToolRun run = shop.run("query");
    REQUIRE(run.exit_code == 0);
    const auto answer = run.json();
    CHECK(answer["collection"] == "products");
    CHECK(answer["limit"] == 100);
    CHECK(answer["after"].is_null());
    CHECK(ids_of(answer["rows"]) == std::vector<Id>{10, 11, 12, 13, 14});
    CHECK(answer["rows"][1] == json::parse(R"({"id": 11, "fields":
        {"price": 10, "brand": "acme", "score": -2.0, "sold": false, "blob": "00ff"}})"));
    CHECK(answer["rows"][0]["fields"]["brand"].is_null());
    CHECK(answer["rows"][0]["fields"]["score"] == 0.1);
    CHECK(answer["rows"][2]["fields"]["brand"] == "zo\xC3\xAB");
    CHECK(answer["rows"][2]["fields"]["score"] == "infinity");
    CHECK(answer["rows"][4]["fields"]["brand"] == "a\n\"b\"");
    CHECK(answer["rows"][4]["fields"]["score"] == 1e-300);
}

TEST_CASE("query takes a condition, fields, a limit and the id to go on after") {
    const Shop shop;
    const ToolRun first =
        shop.run("query", {"--where", "price >= 20", "--limit", "2", "--fields", "brand"});
    REQUIRE(first.exit_code == 0);
    CHECK(ids_of(first.json()["rows"]) == std::vector<Id>{10, 12});
    CHECK(first.json()["rows"][0] == json::parse(R"({"id": 10, "fields": {"brand": null}})"));
    const ToolRun next = shop.run("query", {"--where", "price >= 20", "--after", "12"});
    CHECK(ids_of(next.json()["rows"]) == std::vector<Id>{13, 14});
    CHECK(next.json()["after"] == 12);
    CHECK(shop.run("query", {"--after", "14"}).json()["rows"] == json::array());

    const ToolRun text =
        run_tool({"query", shop.directory(), "--fields", "brand,price", "--after", "11"});
    CHECK(text.out ==
          "id          brand       price\n"
          "12          zo\xC3\xAB         40\n"
          "13          acme        20\n"
          "14          a\\n\"b\"      30\n");
    const ToolRun cut = run_tool({"query", shop.directory(), "--fields", "price", "--limit", "1"});
    CHECK(cut.out.ends_with("10          50\n--limit reached; --after 10 goes on\n"));
}

TEST_CASE("count tells how many rows fulfil a condition") {
    const Shop shop;
    CHECK(run_tool({"count", shop.directory()}).out == "5\n");
    CHECK(run_tool({"count", shop.directory(), "--where", "brand is null"}).out == "1\n");
    const ToolRun run =
        shop.run("count", {"--where", "brand like \"a%\" or sold", "--collection", "products"});
    REQUIRE(run.exit_code == 0);
    CHECK(run.json() == json({{"database", shop.directory()},
                              {"collection", "products"},
                              {"where", "brand like \"a%\" or sold"},
                              {"count", 4}}));
}

TEST_CASE("a condition that is wrong ends with code 2 and says where and why") {
    const Shop shop;
    const std::vector<std::pair<std::string, std::vector<std::string>>> wrong = {
        {"price <", {"byte 7", "expected a value"}},
        {"", {"byte 0"}},
        {"price < 5 5", {"byte 10"}},
        {"cost < 5", {"'cost'", "'price'", "'brand'"}},
        {"price = \"five\"", {"'price'", "int64", "\"five\""}},
        {"price", {"'price'", "int64"}},
        {"blob = \"x\"", {"'blob'", "bytes"}}};
    for (const auto& [where, parts] : wrong) {
        for (const auto& command : asking_commands(shop.directory())) {
            const ToolRun run = run_with(command, {"--where", where});
            INFO(command[0] << ' ' << where << ": " << run.err);
            CHECK(run.exit_code == 2);
            CHECK(run.says({"--where: "}));
            CHECK(run.says(parts));
            CHECK(run.out.empty());
        }
    }
}

TEST_CASE("fields, collections and databases that are not there are refused") {
    const Shop shop;
    for (const std::string command : {"search", "query"}) {
        std::vector<std::string> options = {"--fields", "price,cost"};
        if (command == "search") options.insert(options.end(), {"--query-id", "10"});
        const ToolRun run = shop.run(command, options);
        CHECK(run.exit_code == 2);
        CHECK(run.says({"--fields", "'products'", "'cost'", "price, brand, score, sold, blob"}));
    }
    for (const auto& command : asking_commands(shop.directory())) {
        const ToolRun run = run_with(command, {"--collection", "other"});
        CHECK(run.exit_code == 3);
        CHECK(run.says({"'other'", "products"}));
    }
    for (const auto& command : asking_commands(shop.files("absent"))) {
        const ToolRun run = run_with(command, {"--where", "true"});
        CHECK(run.exit_code == 3);
        CHECK(run.says({"absent"}));
    }
    const std::vector<std::vector<std::string>> usage = {{"--limit", "0"},
                                                         {"--limit", "16777217"},
                                                         {"--after", "-1"},
                                                         {"--after", "x"},
                                                         {"--where"},
                                                         {"--query-id", "10"}};
    for (const auto& options : usage) {
        INFO(options[0]);
        CHECK(shop.run("query", options).exit_code == 2);
    }
    CHECK(shop.run("query", {"--limit", "16777216"}).exit_code == 0);
    CHECK(run_tool({"query"}).exit_code == 2);
    CHECK(shop.run("count", {"--fields", "price"}).exit_code == 2);
}

TEST_CASE("search of a file refuses --where and --fields") {
    const ToolFiles files;
    const std::vector<std::vector<std::string>> options = {
        {"--where", "price < 5"}, {"--where", ""}, {"--fields", "price"}};
    for (const auto& each : options) {
        const ToolRun run = run_with({"search", files.base, "--query-row", "0"}, each);
        CHECK(run.exit_code == 2);
        CHECK(run.says({each[0], "base.npy", "not the directory of a database"}));
    }
}

TEST_CASE("info of a directory lists the scalar fields of its collections") {
    const Shop shop;
    const ToolRun run = shop.run("info");
    REQUIRE(run.exit_code == 0);
    CHECK(run.json()["collections"][0]["fields"] == json::parse(R"([
        {"name": "price", "type": "int64", "nullable": false},
        {"name": "brand", "type": "string", "nullable": true},
        {"name": "score", "type": "double", "nullable": false, "fallback": 0.5},
        {"name": "sold", "type": "bool", "nullable": false},
        {"name": "blob", "type": "bytes", "nullable": true}])"));
    const ToolRun text = run_tool({"info", shop.directory()});
    CHECK(text.out.find("  fields    price:int64, brand:string?, score:double, sold:bool, "
                        "blob:bytes?\n") != std::string::npos);
}

TEST_CASE("help names every command, and the commands explain their options") {
    const std::string help = run_tool({"--help"}).out;
    for (const char* command : {"search", "query", "count", "import", "info"}) {
        CHECK(help.find(std::string("\n  ") + command + ' ') != std::string::npos);
    }
    CHECK(run_tool({"query", "--help"}).out.find("--where EXPRESSION") != std::string::npos);
    CHECK(run_tool({"import", "--help"}).out.find("--columns FILE.csv") != std::string::npos);
}

}  // namespace vecdb::test
