// import --columns: scalar values from a CSV file.

#include "run_tool.h"
#include "support/catch.h"

#include <vecdb/database.h>

#include <cstdint>
#include <utility>

namespace vecdb::test {
namespace {

using nlohmann::json;

/// Import the five rows of base.npy with a CSV file of this text.
ToolRun import(const ToolFiles& files,
               const std::string& csv,
               const std::vector<std::string>& more = {}) {
    write_bytes(files("values.csv"), csv);
    std::vector<std::string> arguments = {
        "import", files.base, files("db"), "--columns", files("values.csv"), "--json", "-"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tool(arguments);
}

/// Return the values of all rows, field by field.
json values(const ToolFiles& files) {
    const json answer = run_tool({"query", files("db"), "--json", "-"}).json();
    json columns = json::object();
    for (const auto& row : answer["rows"]) {
        for (const auto& [field, value] : row["fields"].items())
            columns[field].push_back(value);
    }
    return columns;
}

/// What a file must have for one row, "a:int64" as its header.
std::string five(const std::string& third) {
    return "a:int64\n1\n2\n" + third + "\n4\n5\n";
}

}  // namespace

TEST_CASE("import --columns writes the values that query returns") {
    const ToolFiles files;
    const ToolRun run = import(files,
                               "price:int64,brand:string?,score:double,sold:bool\n"
                               "-9223372036854775808,acme,0.1,true\n"
                               "9223372036854775807,,-1e-3,False\n"
                               "0,\"\",infinity,TRUE\n"
                               "7,zo\xC3\xAB,5e-324,false\n"
                               "8, spaced ,1.7976931348623157e308,true\n",
                               {"--batch", "2"});
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    CHECK(run.json()["rows"] == 5);
    CHECK(run.json()["fields"][1] ==
          json::parse(R"({"name": "brand", "type": "string", "nullable": true})"));
    CHECK(values(files) == json::parse(R"({
        "price": [-9223372036854775808, 9223372036854775807, 0, 7, 8],
        "brand": ["acme", null, "", "zoë", " spaced "],
        "score": [0.1, -0.001, "infinity", 5e-324, 1.7976931348623157e308],
        "sold": [true, false, true, false, true]})"));
    const ToolRun found =
        run_tool({"search", files("db"), "--query-id", "0", "--where", "!sold", "--json", "-"});
    CHECK(found.json()["queries"][0]["hits"][0]["id"] == 1);
    CHECK(run_tool({"import", files.base, files("text"), "--columns", files("values.csv")})
              .out.find("fields      price:int64, brand:string?") != std::string::npos);
}

TEST_CASE("a CSV file may have quotes, commas, lines in a cell, CRLF and a byte order mark") {
    const ToolFiles files;
    const ToolRun run = import(files,
                               "\xEF\xBB\xBF\"t:string?\",\"n,m:int64\"\r\n"
                               "\"a,b\",1\r\n"
                               "\"say \"\"no\"\"\",2\r\n"
                               "\"two\r\nlines\",\"3\"\r\n"
                               "\"\"\"\",4\n"
                               ",5");
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    CHECK(values(files) == json::parse(R"({
        "t": ["a,b", "say \"no\"", "two\r\nlines", "\"", null], "n,m": [1, 2, 3, 4, 5]})"));
}

TEST_CASE("an empty line is a null where there is one field") {
    const ToolFiles files;
    REQUIRE(import(files, "t:string?\na\n\n\"\"\n\nb\n").exit_code == 0);
    CHECK(values(files)["t"] == json::parse(R"(["a", null, "", null, "b"])"));
}

TEST_CASE("a record that does not fit ends with code 3, and nothing is made") {
    const ToolFiles files;
    const std::string long_cell(std::size_t{1} << 20U, 'x');
    const std::vector<std::pair<std::string, std::vector<std::string>>> wrong = {
        {five("x"), {"line 4", "'a'", "'x'", "int64"}},
        {five("3.5"), {"line 4", "'a'", "'3.5'", "int64"}},
        {five("3 "), {"line 4", "'3 '"}},
        {five("+3"), {"line 4", "'+3'"}},
        {five("\"\""), {"line 4", "'a'", "''", "int64"}},
        {five(""), {"line 4", "'a'", "null"}},
        {five("9223372036854775808"), {"line 4", "'9223372036854775808'", "range of int64"}},
        {five("-9223372036854775809"), {"line 4", "'-9223372036854775809'", "range of int64"}},
        {five("3,3"), {"line 4", "2 cells", "header 1"}},
        {five("3\n"), {"line 5", "'a'", "null"}},
        {five("3") + "6\n", {"line 7", "5 rows", "base.npy"}},
        {"a:int64\n1\n2\n3\n4\n", {"values.csv", "4 records", "expected 5", "base.npy"}},
        {"a:int64\n", {"0 records"}},
        {"a:int64,b:bool\n1,true\n2\n", {"line 3", "1 cell,", "header 2"}},
        {"a:bool\ntrue\nfalse\n1\n", {"line 4", "'a'", "'1'", "bool"}},
        {"a:double\n1\nnan\n", {"line 3", "'nan'", "double"}},
        {"a:double\n1\n1e999\n", {"line 3", "'1e999'", "range of double"}},
        {"a:double\n1\n1,5\n", {"line 3", "2 cells"}},
        {"a:string\nx\n\xFF\n", {"line 3", "'a'", "not UTF-8"}},
        {"a:string\nx\n\xED\xA0\x80\n", {"line 3", "'a'", "not UTF-8"}},
        {"a:string\nx\n" + long_cell + "x\n", {"line 3", "1,048,576 bytes"}},
        {"a:string\nx\n\"two\nlines\"\n\"y\"z\n", {"line 5", "behind a cell in quotes"}},
        {"a:string\nx\ny\"z\n", {"line 3", "quote"}},
        {"a:string\nx\n\"y\n\n", {"line 3", "ends within"}},
        {"a:string\nx\ry\n", {"line 2", "carriage return"}}};
    for (const auto& [csv, parts] : wrong) {
        const ToolRun run = import(files, csv, {"--batch", "1"});
        INFO(csv.substr(0, 100) << ": " << run.err);
        CHECK(run.exit_code == 3);
        CHECK(run.says({"values.csv"}));
        CHECK(run.says(parts));
        CHECK_FALSE(std::filesystem::exists(files("db")));
    }
    const std::string fits = "a:string\n" + long_cell + "\nb\nc\nd\ne\n";
    CHECK(import(files, fits).exit_code == 0);
}

TEST_CASE("a record past the first batch that does not fit leaves all as it was") {
    const ToolFiles files;
    REQUIRE(import(files, five("3")).exit_code == 0);
    const ToolRun run = import(files, five("x"), {"--first-id", "5", "--batch", "1"});
    CHECK(run.exit_code == 3);
    CHECK(run_tool({"count", files("db")}).out == "5\n");
}

TEST_CASE("a header that is wrong ends with code 3 and says what one is") {
    const ToolFiles files;
    const std::vector<std::pair<std::string, std::vector<std::string>>> wrong = {
        {"", {"price:int64,brand:string?"}},
        {"price\n", {"'price'", "type", "price:int64,brand:string?"}},
        {"price:int\n", {"'price'", "'int'", "bool, int64, double and string"}},
        {"price:int64??\n", {"'price'", "'int64?'"}},
        {"price: int64\n", {"'price'", "' int64'"}},
        {"a:bool,a:int64\n", {"two fields 'a'"}},
        {"a:bytes\n", {"'a'", "bytes"}},
        {":bool\n", {"name", "empty"}},
        {"vector:bool\n", {"'vector'", "twice"}}};
    for (const auto& [csv, parts] : wrong) {
        const ToolRun run = import(files, csv);
        INFO(csv << ": " << run.err);
        CHECK(run.exit_code == 3);
        CHECK(run.says({"values.csv, line 1: "}));
        CHECK(run.says(parts));
    }
    const ToolRun absent =
        run_tool({"import", files.base, files("db"), "--columns", files("absent.csv")});
    CHECK(absent.exit_code == 3);
    CHECK(absent.says({"absent.csv"}));
    CHECK(run_tool({"import", files.base, files("db"), "--columns", files("")}).exit_code == 3);
    CHECK_FALSE(std::filesystem::exists(files("db")));
}

TEST_CASE("import --columns goes on in a collection that has the fields") {
    const ToolFiles files;
    const std::string rows = "1,a\n2,b\n3,c\n4,d\n5,e\n";
    REQUIRE(import(files, "n:int64,t:string?\n" + rows).exit_code == 0);
    CHECK(import(files, "n:int64,t:string?\n" + rows, {"--first-id", "5"}).exit_code == 0);
    CHECK(import(files, "n:int64\n6\n7\n8\n9\n10\n", {"--first-id", "3", "--upsert"}).exit_code ==
          0);
    CHECK(values(files) == json::parse(R"({"n": [1, 2, 3, 6, 7, 8, 9, 10, 4, 5],
        "t": ["a", "b", "c", null, null, null, null, null, "d", "e"]})"));

    const std::vector<std::pair<std::string, std::vector<std::string>>> wrong = {
        {"n:double,t:string?\n" + rows, {"'base' has n:int64, not n:double"}},
        {"n:int64,t:string\n" + rows, {"'base' has t:string?, not t:string"}},
        {"n:int64,u:string?\n" + rows, {"'base'", "'u'", "n, t"}},
        {"t:string?\n1\n2\n3\n4\n5\n", {"n:int64 is missing", "'base'"}}};
    for (const auto& [csv, parts] : wrong) {
        const ToolRun run = import(files, csv, {"--first-id", "100"});
        INFO(csv << ": " << run.err);
        CHECK(run.exit_code == 3);
        CHECK(run.says({"values.csv, line 1: "}));
        CHECK(run.says(parts));
    }
    const ToolRun without = run_tool({"import", files.base, files("db"), "--first-id", "100"});
    CHECK(without.exit_code == 3);
    CHECK(without.says({"'n'"}));
    CHECK(run_tool({"count", files("db")}).out == "10\n");
}

}  // namespace vecdb::test
