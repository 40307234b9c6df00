#include "support/catch.h"
#include "support/collections.h"
#include "support/exact_index.h"
#include "support/random_data.h"

#include <vecdb/bitset.h>
#include <vecdb/build_options.h>
#include <vecdb/collection.h>
#include <vecdb/control.h>
#include <vecdb/filter.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace vecdb {
namespace {

using test::Matrix;

constexpr std::size_t kDim = 12;

/// The schemas under test: a custom index, and rows that are only put in one piece.
std::vector<Schema> schemas(Metric metric) {
    Schema plain = Schema::single(kDim, metric);
    plain.segments.seal_rows = 0;
    plain.vectors[0].index = FlatOptions{.codes = Codes::kNone};
    return {test::exact_schema(kDim, metric), plain};
}

/// A collection under test beside one of the same rows that is never built.
struct Pair {
    explicit Pair(const Schema& schema)
        : built(test::make_collection(schema)),
          plain(test::make_collection(kDim, schema.vectors[0].metric)) {}

    template <class Write>
    void both(Write&& write) {
        write(built);
        write(plain);
    }
    void upsert(std::span<const Id> ids, const Matrix& rows) {
        both([&](Collection& each) { each.upsert(ids, rows.view()).check(); });
    }
    void remove(std::span<const Id> ids) {
        both([&](Collection& each) { each.remove(ids).status().check(); });
    }

    Collection built;
    Collection plain;
};

/// Compare every kind of read; k reaches from few rows to more than there are.
void check_same(const Pair& pair, const Filter& filter = {}) {
    const Matrix queries = test::normal_rows(9, kDim, 99);
    CHECK(pair.built.count() == pair.plain.count());
    CHECK(pair.built.count(filter).value() == pair.plain.count(filter).value());
    for (const std::size_t k : {1U, 10U, 5000U}) {
        for (const std::size_t threads : {1U, 3U}) {
            CAPTURE(k, threads);
            const SearchOptions options{.k = k, .filter = filter, .threads = threads};
            const SearchResult expected = pair.plain.search(queries.view(), options).value();
            const SearchResult batch = pair.built.search(queries.view(), options).value();
            const SearchResult few = pair.built.search(queries.view().slice(0, 3), options).value();
            std::vector<Hit> room(k);
            for (std::size_t q = 0; q < queries.rows; ++q) {
                const VectorView query(queries.row(q));
                CHECK(test::identical(batch[q], expected[q]));
                if (q < 3) CHECK(test::identical(few[q], expected[q]));
                CHECK(test::identical(pair.built.search(query, options).value(), expected[q]));
                const std::size_t found = pair.built.search_into(query, options, room).value();
                CHECK(test::identical(std::span(room).first(found), expected[q]));
            }
        }
    }
}

void check_same_ranges(const Pair& pair, const Filter& filter = {}) {
    const bool larger = larger_is_nearer(pair.built.schema().vectors[0].metric);
    const Matrix queries = test::normal_rows(3, kDim, 98);
    for (std::size_t q = 0; q < queries.rows; ++q) {
        const VectorView query(queries.row(q));
        const Hits all = pair.plain.search(query, {.k = kMaxK, .filter = filter}).value();
        for (const std::size_t wanted : {std::size_t{1}, all.size() / 3, all.size()}) {
            if (wanted == 0 || wanted > all.size()) continue;
            const float radius = all[wanted - 1].score;
            const auto inside = [&](const Hit& hit) {
                return larger ? hit.score >= radius : hit.score <= radius;
            };
            const auto end = std::find_if_not(all.begin(), all.end(), inside);
            for (const Collection* each : {&pair.built, &pair.plain}) {
                for (const std::size_t threads : {1U, 3U}) {
                    const SearchOptions options{.k = 0, .filter = filter, .threads = threads};
                    const Hits hits = each->range_search(query, radius, options).value();
                    CHECK(test::identical(hits, {all.begin(), end}));
                }
            }
        }
    }
}

TEST_CASE("rows from before, between and after builds are found alike") {
    test::exact_index_faults = 0;
    for (const Metric metric : test::kAllMetrics) {
        for (const Schema& schema : schemas(metric)) {
            CAPTURE(to_string(metric), schema.vectors[0].index.index());
            Pair pair(schema);
            pair.upsert(test::shuffled_ids(700, 1), test::normal_rows(700, kDim, 2));
            REQUIRE(pair.built.build_index().ok());
            check_same(pair);
            pair.upsert(test::sequential_ids(300, 1000), test::normal_rows(300, kDim, 3));
            check_same(pair);
            pair.upsert(test::sequential_ids(50, 30), test::normal_rows(50, kDim, 4));
            pair.remove(test::sequential_ids(40, 100));
            pair.remove(test::sequential_ids(40, 1100));
            check_same(pair);
            check_same_ranges(pair);
            REQUIRE(pair.built.build_index({.threads = 2}).ok());
            CHECK(pair.built.stats().dead_rows == 0);
            CHECK(pair.built.stats().sealed_rows == pair.plain.count());
            check_same(pair);
            check_same_ranges(pair);
        }
    }
    CHECK(test::exact_index_faults == 0);
}

TEST_CASE("ids of sealed rows are taken, replaced, removed and fetched like others") {
    for (const Metric metric : test::kAllMetrics) {
        for (const Schema& schema : schemas(metric)) {
            const std::vector<Id> ids = test::shuffled_ids(500, 5, 3);
            const Matrix rows = test::normal_rows(500, kDim, 6);
            Collection collection = test::make_collection(schema);
            REQUIRE(collection.insert(ids, rows.view()).ok());
            const FetchedRows before = collection.get(ids).value();
            REQUIRE(collection.build_index().ok());
            CHECK(test::floats(*collection.get(ids)) == test::floats(before));

            const VectorView other(rows.row(7));
            const Status taken = collection.insert(ids[9], other);
            CHECK(taken.code() == StatusCode::kAlreadyExists);
            CHECK(test::names(taken, std::to_string(ids[9])));

            REQUIRE(collection.upsert(ids[9], other).ok());
            CHECK(collection.count() == 500);
            CHECK(test::floats(*collection.get(ids[9])) == test::floats(*collection.get(ids[7])));
            CHECK(collection.insert(ids[9], other).code() == StatusCode::kAlreadyExists);

            CHECK(collection.remove(ids[9]).value() == 1);
            CHECK(collection.remove(ids[9]).value() == 0);
            CHECK_FALSE(collection.get(ids[9])->found[0]);
            const std::vector<Id> some = {ids[1], ids[9], ids[2], ids[1], 1};
            CHECK(collection.remove(some).value() == 2);
            CHECK(collection.count() == 497);
            REQUIRE(collection.insert(ids[9], other).ok());
            CHECK(test::floats(*collection.get(ids[9])) == test::floats(*collection.get(ids[7])));
        }
    }
}

TEST_CASE("filters of every kind reach sealed and growing rows") {
    Pair pair(test::exact_schema(kDim));
    pair.upsert(test::shuffled_ids(900, 7), test::normal_rows(900, kDim, 8));
    const auto third = [](Id id) {
        return id % 3 == 0;
    };
    Bitset bits(1200);
    std::vector<Id> list;
    for (Id id = 0; id < 1200; id += 3) {
        bits.set(static_cast<std::size_t>(id));
        list.push_back(id);
    }
    const Filter prepared = Filter::where(third);
    REQUIRE(pair.built.prepare(prepared).ok());
    const Filter filters[] = {Filter::allow(bits),
                              Filter::allow_ids(list),
                              Filter::where(third),
                              prepared,
                              Filter::allow_ids(test::sequential_ids(2, 5)),
                              Filter::allow_ids({})};
    test::exact_index_faults = 0;
    const auto check_all = [&] {
        for (const Filter& filter : filters) {
            check_same(pair, filter);
            check_same_ranges(pair, filter);
        }
    };
    check_all();
    REQUIRE(pair.built.build_index().ok());
    check_all();
    REQUIRE(pair.built.prepare(prepared).ok());
    pair.upsert(test::sequential_ids(300, 850), test::normal_rows(300, kDim, 9));
    check_all();
    pair.remove(test::sequential_ids(100, 3));
    check_all();
    REQUIRE(pair.built.build_index().ok());
    check_all();
    CHECK(test::exact_index_faults == 0);
}

TEST_CASE("tombstones of a segment of several chunks are told apart") {
    constexpr std::size_t kRows = 200'000;
    test::exact_index_faults = 0;
    Collection collection = test::make_collection(test::exact_schema(2));
    const Matrix rows = test::integer_rows(kRows, 2, 1000, 10);
    REQUIRE(collection.insert(test::sequential_ids(kRows), rows.view()).ok());
    REQUIRE(collection.build_index().ok());
    for (const Id id : {0, 65'535, 65'536, 131'072, 199'999}) {
        const VectorView query(rows.row(static_cast<std::size_t>(id)));
        const auto has = [&] {
            const std::vector<Id> found = test::ids_of(collection.range_search(query, 0).value());
            return std::count(found.begin(), found.end(), id);
        };
        CHECK(has() == 1);
        REQUIRE(collection.remove(id).value() == 1);
        CHECK(has() == 0);
    }
    CHECK(collection.count() == kRows - 5);
    CHECK(test::exact_index_faults == 0);
}

TEST_CASE("an empty collection is built, and one whose rows all went") {
    for (const Schema& schema : schemas(Metric::kL2)) {
        Collection collection = test::make_collection(schema);
        REQUIRE(collection.build_index().ok());
        CHECK(collection.stats().sealed_segments == 0);
        REQUIRE(collection.insert(1, VectorView(test::normal_rows(1, kDim, 1).values.data(), kDim))
                    .ok());
        REQUIRE(collection.build_index().ok());
        CHECK(collection.stats().sealed_segments == 1);
        CHECK(collection.stats().sealed_rows == 1);
        REQUIRE(collection.remove(1).value() == 1);
        CHECK(collection.stats().sealed_segments == 0);
        CHECK(collection.stats().dead_rows == 0);
        REQUIRE(collection.build_index().ok());
        CHECK(collection.count() == 0);
        CHECK(collection.search(VectorView(test::normal_rows(1, kDim, 1).values.data(), kDim))
                  ->empty());
    }
}

TEST_CASE("what is written while an index is built is kept") {
    for (const Schema& schema : schemas(Metric::kCosine)) {
        Pair pair(schema);
        pair.upsert(test::shuffled_ids(2000, 11), test::normal_rows(2000, kDim, 12));
        REQUIRE(pair.built.build_index().ok());
        pair.upsert(test::sequential_ids(2000, 1500), test::normal_rows(2000, kDim, 13));
        bool written = false;
        BuildOptions options;
        options.control.progress = [&](double part) {
            if (written || part < 0.5) return;
            written = true;
            pair.remove(test::sequential_ids(1400, 50));    // sealed rows
            pair.remove(test::sequential_ids(1500, 1900));  // growing rows, enough to compact
            pair.upsert(test::sequential_ids(100, 0), test::normal_rows(100, kDim, 14));
            pair.upsert(test::sequential_ids(30, 9000), test::normal_rows(30, kDim, 15));
            pair.remove(test::sequential_ids(10, 9000));
            pair.upsert(test::sequential_ids(5, 60), test::normal_rows(5, kDim, 16));
            check_same(pair);
        };
        REQUIRE(pair.built.build_index(options).ok());
        REQUIRE(written);
        check_same(pair);
        const std::vector<Id> all = test::sequential_ids(9100);
        CHECK(pair.built.get(all)->found == pair.plain.get(all)->found);
        CHECK(test::floats(*pair.built.get(all)) == test::floats(*pair.plain.get(all)));
        REQUIRE(pair.built.build_index().ok());
        CHECK(pair.built.stats().dead_rows == 0);
        check_same(pair);
    }
}

TEST_CASE("all rows may go while an index is built") {
    Collection collection = test::make_collection(test::exact_schema(kDim));
    const std::vector<Id> ids = test::sequential_ids(100);
    REQUIRE(collection.insert(ids, test::normal_rows(100, kDim, 1).view()).ok());
    REQUIRE(collection.build_index().ok());
    BuildOptions options;
    options.control.progress = [&](double part) {
        if (part > 0.5) collection.remove(ids).status().check();
    };
    REQUIRE(collection.build_index(options).ok());
    CHECK(collection.count() == 0);
    CHECK(collection.stats().sealed_segments == 0);
}

TEST_CASE("a build that fails changes nothing") {
    const std::pair<const char*, StatusCode> kFailures[] = {
        {"status", StatusCode::kUnsupported},
        {"throw", StatusCode::kInternal},
        {"memory", StatusCode::kOutOfMemory},
        {"order", StatusCode::kInternal},
        {"long_order", StatusCode::kInternal},
    };
    for (const auto& [fail, code] : kFailures) {
        CAPTURE(fail);
        Pair pair(test::exact_schema(kDim, Metric::kL2, {{"fail", fail}}));
        pair.upsert(test::shuffled_ids(500, 17), test::normal_rows(500, kDim, 18));
        const std::size_t bytes = pair.built.stats().memory_bytes;
        const Status status = pair.built.build_index();
        CHECK(status.code() == code);
        CHECK_FALSE(status.message().empty());
        CHECK(pair.built.stats().sealed_segments == 0);
        CHECK(pair.built.stats().memory_bytes == bytes);
        check_same(pair);
        pair.upsert(test::sequential_ids(20, 495), test::normal_rows(20, kDim, 19));
        check_same(pair);
    }
}

TEST_CASE("a build over too few rows fails and a later one works") {
    Collection collection =
        test::make_collection(test::exact_schema(kDim, Metric::kL2, {{"fail", "too_few"}}));
    const Matrix rows = test::normal_rows(100, kDim, 1);
    REQUIRE(collection.insert(test::sequential_ids(99), rows.view().slice(0, 99)).ok());
    const Status status = collection.build_index();
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK(test::names(status, "99"));
    REQUIRE(collection.insert(99, VectorView(rows.row(99))).ok());
    CHECK(collection.build_index().ok());
    CHECK(collection.stats().sealed_rows == 100);
}

TEST_CASE("space of removed rows returns after a build that failed") {
    constexpr std::size_t kRows = 5'000;
    Collection collection =
        test::make_collection(test::exact_schema(kDim, Metric::kL2, {{"fail", "status"}}));
    REQUIRE(collection.insert(test::sequential_ids(kRows), test::normal_rows(kRows, kDim, 1).view())
                .ok());
    BuildOptions options;
    options.control.progress = [&](double part) {
        if (part > 0.3) collection.remove(test::sequential_ids(kRows - 10)).status().check();
    };
    CHECK_FALSE(collection.build_index(options).ok());
    CHECK(collection.stats().dead_rows == 0);
    CHECK(collection.count() == 10);
}

TEST_CASE("a build ends when the caller wants it and nothing has changed") {
    for (const bool has_index : {true, false}) {
        Collection collection = test::make_collection(schemas(Metric::kL2)[has_index ? 0 : 1]);
        REQUIRE(collection.insert(test::sequential_ids(200), test::normal_rows(200, kDim, 1).view())
                    .ok());
        // From the start, then from each part of the work.
        BuildOptions options;
        options.control.cancel.emplace();
        options.control.cancel->cancel();
        CHECK(collection.build_index(options).code() == StatusCode::kCancelled);
        for (const double at : {0.0, 0.05, 0.5, 0.95}) {
            CAPTURE(has_index, at);
            BuildOptions later;
            later.control.cancel.emplace();
            later.control.progress = [&](double part) {
                if (part >= at) later.control.cancel->cancel();
            };
            CHECK(collection.build_index(later).code() == StatusCode::kCancelled);
        }
        BuildOptions late;
        late.control.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
        CHECK(collection.build_index(late).code() == StatusCode::kDeadlineExceeded);
        CHECK(collection.stats().sealed_segments == 0);
        CHECK(collection.build_index().ok());
    }
}

TEST_CASE("a deadline ends a build that takes too long") {
    Collection collection =
        test::make_collection(test::exact_schema(kDim, Metric::kL2, {{"wait", "yes"}}));
    REQUIRE(
        collection.insert(test::sequential_ids(20), test::normal_rows(20, kDim, 1).view()).ok());
    BuildOptions options;
    options.control.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    CHECK(collection.build_index(options).code() == StatusCode::kDeadlineExceeded);
    CHECK(collection.stats().sealed_segments == 0);
}

TEST_CASE("progress goes from 0 to 1 and never falls") {
    for (const Schema& schema : schemas(Metric::kL2)) {
        Collection collection = test::make_collection(schema);
        for (const std::size_t rows : {0U, 300U}) {
            const std::vector<Id> ids = test::sequential_ids(rows);
            REQUIRE(collection.insert(ids, test::normal_rows(rows, kDim, 1).view()).ok());
            std::vector<double> parts;
            BuildOptions options;
            options.control.progress = [&](double part) {
                parts.push_back(part);
            };
            REQUIRE(collection.build_index(options).ok());
            REQUIRE(parts.size() >= 2);
            CHECK(parts.front() == 0.0);
            CHECK(parts.back() == 1.0);
            CHECK(std::is_sorted(parts.begin(), parts.end()));
        }
    }
}

TEST_CASE("of two builds at once the second is refused") {
    Collection collection = test::make_collection(test::exact_schema(kDim));
    REQUIRE(
        collection.insert(test::sequential_ids(20), test::normal_rows(20, kDim, 1).view()).ok());
    Status second;
    BuildOptions options;
    options.control.progress = [&](double part) {
        if (part > 0.0 && part < 1.0) second = collection.build_index();
    };
    CHECK(collection.build_index(options).ok());
    CHECK(second.code() == StatusCode::kFailedPrecondition);
    CHECK(test::names(second, collection.name()));
    CHECK(collection.build_index().ok());
}

TEST_CASE("build options out of range are refused") {
    Collection collection = test::make_collection(test::exact_schema(kDim));
    CHECK(collection.build_index({.threads = kMaxThreads}).ok());
    const Status status = collection.build_index({.threads = kMaxThreads + 1});
    CHECK(status.code() == StatusCode::kInvalidArgument);
    CHECK(test::names(status, "1025"));
    CHECK(test::names(status, "1024"));
}

TEST_CASE("a custom index refuses parameters and fields when the collection is made") {
    Database database = Database::in_memory().value();
    const Status parameter =
        database.create_collection("a", test::exact_schema(kDim, Metric::kL2, {{"depth", "9"}}))
            .status();
    CHECK(parameter.code() == StatusCode::kInvalidArgument);
    CHECK(test::names(parameter, "depth"));
    CHECK(test::names(parameter, "9"));
    CHECK(database.create_collection("a", test::exact_schema(13)).status().code() ==
          StatusCode::kUnsupported);
    CHECK(database.list_collections().empty());
    CHECK(database.create_collection("a", test::exact_schema(kDim)).ok());
}

TEST_CASE("the names of indexes are taken once, the library's own always") {
    REQUIRE(test::exact_schema(kDim).validate().ok());
    for (const char* name : {"flat", "hnsw", "ivf", test::kExactIndex}) {
        const Status status = register_index(name, test::make_exact_index);
        CHECK(status.code() == StatusCode::kAlreadyExists);
        CHECK(test::names(status, name));
    }
}

TEST_CASE("the statistics tell sealed rows and bytes of the index") {
    constexpr std::size_t kRows = 10'000;
    Collection collection = test::make_collection(test::exact_schema(kDim));
    const Matrix rows = test::normal_rows(kRows, kDim, 1);
    REQUIRE(collection.insert(test::sequential_ids(kRows), rows.view()).ok());
    CHECK(collection.stats().sealed_rows == 0);
    CHECK(collection.stats().index_bytes == 0);
    CHECK(collection.stats().index == test::kExactIndex);
    REQUIRE(collection.build_index().ok());
    const CollectionStats sealed = collection.stats();
    CHECK(sealed.sealed_segments == 1);
    CHECK(sealed.sealed_rows == kRows);
    CHECK(sealed.live_rows == kRows);
    CHECK(sealed.index_bytes == kRows * sizeof(Id));
    const double expected = static_cast<double>(kRows) * (4.0 * kDim + 12 + 4 + 8);
    CHECK(static_cast<double>(sealed.memory_bytes) >= 0.95 * expected);
    CHECK(static_cast<double>(sealed.memory_bytes) <= 1.15 * expected);

    REQUIRE(collection.upsert(3, VectorView(rows.row(5))).ok());
    CHECK(collection.stats().sealed_rows == kRows - 1);
    CHECK(collection.stats().live_rows == kRows);
    CHECK(collection.stats().dead_rows == 1);
    CHECK(collection.stats().memory_bytes > sealed.memory_bytes);
    REQUIRE(collection.remove(test::sequential_ids(kRows)).value() == kRows);
    CHECK(collection.stats().sealed_segments == 0);
    CHECK(collection.stats().index_bytes == 0);

    const Collection flat = test::make_collection(kDim);
    CHECK(flat.stats().index == "flat");
}

}  // namespace
}  // namespace vecdb
