// Every limit of the public calls: served at its value, refused beyond it with both numbers, and
// nothing changed then. Those that take long to come to have tests of their own:
//   65,536 collections: database_test "65,536 collections fit and the next is refused"
//   65,536 aliases: alias_test "65,536 aliases fit beside as many collections, and the next is
//     refused"
//   2^20 partitions: partitions_test "2^20 partitions are created, and the next is refused until
//     one goes", "the largest number of partitions by a rule is served"
//   2^24 rows of a batch: bad_input_test "a batch of 2^24 rows is looked at, a larger one is not"
//   2^31 - 1 rows of a segment: storage_test "numbers of rows and partitions have room for the
//     largest ones"
// Limits of files of vectors are those of persist/formats_test.

#include "collection/boundaries/limit.h"
#include "support/catch.h"
#include "support/collections.h"
#include "support/memory_storage.h"
#include "support/random_data.h"

#include <vecdb/vecdb.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace vecdb {
namespace {

using namespace std::string_literals;
using std::size_t;
using test::limit;
using test::Limit;
using test::Limits;
using test::Matrix;
using test::with;
using test::World;

constexpr size_t kDim = test::kWorldDim;
constexpr size_t kRows = test::kWorldRows;
constexpr size_t kMaxEf = 65'536;
constexpr size_t kMaxLists = size_t{1} << 24U;
constexpr size_t kMaxWrites = size_t{1} << 24U;
constexpr size_t kMaxQueries = size_t{1} << 24U;
constexpr std::int64_t kCentury = std::chrono::milliseconds(std::chrono::hours(876'000)).count();
constexpr float kLargest = std::numeric_limits<float>::max();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr double kLeast = std::numeric_limits<double>::denorm_min();
constexpr Id kLargestId = std::numeric_limits<Id>::max();

float above(float value) {
    return std::nextafter(value, kInfinity);
}
float below(float value) {
    return std::nextafter(value, -kInfinity);
}

// What a search is asked --------------------------------------------------------------------------

/// Search with one option.
template <class Value>
auto search(Value SearchOptions::*option) {
    return [option](const World& world, Value value) {
        return world.search(with(option, value));
    };
}

auto search_radius(Metric metric) {
    return [metric](const World& world, float radius) {
        return test::make_collection(metric, test::sequential_ids(kRows), world.rows())
            .range_search(world.query(), radius)
            .status();
    };
}

Status search_batch(const World& world, size_t k) {
    return world.flat().search(world.rows().view(), {.k = k}).status();
}
Status search_async(const World& world, size_t k) {
    return world.flat().search_async(world.query(), {.k = k}).get().status();
}
Status search_parts(const World& world, size_t parts) {
    const std::vector<FieldQuery> queries(std::min(parts, kMaxFieldQueries + 1),
                                          {world.query(), {}});
    return world.flat().hybrid_search(queries).status();
}
Status search_into(const World& world, size_t k) {
    Hits room(kMaxK + 1);
    return world.flat().search_into(world.query(), {.k = k}, room).status();
}
Status search_into_room(const World& world, size_t places) {
    Hits room(places);
    return world.flat().search_into(world.query(), {.k = 10}, room).status();
}
Status search_past(const World& world, std::uint64_t sequence) {
    return world.flat().search(world.query(), {.as_of = sequence}).status();
}
Status search_dim(const World& world, size_t dim) {
    const std::vector<float> query(std::min(dim, kDim + 1));
    return world.flat().search(query).status();
}

Limits search_limits() {
    return {
        limit("k", kMaxK, kMaxK + 1, search(&SearchOptions::k)),
        limit("k of a batch", kMaxK, kMaxK + 1, search_batch),
        limit("k of search_async", kMaxK, kMaxK + 1, search_async),
        limit("parts", kMaxFieldQueries, kMaxFieldQueries + 1, search_parts),
        limit("parts >", size_t{1}, size_t{0}, search_parts),
        limit("k of search_into", kMaxK, kMaxK + 1, search_into),
        limit("threads", kMaxThreads, kMaxThreads + 1, search(&SearchOptions::threads)),
        limit("ef", kMaxEf, kMaxEf + 1, search(&SearchOptions::ef)),
        limit("nprobe", kMaxLists, kMaxLists + 1, search(&SearchOptions::nprobe)),
        limit("rerank", kMaxEf, kMaxEf + 1, search(&SearchOptions::rerank)),
        limit("bound >", 0.0F, below(0.0F), {"-1e-45", "0 to 1"}, search(&SearchOptions::bound)),
        limit("bound", 1.0F, above(1.0F), {"1.0000001", "0 to 1"}, search(&SearchOptions::bound)),
        limit("bound", 1.0F, std::nanf(""), {"nan", "0 to 1"}, search(&SearchOptions::bound)),
        limit("room >", size_t{10}, size_t{9}, search_into_room),
        limit(
            "l2 radius >", 0.0F, below(0.0F), {"-1e-45", "at least 0"}, search_radius(Metric::kL2)),
        limit("ip radius",
              kLargest,
              kInfinity,
              {"inf", "below"},
              search_radius(Metric::kInnerProduct)),
        limit("cosine radius",
              -kInfinity,
              kInfinity,
              {"inf", "below"},
              search_radius(Metric::kCosine)),
        limit("sequence number", std::uint64_t{2}, std::uint64_t{3}, search_past),
        limit("dimension of a query", kDim, kDim + 1, search_dim),
        limit("dimension of a query >", kDim, kDim - 1, search_dim),
    };
}

// What a collection is made of --------------------------------------------------------------------

/// Make a collection with one thing set.
auto make(size_t PartitionRule::*number, Routing routing) {
    return [number, routing](World& world, size_t value) {
        Schema schema = Schema::single(kDim);
        schema.rule = with(number, value, {.routing = routing});
        // At the limit they take a second to make.
        return value == kMaxPartitions ? schema.validate() : world.make(schema);
    };
}
template <class Value>
auto make(Value VectorField::*part) {
    return [part](World& world, std::conditional_t<std::is_enum_v<Value>, int, Value> value) {
        Schema schema = Schema::single(kDim);
        schema.vectors[0].*part = static_cast<Value>(value);
        return world.make(schema);
    };
}
template <class Value>
auto make(Value SegmentPolicy::*part, size_t seal_rows) {
    return [part, seal_rows](World& world, Value value) {
        Schema schema = Schema::single(kDim);
        schema.segments = with(part, value, {.seal_rows = seal_rows});
        return world.make(schema);
    };
}
template <class Options, class Value>
auto make_index(Value Options::*part, const Options& options = {}) {
    return
        [part, options](World& world, std::conditional_t<std::is_enum_v<Value>, int, Value> value) {
            Schema schema = Schema::single(kDim);
            schema.vectors[0].index = with(part, static_cast<Value>(value), options);
            return world.make(schema);
        };
}
Status make_fields(World& world, size_t fields) {
    Schema schema = Schema::single(kDim);
    fields = std::min(fields, kMaxVectorFields + 1);
    schema.vectors.resize(fields);
    for (size_t i = 1; i < fields; ++i)
        schema.vectors[i] = {.name = std::to_string(i), .dim = kDim};
    return world.database.create_collection("made", schema).status();
}
Status retain(const World& world, std::int64_t milliseconds) {
    return world.flat().set_retention({.window = std::chrono::milliseconds(milliseconds)});
}
Status retain_writes(const World& world, size_t writes) {
    return world.flat().set_retention({.max_writes = writes});
}

Limits schema_limits() {
    const auto rule = make(&PartitionRule::partitions, Routing::kIdModulo);
    return {
        limit("dimension", kMaxDimension, kMaxDimension + 1, make(&VectorField::dim)),
        limit("dimension >", size_t{1}, size_t{0}, make(&VectorField::dim)),
        limit("partitions of a rule", kMaxPartitions, kMaxPartitions + 1, rule),
        limit("partitions of a rule >", size_t{1}, size_t{0}, rule),
        limit("partitions of none",
              size_t{0},
              size_t{1},
              make(&PartitionRule::partitions, Routing::kNone)),
        limit("vector fields", kMaxVectorFields, kMaxVectorFields + 1, make_fields),
        limit("vector fields >", size_t{1}, size_t{0}, {"no vector field", "one"}, make_fields),
        limit("metric", 3, 6, {"6", "Metric"}, make(&VectorField::metric)),
        limit("metric >", 1, 0, {"0", "Metric"}, make(&VectorField::metric)),
        limit("element type", 1, 6, {"6", "ElementType"}, make(&VectorField::element_type)),
        limit("element type >", 1, 0, {"0", "ElementType"}, make(&VectorField::element_type)),
        limit("zero_vector", 2, 3, {"3", "ZeroVector"}, make(&VectorField::zero_vector)),
        limit("zero_vector >", 1, 0, {"0", "ZeroVector"}, make(&VectorField::zero_vector)),
    };
}

Limits index_limits() {
    const auto m = make_index(&HnswOptions::m, HnswOptions{.ef_construction = kMaxEf});
    const auto ef = make_index(&HnswOptions::ef_construction, HnswOptions{.m = 20});
    const auto alpha = make_index(&HnswOptions::alpha);
    const auto pq_dims = make_index(&IvfOptions::pq_dims, IvfOptions{.codes = Codes::kPq4});
    return {
        limit("m", size_t{256}, size_t{257}, m),
        limit("m >", size_t{2}, size_t{1}, m),
        limit("ef_construction", kMaxEf, kMaxEf + 1, ef),
        limit("ef_construction >", size_t{20}, size_t{19}, ef),
        limit("alpha", 2.0F, above(2.0F), {"2.0000002", "1 to 2"}, alpha),
        limit("alpha >", 1.0F, below(1.0F), {"0.99999994", "1 to 2"}, alpha),
        limit("nlist", kMaxLists, kMaxLists + 1, make_index(&IvfOptions::nlist)),
        limit("pq_dims", size_t{64}, size_t{65}, pq_dims),
        limit("pq_dims >", size_t{1}, size_t{0}, pq_dims),
        limit("codes of flat", 2, 3, {"sq5", "sq4"}, make_index(&FlatOptions::codes)),
        limit("codes of hnsw", 5, 6, {"pq4", "sq8"}, make_index(&HnswOptions::codes)),
        limit("codes of ivf", 2, 3, {"sq5", "sq4"}, make_index(&IvfOptions::codes)),
        limit("codes", 7, 8, {"8", "Codes"}, make_index(&IvfOptions::codes)),
    };
}

Limits policy_limits() {
    const auto seal = make(&SegmentPolicy::seal_rows, 64);
    const auto merge = make(&SegmentPolicy::merge_segments, 64);
    const auto removed = make(&SegmentPolicy::max_removed, 64);
    const auto growing = make(&SegmentPolicy::max_growing_rows, 100);
    return {
        limit("seal_rows", kMaxRowsPerSegment, kMaxRowsPerSegment + 1, seal),
        // 0 is served.
        limit("seal_rows >", size_t{64}, size_t{63}, {"63", "64"}, seal),
        limit("seal_rows > 0", size_t{0}, size_t{1}, {"1", "64"}, seal),
        limit("merge_segments", size_t{32}, size_t{33}, merge),
        limit("merge_segments >", size_t{2}, size_t{1}, merge),
        limit("max_removed", 1.0F, above(1.0F), {"1.0000001", "0.01 to 1"}, removed),
        limit("max_removed >", 0.01F, below(0.01F), {"0.009999999", "0.01 to 1"}, removed),
        limit("max_growing_rows", kMaxRowsPerSegment, kMaxRowsPerSegment + 1, growing),
        limit("max_growing_rows >", size_t{200}, size_t{199}, {"199", "200"}, growing),
        limit("max_growing_rows without a background",
              size_t{0},
              size_t{1},
              {"1", "seal_rows is 0"},
              make(&SegmentPolicy::max_growing_rows, 0)),
        limit("window", kCentury, kCentury + 1, retain),
        limit("window >", std::int64_t{0}, std::int64_t{-1}, retain),
        limit("max_writes", kMaxWrites, kMaxWrites + 1, retain_writes),
        limit("max_writes >", size_t{1}, size_t{0}, retain_writes),
    };
}

// How it runs -------------------------------------------------------------------------------------

Status threads_of_database(const World& /*world*/, size_t threads) {
    return Database::in_memory({.threads = threads}).status();
}
Status threads_of_build(const World& world, size_t threads) {
    return world.flat().build_index({.threads = threads});
}
Status threads_of_flush(const World& world, size_t threads) {
    return world.flat().flush({.threads = threads});
}

/// Open a database, in which there is nothing, with one option.
template <class Value, class Given = Value>
auto open(Value OpenOptions::*option, OpenOptions options = {}, Given /*type*/ = {}) {
    return [option, options](const World& /*world*/, Given value) {
        const auto files = std::make_shared<test::MemoryStorage>();
        Database::open("d", {.storage = files}).status().check();
        const std::vector<std::string> before = files->names();
        OpenOptions used = with(option, static_cast<Value>(value), options);
        used.storage = files;
        Status status = Database::open("d", used).status();
        CHECK((status.ok() || files->names() == before));
        return status;
    };
}
Status threads_of_open(const World& /*world*/, size_t threads) {
    const auto files = std::make_shared<test::MemoryStorage>();
    return Database::open("d", {.storage = files, .run = {.threads = threads}}).status();
}

Limits run_limits() {
    const OpenOptions at_intervals{.sync = SyncMode::kInterval};
    const auto interval = open(&OpenOptions::sync_interval, at_intervals, std::int64_t{});
    const auto keep = open(&OpenOptions::keep_replaced, {}, std::int64_t{});
    const auto log = open(&OpenOptions::checkpoint_bytes);
    const std::int64_t hour = 3'600'000, day = 86'400, none = 0;
    const std::uint64_t least = 65'536, never = 0;
    return {
        limit("threads of a database", kMaxThreads, kMaxThreads + 1, threads_of_database),
        limit("threads of open", kMaxThreads, kMaxThreads + 1, threads_of_open),
        limit("threads of build_index", kMaxThreads, kMaxThreads + 1, threads_of_build),
        limit("threads of flush", kMaxThreads, kMaxThreads + 1, threads_of_flush),
        limit("sync_interval", hour, hour + 1, interval),
        limit("sync_interval >", none + 1, none, interval),
        limit("keep_replaced", day, day + 1, keep),
        limit("keep_replaced >", none, none - 1, keep),
        limit("checkpoint_bytes >", least, least - 1, {"65535", "65536 or more"}, log),
        limit("checkpoint_bytes > 0", never, never + 1, {"1", "65536 or more"}, log),
        limit("mode", 3, 4, open(&OpenOptions::mode, {}, 0)),
        limit("sync", 3, 4, open(&OpenOptions::sync, {}, 0)),
        limit("verify", 1, 2, open(&OpenOptions::verify, {}, 0)),
        limit("locking", 1, 2, open(&OpenOptions::locking, {}, 0)),
    };
}

template <class Value>
auto rebuild(Value RebuildOptions::*option) {
    return [option](World& world, const Value& value) {
        const RebuildOptions options = with(option, value);
        // So many searches take long.
        return options.warm_up_queries == kMaxQueries ? options.validate() : world.rebuild(options);
    };
}
template <class Value>
auto guard(Value RebuildGuards::*option, const RebuildGuards& guards = {}) {
    return [option, guards](World& world, Value value) {
        return world.rebuild({.guards = with(option, value, guards)});
    };
}
Status guard_k(World& world, size_t k) {
    return world.rebuild({.guards = {.search = {.k = k}}});
}
Status guard_part(World& world, double part) {
    return world.rebuild({.guards = {.source = {.part = part}}});
}

Limits rebuild_limits() {
    const auto queries = guard(&RebuildGuards::queries, RebuildGuards{.min_recall = 0.5});
    const auto recall = guard(&RebuildGuards::min_recall);
    const auto warm_up = rebuild(&RebuildOptions::warm_up_queries);
    return {
        limit(
            "threads of rebuild", kMaxThreads, kMaxThreads + 1, rebuild(&RebuildOptions::threads)),
        limit("warm_up_queries", kMaxQueries, kMaxQueries + 1, warm_up),
        limit("queries of a guard", kMaxQueries, kMaxQueries + 1, queries),
        limit("queries of a guard >", size_t{1}, size_t{0}, queries),
        limit("k of a guard", kMaxK, kMaxK + 1, guard_k),
        limit("k of a guard >", size_t{1}, size_t{0}, guard_k),
        limit("min_recall", 1.0, std::nextafter(1.0, 2.0), {"1.0000000000000002", "to 1"}, recall),
        limit("min_recall >", 0.0, -kLeast, {"-5e-324", "0 to"}, recall),
        limit("part of a guard >", 0.0, -kLeast, {"-5e-324", "least 0"}, guard_part),
    };
}

// Names and rows ----------------------------------------------------------------------------------

Status name_collection(World& world, const std::string& name) {
    return world.database.create_collection(name, Schema::single(kDim)).status();
}
Status name_alias(World& world, const std::string& name) {
    return world.database.create_alias(name, "flat");
}
Status name_partition(const World& world, const std::string& name) {
    return world.flat().create_partition(name).status();
}
Status name_index(const World& /*world*/, const std::string& name) {
    const auto none = [](const VectorField& /*field*/) -> Result<std::unique_ptr<Index>> {
        return Status(StatusCode::kUnsupported, "none");
    };
    const Status made = register_index(name, none);
    return made.ok() ? CustomOptions{name, {}}.validate() : made;
}

Limits name_limits() {
    using Call = std::function<Status(World&, const std::string&)>;
    const std::string n255(255, 'n'), n256(256, 'n');
    const std::string two255 = std::string(253, 'n') + "\xC3\xB6", two256 = 'n' + two255;
    const std::pair<const char*, Call> kKinds[] = {{"collection", name_collection},
                                                   {"alias", name_alias},
                                                   {"partition", name_partition},
                                                   {"field", make(&VectorField::name)}};
    Limits all = {
        // An empty one is chosen by the library.
        limit("rebuild", n255, n256, {"256", "255"}, rebuild(&RebuildOptions::name)),
        limit("index", n255, n256, {"256", "255"}, name_index),
        limit("index >", "i"s, ""s, {"0", "1 to 255"}, name_index),
    };
    for (const auto& [kind, call] : kKinds) {
        all.push_back(limit(kind, n255, n256, {"256", "255"}, call));
        all.push_back(limit(kind, two255, two256, {"256", "255"}, call));
        all.push_back(limit(kind, "n"s, ""s, {"empty", "1 to 255"}, call));
        all.push_back(limit(kind, "../x"s, "../x\0"s, {"control character", "byte 4"}, call));
        all.push_back(
            limit(kind, "\xF4\x8F\xBF\xBF"s, "\xF4\x90\x80\x80"s, {"UTF-8", "byte 0"}, call));
    }
    return all;
}

/// Write rows, which is refused as insert is.
Status write(const World& world, std::span<const Id> ids, MatrixView vectors) {
    Collection collection = world.flat();
    Status upserted = collection.upsert(ids, vectors);
    if (!upserted.ok()) CHECK(collection.insert(ids, vectors).code() == upserted.code());
    return upserted;
}
Status write_id(const World& world, Id id) {
    return write(world, {&id, 1}, world.query());
}
Status write_ids(const World& world, size_t ids) {
    return write(world, test::sequential_ids(std::min(ids, 2 * kRows)), world.rows().view());
}
Status write_vectors(const World& world, size_t vectors) {
    return write(world, {}, world.rows().view().slice(0, std::min(vectors, kRows)));
}
Status write_dim(const World& world, size_t dim) {
    const Matrix rows = test::normal_rows(kRows, std::min(dim, kDim + 1), 2);
    return write(world, test::sequential_ids(kRows), rows.view());
}
Status write_stride(const World& world, size_t stride) {
    return write(world, test::sequential_ids(2), {world.rows().values.data(), 2, kDim, stride});
}
Status write_element(const World& world, float element) {
    const std::vector<float> row(kDim, element);
    const Id id = kRows;
    return write(world, {&id, 1}, VectorView(row));
}

Limits row_limits() {
    return {
        limit("id >", Id{0}, Id{-1}, {"-1", "not negative"}, write_id),
        limit("ids of rows", kRows, kRows + 1, write_ids),
        limit("ids of rows >", kRows, kRows - 1, write_ids),
        limit("rows of no ids", size_t{0}, size_t{1}, write_vectors),
        limit("dimension of rows", kDim, kDim + 1, write_dim),
        limit("dimension of rows >", kDim, kDim - 1, write_dim),
        limit("step from row to row >", kDim, kDim - 1, {"12 bytes", "16 bytes"}, write_stride),
        limit("element", kLargest, kInfinity, {"inf", "finite"}, write_element),
        limit("element >", -kLargest, -kInfinity, {"-inf", "finite"}, write_element),
    };
}

TEST_CASE("every limit is served at its value and refused beyond it, where nothing changes") {
    for (const auto& part : {search_limits,
                             schema_limits,
                             index_limits,
                             policy_limits,
                             run_limits,
                             rebuild_limits,
                             name_limits,
                             row_limits}) {
        for (const Limit& limit : part()) {
            INFO(limit.name);
            World served;
            CHECK(limit.at(served).to_string() == "ok");
            World world;
            const std::string before = world.text();
            for (size_t i = 0; i < limit.beyond.size(); ++i) {
                const Status refused = limit.beyond[i](world);
                CAPTURE(i, refused.to_string());
                CHECK(refused.code() == StatusCode::kInvalidArgument);
                for (const std::string& said : limit.said)
                    CHECK((i > 0 || test::names(refused, said)));
                CHECK(world.text() == before);
            }
        }
    }
}

TEST_CASE("the largest id is one like others") {
    const auto files = std::make_shared<test::MemoryStorage>();
    const std::vector<Id> ids = {0, kLargestId - 1, kLargestId};
    const Matrix rows = test::normal_rows(3, kDim, 5);
    const auto look = [&](const Collection& collection) {
        const SearchOptions only{.filter = Filter::allow_ids(std::span(ids).last(1))};
        CHECK(collection.count() == 3);
        CHECK(test::ids_of(*collection.search(VectorView(rows.row(0)), only)) ==
              std::vector<Id>{kLargestId});
        CHECK(collection.search(VectorView(rows.row(2)))->front().id == kLargestId);
        CHECK(collection.get(kLargestId)->found[0]);
    };
    for (const size_t partitions : {0U, 3U}) {
        const std::string name = "of " + std::to_string(partitions);
        Schema schema = Schema::single(kDim);
        if (partitions > 0) schema.rule = {Routing::kIdModulo, partitions};
        {
            Database database = Database::open("d", {.storage = files}).value();
            Collection collection = database.create_collection(name, schema).value();
            REQUIRE(collection.insert(ids, rows.view()).ok());
            look(collection);
            REQUIRE(collection.build_index().ok());
            look(collection);
        }
        const Database again = Database::open("d", {.storage = files}).value();
        Collection collection = again.collection(name).value();
        look(collection);
        CHECK(collection.remove(kLargestId).value() == 1);
        CHECK(collection.count() == 2);
    }
}

TEST_CASE("a negative id is that of no row to all that read and remove") {
    for (const size_t partitions : {0U, 3U}) {
        Schema schema = Schema::single(kDim);
        if (partitions > 0) schema.rule = {Routing::kIdModulo, partitions};
        Collection collection = test::make_collection(schema);
        const Matrix rows = test::normal_rows(kRows, kDim, 6);
        REQUIRE(collection.insert(test::sequential_ids(kRows), rows.view()).ok());
        const std::vector<Id> none = {-1, std::numeric_limits<Id>::min()};
        CHECK(collection.get(none)->found == std::vector<bool>{false, false});
        CHECK(collection.remove(none).value() == 0);
        CHECK(collection.remove(Filter::allow_ids(none)).value() == 0);
        CHECK(collection.count(Filter::allow_ids(none)).value() == 0);
        CHECK(collection.count() == kRows);
        CHECK(collection.sequence() == 1);
    }
}

TEST_CASE("a call about no rows does nothing") {
    const World world;
    const std::string before = world.text();
    Collection collection = world.flat();
    CHECK(collection.insert({}, MatrixView()).ok());
    CHECK(collection.upsert({}, MatrixView()).ok());
    CHECK(collection.remove(std::span<const Id>()).value() == 0);
    CHECK(collection.get(std::span<const Id>())->found.empty());
    CHECK(collection.search(world.rows().view().slice(0, 0))->queries() == 0);
    CHECK(collection.search(world.query(), {.k = 0})->empty());
    CHECK(collection.search(world.rows().view(), {.k = 0})->queries() == kRows);
    CHECK(collection.search_into(world.query(), {.k = 0}, {}).value() == 0);
    CHECK(collection.search_async(world.query(), {.k = 0}).get()->empty());
    CHECK(world.text() == before);
}

}  // namespace
}  // namespace vecdb
