#include "run_tool.h"
#include "support/catch.h"

namespace vecdb::test {
namespace {

ToolRun bench(const ToolFiles& files, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"bench", "--base", files.base, "--queries"};
    arguments.insert(arguments.end(), {files.queries, "--k", "2", "--seconds", "0.01"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tool(arguments);
}

bool has_line(const std::string& text, const std::string& start) {
    return ("\n" + text).find("\n" + start) != std::string::npos;
}

}  // namespace

TEST_CASE("bench refuses an index that it cannot read, with code 2 and what is allowed") {
    const ToolFiles files;
    const auto refused = [&](const std::string& index, const std::vector<std::string>& parts) {
        const ToolRun run = bench(files, {"--index", index});
        INFO(index << ": " << run.err);
        CHECK(run.exit_code == 2);
        CHECK(run.says(parts));
        CHECK(run.out.empty());
    };
    refused("", {"--index", "empty"});
    refused("magic", {"--index", "magic", "flat, hnsw, ivf"});
    refused("hnsw ef=10", {"hnsw has no ef", "m, ef_construction, alpha, codes"});
    refused("ivf m=10", {"ivf has no m", "nlist, codes, pq_dims"});
    refused("flat nlist=10", {"flat has no nlist", "codes"});
    refused("hnsw m=16 m=32", {"m stands twice"});
    refused("hnsw m", {"m is not of the form key=value"});
    refused("hnsw m=", {"m= is not of the form key=value"});
    refused("hnsw m=many", {"m=many is not a whole number"});
    refused("hnsw m=-1", {"m=-1 is not a whole number"});
    refused("hnsw m=1", {"m is 1", "2 to 256"});
    refused("hnsw alpha=wide", {"alpha=wide is not a number"});
    refused("hnsw alpha=nan", {"alpha=nan is not a number"});
    refused("hnsw codes=sq9", {"codes=sq9", "none, sq4, sq5, sq7, sq8, pq4, opq4"});
    refused("ivf codes=pq4 pq_dims=0", {"pq_dims is 0", "1 to 64"});
    refused("ivf codes=pq4 pq_dims=65", {"pq_dims is 65", "1 to 64"});
    refused("hnsw codes=opq4", {"codes of hnsw is opq4"});
    refused("flat codes=sq8", {"codes", "sq8", "none"});
}

TEST_CASE("bench refuses sweeps that it cannot read, with code 2 and what is allowed") {
    const ToolFiles files;
    const auto refused = [&](const std::vector<std::string>& more,
                             const std::vector<std::string>& parts) {
        const ToolRun run = bench(files, more);
        INFO(run.err);
        CHECK(run.exit_code == 2);
        CHECK(run.says(parts));
        CHECK(run.out.empty());
    };
    refused({"--index", "flat", "--sweep", "ef=16"}, {"flat has no ef", "none"});
    refused({"--index", "hnsw", "--sweep", "nprobe=1"}, {"hnsw has no nprobe", "ef, rerank"});
    refused({"--index", "ivf", "--sweep", "ef=1"}, {"ivf has no ef", "nprobe, bound, rerank"});
    refused({"--index", "hnsw", "--sweep", "ef"}, {"ef is not of the form"});
    refused({"--index", "hnsw", "--sweep", "ef=1,,2"}, {"ef=1,,2 lacks a value"});
    refused({"--index", "hnsw", "--sweep", "ef=1,"}, {"lacks a value"});
    refused({"--index", "hnsw", "--sweep", "ef=few"}, {"ef=few is not a whole number"});
    refused({"--index", "hnsw", "--sweep", "ef=65537"}, {"ef", "65537", "65536"});
    refused({"--index", "ivf", "--sweep", "bound=2"}, {"bound", "2", "0", "1"});
    refused({"--index", "hnsw", "--sweep", "ef=1", "--sweep", "ef=2"}, {"ef stands twice"});
}

TEST_CASE("bench writes a line a setting, the speed at fixed recalls, a table and a drawing") {
    const ToolFiles files;
    const std::string csv = files("points.csv");
    const std::string svg = files("points.svg");
    const ToolRun run = bench(files, {"--index", "flat codes=none", "--csv", csv, "--plot", svg});
    REQUIRE(run.exit_code == 0);
    CHECK(has_line(run.out, "setting "));
    CHECK(has_line(run.out, "default "));
    for (const char* recall : {"0.90", "0.95", "0.99"}) {
        const std::string start = std::string("recall ") + recall + " vecdb ";
        INFO(run.out);
        REQUIRE(has_line(run.out, start));
        CHECK(std::stod(run.out.substr(run.out.find(start) + start.size())) > 0);
    }
    const std::string table = read_bytes(csv);
    CHECK(table.starts_with("engine,index,setting,k,recall,qps,"));
    CHECK(has_line(table, "vecdb,flat codes=none,default,2,1.000000,"));
    CHECK(read_bytes(svg).starts_with("<svg "));
}

TEST_CASE("bench measures every combination of the sweeps, in the order they stand") {
    const ToolFiles files;
    const ToolRun run = bench(files,
                              {"--index",
                               "ivf nlist=2 codes=none",
                               "--sweep",
                               "nprobe=1,2",
                               "--sweep",
                               "bound=0.5,1",
                               "--json",
                               "-"});
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    const nlohmann::json points = run.json()["points"];
    REQUIRE(points.size() == 4);
    CHECK(points[0]["setting"] == nlohmann::json{{"nprobe", 1}, {"bound", 0.5}});
    CHECK(points[1]["setting"] == nlohmann::json{{"nprobe", 1}, {"bound", 1.0}});
    CHECK(points[3]["setting"] == nlohmann::json{{"nprobe", 2}, {"bound", 1.0}});
    CHECK(points[3]["recall"] == 1.0);
}

TEST_CASE("bench builds the index that is asked for") {
    const ToolFiles files;
    const ToolRun run =
        bench(files, {"--index", "hnsw m=2 ef_construction=10", "--sweep", "ef=10"});
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    CHECK(has_line(run.out, "ef=10 "));
    CHECK(has_line(run.out, "recall 0.95 vecdb "));
}

TEST_CASE("bench says when a recall is not reached") {
    const ToolFiles files;
    const std::string strict = files.write<std::int64_t>("strict.npy", {0, 0, 4, 4}, 2);
    const std::vector<std::string> half = {"--truth", strict, "--csv", files("points.csv")};
    const ToolRun run = bench(files, half);
    REQUIRE(run.exit_code == 0);
    CHECK(has_line(run.out, "recall 0.90 vecdb not reached\n"));
    CHECK(has_line(run.out, "recall 0.99 vecdb not reached\n"));

    std::vector<std::string> as_json = half;
    as_json.insert(as_json.end(), {"--json", "-"});
    const nlohmann::json json = bench(files, as_json).json();
    CHECK(json["qps_at_recall"]["0.95"].is_null());
    CHECK(json["points"].size() == 1);
    CHECK(json["points"][0]["recall"] == 0.5);
}

TEST_CASE("bench refuses files that cannot be written before it works") {
    const ToolFiles files;
    for (const std::string option : {"--csv", "--plot"}) {
        const ToolRun run = bench(files, {option, files("no/such/dir")});
        CHECK(run.exit_code == 5);
        CHECK(run.says({"no/such/dir"}));
        CHECK(run.out.empty());
    }
}

}  // namespace vecdb::test
