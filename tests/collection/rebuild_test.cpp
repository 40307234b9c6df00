#include "support/catch.h"
#include "support/collections.h"
#include "support/exact_index.h"
#include "support/random_data.h"

#include <vecdb/database.h>

#include <atomic>
#include <cmath>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace vecdb {
namespace {

using test::Matrix;

constexpr std::size_t kDim = 4;

Schema small_schema() {
    Schema schema = Schema::single(kDim);
    schema.segments.seal_rows = 0;
    return schema;
}

/// Rows with ids from `first` on in batches of 100; `hook` is called before each.
struct Rows {
    std::vector<Id> ids;
    Matrix vectors;
    std::size_t given = 0;
    std::function<void()> hook = {};

    Rows(std::size_t count, Id first, std::uint64_t seed = 1)
        : ids(test::sequential_ids(count, first)), vectors(test::normal_rows(count, kDim, seed)) {}

    /// This must outlive the source.
    RebuildSource source() {
        return {.rows = ids.size(), .next = [this]() -> Result<RowBatch> {
                    if (hook) hook();
                    const std::size_t count = std::min<std::size_t>(100, ids.size() - given);
                    const RowBatch batch{std::span(ids).subspan(given, count),
                                         vectors.view().slice(given, count)};
                    given += count;
                    return batch;
                }};
    }
};

/// A database whose alias "live" stands for "old" with rows 0 to 999.
struct Fixture {
    Database database = Database::in_memory().value();
    Rows old_rows{1'000, 0, 7};

    Fixture() {
        Collection old = database.create_collection("old", small_schema()).value();
        old.insert(old_rows.ids, old_rows.vectors.view()).check();
        database.create_alias("live", "old").check();
    }

    [[nodiscard]] Collection live() const { return database.collection("live").value(); }
    /// Tell whether the alias stands where it stood and nothing half-built is left.
    [[nodiscard]] bool untouched() const {
        return live().name() == "old" && live().count() == 1'000 &&
               database.list_collections() == std::vector<std::string>{"old"};
    }
};

}  // namespace

TEST_CASE("a rebuild replaces the rows behind an alias and drops the old collection") {
    Fixture fixture;
    const Collection before = fixture.live();
    Rows rows(1'050, 5'000);
    double last = -1.0;
    bool falls = false;
    RebuildOptions options;
    options.guards = {.source = {.part = 0.1}, .built = {.rows = 50}, .min_recall = 1.0};
    options.control.progress = [&](double part) {
        falls = falls || part < last;
        last = part;
        // Until the switch the alias serves the old rows, afterwards the new ones.
        if (part < 1.0) CHECK(fixture.live().get(0).value().found[0]);
    };
    const RebuildReport report = fixture.database.rebuild("live", rows.source(), options).value();
    CHECK(report.collection == "live.1");
    CHECK(report.previous == "old");
    CHECK(report.rows == 1'050);
    CHECK(report.previous_rows == 1'000);
    CHECK(report.recall == 1.0);
    CHECK(report.carried_rows == 0);
    CHECK_FALSE(falls);
    CHECK(last == 1.0);
    CHECK(fixture.live().name() == "live.1");
    CHECK(fixture.live().count() == 1'050);
    CHECK(fixture.live().stats().sealed_rows == 1'050);
    CHECK(fixture.database.list_collections() == std::vector<std::string>{"live.1"});
    // Handles on the old one go on working.
    CHECK(before.count() == 1'000);
    CHECK(test::floats(before.get(fixture.old_rows.ids).value()) ==
          fixture.old_rows.vectors.values);

    Rows again(1'050, 0);
    CHECK(fixture.database.rebuild("live", again.source()).value().collection == "live.2");
}

TEST_CASE("a guard that fails says both numbers, calls the alert and changes nothing") {
    Fixture fixture;
    std::vector<Status> alerts;
    RebuildOptions options;
    options.alert = [&](const Status& failure) {
        alerts.push_back(failure);
    };
    const auto refused = [&](Rows rows, const std::vector<std::string>& parts) {
        alerts.clear();
        const Status status = fixture.database.rebuild("live", rows.source(), options).status();
        CAPTURE(status.message());
        bool named = status.code() == StatusCode::kFailedPrecondition;
        for (const std::string& part : parts)
            named = named && test::names(status, part);
        return named && alerts.size() == 1 && alerts[0].message() == status.message() &&
               fixture.untouched();
    };
    options.guards.source = {.rows = 10};
    CHECK(refused({989, 0}, {"source has 989", "collection 1000", "of 11", "at most 10"}));
    CHECK(refused({1'011, 0}, {"source has 1011", "at most 10"}));
    options.guards.source = {.part = 0.05};
    CHECK(refused({949, 0}, {"source has 949", "0.05"}));
    options.guards = {.built = {.rows = 3}};
    CHECK(refused({1'004, 0}, {"new collection has 1004", "live collection 1000", "at most 3"}));
    Rows fewer(500, 0);
    options.guards = {};
    const Status announced =
        fixture.database.rebuild("live", {.rows = 501, .next = fewer.source().next}, options)
            .status();
    CHECK(test::names(announced, "gave 500 rows; it had announced 501"));
    CHECK(fixture.untouched());
}

TEST_CASE("bounds are met at their limits") {
    for (const std::size_t count : {990U, 1'000U, 1'010U}) {
        Fixture fixture;
        Rows rows(count, 0);
        RebuildOptions options;
        options.guards.source = {.rows = 10, .part = 0.01};
        options.guards.built = options.guards.source;
        CHECK(fixture.database.rebuild("live", rows.source(), options).ok());
    }
}

TEST_CASE("an index that finds too little is not switched to") {
    Fixture fixture;
    Rows rows(1'000, 0);
    RebuildOptions options;
    options.schema = small_schema();
    options.schema->vectors[0].index = IvfOptions{.nlist = 30};
    if (!options.schema->validate().ok()) return;  // not in this build
    options.guards.min_recall = 0.9;
    options.guards.search = {.k = 20, .nprobe = 1};
    const Status status = fixture.database.rebuild("live", rows.source(), options).status();
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK(test::names(status, "recall of the new collection is 0."));
    CHECK(test::names(status, "at least 0.9"));
    CHECK(fixture.untouched());
    options.guards.search.nprobe = 30;
    Rows again(1'000, 0);
    const RebuildReport report = fixture.database.rebuild("live", again.source(), options).value();
    CHECK(report.recall > 0.99);
}

TEST_CASE("a failing source, index or id ends a rebuild and leaves nothing behind") {
    Fixture fixture;
    Rows rows(1'000, 0);
    int calls = 0;
    const RebuildSource failing{.rows = 1'000, .next = [&]() -> Result<RowBatch> {
                                    if (++calls < 3) return rows.source().next();
                                    return Status(StatusCode::kIoError, "line 7 is torn");
                                }};
    const Status torn = fixture.database.rebuild("live", failing).status();
    CHECK(torn.code() == StatusCode::kIoError);
    CHECK(torn.message() == "line 7 is torn");
    CHECK(fixture.untouched());

    RebuildOptions options;
    options.schema = test::exact_schema(kDim, Metric::kL2, {{"fail", "throw"}});
    Rows fine(1'000, 0);
    CHECK(fixture.database.rebuild("live", fine.source(), options).status().code() ==
          StatusCode::kInternal);
    CHECK(fixture.untouched());

    Rows twice(1'000, 0);
    twice.ids[999] = 3;
    CHECK(fixture.database.rebuild("live", twice.source()).status().code() ==
          StatusCode::kAlreadyExists);
    CHECK(fixture.untouched());

    RebuildOptions cancelled;
    CancelToken token;
    cancelled.control.cancel = token;
    Rows half(1'000, 0);
    half.hook = [&] {
        if (half.given == 500) token.cancel();
    };
    CHECK(fixture.database.rebuild("live", half.source(), cancelled).status().code() ==
          StatusCode::kCancelled);
    CHECK(fixture.untouched());
}

TEST_CASE("a second rebuild of an alias is refused while the first runs") {
    Fixture fixture;
    Rows rows(1'000, 0);
    Status second;
    rows.hook = [&] {
        if (rows.given != 0) return;
        Rows other(1'000, 0);
        second = fixture.database.rebuild("live", other.source()).status();
    };
    REQUIRE(fixture.database.rebuild("live", rows.source()).ok());
    CHECK(second.code() == StatusCode::kFailedPrecondition);
    CHECK(test::names(second, "'live' is being rebuilt"));
    Rows third(1'000, 0);
    CHECK(fixture.database.rebuild("live", third.source()).ok());
}

TEST_CASE("writes to the old collection while it is replaced refuse the switch") {
    Fixture fixture;
    Rows rows(1'000, 0);
    rows.hook = [&] {
        if (rows.given == 500) fixture.live().remove(Id{3}).status().check();
    };
    const Status status = fixture.database.rebuild("live", rows.source()).status();
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK(test::names(status, "had 1 writes since the rebuild began"));
    CHECK(fixture.live().name() == "old");
    CHECK(fixture.database.list_collections().size() == 1);
}

TEST_CASE("writes to the old collection are carried over when that is asked for") {
    Fixture fixture;
    Collection old = fixture.live();
    Partition part = old.create_partition("part").value();
    Rows rows(1'000, 0, 9);
    const Matrix news = test::normal_rows(40, kDim, 99);
    rows.hook = [&] {
        if (rows.given != 500) return;
        old.remove(test::sequential_ids(10)).status().check();
        old.upsert(test::sequential_ids(10, 100), news.view().slice(0, 10)).check();
        old.insert(test::sequential_ids(10, 8'000), news.view().slice(10, 10)).check();
        part.upsert(test::sequential_ids(10, 200), news.view().slice(20, 10)).check();
        old.create_partition("late").value().insert(9'000, VectorView(news.row(30))).check();
        old.build_index().check();
    };
    RebuildOptions options;
    options.carry_over = true;
    const RebuildReport report = fixture.database.rebuild("live", rows.source(), options).value();
    CHECK(report.carried_rows == 41);
    const Collection live = fixture.live();
    CHECK(live.count() == 1'001);
    CHECK(report.rows == 1'001);
    CHECK_FALSE(live.get(Id{4}).value().found[0]);
    const auto fetched = [&](Id id) {
        return test::floats(live.get(id).value());
    };
    const auto row_of = [](const Matrix& matrix, std::size_t i) {
        return std::vector<float>(matrix.row(i).begin(), matrix.row(i).end());
    };
    CHECK(fetched(103) == row_of(news, 3));
    CHECK(fetched(8'004) == row_of(news, 14));
    CHECK(fetched(205) == row_of(news, 25));
    CHECK(live.partition("part").value().count() == 10);
    CHECK(live.partition("late").value().get(9'000).value().found[0]);
    CHECK(fetched(500) == row_of(rows.vectors, 500));
}

TEST_CASE("a writer that never stops loses nothing when its collection is replaced") {
    Fixture fixture;
    std::atomic<bool> begun{false}, done{false};
    std::atomic<Id> last{0};
    // It writes to whatever the alias stands for; the old collection takes nothing any more once it
    // is replaced.
    std::thread writer([&] {
        const std::vector<float> row(kDim, 0.5F);
        while (!begun.load())
            std::this_thread::yield();
        for (Id id = 100'000; !done.load(); ++id) {
            const Status written = fixture.live().insert(id, row);
            if (written.code() == StatusCode::kFailedPrecondition) {
                fixture.live().insert(id, row).check();
            } else {
                written.check();
            }
            last = id;
        }
    });
    Rows rows(20'000, 0);
    rows.hook = [&] {
        begun = true;
    };
    RebuildOptions options;
    options.carry_over = true;
    const auto report = fixture.database.rebuild("live", rows.source(), options);
    done = true;
    writer.join();
    REQUIRE(report.ok());
    REQUIRE(last.load() > 100'000);
    const std::vector<Id> ids =
        test::sequential_ids(static_cast<std::size_t>(last.load() - 100'000 + 1), 100'000);
    const FetchedRows fetched = fixture.live().get(ids).value();
    CHECK(std::count(fetched.found.begin(), fetched.found.end(), true) ==
          static_cast<std::ptrdiff_t>(ids.size()));
}

TEST_CASE("a replaced collection is read, and takes no more writes") {
    Fixture fixture;
    Collection old = fixture.live();
    Partition part = old.partition("default").value();
    Rows rows(1'000, 0);
    REQUIRE(fixture.database.rebuild("live", rows.source()).ok());
    const std::vector<float> row(kDim, 0.5F);
    const Status refused = old.insert(50'000, row);
    CHECK(refused.code() == StatusCode::kFailedPrecondition);
    CHECK(test::names(refused, "'old' was replaced by 'live.1'"));
    CHECK(part.upsert(1, row).code() == StatusCode::kFailedPrecondition);
    CHECK(old.remove(Id{1}).status().code() == StatusCode::kFailedPrecondition);
    CHECK(old.remove(Filter()).status().code() == StatusCode::kFailedPrecondition);
    CHECK(old.create_partition("x").status().code() == StatusCode::kFailedPrecondition);
    CHECK(old.count() == 1'000);
    CHECK(old.search(row).value().size() == 10);
    CHECK(old.build_index().ok());
}

TEST_CASE("a rebuild drops nothing but what it made") {
    Fixture fixture;
    Rows rows(1'000, 0);
    rows.hook = [&] {
        if (rows.given != 500) return;
        fixture.database.drop_collection("live.1").check();
        fixture.database.create_collection("live.1", Schema::single(2)).status().check();
    };
    const Status status = fixture.database.rebuild("live", rows.source()).status();
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK(test::names(status, "'live.1' was dropped while it was built"));
    CHECK(fixture.live().name() == "old");
    CHECK(fixture.database.collection("live.1").value().schema().vectors[0].dim == 2);
}

TEST_CASE("partitions that come meanwhile are carried over, or refuse the switch") {
    for (const bool carry : {false, true}) {
        Fixture fixture;
        Rows rows(1'000, 0);
        rows.hook = [&] {
            if (rows.given == 500) fixture.live().create_partition("late").status().check();
        };
        RebuildOptions options;
        options.carry_over = carry;
        const auto report = fixture.database.rebuild("live", rows.source(), options);
        CHECK(report.ok() == carry);
        CHECK(fixture.live().partition("late").ok());
    }
}

TEST_CASE("a recall that cannot be measured is none") {
    Fixture fixture;
    Rows rows(1'000, 0);
    RebuildOptions options;
    options.guards.min_recall = 0.5;
    options.guards.search.filter = Filter::where([](Id id) { return id > 5'000; });
    const Status status = fixture.database.rebuild("live", rows.source(), options).status();
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK(test::names(status, "cannot be measured"));
    CHECK(fixture.untouched());
}

TEST_CASE("an old collection with another alias stays, and so does one that is to be kept") {
    Fixture fixture;
    REQUIRE(fixture.database.create_alias("other", "old").ok());
    Rows rows(1'000, 0);
    REQUIRE(fixture.database.rebuild("live", rows.source()).ok());
    CHECK(fixture.database.collection("other").value().name() == "old");
    RebuildOptions options;
    options.keep_old = true;
    options.name = "fresh";
    Rows again(1'000, 0);
    REQUIRE(fixture.database.rebuild("live", again.source(), options).ok());
    CHECK(fixture.live().name() == "fresh");
    CHECK(fixture.database.list_collections() ==
          std::vector<std::string>{"fresh", "live.1", "old"});
    Rows third(1'000, 0);
    const Status taken = fixture.database.rebuild("live", third.source(), options).status();
    CHECK(taken.code() == StatusCode::kAlreadyExists);
    CHECK(fixture.live().name() == "fresh");
}

TEST_CASE("an alias that was moved meanwhile stays where it is") {
    Fixture fixture;
    REQUIRE(fixture.database.create_collection("third", small_schema()).ok());
    Rows rows(1'000, 0);
    rows.hook = [&] {
        if (rows.given == 500) fixture.database.move_alias("live", "third").check();
    };
    const Status status = fixture.database.rebuild("live", rows.source()).status();
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK(test::names(status, "moved or dropped"));
    CHECK(fixture.live().name() == "third");
    CHECK(fixture.database.list_collections() == std::vector<std::string>{"old", "third"});
}

TEST_CASE("rows may go to partitions, and a rebuild may change the schema") {
    Fixture fixture;
    Rows rows(300, 0);
    std::size_t batch = 0;
    const auto next = rows.source().next;
    const RebuildSource source{.rows = 300, .next = [&]() -> Result<RowBatch> {
                                   RowBatch given = next().value();
                                   given.partition = batch++ == 1 ? "middle" : "";
                                   return given;
                               }};
    REQUIRE(fixture.database.rebuild("live", source).ok());
    CHECK(fixture.live().partition("middle").value().count() == 100);
    CHECK(fixture.live().count() == 300);

    Schema ruled = small_schema();
    ruled.vectors[0].metric = Metric::kCosine;
    ruled.rule = {Routing::kIdModulo, 3};
    Rows again(300, 0);
    REQUIRE(fixture.database.rebuild("live", again.source(), {.schema = ruled}).ok());
    CHECK(fixture.live().partition("2").value().count() == 100);
    CHECK(fixture.live().schema().vectors[0].metric == Metric::kCosine);
}

TEST_CASE("what cannot be rebuilt is refused") {
    Fixture fixture;
    Rows rows(10, 0);
    const auto code = [&](std::string_view alias, const RebuildOptions& options) {
        return fixture.database.rebuild(alias, rows.source(), options).status().code();
    };
    CHECK(code("none", {}) == StatusCode::kNotFound);
    CHECK(code("old", {}) == StatusCode::kNotFound);
    RebuildOptions options;
    options.guards.min_recall = 1.5;
    CHECK(code("live", options) == StatusCode::kInvalidArgument);
    options.guards = {.queries = 0};
    CHECK(code("live", options) == StatusCode::kInvalidArgument);
    options.guards = {.source = {.part = std::nan("")}};
    CHECK(code("live", options) == StatusCode::kInvalidArgument);
    options.guards = {.built = {.part = -0.5}};
    CHECK(code("live", options) == StatusCode::kInvalidArgument);
    options.guards = {.search = {.k = 0}};
    CHECK(code("live", options) == StatusCode::kInvalidArgument);
    options = {.schema = Schema::single(kDim + 1), .carry_over = true};
    CHECK(code("live", options) == StatusCode::kInvalidArgument);
    options = {};
    options.guards = {.search = {.k = kMaxK + 1}};
    CHECK(code("live", options) == StatusCode::kInvalidArgument);
    CHECK(code("live", {.name = "a\nb"}) == StatusCode::kInvalidArgument);
    CHECK(code("live", {.schema = Schema::single(0)}) == StatusCode::kInvalidArgument);
    CHECK(fixture.database.rebuild("live", {.rows = 3}).status().code() ==
          StatusCode::kInvalidArgument);
    CHECK(fixture.untouched());
}

}  // namespace vecdb
