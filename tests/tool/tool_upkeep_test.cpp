// verify, repair, snapshot, restore and compact of databases, and describe of their files.

#include "run_tool.h"
#include "support/catch.h"

#include <vecdb/database.h>

namespace vecdb::test {
namespace {

/// A database in `db` with the collection "base" of base.npy, its index built.
class ToolDatabase : public ToolFiles {
  public:
    ToolDatabase() : db((*this)("db")) {
        REQUIRE(run_tool({"import", base, db, "--index", "hnsw m=8"}).exit_code == 0);
    }

    /// Return the path of the only file of a kind.
    [[nodiscard]] std::string file(const std::string& kind) const {
        std::string found;
        for (const auto& entry : std::filesystem::directory_iterator(db)) {
            if (!entry.path().filename().string().starts_with(kind + '-')) continue;
            REQUIRE(found.empty());
            found = entry.path().string();
        }
        REQUIRE_FALSE(found.empty());
        return found;
    }
    /// Change one bit of a file.
    static void damage(const std::string& path, std::size_t offset) {
        std::string bytes = read_bytes(path);
        bytes.at(offset) = static_cast<char>(bytes.at(offset) ^ 1);
        write_bytes(path, bytes);
    }

    std::string db;
};

std::vector<Id> nearest(const std::string& directory) {
    std::vector<Id> ids;
    const ToolRun run = run_tool({"search", directory, "--query-id", "1", "--json", "-"});
    REQUIRE(run.exit_code == 0);
    const auto json = run.json();
    for (const auto& hit : json["queries"][0]["hits"])
        ids.push_back(hit["id"]);
    return ids;
}

constexpr std::size_t kFirstVector = 64 + 64;  // header, section "about"

}  // namespace

TEST_CASE("verify of a sound database ends with code 0") {
    const ToolDatabase files;
    const ToolRun run = run_tool({"verify", files.db, "--json", "-"});
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    CHECK(run.json()["sound"] == true);
    CHECK(run.json()["damage"].empty());
    CHECK(run.json()["files"].get<int>() > 2);
    CHECK(run.json()["bytes"].get<int>() > 0);
    CHECK(run_tool({"verify", files.db}).out.find("sound       yes") != std::string::npos);
}

TEST_CASE("verify of a changed byte of rows ends with code 1 and names the file") {
    const ToolDatabase files;
    const std::string rows = files.file("rows");
    ToolDatabase::damage(rows, kFirstVector);
    const ToolRun run = run_tool({"verify", files.db, "--json", files("answer.json")});
    CHECK(run.exit_code == 1);
    CHECK(run.says({files.db, "damaged"}));
    const auto json = nlohmann::json::parse(read_bytes(files("answer.json")));
    CHECK(json["sound"] == false);
    REQUIRE_FALSE(json["damage"].empty());
    const auto damage = json["damage"][0];
    CHECK(damage["file"] == rows);
    CHECK(damage["section"] == "vectors");
    CHECK(damage["offset"] == kFirstVector);
    CHECK_FALSE(damage["message"].get<std::string>().empty());
    CHECK(run.out.find(rows) != std::string::npos);
}

TEST_CASE("repair of a changed byte of rows makes the database sound, and tells what is lost") {
    const ToolDatabase files;
    const std::string rows = files.file("rows");
    ToolDatabase::damage(rows, kFirstVector);
    const ToolRun run = run_tool({"repair", files.db, "--json", files("answer.json")});
    INFO(run.err);
    const auto json = nlohmann::json::parse(read_bytes(files("answer.json")));
    CHECK_FALSE(json["set_aside"].empty());
    CHECK(run.exit_code == (json["lost"].empty() ? 0 : 1));
    CHECK(run_tool({"verify", files.db}).exit_code == 0);
    const ToolRun more =
        run_tool({"import", files.base, files.db, "--first-id", "10", "--json", "-"});
    CHECK(more.exit_code == 0);
}

TEST_CASE("repair of a changed byte of an index loses nothing") {
    const ToolDatabase files;
    const auto before = nearest(files.db);
    ToolDatabase::damage(files.file("index"), 64);
    CHECK(run_tool({"verify", files.db}).exit_code == 1);
    const ToolRun run = run_tool({"repair", files.db, "--json", "-"});
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    CHECK(run.json()["rebuilt_indexes"] == 1);
    CHECK(run.json()["lost"].empty());
    CHECK(run_tool({"verify", files.db}).exit_code == 0);
    CHECK(nearest(files.db) == before);
}

TEST_CASE("repair of a sound database changes nothing") {
    const ToolDatabase files;
    const ToolRun run = run_tool({"repair", files.db, "--json", "-"});
    REQUIRE(run.exit_code == 0);
    CHECK(run.json()["set_aside"].empty());
    CHECK(run.json()["lost"].empty());
    CHECK(nearest(files.db) == std::vector<Id>{1, 0, 2, 3, 4});
}

TEST_CASE("a snapshot and what is restored from it answer as the database") {
    const ToolDatabase files;
    const ToolRun snapshot = run_tool({"snapshot", files.db, files("copy"), "--json", "-"});
    INFO(snapshot.err);
    REQUIRE(snapshot.exit_code == 0);
    CHECK(snapshot.json()["to"] == files("copy"));
    CHECK(snapshot.json()["bytes"].get<int>() > 0);
    const ToolRun restored = run_tool({"restore", files("copy"), files("back"), "--json", "-"});
    INFO(restored.err);
    REQUIRE(restored.exit_code == 0);
    for (const std::string name : {"copy", "back"}) {
        INFO(name);
        CHECK(nearest(files(name)) == nearest(files.db));
        CHECK(run_tool({"verify", files(name)}).exit_code == 0);
    }
    const ToolRun more =
        run_tool({"import", files.base, files("back"), "--first-id", "5", "--json", "-"});
    CHECK(more.json()["rows_in_collection"] == 10);
    CHECK(nearest(files.db).size() == 5);
}

TEST_CASE("snapshot and restore refuse a directory that is not empty, with code 5") {
    const ToolDatabase files;
    for (const std::string name : {"snapshot", "restore"}) {
        INFO(name);
        std::filesystem::remove_all(files("full"));
        std::filesystem::create_directory(files("full"));
        write_bytes(files("full/mine"), "x");
        const ToolRun run = run_tool({name, files.db, files("full")});
        CHECK(run.exit_code == 5);
        CHECK(run.says({"full"}));
        CHECK(read_bytes(files("full/mine")) == "x");
    }
}

TEST_CASE("restore refuses a damaged snapshot, with code 3") {
    const ToolDatabase files;
    const std::string rows = files.file("rows");
    ToolDatabase::damage(rows, kFirstVector);
    const ToolRun run = run_tool({"restore", files.db, files("back")});
    CHECK(run.exit_code == 3);
    CHECK(run.says({rows}));
    CHECK_FALSE(std::filesystem::exists(files("back")));
}

TEST_CASE("compact indexes all rows and drops removed ones") {
    const ToolDatabase files;
    {
        Database db = Database::open(files.db).value();
        Collection base = db.collection("base").value();
        const std::vector<float> row = {9, 9};
        base.insert(100, row).check();
        CHECK(base.remove(4).value() == 1);
        db.close().check();
    }
    const ToolRun run = run_tool({"compact", files.db, "--keep-replaced", "0", "--json", "-"});
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    const auto base = run.json()["collections"].at(0);
    CHECK(base["name"] == "base");
    CHECK(base["rows"] == 5);
    CHECK(base["segments"] == 1);
    CHECK(base["removed_before"] == 1);
    CHECK(base["removed"] == 0);
    const auto info = run_tool({"info", files.db, "--json", "-"}).json();
    CHECK(info["clean"] == true);
    CHECK(info["replayed_records"] == 0);
    CHECK(info["collections"][0]["growing_rows"] == 0);
    CHECK(info["collections"][0]["removed_rows"] == 0);
    static_cast<void>(files.file("rows"));  // there is one only
}

TEST_CASE("compact takes one collection, and only what is not yet indexed, if asked") {
    const ToolDatabase files;
    REQUIRE(run_tool({"import", files.base, files.db, "--collection", "other", "--no-index"})
                .exit_code == 0);
    const ToolRun run =
        run_tool({"compact", files.db, "--collection", "other", "--flush", "--json", "-"});
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    REQUIRE(run.json()["collections"].size() == 1);
    CHECK(run.json()["collections"][0]["segments"] == 1);
    CHECK(run_tool({"compact", files.db, "--collection", "absent"}).exit_code == 3);
}

TEST_CASE("a database that another writer has open ends writing commands with code 5") {
    const ToolDatabase files;
    const Database db = Database::open(files.db).value();
    const std::vector<std::vector<std::string>> commands = {{"import", files.base, files.db},
                                                            {"compact", files.db},
                                                            {"snapshot", files.db, files("copy")}};
    for (const auto& command : commands) {
        INFO(command[0]);
        const ToolRun run = run_tool(command);
        CHECK(run.exit_code == 5);
        CHECK(run.says({"another writer"}));
    }
    CHECK(run_tool({"search", files.db, "--query-id", "1"}).exit_code == 0);
}

TEST_CASE("repair of a database that a writer has open ends with code 5") {
    const ToolDatabase files;
    const Database db = Database::open(files.db).value();
    CHECK(run_tool({"repair", files.db}).exit_code == 5);
}

TEST_CASE("where there is no database commands end with code 3 and make nothing") {
    const ToolFiles files;
    const std::string absent = files("absent");
    const std::vector<std::vector<std::string>> commands = {{"verify", absent},
                                                            {"repair", absent},
                                                            {"compact", absent},
                                                            {"snapshot", absent, files("copy")},
                                                            {"restore", absent, files("copy")}};
    for (const auto& command : commands) {
        INFO(command[0]);
        const ToolRun run = run_tool(command);
        CHECK(run.exit_code == 3);
        CHECK(run.says({"absent"}));
    }
    CHECK_FALSE(std::filesystem::exists(absent));
    CHECK_FALSE(std::filesystem::exists(files("copy")));
}

TEST_CASE("commands on databases want their arguments") {
    for (const std::string name :
         {"import", "verify", "repair", "compact", "snapshot", "restore"}) {
        INFO(name);
        CHECK(run_tool({name}).exit_code == 2);
    }
    CHECK(run_tool({"snapshot", "only"}).exit_code == 2);
    CHECK(run_tool({"compact", "db", "--keep-replaced", "-1"}).exit_code == 2);
}

TEST_CASE("describe tells which file of a database it is") {
    const ToolDatabase files;
    const auto current = run_tool({"describe", files.db + "/CURRENT", "--json", "-"}).json();
    CHECK(current["format"] == "vecdb");
    CHECK(current["kind"] == "current");
    CHECK(current["version"] == 1);
    CHECK(current["file_bytes"] == 128);
    CHECK(current["database"].get<std::string>().size() == 32);
    for (const std::string kind : {"manifest", "rows", "index"}) {
        INFO(kind);
        const auto json = run_tool({"describe", files.file(kind), "--json", "-"}).json();
        CHECK(json["kind"] == kind);
        CHECK(json["database"] == current["database"]);
        const std::string digits = files.file(kind).substr(files.file(kind).size() - 16);
        CHECK(json["number"] == std::stoull(digits, nullptr, 16));
    }
    // Cut within its header.
    const std::string bytes = read_bytes(files.file("rows")).substr(0, 32);
    write_bytes(files("short"), bytes);
    CHECK(run_tool({"describe", files("short")}).exit_code == 3);
    CHECK(run_tool({"describe", files("short")}).says({"short", "32 bytes"}));
}

}  // namespace vecdb::test
