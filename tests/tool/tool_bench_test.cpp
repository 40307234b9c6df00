#include "run_tool.h"
#include "support/catch.h"

namespace vecdb::test {
namespace {

ToolRun bench(const ToolFiles& files, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"bench",
                                          "--base",
                                          files.base,
                                          "--queries",
                                          files.queries,
                                          "--k",
                                          "2",
                                          "--seconds",
                                          "0.01",
                                          "--json",
                                          "-"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tool(arguments);
}

}  // namespace

TEST_CASE("bench reports recall, speed and size") {
    const ToolFiles files;
    const ToolRun run = bench(files, {"--threads", "2"});
    REQUIRE(run.exit_code == 0);
    const auto json = run.json();
    for (const char* key : {"qps", "qps_batch", "p50_ms", "p95_ms", "p99_ms", "bytes_per_vector"}) {
        INFO(key);
        CHECK(json.at(key).get<double>() > 0);
    }
    CHECK(json.at("build_seconds").get<double>() >= 0);
    CHECK(json["recall"] == 1.0);
    CHECK(json["threads"] == 2);
    CHECK(json["simd"].is_string());
    CHECK(json["p50_ms"] <= json["p95_ms"]);
    CHECK(json["p95_ms"] <= json["p99_ms"]);
    CHECK(run.err.empty());
}

TEST_CASE("bench finds everything right for every metric, with and without a mask") {
    const ToolFiles files;
    const std::string base = files.write<float>("rows.npy", {1, 0, 0, 2, 3, 3, -1, 1, 2, -4}, 2);
    const std::string mask = files.mask("mask.npy", {1, 0, 1, 1, 0});
    for (const std::string metric : {"l2", "ip", "cosine"}) {
        INFO(metric);
        for (const auto& more : {std::vector<std::string>{}, {"--allowed", mask}}) {
            std::vector<std::string> arguments = {"bench",
                                                  "--base",
                                                  base,
                                                  "--queries",
                                                  files.queries,
                                                  "--metric",
                                                  metric,
                                                  "--json",
                                                  "-",
                                                  "--seconds",
                                                  "0.01"};
            arguments.insert(arguments.end(), more.begin(), more.end());
            const ToolRun run = run_tool(arguments);
            REQUIRE(run.exit_code == 0);
            CHECK(run.json()["recall"] == 1.0);
        }
    }
}

TEST_CASE("bench judges by the scores of the truth it is given") {
    const ToolFiles files;
    // Each query's nearest two, in the format of the field's data sets.
    const std::string right = files.write<std::int32_t>("right.ivecs", {0, 1, 4, 3}, 2);
    CHECK(bench(files, {"--truth", right}).json()["recall"] == 1.0);
    // Row 0 for both places: only it is as near as that, so row 1 counts as wrong.
    const std::string strict = files.write<std::int64_t>("strict.npy", {0, 0, 4, 4}, 2);
    CHECK(bench(files, {"--truth", strict}).json()["recall"] == 0.5);
}

TEST_CASE("bench counts ties as right") {
    const ToolFiles files;
    const std::string base = files.write<float>("ties.npy", {1, 0, -1, 0, 0, 1, 0, -1}, 2);
    const std::string query = files.write<float>("middle.npy", {0, 0}, 2);
    const std::string truth = files.write<std::int64_t>("truth.npy", {3}, 1);
    const ToolRun run = run_tool({"bench",
                                  "--base",
                                  base,
                                  "--queries",
                                  query,
                                  "--truth",
                                  truth,
                                  "--k",
                                  "1",
                                  "--seconds",
                                  "0.01",
                                  "--json",
                                  "-"});
    REQUIRE(run.exit_code == 0);
    CHECK(run.json()["recall"] == 1.0);
}

TEST_CASE("bench refuses files that do not fit each other, with code 3") {
    const ToolFiles files;
    const auto refused = [&](const std::vector<std::string>& more,
                             const std::vector<std::string>& parts) {
        const ToolRun run = bench(files, more);
        INFO(run.err);
        CHECK(run.exit_code == 3);
        CHECK(run.says(parts));
        CHECK(run.out.empty());
    };
    refused({"--allowed", files.mask("short.npy", {1})}, {"short.npy", "1 rows", "5"});
    refused({"--allowed", files.mask("none.npy", {0, 0, 0, 0, 0})}, {"none.npy"});
    refused({"--truth", files.write<std::int32_t>("few.ivecs", {0, 1}, 2)}, {"few.ivecs", "1 x 2"});
    refused({"--truth", files.write<std::int32_t>("narrow.ivecs", {0, 4}, 1)}, {"narrow.ivecs"});
    refused({"--truth", files.write<std::int32_t>("far.ivecs", {0, 5, 4, 3}, 2)}, {"row 5"});
    refused({"--truth", files.write<std::int32_t>("pad.ivecs", {0, -1, 4, 3}, 2)}, {"row -1"});
    refused({"--allowed",
             files.mask("mask.npy", {0, 1, 1, 1, 1}),
             "--truth",
             files.write<std::int32_t>("masked.ivecs", {0, 1, 4, 3}, 2)},
            {"row 0", "not allowed"});

    const ToolRun wide = run_tool(
        {"bench", "--base", files.base, "--queries", files.write<float>("wide.npy", {1, 2, 3}, 3)});
    CHECK(wide.exit_code == 3);
    CHECK(wide.says({"wide.npy", "dimension 3", "vectors 2"}));
}

TEST_CASE("bench runs product codes over few rows") {
    const ToolFiles files;
    for (const char* index : {"ivf codes=pq4", "ivf codes=opq4 pq_dims=4"}) {
        const ToolRun run = bench(files, {"--index", index});
        INFO(run.err);
        CHECK(run.exit_code == 0);
    }
}

}  // namespace vecdb::test
