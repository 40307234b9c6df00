// Databases on disk: what is there when they are opened again, after a clean end and after none.

#include "persist/file_set.h"
#include "persist/manifest.h"
#include "support/catch.h"
#include "support/collections.h"
#include "support/memory_storage.h"
#include "support/random_data.h"

#include <vecdb/database.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vecdb {
namespace {

using Catch::Matchers::Contains;
using test::MemoryStorage;

constexpr std::size_t kDim = 12;

/// Opens databases in memory that outlive what writes them.
class Disk {
  public:
    OpenOptions options;

    Disk() { options.storage = files; }

    [[nodiscard]] Result<Database> try_open(OpenMode mode = OpenMode::kOpenOrCreate) const {
        OpenOptions chosen = options;
        chosen.mode = mode;
        return Database::open("d", chosen);
    }
    [[nodiscard]] Database open(OpenMode mode = OpenMode::kOpenOrCreate) const {
        return try_open(mode).value();
    }
    /// Return the disk as it is when the process ends now.
    [[nodiscard]] Disk crashed() const {
        Disk disk;
        disk.options = options;
        disk.files = files->copy();
        disk.options.storage = disk.files;
        return disk;
    }
    /// Return the names of the files of a kind.
    [[nodiscard]] std::vector<std::string> files_of(persist::FileKind kind) const {
        std::vector<std::string> found;
        for (const std::string& name : files->list("d").value()) {
            const auto file = persist::parse_file_name(name);
            if (file && file->kind == kind) found.push_back("d/" + name);
        }
        return found;
    }

    std::shared_ptr<MemoryStorage> files = std::make_shared<MemoryStorage>();
};

/// Files in memory, of which those of the log can be refused to writers.
class StorageOfLogs final : public MemoryStorage {
  public:
    bool refuse_logs = false;

    Result<std::unique_ptr<WritableFile>> create(const std::string& path) override {
        if (is_refused(path)) return Status(StatusCode::kIoError, path);
        return MemoryStorage::create(path);
    }
    Result<std::unique_ptr<WritableFile>> resume(const std::string& path,
                                                 std::uint64_t size) override {
        if (is_refused(path)) return Status(StatusCode::kIoError, path);
        return MemoryStorage::resume(path, size);
    }

  private:
    [[nodiscard]] bool is_refused(const std::string& path) const {
        return refuse_logs && path.find("/log-") != std::string::npos;
    }
};

Schema schema_of(IndexOptions index, Metric metric = Metric::kL2) {
    Schema schema = Schema::single(kDim, metric);
    schema.vectors[0].index = std::move(index);
    schema.segments.seal_rows = 0;
    return schema;
}

/// Everything that can be asked of a collection.
struct Answers {
    std::vector<std::string> partitions;
    std::size_t count = 0;
    std::vector<float> vectors;
    std::vector<bool> found;
    std::vector<Hits> hits;

    friend bool operator==(const Answers& a, const Answers& b) {
        const bool same = a.partitions == b.partitions && a.count == b.count &&
                          a.vectors == b.vectors && a.found == b.found &&
                          a.hits.size() == b.hits.size();
        for (std::size_t i = 0; same && i < a.hits.size(); ++i) {
            if (!test::identical(a.hits[i], b.hits[i])) return false;
        }
        return same;
    }
};

Answers answers_of(const Collection& collection) {
    Answers answers;
    answers.partitions = collection.list_partitions();
    answers.count = collection.count();
    const FetchedRows rows = collection.get(test::sequential_ids(1'200)).value();
    answers.vectors = test::floats(rows);
    answers.found = rows.found;
    const test::Matrix queries = test::normal_rows(8, kDim, 99);
    for (std::size_t q = 0; q < queries.rows; ++q)
        answers.hits.push_back(collection.search(queries.row(q), {.k = 20}).value());
    return answers;
}

void insert(WriteHandle& into, std::size_t count, Id first) {
    const auto ids = test::sequential_ids(count, first);
    into.insert(ids, test::normal_rows(count, kDim, static_cast<std::uint64_t>(first) + 5).view())
        .check();
}

/// Rows sealed, growing and removed, in two partitions.
Collection fill(Database& database, const std::string& name, const Schema& schema) {
    Collection collection = database.create_collection(name, schema).value();
    insert(collection, 400, 0);
    Partition other = collection.create_partition("other").value();
    insert(other, 300, 400);
    collection.build_index().check();
    insert(collection, 50, 700);
    insert(other, 40, 800);
    const std::vector<Id> removed = {3, 5, 410, 703, 807, 399};
    CHECK(collection.remove(removed).value() == removed.size());
    // Replaced where they are, and from the other partition.
    const std::vector<Id> replaced = {10, 11, 420};
    other.upsert(replaced, test::normal_rows(3, kDim, 77).view()).check();
    return collection;
}

/// Look at the database that `disk` holds, through a writer and through a reader.
void check_same(const Disk& disk, const std::string& name, const Answers& expected) {
    {
        const Database reader = disk.open(OpenMode::kReadOnly);
        CHECK(answers_of(reader.collection(name).value()) == expected);
    }
    const Database database = disk.open();
    CHECK(answers_of(database.collection(name).value()) == expected);
    CHECK(database.open_report().damage.empty());
}

}  // namespace

TEST_CASE("a database is opened with the answers that it was closed with", "[durable]") {
    const auto [index, metric] = GENERATE(table<IndexOptions, Metric>({
        {FlatOptions{.codes = Codes::kNone}, Metric::kL2},
        {FlatOptions{}, Metric::kCosine},
        {HnswOptions{.m = 8}, Metric::kL2},
        {IvfOptions{.nlist = 10}, Metric::kInnerProduct},
    }));
    Disk disk;
    std::optional<Answers> before;
    {
        Database database = disk.open();
        CHECK(database.open_report().created);
        before = answers_of(fill(database, "words", schema_of(index, metric)));
        SECTION("without a word") {}
        SECTION("closed") {
            database.close().check();
        }
        SECTION("after a checkpoint") {
            database.checkpoint().check();
        }
        SECTION("sealed once more") {
            database.collection("words").value().flush().check();
            before = answers_of(database.collection("words").value());
        }
    }
    check_same(disk, "words", *before);
    check_same(disk, "words", *before);
    const Database again = disk.open();
    CHECK(again.open_report().clean);
    CHECK_FALSE(again.open_report().created);
    CHECK(again.collection("words").value().stats().sealed_segments >= 2);
}

TEST_CASE("a write that returned is there although nobody closed the database", "[durable]") {
    Disk disk;
    disk.options.sync = GENERATE(SyncMode::kEach, SyncMode::kInterval, SyncMode::kOs);
    Database database = disk.open();
    Collection words = fill(database, "words", schema_of(HnswOptions{.m = 8}));
    check_same(disk.crashed(), "words", answers_of(words));

    database.checkpoint().check();
    check_same(disk.crashed(), "words", answers_of(words));
    insert(words, 30, 900);
    CHECK(words.remove(Id{12}).value() == 1);
    check_same(disk.crashed(), "words", answers_of(words));
    words.build_index().check();
    check_same(disk.crashed(), "words", answers_of(words));
    const Disk after = disk.crashed();
    const Database again = after.open();
    CHECK_FALSE(again.open_report().clean);
    CHECK(again.open_report().torn_bytes == 0);
}

TEST_CASE("names come back", "[durable]") {
    Disk disk;
    Database database = disk.open();
    Collection a = fill(database, "a", schema_of(FlatOptions{}));
    fill(database, "b", schema_of(FlatOptions{}));
    fill(database, "gone", schema_of(FlatOptions{}));
    database.create_alias("live", "a").check();
    database.create_alias("other", "a").check();
    database.create_alias("forgotten", "a").check();
    const bool checkpoint = GENERATE(false, true);
    if (checkpoint) database.checkpoint().check();
    database.move_alias("live", "b").check();
    database.drop_alias("forgotten").check();
    database.drop_collection("gone").check();
    a.drop_partition("other").check();
    Partition again = a.create_partition("again").value();  // gets the number of "other"
    insert(again, 7, 1'000);
    a.create_partition("empty").status().check();
    for (const Disk& seen : {disk.crashed(), disk.crashed()}) {
        const Database opened = seen.open();
        CHECK(opened.list_collections() == std::vector<std::string>{"a", "b"});
        CHECK(opened.list_aliases() == std::vector<Alias>{{"live", "b"}, {"other", "a"}});
        const Collection found = opened.collection("other").value();
        CHECK(found.list_partitions() == std::vector<std::string>{"again", "default", "empty"});
        CHECK(found.partition("again").value().count() == 7);
        CHECK(answers_of(found) == answers_of(a));
    }
    // A collection of an old name is another one.
    Database opened = disk.crashed().open();
    CHECK(opened.create_collection("gone", schema_of(FlatOptions{})).value().count() == 0);
}

TEST_CASE("rows come back to partitions by rule", "[durable]") {
    Disk disk;
    Schema schema = schema_of(HnswOptions{.m = 8});
    schema.rule = {Routing::kIdModulo, 5};
    Database database = disk.open();
    Collection words = database.create_collection("words", schema).value();
    insert(words, 500, 0);
    words.partition("3").value().build_index().check();
    insert(words, 500, 500);
    CHECK(words.remove(Id{33}).value() == 1);
    check_same(disk.crashed(), "words", answers_of(words));
    database.checkpoint().check();
    insert(words, 10, 1'000);
    check_same(disk.crashed(), "words", answers_of(words));
}

TEST_CASE("every element type comes back", "[durable]") {
    const auto type = GENERATE(ElementType::kFloat16, ElementType::kBFloat16, ElementType::kInt8);
    Disk disk;
    Schema schema = schema_of(FlatOptions{});
    schema.vectors[0].element_type = type;
    Database database = disk.open();
    Collection words = database.create_collection("words", schema).value();
    const std::vector<Id> ids = test::sequential_ids(100);
    std::vector<std::byte> bytes(100 * vector_bytes(type, kDim));
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::byte>(i % 50);
    words.insert(ids, MatrixView::of(bytes.data(), 100, kDim, type)).check();
    const bool checkpoint = GENERATE(false, true);
    if (checkpoint) database.checkpoint().check();
    const Database again = disk.crashed().open();
    CHECK(again.collection("words").value().get(ids).value().bytes == bytes);
}

TEST_CASE("a checkpoint frees the log", "[durable]") {
    Disk disk;
    disk.options.keep_replaced = std::chrono::seconds(0);
    Database database = disk.open();
    Collection words = fill(database, "words", schema_of(HnswOptions{.m = 8}));
    database.checkpoint().check();
    {
        const Database again = disk.crashed().open();
        CHECK(again.open_report().replayed_records == 0);
        CHECK(again.collection("words").value().count() == words.count());
    }
    database.checkpoint().check();
    CHECK(disk.files_of(persist::FileKind::kLog).size() <= 2);
    // Only what changed since is written again.
    Partition other = words.partition("other").value();
    insert(other, 1, 5'000);
    database.checkpoint().check();
    const Database again = disk.crashed().open();
    CHECK(again.open_report().replayed_records == 0);
    CHECK(answers_of(again.collection("words").value()) == answers_of(words));
}

TEST_CASE("files that are not needed any more go", "[durable]") {
    Disk disk;
    disk.options.keep_replaced = std::chrono::seconds(0);
    Database database = disk.open();
    Collection words = database.create_collection("words", schema_of(HnswOptions{.m = 8})).value();
    for (Id round = 0; round < 12; ++round) {
        insert(words, 100, 100 * round);
        words.build_index().check();
        database.checkpoint().check();
    }
    database.drop_collection("words").check();
    words = database.create_collection("small", schema_of(FlatOptions{})).value();
    database.checkpoint().check();
    database.checkpoint().check();
    CHECK(disk.files_of(persist::FileKind::kRows).empty());
    CHECK(disk.files_of(persist::FileKind::kIndex).empty());
    CHECK(disk.files_of(persist::FileKind::kGrowing).empty());
    CHECK(disk.files_of(persist::FileKind::kManifest).size() <= 2);
    CHECK(disk.files_of(persist::FileKind::kLog).size() <= 2);

    SECTION("also those that a writer left behind") {
        disk.files->bytes("d/rows-00000000000ffff0");
        const Disk crashed = disk.crashed();
        crashed.open().close().check();
        CHECK(crashed.files_of(persist::FileKind::kRows).empty());
    }
    SECTION("but not at once, when there may be readers") {
        disk.options.keep_replaced = std::chrono::hours(1);
        disk.files->bytes("d/rows-00000000000ffff0");
        const Disk crashed = disk.crashed();
        crashed.open().close().check();
        CHECK(crashed.files_of(persist::FileKind::kRows).size() == 1);
    }
    SECTION("and nothing that is not the database's") {
        disk.files->bytes("d/rows-of-mine");
        const Disk crashed = disk.crashed();
        crashed.open().close().check();
        const auto names = crashed.files->list("d").value();
        CHECK(std::count(names.begin(), names.end(), "rows-of-mine") == 1);
    }
}

TEST_CASE("a shared file of which little is used is written again", "[durable]") {
    Disk disk;
    disk.options.keep_replaced = std::chrono::seconds(0);
    Database database = disk.open();
    Collection words = database.create_collection("words", schema_of(FlatOptions{})).value();
    std::vector<Partition> parts;
    for (std::size_t i = 0; i < 8; ++i) {
        parts.push_back(words.create_partition("p" + std::to_string(i)).value());
        insert(parts.back(), 20, static_cast<Id>(100 * i));
    }
    database.checkpoint().check();
    for (std::size_t i = 0; i < 7; ++i) {
        insert(parts[i], 5, static_cast<Id>(100 * i + 50));
        database.checkpoint().check();
    }
    database.checkpoint().check();
    database.checkpoint().check();
    CHECK(disk.files_of(persist::FileKind::kGrowing).size() <= 6);
    check_same(disk.crashed(), "words", answers_of(words));
}

TEST_CASE("the log is freed in the background when it is long", "[durable]") {
    Disk disk;
    disk.options.checkpoint_bytes = std::uint64_t{64} << 10U;
    disk.options.keep_replaced = std::chrono::seconds(0);
    Database database = disk.open();
    Collection words = database.create_collection("words", schema_of(FlatOptions{})).value();
    const auto shared = [&] {
        return !disk.crashed().files_of(persist::FileKind::kGrowing).empty();
    };
    for (Id first = 0; first < 1'000'000 && !shared(); first += 200)
        insert(words, 200, first);
    CHECK(shared());
    check_same(disk.crashed(), "words", answers_of(words));
}

TEST_CASE("without a log, what was not saved is lost and nothing else", "[durable]") {
    Disk disk;
    disk.options.sync = SyncMode::kOff;
    Database database = disk.open();
    Collection words = fill(database, "words", schema_of(HnswOptions{.m = 8}));
    CHECK(disk.crashed().open().list_collections().empty());
    database.checkpoint().check();
    const Answers saved = answers_of(words);
    insert(words, 20, 1'100);
    words.build_index().check();
    database.create_alias("later", "words").check();
    check_same(disk.crashed(), "words", saved);
    CHECK(disk.crashed().open().list_aliases().empty());
    const Answers last = answers_of(words);
    database.close().check();
    check_same(disk, "words", last);
    CHECK(disk.files_of(persist::FileKind::kLog).empty());

    SECTION("nothing is written beside a log that is there") {
        disk.options.sync = SyncMode::kEach;
        {
            Database again = disk.open();
            again.checkpoint().check();
        }
        REQUIRE(disk.files_of(persist::FileKind::kLog).size() == 1);
        disk.options.sync = SyncMode::kOff;
        static_cast<void>(disk.open());
        check_same(disk, "words", last);
    }
    SECTION("a log can begin later, and end") {
        disk.options.sync = SyncMode::kEach;
        {
            Database again = disk.open();
            Collection rows = again.collection("words").value();
            insert(rows, 5, 1'150);
        }
        disk.options.sync = SyncMode::kOff;
        const Database again = disk.open();
        CHECK(again.open_report().replayed_rows == 5);
        const Answers now = answers_of(again.collection("words").value());
        CHECK(now.count == last.count + 5);
        check_same(disk.crashed(), "words", now);
    }
}

TEST_CASE("a rebuild that did not end leaves nothing behind", "[durable]") {
    Disk disk;
    Database database = disk.open();
    Collection old = fill(database, "old", schema_of(FlatOptions{}));
    database.create_alias("live", "old").check();
    std::vector<Disk> images;
    const test::Matrix rows = test::normal_rows(100, kDim, 3);
    const auto ids = test::sequential_ids(100);
    std::size_t batch = 0;
    RebuildSource source;
    source.rows = 100;
    source.next = [&]() -> Result<RowBatch> {
        images.push_back(disk.crashed());
        if (batch++ > 0) return RowBatch();
        return RowBatch{ids, rows.view()};
    };
    const auto report = database.rebuild("live", source, {.name = "new"});
    report.status().check();
    images.push_back(disk.crashed());
    REQUIRE(images.size() == 3);
    for (std::size_t i = 0; i < images.size(); ++i) {
        const bool done = i + 1 == images.size();
        for (int again = 0; again < 2; ++again) {
            const Database opened = images[i].open();
            CHECK(opened.list_collections() == std::vector<std::string>{done ? "new" : "old"});
            CHECK(opened.collection("live").value().count() == (done ? 100 : old.count()));
            CHECK(opened.open_report().dropped_collections.size() == (done || again == 1 ? 0 : 1));
        }
    }
}

TEST_CASE("one writer at a time", "[durable]") {
    const Disk disk;
    {
        Database database = disk.open();
        Collection words = fill(database, "words", schema_of(FlatOptions{}));
        CHECK(disk.try_open().status().code() == StatusCode::kFailedPrecondition);
        // Readers need no lock.
        const Database reader = disk.open(OpenMode::kReadOnly);
        CHECK(reader.collection("words").value().count() == words.count());

        database.close().check();
        const Database next = disk.open();
        CHECK(words.count() == next.collection("words").value().count());
        CHECK(words.insert(Id{1}, test::normal_rows(1, kDim, 1).row(0)).code() ==
              StatusCode::kFailedPrecondition);
        CHECK(words.remove(Id{1}).status().code() == StatusCode::kFailedPrecondition);
        CHECK(words.create_partition("x").status().code() == StatusCode::kFailedPrecondition);
        CHECK(words.drop_partition("other").code() == StatusCode::kFailedPrecondition);
        CHECK(words.build_index().code() == StatusCode::kFailedPrecondition);
        CHECK(database.create_collection("x", schema_of(FlatOptions{})).status().code() ==
              StatusCode::kFailedPrecondition);
        CHECK(database.drop_collection("words").code() == StatusCode::kFailedPrecondition);
        CHECK(database.create_alias("x", "words").code() == StatusCode::kFailedPrecondition);
        CHECK(database.checkpoint().code() == StatusCode::kFailedPrecondition);
        CHECK(database.close().ok());
        CHECK(words.search(test::normal_rows(1, kDim, 1).row(0)).value().size() == 10);
    }
    CHECK(disk.open().list_collections() == std::vector<std::string>{"words"});
}

TEST_CASE("a handle keeps its database open", "[durable]") {
    const Disk disk;
    std::optional<Collection> words;
    {
        Database database = disk.open();
        words = fill(database, "words", schema_of(FlatOptions{}));
    }
    insert(*words, 10, 1'000);
    CHECK(disk.try_open().status().code() == StatusCode::kFailedPrecondition);
    const Answers answers = answers_of(*words);
    words.reset();
    check_same(disk, "words", answers);
}

TEST_CASE("what may be opened how", "[durable]") {
    const Disk disk;
    CHECK(disk.try_open(OpenMode::kOpen).status().code() == StatusCode::kNotFound);
    CHECK(disk.try_open(OpenMode::kReadOnly).status().code() == StatusCode::kNotFound);
    CHECK(disk.files->names().empty());
    CHECK(disk.try_open(OpenMode::kCreate).ok());
    CHECK(disk.try_open(OpenMode::kCreate).status().code() == StatusCode::kAlreadyExists);
    CHECK(disk.try_open(OpenMode::kOpen).ok());

    Database reader = disk.open(OpenMode::kReadOnly);
    const Status refused = reader.create_collection("x", Schema::single(2)).status();
    CHECK(refused.code() == StatusCode::kFailedPrecondition);
    CHECK_THAT(refused.message(), Contains("read only"));
    CHECK(reader.checkpoint().code() == StatusCode::kFailedPrecondition);
    CHECK(reader.close().ok());

    Database memory = Database::in_memory().value();
    CHECK(memory.checkpoint().code() == StatusCode::kFailedPrecondition);
    CHECK(memory.close().ok());
    CHECK(memory.create_collection("x", Schema::single(2)).ok());
}

TEST_CASE("options that cannot be are refused", "[durable]") {
    const auto refused = [](const OpenOptions& options, const std::string& why) {
        const Status status = options.validate();
        CHECK(status.code() == StatusCode::kInvalidArgument);
        CHECK_THAT(status.message(), Contains(why));
        CHECK(Database::open("nowhere/d", options).status().code() == StatusCode::kInvalidArgument);
    };
    using std::chrono::milliseconds;
    using std::chrono::seconds;
    CHECK(OpenOptions().validate().ok());
    refused({.mode = OpenMode{4}}, "mode is 4");
    refused({.sync = SyncMode{4}}, "sync is 4");
    refused({.verify = Verify{2}}, "verify is 2");
    refused({.locking = Locking{2}}, "locking is 2");
    refused({.sync_interval = milliseconds(0)}, "sync_interval is 0 ms");
    refused({.sync_interval = milliseconds(3'600'001)}, "sync_interval is 3600001 ms");
    CHECK(OpenOptions{.sync_interval = milliseconds(3'600'000)}.validate().ok());
    refused({.checkpoint_bytes = 65'535}, "checkpoint_bytes is 65535");
    CHECK(OpenOptions{.checkpoint_bytes = 65'536}.validate().ok());
    CHECK(OpenOptions{.checkpoint_bytes = 0}.validate().ok());
    refused({.keep_replaced = seconds(-1)}, "keep_replaced is -1 s");
    refused({.keep_replaced = seconds(86'401)}, "keep_replaced is 86401 s");
    refused({.run = {.threads = 2'000}}, "threads is 2000");
}

TEST_CASE("after a failed write nothing is written, and reads go on", "[durable]") {
    Disk disk;
    Database database = disk.open();
    Collection words = fill(database, "words", schema_of(FlatOptions{}));
    const Answers before = answers_of(words);
    disk.files->refuse_writes(true);
    const auto row = test::normal_rows(1, kDim, 1);
    const Status first = words.insert(Id{2'000}, row.row(0));
    CHECK(first.code() == StatusCode::kIoError);
    disk.files->refuse_writes(false);
    const Status second = words.insert(Id{2'001}, row.row(0));
    CHECK(second.code() == StatusCode::kIoError);
    CHECK(second.message() == first.message());
    CHECK(words.remove(Id{1}).status().code() == StatusCode::kIoError);
    CHECK(database.create_alias("x", "words").code() == StatusCode::kIoError);
    CHECK(database.checkpoint().code() == StatusCode::kIoError);
    CHECK(words.build_index().code() == StatusCode::kIoError);
    CHECK(answers_of(words) == before);
    check_same(disk.crashed(), "words", before);
    CHECK(database.close().code() == StatusCode::kIoError);
    check_same(disk, "words", before);
}

TEST_CASE("a torn end of the log is not used, and stays", "[durable]") {
    const Disk disk;
    Database database = disk.open();
    Collection words = fill(database, "words", schema_of(FlatOptions{}));
    const Answers before = answers_of(words);
    const std::string log = disk.files_of(persist::FileKind::kLog).back();
    const std::size_t size = disk.files->bytes(log).size();
    insert(words, 20, 1'000);
    for (std::size_t cut = size; cut < disk.files->bytes(log).size(); cut += 7) {
        const Disk crashed = disk.crashed();
        crashed.files->bytes(log).resize(cut);
        {
            Database opened = crashed.open();
            CHECK(opened.open_report().torn_bytes == cut - size);
            Collection found = opened.collection("words").value();
            CHECK(answers_of(found) == before);
            insert(found, 3, 1'100);
        }
        CHECK(crashed.files->bytes(log).size() >= cut);
        const Database again = crashed.open();
        CHECK(again.open_report().clean);
        CHECK(again.collection("words").value().count() == before.count + 3);
    }
}

TEST_CASE("damage of a closed log is no torn end", "[durable]") {
    const Disk disk;
    {
        Database database = disk.open();
        fill(database, "words", schema_of(FlatOptions{}));
        database.close().check();
    }
    const Disk damaged = disk.crashed();
    damaged.files->bytes(damaged.files_of(persist::FileKind::kLog).back()).pop_back();
    for (int again = 0; again < 2; ++again) {
        const Status status = damaged.try_open().status();
        CHECK(status.code() == StatusCode::kCorruption);
        CHECK(damaged.try_open(OpenMode::kReadOnly).status().code() == StatusCode::kCorruption);
    }
}

TEST_CASE("an opening that fails leaves the database as it was", "[durable]") {
    const auto files = std::make_shared<StorageOfLogs>();
    Disk disk;
    Database database = disk.open();
    const Answers before = answers_of(fill(database, "words", schema_of(FlatOptions{})));
    for (const std::string& name : disk.files->names())
        files->bytes(name) = disk.files->content(name);
    const std::string log = disk.files_of(persist::FileKind::kLog).back();
    disk.files = files;
    disk.options.storage = files;
    SECTION("after a whole record") {}
    SECTION("after a torn one") {
        files->bytes(log).resize(files->bytes(log).size() + 5);
    }
    files->refuse_logs = true;
    for (int again = 0; again < 2; ++again)
        CHECK(disk.try_open().status().code() == StatusCode::kIoError);
    files->refuse_logs = false;
    check_same(disk, "words", before);
}

TEST_CASE("a damaged index is done without", "[durable]") {
    const Disk disk;
    std::optional<Answers> before;
    {
        Database database = disk.open();
        Collection words =
            database.create_collection("words", schema_of(HnswOptions{.m = 8})).value();
        insert(words, 500, 0);
        words.build_index().check();
        before = answers_of(words);
        database.close().check();
    }
    const std::string index = disk.files_of(persist::FileKind::kIndex).front();
    SECTION("damaged") {
        disk.files->bytes(index)[200] ^= std::byte{4};
    }
    SECTION("missing") {
        disk.files->remove(index).check();
    }
    const Database database = disk.open();
    REQUIRE(database.open_report().damage.size() == 1);
    CHECK_THAT(database.open_report().damage.front(), Contains(index));
    const Collection words = database.collection("words").value();
    CHECK(words.stats().index_bytes == 0);
    const auto query = test::normal_rows(1, kDim, 99);
    CHECK(test::identical(words.search(query.row(0), {.k = 20}).value(),
                          words.search(query.row(0), {.k = 20, .exact = true}).value()));
}

TEST_CASE("a segment that is damaged costs its partition only", "[durable]") {
    Disk disk;
    std::optional<Answers> whole;
    {
        Database database = disk.open();
        Collection words = fill(database, "words", schema_of(HnswOptions{.m = 8}));
        fill(database, "others", schema_of(HnswOptions{.m = 8}));
        whole = answers_of(database.collection("others").value());
        words.insert(Id{6'000}, test::normal_rows(1, kDim, 6).row(0)).check();
    }
    const std::string rows = disk.files_of(persist::FileKind::kRows).front();
    const bool missing = GENERATE(false, true);
    if (missing) {
        disk.files->remove(rows).check();
    } else {
        disk.files->bytes(rows)[300] ^= std::byte{4};
    }
    const auto query = test::normal_rows(1, kDim, 99);
    const auto mode = GENERATE(OpenMode::kReadOnly, OpenMode::kOpen);
    for (int again = 0; again < 2; ++again) {
        Database database = disk.open(mode);
        REQUIRE(database.open_report().damage.size() == 1);
        CHECK_THAT(database.open_report().damage.front(), Contains(rows));
        CHECK(answers_of(database.collection("others").value()) == *whole);
        Collection words = database.collection("words").value();
        const Partition lost = words.partition("default").value();
        const Partition other = words.partition("other").value();
        CHECK(words.search(query.row(0)).status().code() == StatusCode::kCorruption);
        CHECK(words.search(query.view()).status().code() == StatusCode::kCorruption);
        CHECK(words.search_async(query.row(0)).get().status().code() == StatusCode::kCorruption);
        CHECK(words.range_search(query.row(0), 1.0F).status().code() == StatusCode::kCorruption);
        CHECK(lost.search(query.row(0)).status().code() == StatusCode::kCorruption);
        SearchOptions partial{.k = 2'000};
        partial.allow_partial = true;
        CHECK(words.search(query.row(0), partial).value().size() == words.count());
        CHECK(other.search(query.row(0)).value().size() == 10);
        CHECK(words.search(query.row(0), {.partitions = {"other"}}).ok());
        // Whether an id is there that was not found, nobody can tell.
        CHECK(words.get(Id{450}).value().found[0]);
        CHECK(words.get(Id{0}).status().code() == StatusCode::kCorruption);
        CHECK_FALSE(other.get(Id{0}).value().found[0]);
        CHECK(words.health().value().damaged_segments == 1);

        const Status refused = words.insert(Id{9'000}, query.row(0));
        CHECK(refused.code() == StatusCode::kCorruption);
        CHECK(words.flush().code() == StatusCode::kCorruption);
        if (mode == OpenMode::kReadOnly) continue;
        // Others go on, and a checkpoint does not lose what only the log has.
        Collection others = database.collection("others").value();
        others.upsert(Id{1}, query.row(0)).check();
        whole = answers_of(others);
        database.checkpoint().check();
        CHECK(database.snapshot_to("copy").code() == StatusCode::kCorruption);
        CHECK(words.get(Id{6'000}).value().found[0]);
    }
}

TEST_CASE("a snapshot is a database", "[durable]") {
    Disk disk;
    disk.options.sync = GENERATE(SyncMode::kEach, SyncMode::kOff);
    Database database = disk.open();
    Collection words = fill(database, "words", schema_of(HnswOptions{.m = 8}));
    database.create_alias("live", "words").check();
    database.snapshot_to("copy").check();
    const Answers then = answers_of(words);
    insert(words, 100, 1'000);
    words.build_index().check();
    database.checkpoint().check();
    OpenOptions options = disk.options;
    options.mode = OpenMode::kOpen;
    {
        Database copy = Database::open("copy", options).value();
        CHECK(copy.open_report().clean);
        CHECK(copy.open_report().replayed_records == 0);
        Collection live = copy.collection("live").value();
        CHECK(answers_of(live) == then);
        insert(live, 10, 2'000);
        copy.close().check();
    }
    CHECK(database.snapshot_to("copy").code() == StatusCode::kAlreadyExists);
    CHECK(Database::open("copy", options).value().collection("words").value().count() ==
          then.count + 10);
    Database memory = Database::in_memory().value();
    CHECK(memory.snapshot_to("m").code() == StatusCode::kFailedPrecondition);
}

TEST_CASE("a snapshot that did not end is no database", "[durable]") {
    Disk disk;
    Database database = disk.open();
    fill(database, "words", schema_of(HnswOptions{.m = 8}));
    database.snapshot_to("copy").check();
    disk.files->remove("copy/CURRENT").check();
    OpenOptions options = disk.options;
    CHECK(Database::open("copy", options).status().code() == StatusCode::kCorruption);
    options.mode = OpenMode::kReadOnly;
    CHECK(Database::open("copy", options).status().code() == StatusCode::kNotFound);
}

TEST_CASE("a database is restored, if every byte of it is right", "[durable]") {
    const Disk disk;
    std::optional<Answers> answers;
    {
        Database database = disk.open();
        answers = answers_of(fill(database, "words", schema_of(HnswOptions{.m = 8})));
        database.checkpoint().check();
        Collection words = database.collection("words").value();
        insert(words, 9, 1'000);
        answers = answers_of(words);
        if (GENERATE(false, true)) database.close().check();
        // Not closed: as if its process had ended.
        const Disk crashed = disk.crashed();
        Database::restore("d", "restored", crashed.options).check();
        OpenOptions options = crashed.options;
        options.mode = OpenMode::kOpen;
        const Database restored = Database::open("restored", options).value();
        CHECK(restored.open_report().clean);
        CHECK(answers_of(restored.collection("words").value()) == *answers);
        CHECK(Database::restore("d", "restored", crashed.options).code() ==
              StatusCode::kAlreadyExists);
        CHECK(Database::restore("nothing", "other", crashed.options).code() ==
              StatusCode::kNotFound);
    }
    for (const auto kind : {persist::FileKind::kRows, persist::FileKind::kIndex}) {
        const Disk damaged = disk.crashed();
        damaged.files->bytes(damaged.files_of(kind).front())[1'000] ^= std::byte{1};
        CHECK(Database::restore("d", "restored", damaged.options).code() ==
              StatusCode::kCorruption);
        CHECK(damaged.files->list("restored").value().empty());
    }
}

TEST_CASE("a reader moves on when it wants to", "[durable]") {
    Disk disk;
    disk.options.keep_replaced = std::chrono::seconds(0);
    disk.options.verify = GENERATE(Verify::kFull, Verify::kLazy);
    Database writer = disk.open();
    Collection words = fill(writer, "words", schema_of(HnswOptions{.m = 8}));
    writer.create_alias("live", "words").check();
    Database reader = disk.open(OpenMode::kReadOnly);
    const Collection first = reader.collection("live").value();
    const Answers then = answers_of(words);
    CHECK_FALSE(reader.refresh().value());

    insert(words, 10, 1'000);
    CHECK(answers_of(reader.collection("live").value()) == then);
    CHECK(reader.refresh().value());
    CHECK(answers_of(reader.collection("live").value()) == answers_of(words));
    CHECK(answers_of(first) == then);
    CHECK_FALSE(reader.refresh().value());

    words.build_index().check();
    writer.checkpoint().check();
    Collection next = fill(writer, "next", schema_of(HnswOptions{.m = 8}));
    writer.move_alias("live", "next").check();
    writer.drop_collection("words").check();
    writer.checkpoint().check();
    writer.checkpoint().check();
    CHECK(reader.refresh().value());
    CHECK(reader.list_collections() == std::vector<std::string>{"next"});
    CHECK(answers_of(reader.collection("live").value()) == answers_of(next));
    CHECK(answers_of(first) == then);
    CHECK(writer.refresh().status().code() == StatusCode::kFailedPrecondition);

    // Whatever happens to the files, the reader stays where it is.
    const std::string current = "d/CURRENT";
    const auto bytes = disk.files->bytes(current);
    disk.files->bytes(current)[70] ^= std::byte{1};
    CHECK(reader.refresh().status().code() == StatusCode::kCorruption);
    CHECK(answers_of(reader.collection("live").value()) == answers_of(next));
    disk.files->bytes(current) = bytes;
    CHECK_FALSE(reader.refresh().value());
}

TEST_CASE("what did not change is not read again", "[durable]") {
    const Disk disk;
    Database writer = disk.open();
    Collection words = fill(writer, "words", schema_of(HnswOptions{.m = 8}));
    Database reader = disk.open(OpenMode::kReadOnly);
    const auto query = test::normal_rows(1, kDim, 99);
    std::size_t tested = 0;
    const Filter filter = Filter::where([&](Id) { return ++tested != 0; });
    CHECK(reader.collection("words").value().count(filter).value() == words.count());
    CHECK(tested >= words.count());
    tested = 0;
    insert(words, 10, 1'000);
    CHECK(reader.refresh().value());
    CHECK(reader.collection("words").value().count(filter).value() == words.count());
    // A filter remembers its rows by segment: those of sealed ones are the same.
    CHECK(tested < 200);
}

TEST_CASE("a collection may be checked when it is first asked for", "[durable]") {
    Disk disk;
    std::optional<Answers> answers;
    {
        Database database = disk.open();
        Collection words = fill(database, "words", schema_of(HnswOptions{.m = 8}));
        fill(database, "others", schema_of(HnswOptions{.m = 8}));
        answers = answers_of(words);
        database.checkpoint().check();
        database.close().check();
    }
    disk.options.verify = Verify::kLazy;
    SECTION("all is well") {
        Database database = disk.open();
        Collection words = database.collection("words").value();
        CHECK(answers_of(words) == *answers);
        // What was not asked for stays as it is.
        database.checkpoint().check();
        insert(words, 5, 3'000);
        words.flush().check();
        database.checkpoint().check();
        database.checkpoint().check();
        const Database again = disk.crashed().open();
        CHECK(again.open_report().damage.empty());
        CHECK(answers_of(again.collection("others").value()).count > 600);
        CHECK(again.collection("words").value().count() == answers->count + 5);
    }
    SECTION("rows are damaged") {
        for (const std::string& rows : disk.files_of(persist::FileKind::kRows))
            disk.files->bytes(rows)[1'000] ^= std::byte{4};
        Database database = disk.open();
        CHECK(database.open_report().damage.empty());
        CHECK(database.list_collections().size() == 2);
        Collection words = database.collection("words").value();
        CHECK(words.health().value().damaged_segments == 2);
        const auto query = test::normal_rows(1, kDim, 99);
        CHECK(words.search(query.row(0)).status().code() == StatusCode::kCorruption);
        CHECK(words.insert(Id{9'000}, query.row(0)).code() == StatusCode::kCorruption);
    }
    SECTION("names need no rows") {
        Database database = disk.open();
        database.create_alias("live", "words").check();
        database.drop_collection("others").check();
        database.checkpoint().check();
        const Database again = disk.crashed().open();
        CHECK(again.list_collections() == std::vector<std::string>{"words"});
        CHECK(answers_of(again.collection("live").value()) == *answers);
    }
}

TEST_CASE("sealed rows that do not fit are used in their files", "[durable]") {
    Disk disk;
    // Enough for the rows of one of the two partitions.
    const auto [budget, most] = GENERATE(table<std::uint64_t, std::size_t>(
        {{0, 1'000'000}, {1, 0}, {400 * (4 * kDim + 12), 400 * (4 * kDim + 12)}}));
    disk.options.memory_budget = budget;
    disk.options.sync = SyncMode::kOs;
    Database database = disk.open();
    Collection words = fill(database, "words", schema_of(HnswOptions{.m = 8}));
    words.build_index().check();
    words.build_index().check();
    const Health health = words.health().value();
    CHECK(health.mapped_bytes + most >= 690 * (4 * kDim + 12));
    CHECK((health.mapped_bytes == 0) == (budget == 0));
    check_same(disk.crashed(), "words", answers_of(words));
}

namespace {

/// A closed database of segments, growing rows and a log, and what it answers.
struct Sound {
    Disk disk;
    std::optional<Answers> answers;

    Sound() {
        Database database = disk.open();
        Collection words = fill(database, "words", schema_of(HnswOptions{.m = 8}));
        database.create_alias("live", "words").check();
        database.checkpoint().check();
        insert(words, 20, 1'000);
        words.remove(Id{700}).status().check();
        answers = answers_of(words);
        database.close().check();
    }
    [[nodiscard]] VerifyReport verify() const {
        return Database::verify("d", disk.options).value();
    }
    [[nodiscard]] RepairReport repair() const {
        return Database::repair("d", disk.options).value();
    }
    /// Return the bytes that lie in the folder of what was set aside.
    [[nodiscard]] std::size_t aside() const { return disk.files->list("d/damaged").value().size(); }
};

}  // namespace

TEST_CASE("a sound database is found sound, and repair changes nothing", "[durable][repair]") {
    const Sound sound;
    const VerifyReport report = sound.verify();
    CHECK(report.sound());
    // CURRENT, manifest, log, two segments with their indexes, growing rows.
    CHECK(report.files == 8);
    std::uint64_t bytes = 0;
    for (const std::string& name : sound.disk.files->list("d").value()) {
        const bool counted = name != "LOCK";
        bytes += counted ? sound.disk.files->bytes("d/" + name).size() : 0;
    }
    CHECK(report.bytes <= bytes);
    const auto before = sound.disk.files->names();
    const RepairReport repaired = sound.repair();
    CHECK(repaired.set_aside.empty());
    CHECK(repaired.lost.empty());
    CHECK(repaired.rebuilt_indexes == 0);
    auto after = sound.disk.files->names();
    std::erase(after, "d/LOCK");
    auto wanted = before;
    std::erase(wanted, "d/LOCK");
    CHECK(after == wanted);
    CHECK(Database::verify("nothing", sound.disk.options).status().code() == StatusCode::kNotFound);
    CHECK(Database::repair("nothing", sound.disk.options).status().code() == StatusCode::kNotFound);
    const Database open = sound.disk.open();
    CHECK(Database::repair("d", sound.disk.options).status().code() ==
          StatusCode::kFailedPrecondition);
    CHECK(sound.verify().sound());
}

TEST_CASE("a damaged index is found and built again", "[durable][repair]") {
    const Sound sound;
    const std::string index = sound.disk.files_of(persist::FileKind::kIndex).front();
    const bool missing = GENERATE(false, true);
    if (missing) {
        sound.disk.files->remove(index).check();
    } else {
        sound.disk.files->bytes(index)[300] ^= std::byte{1};
    }
    const VerifyReport report = sound.verify();
    REQUIRE(report.damage.size() == 1);
    CHECK(report.damage.front().file == index);
    if (!missing) {
        CHECK_FALSE(report.damage.front().section.empty());
        CHECK(report.damage.front().offset >= 64);
    }
    const RepairReport repaired = sound.repair();
    CHECK(repaired.rebuilt_indexes == 1);
    CHECK(repaired.lost.empty());
    CHECK(repaired.set_aside.size() == (missing ? 0 : 1));
    CHECK(sound.verify().sound());
    const Database database = sound.disk.open();
    CHECK(database.open_report().damage.empty());
    const Collection live = database.collection("live").value();
    CHECK(live.stats().index_bytes > 0);
    CHECK(answers_of(live).vectors == sound.answers->vectors);
}

TEST_CASE("what can be read of damaged rows is kept", "[durable][repair]") {
    Disk disk;
    disk.options.sync = SyncMode::kOs;
    constexpr std::size_t kRows = 60'000;  // vectors of several blocks
    std::optional<std::vector<float>> vectors;
    {
        Database database = disk.open();
        Collection words = database.create_collection("words", schema_of(FlatOptions{})).value();
        insert(words, kRows, 0);
        words.build_index().check();
        database.checkpoint().check();
        // Later writes count, whatever is found in the file.
        CHECK(words.remove(test::sequential_ids(10)).value() == 10);
        words.upsert(test::sequential_ids(10, 100), test::normal_rows(10, kDim, 8).view()).check();
        vectors = test::floats(words.get(test::sequential_ids(kRows)).value());
    }
    const std::string rows = disk.files_of(persist::FileKind::kRows).front();
    const std::size_t at = GENERATE(std::size_t{1} << 20U, std::size_t{500});
    disk.files->bytes(rows)[at + 2'000] ^= std::byte{16};
    CHECK(Database::verify("d", disk.options).value().damage.front().section == "vectors");
    const RepairReport repaired = Database::repair("d", disk.options).value();
    CHECK(repaired.lost.size() == 1);
    CHECK(repaired.set_aside.size() == 1);
    CHECK(repaired.saved_rows > kRows / 2);
    CHECK(repaired.saved_rows < kRows);
    CHECK(Database::verify("d", disk.options).value().sound());
    Database database = disk.open();
    CHECK(database.open_report().damage.empty());
    Collection words = database.collection("words").value();
    CHECK(words.count() >= repaired.saved_rows - 20);
    const FetchedRows found = words.get(test::sequential_ids(kRows)).value();
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < kRows; ++i) {
        const auto row = found.row(i);
        const bool same = std::equal(row.begin(), row.end(), vectors->data() + i * kDim);
        wrong += found.found[i] && (!same || i < 10) ? 1U : 0U;
    }
    CHECK(wrong == 0);
    insert(words, 1, 1'000'000);
}

TEST_CASE("a database without CURRENT is found again", "[durable][repair]") {
    const Sound sound;
    SECTION("missing") {
        sound.disk.files->remove("d/CURRENT").check();
    }
    SECTION("damaged") {
        sound.disk.files->bytes("d/CURRENT")[70] ^= std::byte{1};
        CHECK(sound.verify().damage.front().file == "d/CURRENT");
    }
    CHECK_FALSE(sound.disk.try_open().ok());
    const RepairReport repaired = sound.repair();
    CHECK(repaired.lost.size() == 1);
    CHECK(sound.verify().sound());
    CHECK(answers_of(sound.disk.open().collection("live").value()) == *sound.answers);
}

TEST_CASE("a damaged log is used up to the damage", "[durable][repair]") {
    const Sound sound;
    const std::string log = sound.disk.files_of(persist::FileKind::kLog).back();
    const std::size_t count = sound.answers->count;
    SECTION("in its last record") {
        sound.disk.files->bytes(log).back() ^= std::byte{1};
    }
    SECTION("its last bytes are missing") {
        sound.disk.files->bytes(log).pop_back();
    }
    CHECK(sound.verify().damage.front().file == log);
    const RepairReport repaired = sound.repair();
    CHECK(repaired.lost.size() == 1);
    CHECK(repaired.set_aside == std::vector<std::string>{"d/damaged/" + log.substr(2)});
    CHECK(sound.verify().sound());
    Database database = sound.disk.open();
    Collection live = database.collection("live").value();
    CHECK(live.count() == count + 1);  // the removal is lost
    insert(live, 1, 1'000'000);
}

TEST_CASE("damaged growing rows are given up", "[durable][repair]") {
    const Sound sound;
    const std::string growing = sound.disk.files_of(persist::FileKind::kGrowing).front();
    sound.disk.files->bytes(growing)[100] ^= std::byte{1};
    CHECK(sound.verify().damage.front().section == "shared");
    const RepairReport repaired = sound.repair();
    CHECK_FALSE(repaired.lost.empty());
    CHECK(sound.aside() == 1);
    CHECK(sound.verify().sound());
    Database database = sound.disk.open();
    Collection live = database.collection("live").value();
    CHECK(live.count() < sound.answers->count);
    CHECK(live.count() > 600);
    CHECK(live.get(Id{1'010}).value().found[0]);
    insert(live, 1, 1'000'000);
}

TEST_CASE("the same writes make the same files, whatever the number of threads", "[durable]") {
    const IndexOptions index = GENERATE(
        values<IndexOptions>({FlatOptions{}, HnswOptions{.m = 8}, IvfOptions{.nlist = 10}}));
    std::vector<std::vector<std::vector<std::byte>>> databases;
    for (const std::size_t threads : {1U, 1U, 2U}) {
        Disk disk;
        disk.options.run.threads = threads;
        Database database = disk.open();
        Collection words = database.create_collection("words", schema_of(index)).value();
        insert(words, 3'000, 0);
        words.build_index({.threads = threads}).check();
        insert(words, 40, 5'000);
        words.remove(test::sequential_ids(9, 20)).status().check();
        database.checkpoint().check();
        // The sections: headers differ in the id of the database.
        const auto read = persist::read_catalogue(*disk.files, "d").value();
        persist::FileSet files(
            disk.files, "d", read.current.database, persist::Access::kRead, read.catalogue.files());
        auto& sections = databases.emplace_back();
        for (const auto& [number, about] : read.catalogue.files()) {
            const auto file = files.open(number).value();
            for (const persist::Section& section : file->sections()) {
                const auto bytes = file->read(section.name).value();
                sections.emplace_back(bytes.begin(), bytes.end());
            }
        }
    }
    CHECK(databases[0].size() > 5);
    CHECK(databases[0] == databases[1]);
    CHECK(databases[0] == databases[2]);
}

TEST_CASE("numbers of writes do not go back", "[durable]") {
    const Disk disk;
    std::uint64_t last = 0;
    for (Id round = 0; round < 6; ++round) {
        Database database = disk.open();
        Collection words =
            round == 0 ? database.create_collection("words", schema_of(FlatOptions{})).value()
                       : database.collection("words").value();
        CHECK(words.sequence() >= last);
        insert(words, 3, 10 * round);
        insert(words, 3, 10 * round + 5);
        last = words.sequence();
        if (round % 2 == 1) database.checkpoint().check();
    }
}

}  // namespace vecdb
