// Every call is made again and again, its first allocation failing, then its second and so on,
// until it succeeds: each time it must say so and leave everything as it was.

#include "support/catch.h"
#include "support/collections.h"
#include "support/operator_new.h"
#include "support/random_data.h"

#include <vecdb/database.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace vecdb {
namespace {

using test::Matrix;
using test::until_failure;

constexpr std::size_t kDim = 4;
const std::vector<float> kQuery = {0.1F, 0.2F, 0.3F, 0.4F};

/// A database with sealed, growing and removed rows in several partitions and an alias.
struct State {
    Database database = Database::in_memory().value();
    Collection rows;

    explicit State(const Schema& schema) : rows(database.create_collection("a", schema).value()) {
        rows.insert(test::sequential_ids(60), test::normal_rows(60, kDim, 1).view()).check();
        if (schema.rule.routing == Routing::kNone) {
            Partition part = rows.create_partition("part").value();
            part.insert(test::sequential_ids(30, 100), test::normal_rows(30, kDim, 2).view())
                .check();
        }
        rows.build_index({.threads = 1}).check();
        rows.insert(test::sequential_ids(20, 200), test::normal_rows(20, kDim, 3).view()).check();
        rows.remove(test::sequential_ids(5, 10)).status().check();
        rows.set_retention({.window = std::chrono::hours(1)}).check();
        database.create_alias("live", "a").check();
    }
};

/// All that can be seen of a State.
struct Seen {
    explicit Seen(const State& state)
        : names(state.database.list_collections()),
          aliases(state.database.list_aliases()),
          partitions(state.rows.list_partitions()),
          hits(state.rows.search(kQuery, {.k = 500}).value()),
          sequence(state.rows.sequence()),
          count(state.rows.count()),
          sealed(state.rows.stats().sealed_rows) {
        const FetchedRows fetched = state.rows.get(test::sequential_ids(400)).value();
        found = fetched.found;
        vectors = test::floats(fetched);
    }
    std::vector<std::string> names;
    std::vector<Alias> aliases;
    std::vector<std::string> partitions;
    Hits hits;
    std::vector<bool> found;
    std::vector<float> vectors;
    std::uint64_t sequence;
    std::size_t count;
    std::size_t sealed;
};

struct Call {
    const char* name;
    std::function<Status(State&)> body;
    bool may_seal = false;
};

std::vector<Call> calls() {
    static const Schema kSchema = Schema::single(3);
    static const Matrix kRows = test::normal_rows(40, kDim, 9);
    static const std::vector<Id> kNew = test::sequential_ids(40, 300);
    static const std::vector<Id> kMixed = test::sequential_ids(40, 190);  // some of them new
    static const std::vector<Id> kOld = test::sequential_ids(40);
    static const Filter kEven = Filter::where([](Id id) { return id % 2 == 0; });
    return {{"insert",
             [](State& s) {
                 return s.rows.insert(kNew, kRows.view());
             }},
            {"upsert of growing rows",
             [](State& s) {
                 return s.rows.upsert(kMixed, kRows.view());
             }},
            {"upsert of sealed rows",
             [](State& s) {
                 return s.rows.upsert(kOld, kRows.view());
             }},
            {"remove",
             [](State& s) {
                 return s.rows.remove(kOld).status();
             }},
            {"remove by filter",
             [](State& s) {
                 return s.rows.remove(kEven).status();
             }},
            {"build_index", [](State& s) { return s.rows.build_index({.threads = 1}); }, true},
            {"flush", [](State& s) { return s.rows.flush({.threads = 1}); }, true},
            {"create_collection",
             [](State& s) {
                 return s.database.create_collection("b", kSchema).status();
             }},
            {"create_alias",
             [](State& s) {
                 return s.database.create_alias("other", "a");
             }},
            {"create_partition",
             [](State& s) {
                 const bool ruled = s.rows.schema().rule.routing != Routing::kNone;
                 return ruled ? Status() : s.rows.create_partition("new").status();
             }},
            {"drop_partition",
             [](State& s) {
                 const bool ruled = s.rows.schema().rule.routing != Routing::kNone;
                 return ruled ? Status() : s.rows.drop_partition("part");
             }},
            {"rebuild", [](State& s) {
                 bool given = false;
                 const RebuildSource source{.rows = kRows.rows, .next = [&]() -> Result<RowBatch> {
                                                if (std::exchange(given, true)) return RowBatch{};
                                                return RowBatch{kNew, kRows.view()};
                                            }};
                 return s.database
                     .rebuild(
                         "live", source, {.warm_up_queries = 2, .keep_old = true, .threads = 1})
                     .status();
             }}};
}

/// Make one call fail at each of its first allocations in turn, and at ever fewer of the later
/// ones; returns the number of the last that failed.
std::size_t fail_everywhere(const Schema& schema, const Call& call) {
    for (std::size_t n = 0; n < 200'000; n += 1 + n / 50) {
        State state(schema);
        const Seen before(state);
        until_failure = static_cast<long>(n);
        const Status status = call.body(state);
        const bool failed = until_failure.exchange(-1) < 0;
        CAPTURE(n, status.message());
        if (!failed) {
            REQUIRE(status.ok());
            return n;
        }
        // Some memory can be done without: then the call has done all that it should.
        if (status.ok()) continue;
        REQUIRE(status.code() == StatusCode::kOutOfMemory);
        Seen after(state);
        // Partitions that were indexed before the failure stay so.
        if (call.may_seal) after.sealed = before.sealed;
        REQUIRE(after.names == before.names);
        REQUIRE(after.aliases == before.aliases);
        REQUIRE(after.partitions == before.partitions);
        REQUIRE(after.sequence == before.sequence);
        REQUIRE(after.count == before.count);
        REQUIRE(after.sealed == before.sealed);
        REQUIRE(after.found == before.found);
        REQUIRE(after.vectors == before.vectors);
        REQUIRE(test::identical(after.hits, before.hits));
        REQUIRE(call.body(state).ok());
    }
    FAIL("the call allocates without end");
    return 0;
}

}  // namespace

TEST_CASE("a call that cannot have memory says so, changes nothing, and works the next time") {
    for (const bool ruled : {false, true}) {
        for (const IndexOptions& index :
             {IndexOptions(FlatOptions{}),
              IndexOptions(FlatOptions{.codes = Codes::kNone}),
              IndexOptions(HnswOptions{.m = 4, .ef_construction = 8})}) {
            Schema schema = Schema::single(kDim);
            schema.vectors[0].index = index;
            schema.segments.seal_rows = 0;
            if (ruled) schema.rule = {Routing::kIdModulo, 3};
            for (const Call& call : calls()) {
                CAPTURE(call.name, ruled, index.index());
                const std::size_t failures = fail_everywhere(schema, call);
                const bool nothing_to_do = ruled && std::string(call.name).ends_with("_partition");
                CHECK((failures > 0 || nothing_to_do));
            }
        }
    }
}

}  // namespace vecdb
