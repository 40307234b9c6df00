// Everything at once: writers, readers, pins, flushes, rebuilds behind an alias, partitions and
// collections that come and go, in memory and on disk, there with checkpoints, snapshots and
// readers of the files. VECDB_STRESS_SECONDS says for how long each, 2 if not set.

#include "support/catch.h"
#include "support/collections.h"
#include "support/memory_storage.h"

#include <vecdb/database.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace vecdb {
namespace {

constexpr std::size_t kDim = 8;
constexpr std::size_t kGroups = 60;     // written as a whole, and seen as a whole
constexpr std::size_t kGroupRows = 20;  // ids of a group follow each other
constexpr std::size_t kNumbers = 1'000;
const std::vector<std::string> kFields = {"number", "text", "second"};

Schema schema(std::size_t seal_rows) {
    Schema schema = Schema::single(kDim);
    schema.vectors[0].index = HnswOptions{.m = 4, .ef_construction = 16};
    schema.vectors.push_back(schema.vectors[0]);  // has the same vectors, in another order
    schema.vectors[1].name = "second";
    schema.segments = {.seal_rows = seal_rows, .merge_segments = 2};
    schema.scalars = {{.name = "number", .type = ScalarType::kInt64, .fallback = std::int64_t{0}},
                      {.name = "text", .type = ScalarType::kString, .nullable = true}};
    return schema;
}

std::string text_of(std::size_t number) {
    return number % 10 == 0 ? "ten" : "text " + std::to_string(number);
}

std::vector<Id> ids_of(std::size_t group) {
    return test::sequential_ids(kGroupRows, static_cast<Id>(group * kGroupRows));
}

/// One thread of the stress and what went wrong in it.
class Worker {
  public:
    Worker(Database& database, const OpenOptions& files, std::uint64_t seed)
        : database_(database), files_(files), random_(seed) {}

    void write();
    void read();
    void page();
    void pin();
    void maintain();
    void rebuild();
    void come_and_go();
    /// On disk only.
    void save();
    void read_files();

    [[nodiscard]] const std::vector<std::string>& faults() const { return faults_; }
    [[nodiscard]] std::size_t steps() const { return steps_; }
    void count_step() { ++steps_; }

  private:
    std::size_t below(std::size_t limit) { return random_() % limit; }
    Collection live() { return database_.collection("live").value(); }
    std::vector<float> query() {
        std::vector<float> query(kDim);
        for (float& value : query)
            value = static_cast<float>(below(kNumbers));
        return query;
    }

    void expect(bool right, const std::string& what) {
        if (!right && faults_.size() < 10) faults_.push_back(what);
    }
    /// Accept a failure only if it has one of the codes.
    void expect(const Status& status, std::initializer_list<StatusCode> allowed) {
        const bool known =
            status.ok() ||
            std::find(allowed.begin(), allowed.end(), status.code()) != allowed.end();
        expect(known, status.to_string());
    }

    Result<Partition> partition(Collection& collection, const std::string& name) {
        auto found = collection.partition(name);
        if (!found.ok()) found = collection.create_partition(name);
        return found.ok() ? found : collection.partition(name);
    }
    void check_group(const ReadHandle& rows);
    void check_pin(const Pin& pin);

    Database& database_;
    const OpenOptions& files_;
    std::mt19937_64 random_;
    std::vector<std::string> faults_;
    std::size_t steps_ = 0;
};

/// A group has all of its rows, each with the same number in every place, or none.
void Worker::check_group(const ReadHandle& rows) {
    const FetchedRows fetched = rows.get(ids_of(below(kGroups)), kFields).value();
    const auto values = fetched.elements();
    expect(std::all_of(fetched.found.begin(),
                       fetched.found.end(),
                       [&](bool found) { return found == fetched.found[0]; }),
           "half a group is there");
    expect(
        std::all_of(values.begin(), values.end(), [&](float value) { return value == values[0]; }),
        "a group has rows of two writes");
    if (!fetched.found[0]) return;
    const auto second = fetched.vectors[0].elements();
    expect(std::equal(values.begin(), values.end(), second.begin(), second.end()),
           "a group has vectors of two writes");
    const auto number = static_cast<std::size_t>(values[0]);
    for (std::size_t i = 0; i < kGroupRows; ++i) {
        expect(fetched.columns[0].values[i] == Scalar(static_cast<std::int64_t>(number)) &&
                   fetched.columns[1].values[i] == Scalar(text_of(number)),
               "values of another write");
    }
}

void Worker::write() {
    Collection collection = live();
    const std::size_t group = below(kGroups);
    const std::vector<Id> ids = ids_of(group);
    // A collection that was replaced since takes no more writes.
    const std::initializer_list<StatusCode> replaced = {StatusCode::kFailedPrecondition};
    if (below(6) == 0) {
        const auto removed = collection.remove(ids);
        expect(removed.status(), replaced);
        expect(!removed.ok() || *removed == 0 || *removed == kGroupRows,
               "half a group was removed");
        return;
    }
    const std::size_t number = below(kNumbers);
    const std::vector<float> rows(kGroupRows * kDim, static_cast<float>(number));
    const MatrixView vectors(rows.data(), kGroupRows, kDim);
    const std::vector<std::int64_t> numbers(kGroupRows, static_cast<std::int64_t>(number));
    const std::vector<std::string> texts(kGroupRows, text_of(number));
    const std::vector<ColumnView> columns = {
        {"number", numbers}, {"text", texts}, {"second", vectors}};
    if (below(3) == 0) {
        expect(collection.upsert(ids, vectors, columns), replaced);
        return;
    }
    auto into = partition(collection, "p" + std::to_string(below(3)));
    // Others drop partitions now and then.
    if (!into.ok()) return;
    expect(into->upsert(ids, vectors, columns),
           {StatusCode::kNotFound, StatusCode::kFailedPrecondition});
}

void Worker::read() {
    const Collection collection = live();
    check_group(collection);
    const std::vector<float> near = query();
    const std::size_t k = 1 + below(50);
    const Hits hits = collection.search(near, {.k = k, .ef = 50}).value();
    expect(hits.size() <= k, "too many hits");
    expect(std::is_sorted(hits.begin(),
                          hits.end(),
                          [](const Hit& a, const Hit& b) {
                              return a.score != b.score ? a.score < b.score : a.id < b.id;
                          }),
           "hits out of order");
    const auto of_group = [](Id id) {
        return id / static_cast<Id>(kGroupRows) == 7;
    };
    const Hits some =
        collection.search(near, {.k = 100, .filter = Filter::where(of_group)}).value();
    expect(some.empty() || some.size() == kGroupRows, "half a group was found");
    // All threads share what this filter remembers.
    static const Filter seventh = Filter::where(of_group);
    const Hits others =
        collection.search(near, {.k = 100, .field = "second", .filter = seventh}).value();
    expect(others.empty() || others.size() == kGroupRows, "half a group was found by the second");
    const Hits both = collection
                          .hybrid_search({{near, {.k = k}}, {near, {.k = k, .field = "second"}}},
                                         WeightedFusionOptions{.k = k})
                          .value();
    expect(both.size() <= k, "too many hits of both");
    const Filter by_value = field("number") < static_cast<std::int64_t>(below(kNumbers)) &&
                            (field("text") == "ten" || field("text").like("%7"));
    expect(collection.count(by_value).value() % kGroupRows == 0, "half a group has its values");
    expect(collection.health().value().background_error.ok(), "the background failed");
}

/// Rows of one moment are read page by page, and by groups, while others write.
void Worker::page() {
    const Collection collection = live();
    const std::vector<float> near = query();
    SearchCursor cursor = collection.cursor(near).value();
    std::vector<Id> ids;
    while (!cursor.done()) {
        for (const Hit& hit : cursor.next(1 + below(200)).value())
            ids.push_back(hit.id);
    }
    std::sort(ids.begin(), ids.end());
    expect(std::adjacent_find(ids.begin(), ids.end()) == ids.end(), "a row is in two pages");
    expect(ids.size() % kGroupRows == 0, "the pages have half a group");

    SearchReport report;
    const SearchOptions by_text{.k = 30, .group_by = "text", .report = &report};
    const std::vector<std::string> text = {"text"};
    const FoundRows found = collection.find(near, by_text, text).value();
    std::set<Scalar> texts(found.columns[0].values.begin(), found.columns[0].values.end());
    expect(texts.size() == found.hits.size(), "two hits have one text");
    expect(report.hits == found.hits.size(), "a report of other hits");
}

void Worker::check_pin(const Pin& pin) {
    const std::vector<float> near = query();
    const SearchOptions all{.k = kGroups * kGroupRows + 100, .ef = 64};
    const Hits first = pin.search(near, all).value();
    expect(first.size() == pin.count(), "a pin's search misses rows");
    expect(pin.count() % kGroupRows == 0, "a pin has half a group");
    check_group(pin);
    std::this_thread::sleep_for(std::chrono::milliseconds(below(5)));
    expect(test::identical(first, pin.search(near, all).value()), "a pin changed its answer");
    SearchOptions second = all;
    second.field = "second";
    expect(pin.search(near, second).value().size() == pin.count(), "a pin misses second vectors");
}

void Worker::pin() {
    Collection collection = live();
    check_pin(collection.pin());
    if (below(10) == 0) {
        const bool keep = below(2) == 0;
        expect(collection.set_retention(
                   {.window = std::chrono::seconds(keep ? 1 : 0), .max_writes = 50}),
               {});
    }
    const std::uint64_t now = collection.sequence();
    const auto then = collection.pin(Moment(now - std::min<std::uint64_t>(now, below(40))));
    expect(then.status(), {StatusCode::kNotFound});
    if (then.ok()) check_pin(*then);
}

void Worker::maintain() {
    Collection collection = live();
    // Only one caller at a time may rewrite.
    const std::initializer_list<StatusCode> busy = {StatusCode::kFailedPrecondition,
                                                    StatusCode::kNotFound};
    switch (below(4)) {
        case 0:
            expect(collection.build_index({.threads = 2}), busy);
            break;
        case 1:
            expect(collection.flush({.threads = 1}), busy);
            break;
        default:
            if (auto part = collection.partition("p" + std::to_string(below(3))); part.ok()) {
                expect(part->flush({.threads = 1}), busy);
            }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(below(10)));
}

/// Rebuild from a pin of the rows that are there, and carry over what comes meanwhile.
void Worker::rebuild() {
    const Pin pin = live().pin();
    std::size_t group = 0;
    FetchedRows batch;
    std::vector<ColumnView> columns;
    std::vector<Id> ids;
    const RebuildSource source{
        .rows = pin.count(), .next = [&]() -> Result<RowBatch> {
            for (; group < kGroups; ++group) {
                ids = ids_of(group);
                batch = pin.get(ids, kFields).value();
                if (!batch.found[0]) continue;
                columns.clear();
                for (const ScalarColumn& column : batch.columns)
                    columns.emplace_back(column.field, std::span<const Scalar>(column.values));
                for (const FetchedVectors& column : batch.vectors)
                    columns.emplace_back(column.field, column.view());
                return RowBatch{ids, batch.view(), group++ % 2 == 0 ? "p1" : "", columns};
            }
            return RowBatch{};
        }};
    RebuildOptions options;
    options.carry_over = true;
    options.warm_up_queries = 10;
    options.guards = {.min_recall = 0.1, .queries = 10};
    options.control.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    if (below(4) == 0) options.guards.source = {.rows = 0, .part = 0.0};
    const auto report = database_.rebuild("live", source, options);
    // Writes between the pin and the rebuild make the source the older; a guard may see that.
    expect(report.status(), {StatusCode::kFailedPrecondition});
    std::this_thread::sleep_for(std::chrono::milliseconds(below(30)));
}

void Worker::come_and_go() {
    const std::string name = "own" + std::to_string(below(3));
    Collection own = database_.create_collection(name, schema(64)).value();
    for (Id first = 0; first < 300; first += 100) {
        const std::vector<float> rows(100 * kDim, 1.0F);
        const MatrixView vectors(rows.data(), 100, kDim);
        own.insert(test::sequential_ids(100, first), vectors, {{"second", vectors}}).check();
    }
    database_.create_alias("of " + name, name).check();
    expect(database_.collection("of " + name).value().count() == 300, "rows are missing");
    expect(database_.drop_collection(name), {StatusCode::kFailedPrecondition});
    database_.drop_alias("of " + name).check();
    database_.drop_collection(name).check();
    const std::vector<float> near = query();
    expect(own.search(near, {.k = 5}).value().size() == 5, "a dropped collection lost rows");
    Collection collection = live();
    if (below(20) == 0) {
        expect(collection.drop_partition("p2"),
               {StatusCode::kNotFound, StatusCode::kFailedPrecondition});
    }
}

void Worker::save() {
    database_.checkpoint().check();
    const std::string copy = "copy" + std::to_string(steps_);
    if (below(4) == 0) {
        database_.snapshot_to(copy).check();
        const Database found = Database::open(copy, files_).value();
        check_group(found.collection("live").value());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(below(5)));
}

/// Follow the writers by their files.
void Worker::read_files() {
    OpenOptions options = files_;
    options.mode = OpenMode::kReadOnly;
    options.verify = below(2) == 0 ? Verify::kFull : Verify::kLazy;
    auto reader = Database::open("d", options);
    expect(reader.status(), {StatusCode::kStale});
    for (std::size_t i = 0; reader.ok() && i < 5; ++i) {
        const auto found = reader->collection("live");
        expect(found.status(), {});
        if (found.ok()) check_group(*found);
        expect(reader->refresh().status(), {StatusCode::kStale});
    }
}

std::chrono::seconds duration() {
    static const char* const kSeconds = std::getenv("VECDB_STRESS_SECONDS");     // NOLINT
    return std::chrono::seconds(kSeconds != nullptr ? std::atoi(kSeconds) : 2);  // NOLINT
}

}  // namespace

TEST_CASE("readers, writers, pins, rebuilds, flushes and drops at once leave nothing torn") {
    const bool durable = GENERATE(false, true);
    OpenOptions files;
    files.sync = SyncMode::kInterval;
    files.sync_interval = std::chrono::milliseconds(1);
    files.checkpoint_bytes = std::uint64_t{64} << 10U;
    files.keep_replaced = std::chrono::seconds(0);
    files.memory_budget = 20'000;
    files.storage = std::make_shared<test::MemoryStorage>();
    Database database =
        durable ? Database::open("d", files).value() : Database::in_memory().value();
    database.create_collection("first", schema(200)).status().check();
    database.create_alias("live", "first").check();

    using Step = void (Worker::*)();
    std::vector<Step> steps = {&Worker::write,
                               &Worker::write,
                               &Worker::read,
                               &Worker::read,
                               &Worker::page,
                               &Worker::pin,
                               &Worker::maintain,
                               &Worker::rebuild,
                               &Worker::come_and_go};
    if (durable) steps.insert(steps.end(), {&Worker::save, &Worker::read_files});
    std::vector<Worker> workers;
    for (std::size_t i = 0; i < steps.size(); ++i)
        workers.emplace_back(database, files, i + 1);
    std::atomic<bool> done{false};
    std::vector<std::string> thrown(steps.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        threads.emplace_back([&, i] {
            try {
                for (; !done.load(); workers[i].count_step())
                    (workers[i].*steps[i])();
            } catch (const std::exception& error) {
                thrown[i] = error.what();
            }
        });
    }
    std::this_thread::sleep_for(duration());
    done = true;
    for (std::thread& thread : threads)
        thread.join();
    for (std::size_t i = 0; i < steps.size(); ++i) {
        CAPTURE(i, workers[i].steps());
        CHECK(thrown[i] == "");
        CHECK(workers[i].faults() == std::vector<std::string>());
        CHECK(workers[i].steps() > 0);
    }
    if (!durable) return;
    const std::size_t count = database.collection("live").value().count();
    database.close().check();
    const Database again = Database::open("d", files).value();
    CHECK(again.open_report().damage.empty());
    CHECK(again.collection("live").value().count() == count);
}

}  // namespace vecdb
