// Several vector fields: import --vectors and --field, search --field, and the fields in info.

#include "run_tool.h"
#include "support/catch.h"

#include <vecdb/database.h>
#include <vecdb/half.h>

#include <cstdint>
#include <limits>
#include <utility>

namespace vecdb::test {
namespace {

using nlohmann::json;

/// base.npy has five rows at (i, 0); titles.npy has as many at (1, 0, z), z = 0, 8, 1, 4, 2.
class Fields {
  public:
    Fields()
        : titles(
              files.write<float>("titles.npy", {1, 0, 0, 1, 0, 8, 1, 0, 1, 1, 0, 4, 1, 0, 2}, 3)),
          signs(files.write<std::uint8_t>("signs.npy", {0, 1, 3, 7, 255}, 1)),
          db(files("db")) {}

    /// Import base.npy into `db`, with JSON on standard output.
    [[nodiscard]] ToolRun import(const std::vector<std::string>& more = {}) const {
        return run("import", {files.base, db}, more);
    }
    [[nodiscard]] ToolRun search(const std::vector<std::string>& more) const {
        return run("search", {db}, more);
    }
    /// Make the collection "base" with the fields `image` and `title`, and a scalar for each row.
    void make() const {
        write_bytes(files("kinds.csv"), "kind:int64\n1\n1\n2\n2\n3\n");
        const ToolRun made = import({"--field",
                                     "image",
                                     "--vectors",
                                     "title:l2:hnsw m=8",
                                     titles,
                                     "--columns",
                                     files("kinds.csv")});
        INFO(made.err);
        REQUIRE(made.exit_code == 0);
    }
    [[nodiscard]] Collection collection(const std::string& name = "base") const {
        return Database::open(db, {.mode = OpenMode::kReadOnly}).value().collection(name).value();
    }

    ToolFiles files;
    std::string titles;
    std::string signs;  // eight bits a row
    std::string db;

  private:
    static ToolRun run(const std::string& command,
                       const std::vector<std::string>& arguments,
                       const std::vector<std::string>& more) {
        std::vector<std::string> words = {command};
        words.insert(words.end(), arguments.begin(), arguments.end());
        words.insert(words.end(), {"--json", "-"});
        words.insert(words.end(), more.begin(), more.end());
        return run_tool(words);
    }
};

/// Return the ids of the hits of a query.
std::vector<Id> ids_of(const ToolRun& run, std::size_t query = 0) {
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    const json answer = run.json();
    std::vector<Id> ids;
    for (const auto& hit : answer["queries"][query]["hits"])
        ids.push_back(hit["id"]);
    return ids;
}

/// Return a row of a vector field.
std::vector<float> row_of(const Collection& collection, Id id, const std::string& field) {
    const FetchedRows rows = collection.get(id, {&field, 1}).value();
    const auto row = rows.vectors.at(0).row(0);
    return {row.begin(), row.end()};
}

/// Options that are wrong, and what the error says.
using Refusal = std::pair<std::vector<std::string>, std::vector<std::string>>;

void check_refused(const Fields& fields, int exit_code, const std::vector<Refusal>& refusals) {
    for (const auto& [options, parts] : refusals) {
        const ToolRun run = fields.import(options);
        INFO(run.err);
        CHECK(run.exit_code == exit_code);
        CHECK(run.says(parts));
        CHECK(run.out.empty());
    }
}

}  // namespace

TEST_CASE("import --vectors writes the rows of each file to its field, batch by batch") {
    const Fields fields;
    const ToolRun run = fields.import({"--field",
                                       "image",
                                       "--vectors",
                                       "title:cosine:hnsw m=8",
                                       fields.titles,
                                       "--vectors",
                                       "sign:hamming",
                                       fields.signs,
                                       "--batch",
                                       "2"});
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    CHECK(run.json()["rows"] == 5);
    CHECK(run.json()["dim"] == 2);
    CHECK(run.json()["vectors"] == json::parse(R"([
        {"name": "image", "dim": 2, "metric": "l2", "element_type": "float32", "index": "flat"},
        {"name": "title", "dim": 3, "metric": "cosine", "element_type": "float32",
         "index": "hnsw m=8 ef_construction=200 alpha=1.2"},
        {"name": "sign", "dim": 8, "metric": "hamming", "element_type": "bit",
         "index": "flat"}])"));

    const Collection collection = fields.collection();
    REQUIRE(collection.count() == 5);
    CHECK(collection.stats().sealed_rows == 5);
    CHECK(row_of(collection, 3, "image") == std::vector<float>{3, 0});
    CHECK(row_of(collection, 3, "title")[2] == Approx(4));
    const std::string sign = "sign";
    CHECK(collection.get(4, {&sign, 1}).value().vectors[0].bits(0)[0] == 255);
}

TEST_CASE("a further field has l2, flat and the type of its file's items if nothing else is said") {
    const Fields fields;
    const std::string small =
        fields.files.write<std::int8_t>("small.npy", {1, -2, 3, -128, 127, 0, 0, 0, 9, 9}, 2);
    const std::string half =
        fields.files.write<Float16>("half.npy", std::vector<Float16>(5, to_float16(1.5F)), 1);
    REQUIRE(fields.import({"--vectors", "small", small, "--vectors", "half:ip", half}).exit_code ==
            0);
    const Collection collection = fields.collection();
    const std::vector<VectorField>& vectors = collection.schema().vectors;
    CHECK(vectors[0].name == "vector");
    CHECK(vectors[1].metric == Metric::kL2);
    CHECK(vectors[1].element_type == ElementType::kInt8);
    CHECK(std::holds_alternative<FlatOptions>(vectors[1].index));
    CHECK(vectors[2].metric == Metric::kInnerProduct);
    CHECK(vectors[2].element_type == ElementType::kFloat16);
    const std::string name = "small";
    CHECK(collection.get(1, {&name, 1}).value().vectors[0].row<std::int8_t>(0)[1] == -128);
}

TEST_CASE("import's text names further fields, and no field where there is one") {
    const Fields fields;
    const ToolRun one = run_tool({"import", fields.files.base, fields.db, "--collection", "one"});
    CHECK(one.out.find("vectors") == std::string::npos);
    const ToolRun two =
        run_tool({"import", fields.files.base, fields.db, "--vectors", "title:ip", fields.titles});
    CHECK(two.out.find("\nvectors     title x 3, ip, float32, flat\n") != std::string::npos);
}

TEST_CASE("search --field compares a stored row, or those of a file, with that field") {
    const Fields fields;
    fields.make();
    const ToolRun stored = fields.search({"--query-id", "0", "--field", "title"});
    CHECK(ids_of(stored) == std::vector<Id>{0, 2, 4, 3, 1});
    const json answer = stored.json();
    CHECK(answer["field"] == "title");
    CHECK(answer["dim"] == 3);
    CHECK(answer["metric"] == "l2");
    CHECK(answer["queries"][0]["hits"][4]["score"] == 64.0);

    const std::string query = fields.files.write<float>("query.npy", {1, 0, 7, 1, 0, 3.5F}, 3);
    const ToolRun file =
        fields.search({"--queries", query, "--field", "title", "--k", "2", "--exact"});
    CHECK(ids_of(file, 0) == std::vector<Id>{1, 3});
    CHECK(ids_of(file, 1) == std::vector<Id>{3, 4});

    const ToolRun first = fields.search({"--query-id", "0"});
    CHECK(ids_of(first) == std::vector<Id>{0, 1, 2, 3, 4});
    CHECK(first.json()["field"] == "image");
    CHECK(first.json()["dim"] == 2);
    CHECK(ids_of(fields.search({"--query-id", "0", "--field", "image"})) == ids_of(first));
    const ToolRun base = fields.search({"--query", fields.files.queries, "--k", "1"});
    CHECK(ids_of(base, 1) == std::vector<Id>{4});
}

TEST_CASE("search --field reads queries of the field's own type, and has its metric") {
    const Fields fields;
    REQUIRE(fields
                .import({"--vectors",
                         "title:cosine",
                         fields.titles,
                         "--vectors",
                         "sign:hamming",
                         fields.signs})
                .exit_code == 0);
    const ToolRun bits = fields.search({"--query", fields.signs, "--field", "sign", "--k", "2"});
    CHECK(ids_of(bits, 4) == std::vector<Id>{4, 3});
    CHECK(bits.json()["metric"] == "hamming");
    CHECK(bits.json()["queries"][4]["hits"][1]["score"] == 5.0);
    const ToolRun cosine = fields.search({"--query-id", "0", "--field", "title", "--k", "2"});
    CHECK(ids_of(cosine) == std::vector<Id>{0, 2});
    CHECK(cosine.json()["metric"] == "cosine");
    CHECK(cosine.json()["queries"][0]["hits"][1]["score"].get<double>() == Approx(0.70710678));
}

TEST_CASE("search --field goes with conditions, groups, pages, values and --explain") {
    const Fields fields;
    fields.make();
    const std::vector<std::string> asked = {"--query-id", "0", "--field", "title"};
    const auto hits = [&](std::vector<std::string> more) {
        more.insert(more.begin(), asked.begin(), asked.end());
        return fields.search(more);
    };
    CHECK(ids_of(hits({"--group-by", "kind"})) == std::vector<Id>{0, 2, 4});
    CHECK(ids_of(hits({"--where", "kind < 3", "--k", "3"})) == std::vector<Id>{0, 2, 3});
    CHECK(ids_of(hits({"--where", "kind < 3", "--group-by", "kind"})) == std::vector<Id>{0, 2});
    CHECK(ids_of(hits({"--offset", "3"})) == std::vector<Id>{3, 1});
    CHECK(ids_of(hits({"--score-threshold", "4"})) == std::vector<Id>{0, 2, 4});
    const ToolRun values = hits({"--fields", "kind", "--k", "2"});
    CHECK(values.json()["queries"][0]["hits"][1]["fields"] == json::parse(R"({"kind": 2})"));

    const json title = hits({"--explain"}).json()["explain"];
    CHECK(title["hits"] == 5);
    CHECK(title["segments"][0]["index"] == "hnsw");
    const json image = fields.search({"--query-id", "0", "--explain"}).json()["explain"];
    CHECK(image["segments"][0]["index"] == "flat");
}

TEST_CASE("search refuses a field that is not there, and queries of another field") {
    const Fields fields;
    fields.make();
    for (const std::string name : {"titel", "kind", ""}) {
        const ToolRun run = fields.search({"--query-id", "0", "--field", name});
        INFO(run.err);
        CHECK(run.exit_code == 2);
        CHECK(run.says({"--field: ", "'base'", '\'' + name + '\'', "there are: image, title"}));
    }
    const ToolRun narrow = fields.search({"--query", fields.files.base, "--field", "title"});
    CHECK(narrow.exit_code == 3);
    CHECK(narrow.says({"base.npy", "dimension 2", "field 'title' of the collection 'base' 3"}));
    const ToolRun absent = fields.search({"--query-id", "9", "--field", "title"});
    CHECK(absent.exit_code == 2);
    CHECK(absent.says({"--query-id", "no row 9"}));
    const ToolRun file =
        run_tool({"search", fields.files.base, "--query-row", "0", "--field", "vector"});
    CHECK(file.exit_code == 2);
    CHECK(file.says({"--field", "base.npy", "not the directory of a database"}));
    const ToolRun nowhere =
        run_tool({"search", fields.files("absent"), "--query", fields.titles, "--field", "title"});
    CHECK(nowhere.exit_code == 3);
    CHECK(nowhere.says({"absent", "CURRENT"}));
}

TEST_CASE("import goes on in a collection of several fields, which may stand in any order") {
    const Fields fields;
    REQUIRE(fields
                .import({"--field",
                         "image",
                         "--vectors",
                         "title",
                         fields.titles,
                         "--vectors",
                         "sign:hamming",
                         fields.signs})
                .exit_code == 0);
    const ToolRun more = fields.import({"--first-id",
                                        "5",
                                        "--batch",
                                        "2",
                                        "--vectors",
                                        "sign",
                                        fields.signs,
                                        "--vectors",
                                        "title:l2:flat",
                                        fields.titles});
    INFO(more.err);
    REQUIRE(more.exit_code == 0);
    CHECK(more.json()["created"] == false);
    CHECK(more.json()["rows_in_collection"] == 10);
    CHECK(more.json()["vectors"][1]["name"] == "title");
    CHECK(row_of(fields.collection(), 8, "title") == std::vector<float>{1, 0, 4});

    const std::string others =
        fields.files.write<float>("others.npy", {0, 0, 9, 0, 0, 8, 0, 0, 7, 0, 0, 6, 0, 0, 5}, 3);
    const ToolRun replaced = fields.import({"--first-id",
                                            "3",
                                            "--upsert",
                                            "--field",
                                            "image",
                                            "--vectors",
                                            "title",
                                            others,
                                            "--vectors",
                                            "sign",
                                            fields.signs});
    INFO(replaced.err);
    REQUIRE(replaced.exit_code == 0);
    CHECK(replaced.json()["rows_in_collection"] == 10);
    const Collection collection = fields.collection();
    CHECK(row_of(collection, 2, "title") == std::vector<float>{1, 0, 1});
    CHECK(row_of(collection, 7, "title") == std::vector<float>{0, 0, 5});
    CHECK(row_of(collection, 7, "image") == std::vector<float>{4, 0});
}

TEST_CASE("import refuses vector fields that do not fit the collection that is there") {
    const Fields fields;
    REQUIRE(fields
                .import({"--field",
                         "image",
                         "--vectors",
                         "title:cosine:hnsw m=8",
                         fields.titles,
                         "--vectors",
                         "sign:hamming",
                         fields.signs})
                .exit_code == 0);
    const std::string& titles = fields.titles;
    const std::vector<std::string> sign = {"--vectors", "sign", fields.signs};
    const std::vector<std::string> both = {
        "--vectors", "sign", fields.signs, "--vectors", "title", titles};
    const auto with = [](std::vector<std::string> options, const std::vector<std::string>& more) {
        options.insert(options.end(), more.begin(), more.end());
        options.insert(options.end(), {"--first-id", "10"});
        return options;
    };
    check_refused(
        fields,
        2,
        {{with({}, {}), {"--vectors: field 'title' of the collection 'base' is missing"}},
         {with({}, sign), {"--vectors: field 'title'", "missing"}},
         {with({"--vectors", "title", titles}, {}), {"--vectors: field 'sign'", "missing"}},
         {with({"--vectors", "titel", titles}, sign),
          {"--vectors: ", "'base'", "'titel'", "there are: image, title, sign"}},
         {with({"--vectors", "image", titles}, both),
          {"--vectors: 'image' is the first", "'base'"}},
         {with({"--vectors", "title", titles}, both), {"--vectors: two fields 'title'"}},
         {with({"--vectors", "title:ip", titles}, sign),
          {"--vectors: field 'title' of the collection 'base'", "with cosine"}},
         {with({"--vectors", "title:cosine:flat", titles}, sign),
          {"--vectors: field 'title'", "with hnsw m=8"}},
         {with({"--field", "picture"}, both), {"--field: ", "'base'", "'image' as the first"}},
         {with({"--metric", "ip"}, both), {"--metric: field 'image'", "with l2"}}});
    check_refused(fields,
                  3,
                  {{with({"--vectors", "title", fields.files.base}, sign),
                    {"base.npy", "dimension 2", "field 'title' of the collection 'base' 3"}},
                   {with({"--vectors", "title", fields.files.queries}, sign),
                    {"queries.npy", "2 rows", "expected 5", "base.npy"}}});
    CHECK(fields.collection().count() == 5);
    CHECK(fields.import(with({"--vectors", "title:cosine:hnsw m=8", titles}, sign)).exit_code == 0);

    REQUIRE(fields.import({"--collection", "one"}).exit_code == 0);
    check_refused(fields,
                  2,
                  {{{"--collection", "one", "--vectors", "title", titles},
                    {"--vectors: the collection 'one'", "'title'", "there are: vector"}}});
}

TEST_CASE("import tells what is wrong with --vectors before it makes a directory") {
    const Fields fields;
    const std::string& titles = fields.titles;
    std::vector<std::string> many;
    for (int number = 0; number < 16; ++number)
        many.insert(many.end(), {"--vectors", "title" + std::to_string(number), titles});
    check_refused(
        fields,
        2,
        {{{"--vectors", "title:l3", titles}, {"--vectors: title:l3: 'l3'", "l2, ip, cosine"}},
         {{"--vectors", "title:", titles}, {"--vectors: title:: ''"}},
         {{"--vectors", "title:l2:magic", titles}, {"--vectors: title:l2:magic: magic", "hnsw"}},
         {{"--vectors", "title:l2:", titles}, {"--vectors: title:l2:: ", "empty"}},
         {{"--vectors", "title:l2:hnsw m=x", titles}, {"--vectors: ", "m=x", "whole number"}},
         {{"--vectors", "title:l2:hnsw m=1", titles}, {"--vectors: ", "m"}},
         {{"--vectors", "", titles}, {"name"}},
         {{"--vectors", "vector", titles}, {"--vectors: two fields 'vector'", "--field"}},
         {{"--field", "a", "--vectors", "a", titles}, {"--vectors: two fields 'a'"}},
         {{"--field", ""}, {"name"}},
         {{"--vectors", "title"}, {"--vectors"}},
         {many, {"17", "16"}}});
    write_bytes(fields.files("titles.csv"), "title:bool\ntrue\ntrue\ntrue\ntrue\ntrue\n");
    const std::string short_file = fields.files.write<float>("short.npy", {1, 2, 3, 4}, 1);
    check_refused(
        fields,
        3,
        {{{"--vectors", "title", short_file}, {"short.npy", "4 rows", "expected 5", "base.npy"}},
         {{"--vectors", "title", fields.files("absent.npy")}, {"absent.npy"}},
         {{"--vectors", "title", titles, "--columns", fields.files("titles.csv")},
          {"titles.csv, line 1: ", "'title'", "twice"}}});
    CHECK_FALSE(std::filesystem::exists(fields.db));
}

TEST_CASE("an import that fails in a further field before its first row leaves no collection") {
    const Fields fields;
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const std::string wrong = fields.files.write<float>("wrong.npy", {1, nan, 3, 4, 5}, 1);
    const ToolRun run = fields.import({"--vectors", "title", wrong});
    CHECK(run.exit_code == 3);
    CHECK(run.says({"base.npy", "field 'title'", "row 1"}));
    const ToolRun zero = fields.import({"--vectors", "title:cosine", fields.files.base});
    CHECK(zero.exit_code == 3);
    CHECK(zero.says({"field 'title'", "row 0"}));
    CHECK(run_tool({"info", fields.db, "--json", "-"}).json()["collections"].empty());
    CHECK(fields.import().json()["created"] == true);

    // A later batch: those before it are there, with both vectors.
    const ToolRun late =
        fields.import({"--collection", "late", "--vectors", "title", wrong, "--batch", "1"});
    CHECK(late.exit_code == 3);
    CHECK(late.says({"counted from row 1", "those before it are imported"}));
    CHECK(row_of(fields.collection("late"), 0, "title") == std::vector<float>{1});
    CHECK(fields.collection("late").count() == 1);
}

TEST_CASE("info lists all vector fields of a collection") {
    const Fields fields;
    fields.make();
    const ToolRun run = run_tool({"info", fields.db, "--json", "-"});
    REQUIRE(run.exit_code == 0);
    const auto base = run.json()["collections"].at(0);
    CHECK(base["dim"] == 2);
    CHECK(base["metric"] == "l2");
    CHECK(base["element_type"] == "float32");
    CHECK(base["index"] == "flat");
    CHECK(base["vectors"] == json::parse(R"([
        {"name": "image", "dim": 2, "metric": "l2", "element_type": "float32", "index": "flat"},
        {"name": "title", "dim": 3, "metric": "l2", "element_type": "float32",
         "index": "hnsw m=8 ef_construction=200 alpha=1.2"}])"));
    const ToolRun text = run_tool({"info", fields.db});
    CHECK(text.out.find("\n  vectors   image, 5 rows x 2, l2, float32\n"
                        "  vectors   title, 5 rows x 3, l2, float32\n"
                        "  fields    kind:int64\n"
                        "  index     image, flat\n"
                        "  index     title, hnsw m=8 ") != std::string::npos);

    REQUIRE(run_tool({"import", fields.files.base, fields.files("one")}).exit_code == 0);
    const ToolRun one = run_tool({"info", fields.files("one")});
    CHECK(one.out.find("\n  vectors   5 rows x 2, l2, float32\n  index     flat\n") !=
          std::string::npos);
    const auto only = run_tool({"info", fields.files("one"), "--json", "-"}).json();
    CHECK(only["collections"][0]["vectors"].size() == 1);
    CHECK(only["collections"][0]["vectors"][0]["name"] == "vector");
}

TEST_CASE("help explains the options for vector fields") {
    const std::string import = run_tool({"import", "--help"}).out;
    CHECK(import.find("--vectors SPEC FILE2") != std::string::npos);
    CHECK(import.find("NAME[:METRIC[:INDEX]]") != std::string::npos);
    CHECK(import.find("--field NAME=vector") != std::string::npos);
    CHECK(import.find("=l2") != std::string::npos);
    CHECK(run_tool({"search", "--help"}).out.find("--field NAME") != std::string::npos);
}

}  // namespace vecdb::test
