#include "run_tool.h"
#include "support/catch.h"

namespace vecdb::test {
namespace {

std::vector<Id> rows_of(const nlohmann::json& query) {
    std::vector<Id> rows;
    for (const auto& hit : query["hits"])
        rows.push_back(hit["row"]);
    return rows;
}

}  // namespace

TEST_CASE("search finds the rows nearest to a row of the file") {
    const ToolFiles files;
    const ToolRun run =
        run_tool({"search", files.base, "--query-row", "1", "--k", "3", "--json", "-"});
    REQUIRE(run.exit_code == 0);
    const auto query = run.json()["queries"][0];
    CHECK(rows_of(query) == std::vector<Id>{1, 0, 2});
    CHECK(query["hits"][1]["score"] == 1.0);
}

TEST_CASE("search answers every query of a file, under the metric asked for") {
    const ToolFiles files;
    const auto l2 =
        run_tool({"search", files.base, "--query", files.queries, "--k", "1", "--json", "-"});
    REQUIRE(l2.exit_code == 0);
    CHECK(rows_of(l2.json()["queries"][0]) == std::vector<Id>{0});
    CHECK(rows_of(l2.json()["queries"][1]) == std::vector<Id>{4});
    const auto ip = run_tool({"search",
                              files.base,
                              "--query",
                              files.queries,
                              "--k",
                              "1",
                              "--metric",
                              "ip",
                              "--json",
                              "-"});
    REQUIRE(ip.exit_code == 0);
    CHECK(rows_of(ip.json()["queries"][0]) == std::vector<Id>{4});
}

TEST_CASE("search takes a file of one axis as one query") {
    const ToolFiles files;
    const std::vector<float> point = {2, 0};
    write_dataset(files("one.npy"), ItemsView::column(point)).check();
    const ToolRun run =
        run_tool({"search", files.base, "--query", files("one.npy"), "--k", "1", "--json", "-"});
    REQUIRE(run.exit_code == 0);
    CHECK(rows_of(run.json()["queries"][0]) == std::vector<Id>{2});
}

TEST_CASE("search returns allowed rows only") {
    const ToolFiles files;
    const std::string mask = files.mask("mask.npy", {0, 0, 1, 0, 1});
    const ToolRun run =
        run_tool({"search", files.base, "--query-row", "0", "--allowed", mask, "--json", "-"});
    REQUIRE(run.exit_code == 0);
    CHECK(rows_of(run.json()["queries"][0]) == std::vector<Id>{2, 4});
    CHECK(run.json()["allowed"] == 2);
}

TEST_CASE("search refuses files that do not fit each other, with code 3") {
    const ToolFiles files;
    const std::string wide = files.write<float>("wide.npy", {1, 2, 3}, 3);
    const ToolRun dimension = run_tool({"search", files.base, "--query", wide});
    CHECK(dimension.exit_code == 3);
    CHECK(dimension.says({"wide.npy", "dimension 3", "vectors 2"}));

    const ToolRun mask = run_tool(
        {"search", files.base, "--query-row", "0", "--allowed", files.mask("short.npy", {1, 1})});
    CHECK(mask.exit_code == 3);
    CHECK(mask.says({"short.npy", "2 rows", "5"}));

    const ToolRun zero = run_tool({"search", files.base, "--query-row", "1", "--metric", "cosine"});
    CHECK(zero.exit_code == 3);
    CHECK(zero.says({"base.npy", "row 0"}));
}

}  // namespace vecdb::test
