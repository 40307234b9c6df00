#include "support/catch.h"
#include "support/collections.h"
#include "support/model.h"
#include "support/random_data.h"

#include <vecdb/collection.h>
#include <vecdb/filter.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <set>
#include <stdexcept>
#include <vector>

namespace vecdb {
namespace {

using test::Matrix;

/// Rows with ids 0 to 299 in shuffled order, and a query.
struct Fixture {
    Matrix rows = test::normal_rows(300, 6, 1);
    Collection collection = test::make_collection(Metric::kL2, test::shuffled_ids(300, 2), rows);
    std::vector<float> query = std::vector<float>(6, 0.5F);

    /// Return the ids that a search finds and that count agrees on, ascending.
    [[nodiscard]] std::vector<Id> allowed(const Filter& filter) const {
        const Hits hits = collection.search(query, {.k = 2000, .filter = filter}).value();
        std::vector<Id> ids = test::ids_of(hits);
        std::sort(ids.begin(), ids.end());
        CHECK(collection.count(filter).value() == ids.size());
        return ids;
    }
};

TEST_CASE("a default filter allows every row") {
    const Fixture fixture;
    CHECK(Filter().allows_all());
    CHECK(fixture.allowed(Filter()) == test::sequential_ids(300));
    CHECK(fixture.collection.prepare(Filter()).ok());
}

TEST_CASE("a bitset allows the ids whose bits are set") {
    const Fixture fixture;
    Bitset bits(300);
    for (const std::size_t i : {0U, 63U, 64U, 299U})
        bits.set(i);
    const Filter filter = Filter::allow(bits);
    CHECK_FALSE(filter.allows_all());
    CHECK(fixture.allowed(filter) == std::vector<Id>{0, 63, 64, 299});
}

TEST_CASE("ids past a bitset's end are not allowed") {
    const Fixture fixture;
    CHECK(fixture.allowed(Filter::allow(Bitset(70, true).view())) == test::sequential_ids(70));
    CHECK(fixture.allowed(Filter::allow(BitsetView())).empty());
    CHECK(fixture.allowed(Filter::allow(Bitset(300).view())).empty());
    CHECK(fixture.allowed(Filter::allow(Bitset(300, true).view())) == test::sequential_ids(300));
    CHECK(fixture.allowed(Filter::allow(Bitset(5000, true).view())) == test::sequential_ids(300));
}

TEST_CASE("a filter keeps a copy of its bits and ids") {
    const Fixture fixture;
    Bitset bits(300, true);
    std::vector<Id> ids = {3, 4};
    const Filter by_bits = Filter::allow(bits);
    const Filter by_ids = Filter::allow_ids(ids);
    bits = Bitset(300);
    ids = {9, 9};
    CHECK(fixture.allowed(by_bits).size() == 300);
    CHECK(fixture.allowed(by_ids) == std::vector<Id>{3, 4});
}

TEST_CASE("ids far past a bitset's end are not allowed") {
    Collection collection = test::make_collection(1);
    const std::vector<float> vector = {1};
    constexpr Id kLargest = std::numeric_limits<Id>::max();
    REQUIRE(collection.insert(kLargest, vector).ok());
    REQUIRE(collection.insert(5, vector).ok());
    const Filter filter = Filter::allow(Bitset(64, true).view());
    CHECK(collection.count(filter).value() == 1);
    const std::vector<Id> listed = {kLargest};
    CHECK(collection.count(Filter::allow_ids(listed)).value() == 1);
}

TEST_CASE("an id list allows the listed rows whatever else it holds") {
    const Fixture fixture;
    const std::vector<Id> ids = {250,
                                 7,
                                 7,
                                 -1,
                                 9999,
                                 0,
                                 250,
                                 std::numeric_limits<Id>::min(),
                                 std::numeric_limits<Id>::max()};
    CHECK(fixture.allowed(Filter::allow_ids(ids)) == std::vector<Id>{0, 7, 250});
    CHECK(fixture.allowed(Filter::allow_ids({})).empty());
    CHECK(fixture.allowed(Filter::allow_ids(test::shuffled_ids(300, 5))).size() == 300);
    CHECK(fixture.allowed(Filter::allow_ids(test::sequential_ids(50, 1000))).empty());
}

TEST_CASE("a predicate allows the ids for which it answers true") {
    const Fixture fixture;
    CHECK(fixture.allowed(Filter::where([](Id) { return true; })).size() == 300);
    CHECK(fixture.allowed(Filter::where([](Id) { return false; })).empty());
    const std::vector<Id> odd = fixture.allowed(Filter::where([](Id id) { return id % 2 == 1; }));
    CHECK(odd.size() == 150);
    CHECK(std::all_of(odd.begin(), odd.end(), [](Id id) { return id % 2 == 1; }));
}

TEST_CASE("a predicate that throws fails the call and no other") {
    Fixture fixture;
    const Filter throwing = Filter::where([](Id id) -> bool {
        if (id == 150) throw std::runtime_error("no such row");
        return true;
    });
    const Filter odd_thrower = Filter::where([](Id) -> bool { throw 3; });
    std::vector<Hit> room(10);
    for (int round = 0; round < 2; ++round) {
        const SearchOptions options{.filter = throwing};
        const Status one = fixture.collection.search(fixture.query, options).status();
        CHECK(one.code() == StatusCode::kInternal);
        CHECK(test::names(one, "no such row"));
        const MatrixView queries(fixture.query, 6);
        const Status many = fixture.collection.search(queries, options).status();
        CHECK(many.code() == StatusCode::kInternal);
        const Status into = fixture.collection.search_into(fixture.query, options, room).status();
        CHECK(into.code() == StatusCode::kInternal);
        CHECK(fixture.collection.prepare(throwing).code() == StatusCode::kInternal);
        CHECK(fixture.collection.count(throwing).status().code() == StatusCode::kInternal);
        CHECK(fixture.collection.count(odd_thrower).status().code() == StatusCode::kInternal);
    }
    CHECK(fixture.allowed(Filter()).size() == 300);
    REQUIRE(fixture.collection.remove(150).ok());
    REQUIRE(fixture.collection.insert(150, VectorView(fixture.rows.row(0))).ok());
}

TEST_CASE("a prepared predicate is asked once per row") {
    Fixture fixture;
    const auto calls = std::make_shared<std::size_t>(0);
    const Filter filter = Filter::where([calls](Id id) {
        ++*calls;
        return id % 3 == 0;
    });
    REQUIRE(fixture.collection.prepare(filter).ok());
    CHECK(*calls == 300);
    CHECK(fixture.allowed(filter).size() == 100);
    const Filter copy = filter;
    CHECK(fixture.allowed(copy).size() == 100);
    CHECK(*calls == 300);

    const Matrix more = test::normal_rows(30, 6, 3);
    REQUIRE(fixture.collection.insert(test::sequential_ids(30, 300), more.view()).ok());
    CHECK(fixture.allowed(filter).size() == 110);
    CHECK(*calls == 330);
}

TEST_CASE("a filter sees rows added, replaced and removed after its first use") {
    Fixture fixture;
    Bitset bits(2000);
    for (std::size_t i = 0; i < 2000; i += 2)
        bits.set(i);
    const Filter filter = Filter::allow(bits);
    CHECK(fixture.allowed(filter).size() == 150);
    for (Id id = 300; id < 500; ++id) {
        REQUIRE(fixture.collection.insert(id, VectorView(fixture.rows.row(0))).ok());
        if (id % 37 == 0)
            CHECK(fixture.allowed(filter).size() == static_cast<std::size_t>(id / 2 + 1));
    }
    CHECK(fixture.allowed(filter).size() == 250);
    REQUIRE(fixture.collection.remove(std::vector<Id>{0, 1, 2, 498, 499}).value() == 5);
    CHECK(fixture.allowed(filter).size() == 247);
    REQUIRE(
        fixture.collection.upsert(std::vector<Id>{4, 5, 0}, fixture.rows.view().slice(0, 3)).ok());
    const std::vector<Id> now = fixture.allowed(filter);
    CHECK(now.size() == 248);
    CHECK(now[0] == 0);
    CHECK(now[1] == 4);
}

TEST_CASE("a filter stays right while rows are rewritten many times") {
    Fixture fixture;
    const Filter filter = Filter::where([](Id id) { return id % 4 == 1; });
    const std::vector<Id> expected = fixture.allowed(filter);
    CHECK(expected.size() == 75);
    test::Random random(7);
    for (int round = 0; round < 60; ++round) {
        const std::vector<Id> ids = test::shuffled_ids(300, random());
        REQUIRE(fixture.collection.upsert(ids, fixture.rows.view()).ok());
        CHECK(fixture.allowed(filter) == expected);
    }
    // Dead rows stay few, so the rows were moved at least once on the way.
    CHECK(fixture.collection.stats().dead_rows < 60 * 300 / 2);
}

TEST_CASE("one filter serves several collections, dead ones too") {
    const Filter filter = Filter::where([](Id id) { return id < 10; });
    const Matrix rows = test::normal_rows(40, 3, 1);
    const Collection low = test::make_collection(Metric::kL2, test::sequential_ids(40), rows);
    const Collection high = test::make_collection(Metric::kL2, test::sequential_ids(40, 5), rows);
    for (int round = 0; round < 3; ++round) {
        CHECK(low.count(filter).value() == 10);
        CHECK(high.count(filter).value() == 5);
    }
    for (Id first = 0; first < 200; ++first) {
        // Each collection dies, so that the next may take its place in memory.
        const Collection passing =
            test::make_collection(Metric::kL2, test::sequential_ids(40, first), rows);
        const std::size_t expected = first < 10 ? static_cast<std::size_t>(10 - first) : 0;
        CHECK(passing.count(filter).value() == expected);
    }
    CHECK(low.count(filter).value() == 10);
}

TEST_CASE("a filter and a collection may each die first") {
    const Matrix rows = test::normal_rows(40, 3, 1);
    Filter filter = Filter::where([](Id id) { return id % 2 == 0; });
    {
        const Collection collection =
            test::make_collection(Metric::kL2, test::sequential_ids(40), rows);
        CHECK(collection.count(filter).value() == 20);
    }
    const Collection collection =
        test::make_collection(Metric::kL2, test::sequential_ids(40), rows);
    CHECK(collection.count(filter).value() == 20);
    filter = Filter();
    CHECK(collection.count(filter).value() == 40);
}

TEST_CASE("a filter may be moved, copied and assigned") {
    const Fixture fixture;
    const std::vector<Id> ids = {1, 2, 3};
    Filter first = Filter::allow_ids(ids);
    const Filter copy = first;
    Filter moved = std::move(first);
    CHECK(fixture.allowed(copy) == ids);
    CHECK(fixture.allowed(moved) == ids);
    moved = Filter();
    CHECK(moved.allows_all());
    CHECK(fixture.allowed(copy) == ids);
}

TEST_CASE("the rows that a filter allows are removed, and no others") {
    for (const bool sealed : {false, true}) {
        Collection collection = test::make_collection(1);
        Partition part = collection.create_partition("part").value();
        const Matrix rows = test::normal_rows(900, 1, 3);
        const std::vector<Id> ids = test::sequential_ids(900);
        REQUIRE(collection.insert(std::span(ids).first(600), rows.view().slice(0, 600)).ok());
        REQUIRE(part.insert(std::span(ids).subspan(600), rows.view().slice(600, 300)).ok());
        if (sealed) REQUIRE(collection.build_index().ok());
        REQUIRE(collection.remove(Id{9}).value() == 1);
        const Filter third = Filter::where([](Id id) { return id % 3 == 0; });
        CHECK(part.remove(third).value() == 100);
        CHECK(collection.remove(third).value() == 199);
        CHECK(collection.remove(third).value() == 0);
        CHECK(collection.count() == 600);
        CHECK(collection.count(third).value() == 0);
        const FetchedRows fetched = collection.get(ids).value();
        for (const Id id : ids)
            CHECK(fetched.found[static_cast<std::size_t>(id)] == (id % 3 != 0));
        const std::vector<Id> two = {1, 700, 5'000};
        CHECK(collection.remove(Filter::allow_ids(two)).value() == 2);
        CHECK(part.remove(Filter()).value() == 199);
        CHECK(collection.remove(Filter()).value() == 399);
        CHECK(collection.count() == 0);
    }
}

TEST_CASE("fewer allowed rows than k are all returned") {
    const Fixture fixture;
    for (const std::size_t allowed : {0U, 1U, 9U, 10U, 11U}) {
        const Filter filter = Filter::allow(Bitset(allowed, true).view());
        const SearchOptions options{.k = 10, .filter = filter};
        const std::size_t expected = std::min<std::size_t>(allowed, 10);
        CHECK(fixture.collection.search(fixture.query, options)->size() == expected);
        const MatrixView queries(fixture.query, 6);
        CHECK((*fixture.collection.search(queries, options))[0].size() == expected);
        std::vector<Hit> room(10);
        CHECK(fixture.collection.search_into(fixture.query, options, room).value() == expected);
    }
}

TEST_CASE("filters of every selectivity find what brute force finds") {
    const std::size_t count = 12'000;
    const Matrix queries = test::normal_rows(8, 16, 4);
    for (const Metric metric : test::kAllMetrics) {
        const Matrix rows = test::normal_rows(count, 16, 5);
        const std::vector<Id> ids = test::shuffled_ids(count, 6);
        const Collection collection = test::make_collection(metric, ids, rows);
        test::Model model(16, metric);
        model.upsert(ids, rows.view());
        for (const std::size_t per_mille : {1000U, 500U, 100U, 10U, 1U, 0U}) {
            CAPTURE(to_string(metric), per_mille);
            Bitset bits(count);
            test::Random random(per_mille);
            for (std::size_t i = 0; i < count; ++i)
                bits.set(i, random() % 1000 < per_mille);
            const Filter filter = Filter::allow(bits);
            const auto allowed = [&bits](Id id) {
                return bits.test(static_cast<std::size_t>(id));
            };
            const SearchOptions options{.k = 20, .filter = filter};
            const SearchResult many = collection.search(queries.view(), options).value();
            for (std::size_t q = 0; q < queries.rows; ++q) {
                const Hits hits = collection.search(VectorView(queries.row(q)), options).value();
                CHECK(test::identical(hits, many[q]));
                if (q < 3) CHECK(model.fault(queries.row(q), 20, hits, allowed) == "");
            }
        }
    }
}

TEST_CASE("a block of ids that is allowed as a whole or not at all is searched exactly") {
    const Matrix rows = test::integer_rows(9000, 4, 9, 7);
    const std::vector<Id> ids = test::sequential_ids(9000);
    const Collection collection = test::make_collection(Metric::kL2, ids, rows);
    test::Model model(4, Metric::kL2);
    model.upsert(ids, rows.view());
    for (const Id first : {0, 1, 63, 64, 4095, 4096, 8999}) {
        for (const Id size : {1, 64, 100, 4096}) {
            const auto allowed = [=](Id id) {
                return id >= first && id < first + size;
            };
            const Filter filter = Filter::where(allowed);
            const SearchOptions options{.k = 30, .filter = filter};
            const Hits hits = collection.search(VectorView(rows.row(17)), options).value();
            CHECK(hits == model.exact_search(rows.row(17), 30, allowed));
        }
    }
}

TEST_CASE("a predicate may search another collection") {
    const Fixture fixture;
    const Fixture other;
    const std::vector<float> far(6, 50.0F);
    const Filter plain = Filter::where([](Id id) { return id % 3 == 0; });
    const Filter searching = Filter::where([&](Id id) {
        return id % 3 == 0 && !other.collection.search(far, {.k = 1}).value().empty();
    });
    const Hits expected = fixture.collection.search(fixture.query, {.filter = plain}).value();
    CHECK(fixture.collection.search(fixture.query, {.filter = searching}).value() == expected);
}

}  // namespace
}  // namespace vecdb
