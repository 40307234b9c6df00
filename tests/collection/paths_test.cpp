// What is found where the files of a database belong: links, directories, FIFOs, files that may not
// be read; and which paths and names are taken.

#include "persist/manifest.h"
#include "support/catch.h"
#include "support/child.h"
#include "support/collections.h"
#include "support/random_data.h"
#include "support/temp_directory.h"

#include <vecdb/database.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

namespace vecdb {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using test::TempDirectory;

constexpr std::size_t kDim = 3;
constexpr OpenMode kModes[] = {OpenMode::kReadOnly, OpenMode::kOpen, OpenMode::kOpenOrCreate};

/// Ends the program if a call hangs.
class Patience {
  public:
    Patience() { ::alarm(60); }
    ~Patience() { ::alarm(0); }
    Patience(const Patience&) = delete;
    Patience& operator=(const Patience&) = delete;
};

OpenOptions options_for(OpenMode mode) {
    OpenOptions options;
    options.mode = mode;
    options.keep_replaced = std::chrono::seconds(0);
    options.run.threads = 1;
    return options;
}

Result<Database> try_open(const fs::path& directory, OpenMode mode) {
    return Database::open(directory.string(), options_for(mode));
}

/// Put rows into a new collection: sealed, growing, and only in the log.
void fill(Database& database, const std::string& name, const std::string& part) {
    Schema schema = Schema::single(kDim);
    schema.vectors[0].index = HnswOptions{.m = 4, .ef_construction = 8};
    Collection collection = database.create_collection(name, schema).value();
    Partition rows = collection.create_partition(part).value();
    const auto insert = [&](Id first) {
        rows.insert(test::sequential_ids(40, first), test::normal_rows(40, kDim, 1).view()).check();
    };
    insert(0);
    collection.build_index().check();
    insert(40);
    database.checkpoint().check();
    insert(80);
}

/// Return all files in a directory with their bytes and when they were changed.
std::map<std::string, std::pair<std::string, fs::file_time_type>> files_in(const fs::path& folder) {
    std::map<std::string, std::pair<std::string, fs::file_time_type>> files;
    for (const auto& entry : fs::directory_iterator(folder)) {
        files[entry.path().filename().string()] = {test::read_bytes(entry.path()),
                                                   entry.last_write_time()};
    }
    return files;
}

std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names = posix_storage().list(folder.string()).value();
    std::erase(names, "LOCK");
    return names;
}

/// Return the names of the files that a database needs, of which there is one of each kind.
std::vector<std::string> needed_in(const fs::path& folder) {
    const auto read = persist::read_catalogue(posix_storage(), folder.string()).value();
    const auto name_of = [](persist::FileKind kind, std::uint64_t number) {
        return fs::path(persist::path_of("", kind, number)).filename().string();
    };
    std::vector<std::string> names = {"CURRENT", "LOCK"};
    names.push_back(name_of(persist::FileKind::kManifest, read.current.manifest));
    for (const auto& [number, file] : read.catalogue.files())
        names.push_back(name_of(file.kind, number));
    for (const auto& log : read.catalogue.position().logs)
        names.push_back(name_of(persist::FileKind::kLog, log.file));
    return names;
}

/// A database that a writer left as it was, with a file of every kind.
class Place {
  public:
    Place() {
        const fs::path made = place_ / "made";
        Database database = try_open(made, OpenMode::kOpenOrCreate).value();
        fill(database, "words", "part");
        fs::create_directory(outside());
        for (const std::string& name : needed_in(made))
            fs::copy_file(made / name, outside() / name);
        fs::copy_file(made / "CURRENT", outside() / "CURRENT.new");
        before_ = files_in(outside());
        for (const auto& [name, content] : before_)
            names_.push_back(name);
    }

    /// Its own files, and where a copy of each lies.
    [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
    [[nodiscard]] fs::path outside() const { return place_ / "outside"; }
    [[nodiscard]] fs::path directory() const { return place_ / "database"; }
    [[nodiscard]] const fs::path& path() const { return place_.path(); }

    /// Make the database anew.
    void reset() const {
        fs::remove_all(directory());
        fs::copy(outside(), directory());
    }
    [[nodiscard]] bool outside_is_untouched() const { return files_in(outside()) == before_; }

  private:
    TempDirectory place_;
    std::map<std::string, std::pair<std::string, fs::file_time_type>> before_;
    std::vector<std::string> names_;
};

/// What becomes of an opening where a file cannot be used.
enum class Expected { kRefused, kLost, kDamage, kOpened };

Expected expected_of(const std::string& name, OpenMode mode) {
    const bool reads = mode == OpenMode::kReadOnly;
    if (name.starts_with("rows-") || name.starts_with("growing-")) return Expected::kLost;
    if (name.starts_with("index-")) return Expected::kDamage;
    if (name == "LOCK" || name == "CURRENT.new")
        return reads ? Expected::kOpened : Expected::kRefused;
    return Expected::kRefused;
}

/// Return what is wrong with an opening, nothing if it is as expected.
std::string check_opening(const Result<Database>& opened, Expected expected, const fs::path& path) {
    const Status status = opened.status();
    if (expected == Expected::kRefused) {
        const bool named = status.message().find(path.string()) != std::string::npos;
        return named ? "" : "expected a refusal that names it, found " + status.to_string();
    }
    if (!status.ok()) return "expected success, found " + status.to_string();
    const std::vector<std::string>& damage = opened->open_report().damage;
    const bool whole = opened->collection("words").value().count() == 120;
    if (whole == (expected == Expected::kLost))
        return whole ? "rows are there" : "rows are missing";
    if (expected == Expected::kOpened) return damage.empty() ? "" : damage.front();
    const bool named = damage.size() == 1 && damage[0].find(path.string()) != std::string::npos;
    return named ? "" : "no damage is reported that names it";
}

}  // namespace

TEST_CASE("where a file belongs nothing else is followed or waited for", "[paths]") {
    using Put = std::function<void(const fs::path& at, const fs::path& target)>;
    const auto [what, put] = GENERATE(table<std::string, Put>({
        {"a link",
         [](auto& at, auto& target) {
             fs::create_symlink(target, at);
         }},
        {"a link to nothing",
         [](auto& at, auto& /*target*/) {
             fs::create_symlink(at.string() + "-gone", at);
         }},
        {"a directory",
         [](auto& at, auto& /*target*/) {
             fs::create_directory(at);
         }},
        {"a FIFO",
         [](auto& at, auto& /*target*/) {
             REQUIRE(::mkfifo(at.c_str(), 0600) == 0);
         }},
    }));
    const Patience patience;
    const Place place;
    CHECK(place.names().size() == 8);
    for (const std::string& name : place.names()) {
        for (const OpenMode mode : kModes) {
            INFO(what << " at " << name << ", mode " << static_cast<int>(mode));
            place.reset();
            const fs::path at = place.directory() / name;
            fs::remove(at);
            put(at, place.outside() / name);
            const auto names = names_in(place.directory());
            Expected expected = expected_of(name, mode);
            // What is not finished is removed by whoever writes it, if that is possible.
            if (name == "CURRENT.new" && what != "a directory") expected = Expected::kOpened;
            {
                const auto opened = try_open(place.directory(), mode);
                CHECK(check_opening(opened, expected, at) == std::string());
            }
            if (name != "CURRENT.new" && expected == Expected::kRefused)
                CHECK(names_in(place.directory()) == names);
            CHECK(place.outside_is_untouched());
        }
    }
}

TEST_CASE("links, directories and FIFOs beside the files of a database do no harm", "[paths]") {
    const Patience patience;
    const Place place;
    place.reset();
    const fs::path directory = place.directory();
    const auto numbered = [&](persist::FileKind kind, std::uint64_t number) {
        return fs::path(persist::path_of(directory.string(), kind, number));
    };
    fs::create_symlink(place.outside() / "CURRENT", numbered(persist::FileKind::kLog, 0x100));
    fs::create_symlink(place.path() / "nothing", numbered(persist::FileKind::kRows, 0x101));
    fs::create_directory(numbered(persist::FileKind::kManifest, 0x102));
    REQUIRE(::mkfifo(numbered(persist::FileKind::kGrowing, 0x103).c_str(), 0600) == 0);
    fs::create_directory_symlink(place.outside(), directory / "more");
    for (int round = 0; round < 2; ++round) {
        Database database = try_open(directory, OpenMode::kOpen).value();
        CHECK(database.collection("words").value().count() == 120);
        fill(database, "more" + std::to_string(round), "part");
        database.close().check();
    }
    CHECK(place.outside_is_untouched());
    CHECK_FALSE(fs::exists(place.path() / "nothing"));
    CHECK(fs::is_directory(numbered(persist::FileKind::kManifest, 0x102)));
    CHECK(try_open(directory, OpenMode::kReadOnly).value().list_collections().size() == 3);
}

TEST_CASE("a file that may not be read is named", "[paths]") {
    const Place place;
    const auto give_away = [](const fs::path& path) {
        if (::geteuid() != 0) return;
        REQUIRE(::lchown(path.c_str(), test::kNobody, test::kNobody) == 0);
    };
    fs::permissions(place.path(), fs::perms::others_exec, fs::perm_options::add);
    for (const std::string& name : place.names()) {
        for (const OpenMode mode : kModes) {
            INFO(name << ", mode " << static_cast<int>(mode));
            place.reset();
            give_away(place.directory());
            for (const auto& entry : fs::directory_iterator(place.directory()))
                give_away(entry);
            const fs::path at = place.directory() / name;
            fs::permissions(at, fs::perms::none);
            const bool whole = name == "CURRENT.new";  // which is removed unread
            Expected expected = whole ? Expected::kOpened : expected_of(name, mode);
            // It may be there all the same.
            if (expected == Expected::kLost) expected = Expected::kRefused;
            const auto failed = test::as_nobody([&] {
                const auto opened = try_open(place.directory(), mode);
                const std::string wrong = check_opening(opened, expected, at);
                if (!wrong.empty()) Status(StatusCode::kInternal, wrong).check();
            });
            if (!failed) {
                WARN("SKIPPED: this user's permissions do not bind, and there is no other user");
                return;
            }
            CHECK(*failed == std::string());
        }
    }
}

TEST_CASE("only its owner may enter a database and read its files", "[paths]") {
    const TempDirectory place;
    const ::mode_t before = ::umask(0);
    {
        Database database = try_open(place / "database", OpenMode::kOpenOrCreate).value();
        fill(database, "words", "part");
    }
    ::umask(before);
    const auto perms_of = [](const fs::path& path) {
        return fs::status(path).permissions();
    };
    CHECK(perms_of(place / "database") == fs::perms::owner_all);
    std::size_t files = 0;
    for (const auto& entry : fs::directory_iterator(place / "database")) {
        INFO(entry.path());
        CHECK(perms_of(entry) == (fs::perms::owner_read | fs::perms::owner_write));
        ++files;
    }
    CHECK(files >= 7);
}

TEST_CASE("names in a database never become names of files", "[paths]") {
    const TempDirectory place;
    const std::vector<std::string> names = {
        "../x", "a/b", ".", "..", "/tmp/x", "CURRENT", "LOCK", "~", "log-0000000000000001"};
    {
        Database database = try_open(place / "database", OpenMode::kOpenOrCreate).value();
        for (const std::string& name : names) {
            fill(database, name, "../" + name);
            database.create_alias(name + "/../alias", name).check();
        }
        database.close().check();
    }
    CHECK(place.entries() == 1);
    for (const auto& entry : fs::recursive_directory_iterator(place / "database")) {
        const std::string name = entry.path().filename().string();
        INFO(name);
        CHECK((persist::parse_file_name(name) || name == "CURRENT" || name == "LOCK"));
        CHECK(entry.is_regular_file());
    }
    const Database database = try_open(place / "database", OpenMode::kReadOnly).value();
    for (const std::string& name : names) {
        const Collection found = database.collection(name + "/../alias").value();
        CHECK(found.partition("../" + name).value().count() == 120);
    }
}

TEST_CASE("paths that can be no database are refused", "[paths]") {
    const TempDirectory place;
    test::write_bytes(place / "file", "x");
    const std::string parent = (place / "nowhere").string();
    const std::string file = (place / "file").string();
    const std::string longest = (place / std::string(5'000, 'x')).string();
    for (const OpenMode mode :
         {OpenMode::kReadOnly, OpenMode::kOpen, OpenMode::kOpenOrCreate, OpenMode::kCreate}) {
        INFO("mode " << static_cast<int>(mode));
        const auto status_of = [&](const std::string& path) {
            return Database::open(path, options_for(mode)).status();
        };
        CHECK(status_of("").code() == StatusCode::kInvalidArgument);
        const std::string zero = file + std::string("\0x", 2);
        CHECK(status_of(zero).code() == StatusCode::kInvalidArgument);
        for (const std::string& path : {parent + "/database", file, file + "/database", longest}) {
            const Status status = status_of(path);
            INFO(status.to_string());
            CHECK_FALSE(status.ok());
            CHECK_THAT(status.message(), Contains(path));
        }
    }
    CHECK(place.entries() == 1);
    CHECK(test::read_bytes(place / "file") == "x");
}

TEST_CASE("a database may be reached through a link to its directory", "[paths]") {
    const auto mode = GENERATE(OpenMode::kOpen, OpenMode::kOpenOrCreate);
    const TempDirectory place;
    {
        Database database = try_open(place / "database", OpenMode::kOpenOrCreate).value();
        fill(database, "words", "part");
    }
    fs::create_directory_symlink("database", place / "link");
    for (const std::string path : {"link", "link/", "database//", "./database/../link/."}) {
        INFO(path);
        const Database database = try_open(place / path, mode).value();
        CHECK(database.collection("words").value().count() == 120);
        CHECK(try_open(place / "database", OpenMode::kOpen).status().code() ==
              StatusCode::kFailedPrecondition);
    }
}

}  // namespace vecdb
