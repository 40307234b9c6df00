#include "run_tool.h"
#include "support/catch.h"

namespace vecdb::test {

TEST_CASE("describe tells format, items, rows and dimension") {
    const ToolFiles files;
    const ToolRun npy = run_tool({"describe", files.base, "--json", "-"});
    REQUIRE(npy.exit_code == 0);
    CHECK(npy.json()["format"] == "npy");
    CHECK(npy.json()["item"] == "float32");
    CHECK(npy.json()["rows"] == 5);
    CHECK(npy.json()["dim"] == 2);

    const std::string fbin = files.write<float>("three.fbin", {1, 2, 3, 4, 5, 6}, 2);
    CHECK(run_tool({"describe", fbin, "--json", "-"}).json()["rows"] == 3);
    const std::string fvecs = files.write<float>("two.fvecs", {1, 2, 3, 4, 5, 6}, 3);
    CHECK(run_tool({"describe", fvecs, "--json", "-"}).json()["dim"] == 3);
}

TEST_CASE("a file that cannot be believed ends with code 3 and one line that names it") {
    const ToolFiles files;
    const std::string whole = read_bytes(files.base);
    const std::string bad = files("bad.npy");

    write_bytes(bad, "NUMPY, so to say");
    CHECK(run_tool({"describe", bad}).exit_code == 3);
    CHECK(run_tool({"describe", bad}).says({"bad.npy"}));

    write_bytes(bad, whole.substr(0, whole.size() - 1));
    CHECK(run_tool({"search", bad, "--query-row", "0"}).exit_code == 3);
    CHECK(run_tool({"search", bad, "--query-row", "0"}).says({"bad.npy"}));

    CHECK(run_tool({"describe", files("absent.npy")}).exit_code == 3);
    CHECK(run_tool({"describe", files("absent.npy")}).says({"absent.npy"}));
    CHECK(run_tool({"describe", files("words.docx")}).exit_code == 3);
    CHECK(run_tool({"describe", files("words.docx")}).says({"words.docx", "npy"}));
}

TEST_CASE("info shows version, compiler, SIMD levels, threads, BLAS and CUDA") {
    const ToolRun text = run_tool({"info", "--system"});
    CHECK(text.exit_code == 0);
    for (const char* word : {"compiler", "SIMD", "scalar", "threads", "BLAS", "CUDA"}) {
        CHECK(text.out.find(word) != std::string::npos);
    }
    const auto json = run_tool({"info", "--system", "--json", "-"}, {.simd = "scalar"}).json();
    CHECK(json["simd"] == "scalar");
    CHECK(json["simd_available"][0] == "scalar");
    CHECK(json["simd_compiled"].size() >= json["simd_available"].size());
    CHECK(json["cuda"] == false);
}

TEST_CASE("a VECDB_SIMD that cannot be served is an error of every command") {
    const ToolFiles files;
    const std::vector<std::vector<std::string>> commands = {
        {"info", "--system"},
        {"describe", files.base},
        {"search", files.base, "--query-row", "0"},
        {"bench", "--base", files.base, "--queries", files.queries}};
    for (const auto& command : commands) {
        const ToolRun run = run_tool(command, {.simd = "nonsense"});
        INFO(command[0]);
        CHECK(run.exit_code == 4);
        CHECK(run.says({"VECDB_SIMD", "nonsense"}));
        CHECK(run.out.empty());
    }
}

TEST_CASE("a wrong command line ends with code 2 and one line") {
    const ToolFiles files;
    const std::vector<std::vector<std::string>> wrong = {
        {},
        {"dance"},
        {"info"},
        {"describe"},
        {"search", files.base},
        {"search", files.base, "--query-row", "0", "--query", files.queries},
        {"search", files.base, "--query-row", "-1"},
        {"search", files.base, "--query-row", "0", "--k", "0"},
        {"search", files.base, "--query-row", "0", "--k", "16385"},
        {"search", files.base, "--query-row", "0", "--k", "many"},
        {"search", files.base, "--query-row", "0", "--metric", "l3"},
        {"search", files.base, "--query-row", "0", "--threads", "1025"},
        {"bench", "--base", files.base},
        {"bench", "--base", files.base, "--queries", files.queries, "--index", "magic"}};
    for (const auto& command : wrong) {
        const ToolRun run = run_tool(command);
        INFO(run.err);
        CHECK(run.exit_code == 2);
        CHECK(run.says({}));
    }
    CHECK(run_tool({"search", files.base, "--query-row", "0", "--k", "16385"}).says({"16384"}));
    CHECK(run_tool({"search", files.base, "--query-row", "5"}).says({"--query-row", "5 rows"}));
}

TEST_CASE("help lists the exit codes and ends with code 0") {
    const ToolRun run = run_tool({"--help"});
    CHECK(run.exit_code == 0);
    CHECK(run.out.find("Exit codes") != std::string::npos);
    CHECK(run_tool({"--version"}).exit_code == 0);
}

TEST_CASE("json goes to the file that is named, and the text to standard output") {
    const ToolFiles files;
    const ToolRun run = run_tool({"describe", files.base, "--json", files("answer.json")});
    CHECK(run.exit_code == 0);
    CHECK(run.out.find("dimension") != std::string::npos);
    CHECK(nlohmann::json::parse(read_bytes(files("answer.json")))["rows"] == 5);

    const ToolRun refused = run_tool({"describe", files.base, "--json", files("no/such/dir")});
    CHECK(refused.exit_code == 5);
    CHECK(refused.says({"no/such/dir"}));
}

TEST_CASE("progress is drawn on a terminal only") {
    const ToolFiles files;
    const std::vector<std::string> command = {"search", files.base, "--query-row", "0"};
    const ToolRun piped = run_tool(command);
    CHECK(piped.exit_code == 0);
    CHECK(piped.err.empty());
    const ToolRun shown = run_tool(command, {.terminal = true});
    CHECK(shown.exit_code == 0);
    for (const char* part : {"\r", "100 %", "rows/s", "ETA"}) {
        CHECK(shown.err.find(part) != std::string::npos);
    }
    CHECK(shown.out == piped.out);
}

}  // namespace vecdb::test
