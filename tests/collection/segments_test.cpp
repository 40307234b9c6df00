#include "support/catch.h"
#include "support/collections.h"
#include "support/exact_index.h"
#include "support/model.h"
#include "support/random_data.h"

#include <vecdb/collection.h>
#include <vecdb/database.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace vecdb {
namespace {

using test::Matrix;
using test::Model;

constexpr std::size_t kDim = 4;

Schema schema_of(std::size_t seal_rows, std::map<std::string, std::string> parameters = {}) {
    Schema schema = test::exact_schema(kDim, Metric::kL2, std::move(parameters));
    schema.segments.seal_rows = seal_rows;
    return schema;
}

/// Wait until nothing is pending; false after a minute.
bool comes_to_rest(const Collection& collection) {
    for (int i = 0; i < 60'000; ++i) {
        if (collection.health().value().at_rest()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
}

/// Insert rows [first, first + count) of a fixed set, ids being row numbers.
void insert(WriteHandle& rows, std::size_t first, std::size_t count) {
    const Matrix vectors = test::integer_rows(count, kDim, 20, first);
    rows.insert(test::sequential_ids(count, static_cast<Id>(first)), vectors.view()).check();
}

/// Notes which segments the background builds, and lets it go on one by one.
class Turns {
  public:
    /// Note a segment by its least id, and wait until it may be built.
    void enter(const IndexRows& rows) {
        std::unique_lock lock(mutex_);
        built_.push_back(*std::min_element(rows.ids, rows.ids + rows.count));
        changed_.notify_all();
        changed_.wait_for(lock, kLongest, [&] { return allowed_ >= built_.size(); });
    }
    /// Let the segment that waits be built, if any does, and wait for the next one.
    void next() {
        std::unique_lock lock(mutex_);
        allowed_ = wanted_++;
        changed_.notify_all();
        changed_.wait_for(lock, kLongest, [&] { return built_.size() >= wanted_; });
    }
    /// Wait for no more.
    void end() {
        const std::lock_guard lock(mutex_);
        allowed_ = 1'000'000;
        changed_.notify_all();
    }
    [[nodiscard]] std::vector<Id> built() {
        const std::lock_guard lock(mutex_);
        return built_;
    }

  private:
    static constexpr std::chrono::seconds kLongest{30};

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Id> built_;
    std::size_t wanted_ = 0;   // segments that have come
    std::size_t allowed_ = 0;  // segments that are built
};

}  // namespace

TEST_CASE("growing rows are sealed in the background when they are enough") {
    test::exact_index_faults = 0;
    Collection collection = test::make_collection(schema_of(1'000));
    insert(collection, 0, 999);
    CHECK(comes_to_rest(collection));
    CHECK(collection.stats().sealed_segments == 0);
    insert(collection, 999, 1);
    REQUIRE(comes_to_rest(collection));
    CHECK(collection.stats().sealed_segments == 1);
    CHECK(collection.stats().sealed_rows == 1'000);
    CHECK(collection.health().value().growing_rows == 0);
    CHECK(collection.count() == 1'000);
    CHECK(test::exact_index_faults == 0);
}

TEST_CASE("without a number of rows nothing is sealed but by a flush") {
    Collection collection = test::make_collection(schema_of(0));
    insert(collection, 0, 70'000);
    CHECK(collection.health().value().at_rest());
    CHECK(collection.stats().sealed_segments == 0);
    REQUIRE(collection.flush().ok());
    CHECK(collection.stats().sealed_rows == 70'000);
    REQUIRE(collection.flush().ok());
    CHECK(collection.stats().sealed_segments == 1);
}

TEST_CASE("sealed segments of one size are merged, so that few are left") {
    Collection collection = test::make_collection(schema_of(100));
    std::size_t rows = 0;
    for (std::size_t round = 1; round <= 64; ++round) {
        insert(collection, rows, 100);
        rows += 100;
        REQUIRE(comes_to_rest(collection));
        CHECK(collection.stats().sealed_segments <= 9);
        if (round == 4 || round == 16 || round == 64) {
            CHECK(collection.stats().sealed_segments == 1);
        }
    }
    CHECK(collection.stats().sealed_rows == rows);
    CHECK(collection.count() == rows);
}

TEST_CASE("a segment full of removed rows is written again, and its space returns") {
    Collection collection = test::make_collection(schema_of(1'000));
    insert(collection, 0, 2'000);
    REQUIRE(comes_to_rest(collection));
    CHECK(collection.remove(test::sequential_ids(200)).value() == 200);
    REQUIRE(comes_to_rest(collection));
    CHECK(collection.stats().dead_rows == 200);  // a tenth is not more than a tenth
    CHECK(collection.remove(Id{200}).value() == 1);
    REQUIRE(comes_to_rest(collection));
    CHECK(collection.stats().dead_rows == 0);
    CHECK(collection.count() == 1'799);

    Collection fresh = test::make_collection(schema_of(0));
    insert(fresh, 0, 1'799);
    REQUIRE(fresh.build_index().ok());
    const auto bytes = static_cast<double>(collection.stats().memory_bytes);
    CHECK(bytes <= 1.1 * static_cast<double>(fresh.stats().memory_bytes));
}

TEST_CASE("a flush seals few rows too and merges what is due") {
    Schema schema = schema_of(0);
    schema.segments.merge_segments = 3;
    Collection collection = test::make_collection(schema);
    for (std::size_t round = 0; round < 9; ++round) {
        insert(collection, round * 10, 10);
        REQUIRE(collection.flush().ok());
        CHECK(collection.stats().sealed_segments <= 2);
        CHECK(collection.health().value().growing_rows == 0);
    }
    CHECK(collection.count() == 90);
}

TEST_CASE("a graph takes up growing rows and smaller segments") {
    Schema schema = schema_of(64);
    schema.vectors[0].index = HnswOptions{.m = 8};
    Collection collection = test::make_collection(schema);
    insert(collection, 0, 2'112);
    REQUIRE(comes_to_rest(collection));
    REQUIRE(collection.stats().sealed_segments == 1);
    // 33 times the new rows: too large for them.
    insert(collection, 2'112, 64);
    REQUIRE(comes_to_rest(collection));
    CHECK(collection.stats().sealed_segments == 2);
    // The small segment takes them up, and is then large enough for the other one.
    insert(collection, 2'176, 64);
    REQUIRE(comes_to_rest(collection));
    CHECK(collection.stats().sealed_segments == 1);
    CHECK(collection.stats().sealed_rows == 2'240);
    insert(collection, 2'240, 80);
    REQUIRE(comes_to_rest(collection));
    CHECK(collection.stats().sealed_segments == 1);
    CHECK(collection.count() == 2'320);
    CHECK(collection.health().value().unreachable_rows == 0);
}

TEST_CASE("growing rows are built once, on the segment that takes them up") {
    std::size_t builds = 0;
    test::before_exact_build = [&](const IndexRows& /*rows*/) {
        ++builds;
    };
    {
        Collection collection = test::make_collection(schema_of(64, {{"takes_up", "yes"}}));
        for (std::size_t i = 0; i < 4; ++i) {
            insert(collection, 64 * i, 64);
            REQUIRE(comes_to_rest(collection));
            CHECK(collection.stats().sealed_segments == 1);
        }
    }
    test::before_exact_build = nullptr;
    CHECK(builds == 4);
}

TEST_CASE("where graphs are made from nothing, segments of one size are put together") {
    Schema schema = schema_of(64);
    schema.vectors[0].metric = Metric::kInnerProduct;
    schema.vectors[0].index = HnswOptions{.m = 8};
    Collection collection = test::make_collection(schema);
    for (std::size_t segments : {1U, 2U, 3U, 1U}) {
        insert(collection, collection.count(), 64);
        REQUIRE(comes_to_rest(collection));
        CHECK(collection.stats().sealed_segments == segments);
    }
}

TEST_CASE("removals and upserts that arrive while segments are sealed or merged are kept") {
    test::exact_index_faults = 0;
    Schema schema = schema_of(0);
    schema.segments.merge_segments = 2;
    Collection collection = test::make_collection(schema);
    Model model(kDim, Metric::kL2);
    std::mt19937_64 random(3);
    const auto write = [&] {
        for (int i = 0; i < 5; ++i) {
            const Id id = static_cast<Id>(random() % 400);
            if (random() % 3 == 0) {
                const bool removed = collection.remove(id).value() == 1;
                if (removed != model.remove(id)) throw std::logic_error("remove counted wrongly");
            } else {
                const Matrix row = test::integer_rows(1, kDim, 20, random());
                collection.upsert(id, VectorView(row.row(0))).check();
                model.upsert(id, row.row(0));
            }
        }
    };
    const std::vector<float> query(kDim);
    for (int round = 0; round < 60; ++round) {
        write();
        BuildOptions options;
        options.control.progress = [&](double) {
            write();
        };
        REQUIRE(collection.flush(options).ok());
        REQUIRE(collection.count() == model.rows().size());
        REQUIRE(collection.search(query, {.k = 500}).value() == model.exact_search(query, 500));
    }
    CHECK(test::exact_index_faults == 0);
}

TEST_CASE("rows too few for the index stay exact, and are tried again when there are more") {
    Collection collection = test::make_collection(schema_of(64, {{"fail", "too_few"}}));
    insert(collection, 0, 70);
    REQUIRE(comes_to_rest(collection));
    CHECK(collection.stats().sealed_segments == 0);
    insert(collection, 70, 69);
    REQUIRE(comes_to_rest(collection));
    CHECK(collection.stats().sealed_segments == 0);
    insert(collection, 139, 1);
    REQUIRE(comes_to_rest(collection));
    CHECK(collection.stats().sealed_segments == 1);
    CHECK(collection.health().value().background_error.ok());
    CHECK(collection.flush().ok());
}

TEST_CASE("sealed rows that have become too few for the index are kept without") {
    Schema schema = schema_of(64, {{"fail", "too_few"}});
    Collection collection = test::make_collection(schema);
    insert(collection, 0, 128);
    REQUIRE(comes_to_rest(collection));
    CHECK(collection.stats().sealed_segments == 1);
    CHECK(collection.remove(test::sequential_ids(60)).value() == 60);
    REQUIRE(comes_to_rest(collection));
    CHECK(collection.stats().dead_rows == 0);
    CHECK(collection.stats().index_bytes == 0);
    CHECK(collection.count() == 68);
    const std::vector<float> query(kDim);
    CHECK(collection.search(query, {.k = 100}).value().size() == 68);
    CHECK(collection.health().value().background_error.ok());
}

TEST_CASE("a flush merges what is due, also when growing rows are too few for the index") {
    Schema schema = schema_of(0, {{"fail", "too_few"}});
    schema.segments.merge_segments = 2;
    Collection collection = test::make_collection(schema);
    insert(collection, 0, 200);
    REQUIRE(collection.flush().ok());
    insert(collection, 200, 200);
    REQUIRE(collection.flush().ok());
    CHECK(collection.stats().sealed_segments == 1);
    CHECK(collection.remove(test::sequential_ids(100)).value() == 100);
    insert(collection, 400, 5);
    REQUIRE(collection.flush().ok());
    CHECK(collection.stats().dead_rows == 0);
    CHECK(collection.stats().sealed_rows == 300);
    CHECK(collection.count() == 305);
}

TEST_CASE("collections and partitions take turns in the background") {
    Turns turns;
    test::before_exact_build = [&](const IndexRows& rows) {
        turns.enter(rows);
    };
    {
        Database database = Database::in_memory().value();
        Collection busy = database.create_collection("busy", schema_of(64)).value();
        Collection other = database.create_collection("other", schema_of(64)).value();
        Partition last = busy.create_partition("last").value();
        insert(busy, 0, 100);
        turns.next();
        // While the first is built everybody gets something to do, the busy partition first.
        insert(busy, 1'000, 100);
        insert(other, 10'000, 100);
        insert(last, 20'000, 100);
        for (int i = 0; i < 3; ++i)
            turns.next();
        CHECK(turns.built() == std::vector<Id>{0, 10'000, 20'000, 1'000});
        turns.end();
        CHECK(comes_to_rest(busy));
        CHECK(comes_to_rest(other));
    }
    test::before_exact_build = nullptr;
}

TEST_CASE("an error in the background is kept, and rows are searched exactly") {
    Collection collection = test::make_collection(schema_of(64, {{"fail", "throw"}}));
    insert(collection, 0, 100);
    REQUIRE(comes_to_rest(collection));
    CHECK(collection.count() == 100);
    const Health health = collection.health().value();
    CHECK(health.background_error.code() == StatusCode::kInternal);
    CHECK(test::names(health.background_error, "thrown by the test"));
    CHECK(health.growing_rows == 100);
    CHECK_FALSE(collection.flush().ok());
    const std::vector<float> query(kDim);
    CHECK(collection.search(query, {.k = 200}).value().size() == 100);
}

TEST_CASE("a flush builds on the index of the source with most rows, build_index on none") {
    test::exact_index_faults = 0;
    Schema schema = schema_of(0);
    schema.segments.merge_segments = 3;
    Collection collection = test::make_collection(schema);
    const auto continued = [](const Status& done) {
        REQUIRE(done.ok());
        return test::exact_index_continued.exchange(0) > 0;
    };
    static_cast<void>(continued({}));
    insert(collection, 0, 1'000);
    CHECK_FALSE(continued(collection.flush()));
    insert(collection, 1'000, 100);
    CHECK_FALSE(continued(collection.flush()));
    insert(collection, 1'100, 100);
    CHECK(continued(collection.flush()));  // three became one
    CHECK(collection.stats().sealed_segments == 1);
    for (Id id = 0; id < 1'200; id += 3)
        CHECK(collection.remove(id).value() == 1);
    CHECK(continued(collection.flush()));
    CHECK(collection.stats().dead_rows == 0);
    insert(collection, 1'200, 800);
    CHECK_FALSE(continued(collection.flush()));
    insert(collection, 2'000, 800);
    CHECK_FALSE(continued(collection.flush()));  // none of the three has half of the rows
    CHECK(collection.stats().sealed_segments == 1);
    CHECK_FALSE(continued(collection.build_index()));
    CHECK(collection.count() == 2'400);
    CHECK(test::exact_index_faults == 0);
}

TEST_CASE("rows that no search comes to are told of") {
    Collection sound = test::make_collection(schema_of(64));
    Collection faulty = test::make_collection(schema_of(64, {{"fail", "lost"}}));
    for (Collection* each : {&sound, &faulty}) {
        insert(*each, 0, 64);
        REQUIRE(comes_to_rest(*each));
        insert(*each, 64, 64);
        REQUIRE(comes_to_rest(*each));
    }
    CHECK(sound.health().value().unreachable_rows == 0);
    CHECK(faulty.health().value().unreachable_rows == 6);
}

TEST_CASE("a build of the caller's has precedence over the background") {
    Collection collection = test::make_collection(schema_of(64, {{"wait", "yes"}}));
    insert(collection, 0, 100);
    while (!collection.health().value().rewriting)
        std::this_thread::yield();
    // The background's build would never end by itself.
    BuildOptions options;
    options.control.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    CHECK(collection.build_index(options).code() == StatusCode::kDeadlineExceeded);
    CHECK(collection.count() == 100);
}

TEST_CASE("collections and databases end while the background works") {
    std::optional<Database> database = Database::in_memory().value();
    std::optional<Collection> kept =
        database->create_collection("kept", schema_of(64, {{"wait", "yes"}})).value();
    insert(*kept, 0, 100);
    {
        Collection dropped =
            database->create_collection("dropped", schema_of(64, {{"wait", "yes"}})).value();
        insert(dropped, 0, 100);
        REQUIRE(database->drop_collection("dropped").ok());
    }
    while (!kept->health().value().rewriting)
        std::this_thread::yield();
    database.reset();
    CHECK(kept->count() == 100);
    kept.reset();
}

TEST_CASE("a dropped partition ends what is done for it") {
    Collection collection = test::make_collection(schema_of(500));
    for (int round = 0; round < 20; ++round) {
        Partition partition = collection.create_partition("p").value();
        insert(partition, 0, 2'000);
        REQUIRE(collection.drop_partition("p").ok());
    }
    REQUIRE(comes_to_rest(collection));
    CHECK(collection.count() == 0);
    CHECK(collection.health().value().background_error.ok());
}

TEST_CASE("searches and pins are right while segments are sealed and merged under them") {
    test::exact_index_faults = 0;
    Collection collection = test::make_collection(schema_of(200));
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 2; ++i) {
        readers.emplace_back([&] {
            const std::vector<float> query(kDim);
            while (!done.load()) {
                const Pin pin = collection.pin();
                const Hits first = pin.search(query, {.k = 16'000}).value();
                if (first.size() != std::min<std::size_t>(pin.count(), 16'000)) ++wrong;
                if (!test::identical(first, pin.search(query, {.k = 16'000}).value())) ++wrong;
            }
        });
    }
    std::size_t rows = 0;
    for (int round = 0; round < 150; ++round, rows += 60)
        insert(collection, rows, 60);
    REQUIRE(comes_to_rest(collection));
    done = true;
    for (std::thread& reader : readers)
        reader.join();
    CHECK(wrong == 0);
    CHECK(collection.count() == rows);
    CHECK(collection.stats().sealed_segments <= 12);
    CHECK(test::exact_index_faults == 0);
}

TEST_CASE("writers wait for the background when growing rows are too many") {
    const auto most_growing = [](std::size_t limit) {
        Schema schema = Schema::single(kDim);
        schema.vectors[0].index = HnswOptions{};
        schema.segments = {.seal_rows = 256, .max_growing_rows = limit};
        Collection collection = test::make_collection(schema);
        std::size_t most = 0;
        for (std::size_t rows = 0; rows < 20'000; rows += 50) {
            insert(collection, rows, 50);
            most = std::max(most, collection.health().value().growing_rows);
        }
        CHECK(collection.count() == 20'000);
        return most;
    };
    CHECK(most_growing(0) > 5'000);
    CHECK(most_growing(1'000) < 1'500);
}

TEST_CASE("policies out of range are refused") {
    const auto refused = [](const SegmentPolicy& policy, const char* part) {
        Schema schema = Schema::single(1);
        schema.segments = policy;
        const Status status = schema.validate();
        return status.code() == StatusCode::kInvalidArgument && test::names(status, part);
    };
    CHECK(refused({.seal_rows = 63}, "seal_rows is 63"));
    CHECK(refused({.seal_rows = kMaxRowsPerSegment + 1}, "seal_rows"));
    CHECK(refused({.merge_segments = 1}, "merge_segments is 1"));
    CHECK(refused({.merge_segments = 33}, "merge_segments is 33"));
    CHECK(refused({.max_removed = 0.0F}, "max_removed"));
    CHECK(refused({.max_removed = 1.5F}, "max_removed"));
    CHECK(refused({.max_removed = std::nanf("")}, "max_removed"));
    CHECK(refused({.seal_rows = 0, .max_growing_rows = 1'000}, "max_growing_rows is 1000"));
    CHECK(refused({.seal_rows = 64, .max_growing_rows = 127}, "max_growing_rows is 127"));
    CHECK(refused({.max_growing_rows = kMaxRowsPerSegment + 1}, "max_growing_rows"));
    Schema schema = Schema::single(1);
    schema.segments = {.seal_rows = 64, .merge_segments = 32, .max_removed = 1.0F};
    CHECK(schema.validate().ok());
}

}  // namespace vecdb
