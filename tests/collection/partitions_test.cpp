#include "support/catch.h"
#include "support/collections.h"
#include "support/model.h"
#include "support/names.h"
#include "support/random_data.h"

#include <vecdb/collection.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace vecdb {
namespace {

using test::Matrix;
using test::Model;

const std::vector<float> kOne = {1.0F}, kFive = {5.0F}, kSix = {6.0F};

Collection collection_of(std::initializer_list<const char*> partitions, std::size_t dim = 1) {
    Collection collection = test::make_collection(dim);
    for (const char* name : partitions)
        collection.create_partition(name).status().check();
    return collection;
}

Collection ruled(std::size_t partitions, std::size_t dim = 1) {
    Schema schema = Schema::single(dim);
    schema.rule = {Routing::kIdModulo, partitions};
    return test::make_collection(schema);
}

}  // namespace

TEST_CASE("a new collection has one partition, and more when they are created") {
    Collection collection = test::make_collection(1);
    CHECK(collection.list_partitions() == std::vector<std::string>{"default"});
    Partition made = collection.create_partition("b").value();
    CHECK(made.name() == "b");
    REQUIRE(collection.create_partition("a").ok());
    CHECK(collection.list_partitions() == std::vector<std::string>{"a", "b", "default"});
    CHECK(collection.stats().partitions == 3);
    CHECK(made.stats().partitions == 1);
    CHECK(collection.partition("b").value().name() == "b");
    CHECK(collection.partition("c").status().code() == StatusCode::kNotFound);
    CHECK(collection.create_partition("a").status().code() == StatusCode::kAlreadyExists);
    CHECK(collection.create_partition("").status().code() == StatusCode::kInvalidArgument);
    CHECK(collection.create_partition("a\tb").status().code() == StatusCode::kInvalidArgument);
}

TEST_CASE("rows of a partition are the collection's too") {
    Collection collection = collection_of({"a", "b"});
    Partition a = collection.partition("a").value();
    Partition b = collection.partition("b").value();
    REQUIRE(a.insert(1, kOne).ok());
    REQUIRE(b.insert(2, kOne).ok());
    REQUIRE(collection.insert(3, kOne).ok());
    CHECK(collection.count() == 3);
    CHECK(collection.partition("default").value().count() == 1);
    CHECK(test::ids_of(a.search(kOne).value()) == std::vector<Id>{1});
    CHECK(test::ids_of(b.search(kOne).value()) == std::vector<Id>{2});
    CHECK(test::ids_of(collection.search(kOne).value()) == std::vector<Id>{1, 2, 3});
    CHECK(a.get(2).value().found[0] == false);
    CHECK(collection.get(2).value().found[0]);
    CHECK(a.remove(2).value() == 0);
    CHECK(collection.remove(2).value() == 1);
    CHECK(b.count() == 0);
}

TEST_CASE("an id is taken in the whole collection, and the message names the partition") {
    Collection collection = collection_of({"a", "b"});
    Partition a = collection.partition("a").value();
    Partition b = collection.partition("b").value();
    REQUIRE(a.insert(7, kOne).ok());
    for (WriteHandle* handle :
         {static_cast<WriteHandle*>(&b), static_cast<WriteHandle*>(&collection)}) {
        const Status refused = handle->insert(7, kOne);
        CHECK(refused.code() == StatusCode::kAlreadyExists);
        CHECK(test::names(refused, "id 7 of row 0 exists in the collection in partition 'a'"));
    }
    // Rows from before the second partition, and sealed ones, are known too.
    REQUIRE(collection.insert(8, kOne).ok());
    REQUIRE(collection.build_index().ok());
    CHECK(b.insert(7, kOne).code() == StatusCode::kAlreadyExists);
    CHECK(b.insert(8, kOne).code() == StatusCode::kAlreadyExists);
    CHECK(collection.count() == 2);
    REQUIRE(a.remove(7).value() == 1);
    CHECK(b.insert(7, kOne).ok());
}

TEST_CASE("ids from before the second partition are known") {
    Collection collection = test::make_collection(1);
    const std::vector<Id> ids = test::sequential_ids(3'000);
    const Matrix rows = test::normal_rows(3'000, 1, 3);
    REQUIRE(collection.insert(ids, rows.view()).ok());
    Partition other = collection.create_partition("other").value();
    CHECK(other.insert(2'999, kOne).code() == StatusCode::kAlreadyExists);
    CHECK(other.upsert(2'999, kOne).ok());
    CHECK(collection.partition("default").value().count() == 2'999);
    CHECK(collection.count() == 3'000);
}

TEST_CASE("an upsert moves a row from its partition") {
    Collection collection = collection_of({"a", "b"});
    Partition a = collection.partition("a").value();
    Partition b = collection.partition("b").value();
    const bool sealed = GENERATE(false, true);
    REQUIRE(a.insert(7, kOne).ok());
    if (sealed) REQUIRE(a.build_index().ok());
    const Pin before = collection.pin();
    REQUIRE(b.upsert(7, kFive).ok());
    CHECK(a.count() == 0);
    CHECK(b.count() == 1);
    CHECK(collection.count() == 1);
    CHECK(collection.get(7).value().row(0)[0] == 5.0F);
    CHECK(collection.search(kOne).value().size() == 1);
    CHECK(before.get(7).value().row(0)[0] == 1.0F);
    REQUIRE(collection.upsert(7, kSix).ok());
    CHECK(collection.partition("default").value().count() == 1);
    CHECK(b.count() == 0);
}

TEST_CASE("a dropped partition takes its rows along, and its handles find nothing") {
    Collection collection = collection_of({"a"});
    Partition a = collection.partition("a").value();
    REQUIRE(a.insert(1, kOne).ok());
    REQUIRE(collection.insert(2, kOne).ok());
    const Pin pin = collection.pin();
    const Pin part = a.pin();
    const std::uint64_t before = collection.sequence();
    REQUIRE(collection.drop_partition("a").ok());
    CHECK(collection.sequence() == before + 1);
    CHECK(collection.count() == 1);
    CHECK(collection.list_partitions() == std::vector<std::string>{"default"});
    CHECK(a.count() == 0);
    CHECK(a.search(kOne).status().code() == StatusCode::kNotFound);
    CHECK(test::names(a.search(kOne).status(), "'a' was dropped"));
    CHECK(a.get(1).status().code() == StatusCode::kNotFound);
    CHECK(a.insert(3, kOne).code() == StatusCode::kNotFound);
    CHECK(a.remove(1).status().code() == StatusCode::kNotFound);
    CHECK(a.build_index().code() == StatusCode::kNotFound);
    CHECK(collection.insert(1, kOne).ok());

    // Another partition of the same name and number is another one.
    Partition next = collection.create_partition("a").value();
    REQUIRE(next.insert(5, kOne).ok());
    CHECK(a.count() == 0);
    CHECK(a.search(kOne).status().code() == StatusCode::kNotFound);
    CHECK(test::ids_of(pin.search(kOne).value()) == std::vector<Id>{1, 2});
    CHECK(test::ids_of(pin.search(kOne, {.partitions = {"a"}}).value()) == std::vector<Id>{1});
    CHECK(test::ids_of(part.search(kOne).value()) == std::vector<Id>{1});
    CHECK(pin.get(1).value().found[0]);
}

TEST_CASE("the default partition stays, and unknown ones cannot be dropped") {
    Collection collection = test::make_collection(1);
    CHECK(collection.drop_partition("default").code() == StatusCode::kFailedPrecondition);
    CHECK(collection.drop_partition("none").code() == StatusCode::kNotFound);
}

TEST_CASE("a search of named partitions is one search over their rows") {
    Collection collection = collection_of({"a", "b", "c"}, 4);
    const Matrix rows = test::integer_rows(400, 4, 3, 17);
    std::map<std::string, Model> models;
    for (const std::string name : {"default", "a", "b", "c"})
        models.emplace(name, Model(4, Metric::kL2));
    Model both(4, Metric::kL2);
    for (std::size_t i = 0; i < rows.rows; ++i) {
        const std::string name = i % 4 == 0 ? "default" : i % 4 == 1 ? "a" : i % 4 == 2 ? "b" : "c";
        const Id id = static_cast<Id>(i);
        REQUIRE(collection.partition(name).value().insert(id, rows.row(i)).ok());
        models.at(name).upsert(id, rows.row(i));
        if (name == "a" || name == "c") both.upsert(id, rows.row(i));
        if (i == 300) REQUIRE(collection.partition("c").value().build_index().ok());
    }
    const std::vector<float> query = {0.0F, 1.0F, 0.0F, 1.0F};
    for (const auto& [name, model] : models) {
        CHECK(collection.search(query, {.partitions = {name}}).value() ==
              model.exact_search(query, 10));
    }
    CHECK(collection.search(query, {.k = 50, .partitions = {"c", "a", "c"}}).value() ==
          both.exact_search(query, 50));
    CHECK(collection.range_search(query, 4.0F, {.partitions = {"c", "a"}}).value().size() ==
          static_cast<std::size_t>(
              std::count_if(both.rows().begin(), both.rows().end(), [&](const auto& row) {
                  return test::model_distance(Metric::kL2, query, row.second).value <= 4.0;
              })));
    const SearchResult batch =
        collection.search(MatrixView(query.data(), 1, 4), {.partitions = {"a", "c"}}).value();
    const Hits expected = both.exact_search(query, 10);
    CHECK(std::equal(batch[0].begin(), batch[0].end(), expected.begin(), expected.end()));

    const Status unknown = collection.search(query, {.partitions = {"a", "x"}}).status();
    CHECK(unknown.code() == StatusCode::kNotFound);
    CHECK(test::names(unknown, "'x'"));
    CHECK(collection.partition("a").value().search(query, {.partitions = {"a"}}).status().code() ==
          StatusCode::kInvalidArgument);
}

TEST_CASE("a rule makes partitions and sends every id to its own") {
    Collection collection = ruled(7);
    CHECK(collection.list_partitions().size() == 7);
    const std::vector<Id> ids = test::sequential_ids(500, 1'000'000);
    const Matrix rows = test::normal_rows(500, 1, 3);
    REQUIRE(collection.insert(ids, rows.view()).ok());
    for (int p = 0; p < 7; ++p) {
        const Partition partition = collection.partition(std::to_string(p)).value();
        CHECK(partition.count() >= 71);
        for (const Id id : ids)
            CHECK(partition.get(id).value().found[0] == (id % 7 == p));
    }
    CHECK(test::floats(collection.get(ids).value()) == rows.values);
    CHECK(collection.insert(1'000'003, kOne).code() == StatusCode::kAlreadyExists);
    CHECK(collection.upsert(1'000'003, kOne).ok());
    CHECK(collection.count() == 500);
    CHECK(collection.remove(std::span(ids).first(100)).value() == 100);
    CHECK(collection.count() == 400);
}

TEST_CASE("a rule refuses rows of other partitions, and other partitions") {
    Collection collection = ruled(4);
    Partition one = collection.partition("1").value();
    CHECK(one.insert(5, kOne).ok());
    const std::vector<Id> ids = {9, 6};
    const std::vector<float> rows = {1.0F, 2.0F};
    const Status stray = one.insert(ids, MatrixView(rows.data(), 2, 1));
    CHECK(stray.code() == StatusCode::kInvalidArgument);
    CHECK(test::names(stray, "row 1 has id 6"));
    CHECK(test::names(stray, "to partition '2' not to '1'"));
    CHECK(collection.count() == 1);
    CHECK(collection.create_partition("x").status().code() == StatusCode::kFailedPrecondition);
    CHECK(collection.drop_partition("1").code() == StatusCode::kFailedPrecondition);
}

TEST_CASE("rules out of range are refused") {
    const auto refused = [](const PartitionRule& rule, const char* part) {
        Schema schema = Schema::single(1);
        schema.rule = rule;
        const Status status = schema.validate();
        return status.code() == StatusCode::kInvalidArgument && test::names(status, part);
    };
    CHECK(refused({Routing::kIdModulo, 0}, "partitions of a rule is 0"));
    CHECK(refused({Routing::kIdModulo, kMaxPartitions + 1}, "1048577"));
    CHECK(refused({Routing::kNone, 1}, "is 1"));
    CHECK(refused({static_cast<Routing>(9), 1}, "routing 9"));
}

TEST_CASE("a batch over many partitions is all or nothing") {
    Collection collection = ruled(5, 2);
    Matrix rows = test::normal_rows(1'000, 2, 3);
    const std::vector<Id> ids = test::sequential_ids(1'000);
    REQUIRE(collection.insert(777, rows.row(0)).ok());
    const std::uint64_t before = collection.sequence();
    CHECK(collection.insert(ids, rows.view()).code() == StatusCode::kAlreadyExists);
    rows.row(998)[1] = std::numeric_limits<float>::quiet_NaN();
    const Status refused = collection.upsert(ids, rows.view());
    CHECK(refused.code() == StatusCode::kInvalidArgument);
    CHECK(test::names(refused, "row 998"));
    CHECK(collection.count() == 1);
    CHECK(collection.sequence() == before);
    rows.row(998)[1] = 0.0F;
    CHECK(collection.upsert(ids, rows.view()).ok());
    CHECK(collection.sequence() == before + 1);
    CHECK(test::floats(collection.get(ids).value()) == rows.values);
}

TEST_CASE("several threads write a large batch as one thread does") {
    // More than 8 MiB of rows: worth two threads beside the caller.
    constexpr std::size_t kRows = 30'000;
    constexpr std::size_t kLong = 100;
    const Matrix rows = test::normal_rows(kRows, kLong, 3);
    const std::vector<Id> ids = test::sequential_ids(kRows);
    Schema schema = Schema::single(kLong);
    schema.rule = {Routing::kIdModulo, 8};
    schema.segments.seal_rows = 0;
    std::vector<Collection> written;
    for (const std::size_t threads : {1U, 4U}) {
        Database database = Database::in_memory({.threads = threads}).value();
        written.push_back(database.create_collection("rows", schema).value());
        REQUIRE(written.back().insert(ids, rows.view()).ok());
        REQUIRE(written.back().sequence() == 1);
    }
    CHECK(test::floats(written[1].get(ids).value()) == rows.values);
    for (int p = 0; p < 8; ++p) {
        const auto hits = [&](const Collection& collection) {
            const Partition partition = collection.partition(std::to_string(p)).value();
            return partition.search(VectorView(rows.row(5)), {.k = 4'000}).value();
        };
        CHECK(hits(written[0]).size() == kRows / 8);
        CHECK(hits(written[0]) == hits(written[1]));
    }
}

TEST_CASE("random writes to partitions keep every id in one place") {
    const bool rule = GENERATE(false, true);
    constexpr std::size_t kPartitions = 20;
    constexpr Id kIds = 300;
    Collection collection = rule ? ruled(kPartitions, 2) : test::make_collection(2);
    if (!rule) {
        for (std::size_t p = 0; p < kPartitions; ++p)
            collection.create_partition(std::to_string(p)).status().check();
    }
    std::map<Id, std::string> where;
    Model model(2, Metric::kL2);
    std::mt19937_64 random(23);
    const std::vector<float> query = {0.0F, 0.0F};
    for (int step = 0; step < 4'000; ++step) {
        const Id id = static_cast<Id>(random() % kIds);
        const std::string name = std::to_string(rule ? static_cast<std::size_t>(id) % kPartitions
                                                     : random() % kPartitions);
        Partition partition = collection.partition(name).value();
        const std::vector<float> row = {static_cast<float>(random() % 9),
                                        static_cast<float>(random() % 9)};
        switch (random() % 8) {
            case 0:
            case 1:
                REQUIRE(collection.remove(id).value() == where.erase(id));
                model.remove(id);
                break;
            case 2:
                REQUIRE(partition.insert(id, row).ok() == !where.contains(id));
                if (where.try_emplace(id, name).second) model.upsert(id, row);
                break;
            case 3:
                if (random() % 20 == 0) REQUIRE(partition.build_index().ok());
                break;
            default:
                REQUIRE(partition.upsert(id, row).ok());
                where[id] = name;
                model.upsert(id, row);
        }
        if (step % 40 != 0) continue;
        REQUIRE(collection.count() == where.size());
        REQUIRE(collection.search(query, {.k = 400}).value() == model.exact_search(query, 400));
        std::map<std::string, std::size_t> counts;
        for (const auto& [each, place] : where)
            ++counts[place];
        for (std::size_t p = 0; p < kPartitions; ++p) {
            REQUIRE(collection.partition(std::to_string(p)).value().count() ==
                    counts[std::to_string(p)]);
        }
        for (const auto& [each, place] : where) {
            REQUIRE(collection.partition(place).value().get(each).value().found[0]);
            REQUIRE(collection.get(each).value().found[0]);
        }
    }
}

TEST_CASE("an index is built for every partition, or for one") {
    Collection collection = collection_of({"a", "b"}, 2);
    const Matrix rows = test::normal_rows(300, 2, 3);
    for (std::size_t i = 0; i < 300; ++i) {
        const char* name = i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "default";
        REQUIRE(collection.partition(name).value().insert(static_cast<Id>(i), rows.row(i)).ok());
    }
    REQUIRE(collection.partition("a").value().build_index().ok());
    CHECK(collection.stats().sealed_segments == 1);
    CHECK(collection.stats().sealed_rows == 100);
    double last = -1.0;
    bool falls = false;
    BuildOptions options;
    options.control.progress = [&](double part) {
        falls = falls || part < last;
        last = part;
    };
    REQUIRE(collection.build_index(options).ok());
    CHECK(collection.stats().sealed_segments == 3);
    CHECK(collection.stats().sealed_rows == 300);
    CHECK_FALSE(falls);
    CHECK(last == 1.0);
    CHECK(collection.count() == 300);
}

TEST_CASE("partitions with too few rows for the index are searched exactly") {
    Schema schema = Schema::single(2);
    schema.vectors[0].index = IvfOptions{.nlist = 50};
    Collection collection = test::make_collection(schema);
    Partition small = collection.create_partition("small").value();
    const Matrix rows = test::normal_rows(2'000, 2, 3);
    REQUIRE(collection.insert(test::sequential_ids(2'000), rows.view()).ok());
    REQUIRE(small.insert(5'000, rows.row(0)).ok());
    CHECK(small.build_index().code() == StatusCode::kFailedPrecondition);
    REQUIRE(collection.build_index().ok());
    CHECK(collection.stats().sealed_segments == 1);
    CHECK(small.search(rows.row(0)).value().size() == 1);
}

TEST_CASE("empty partitions are small and many") {
    Collection collection = test::make_collection(100);
    constexpr std::size_t kCount = 5'000;
    for (std::size_t i = 0; i < kCount; ++i)
        REQUIRE(collection.create_partition("tenant " + std::to_string(i)).ok());
    const std::vector<float> query(100);
    REQUIRE(collection.partition("tenant 4321").value().insert(7, query).ok());
    CHECK(collection.list_partitions().size() == kCount + 1);
    CHECK(collection.stats().memory_bytes < kCount * 4'096);
    CHECK(collection.search(query, {.partitions = {"tenant 4321"}}).value().size() == 1);
    CHECK(collection.search(query, {.partitions = {"tenant 4322"}}).value().empty());
    CHECK(collection.search(query).value().size() == 1);
    for (std::size_t i = 0; i < kCount; i += 2)
        REQUIRE(collection.drop_partition("tenant " + std::to_string(i)).ok());
    CHECK(collection.list_partitions().size() == kCount / 2 + 1);
    CHECK(collection.search(query).value().size() == 1);
}

TEST_CASE("partition names are checked") {
    for (const test::NameCase& name : test::name_cases()) {
        CAPTURE(name.what);
        Collection collection = test::make_collection(1);
        const Result<Partition> made = collection.create_partition(name.name);
        CHECK(made.ok() == name.valid);
        CHECK(made.ok() == collection.partition(name.name).ok());
        if (!name.valid) CHECK(made.status().code() == StatusCode::kInvalidArgument);
        CHECK(collection.list_partitions().size() == (name.valid ? 2U : 1U));
    }
}

TEST_CASE("2^20 partitions are created, and the next is refused until one goes", "[.][slow]") {
    Collection collection = test::make_collection(1);
    std::size_t failures = 0;
    for (std::size_t i = 1; i < kMaxPartitions; ++i)
        failures += collection.create_partition(std::to_string(i)).ok() ? 0U : 1U;
    REQUIRE(failures == 0);
    CHECK(collection.stats().partitions == kMaxPartitions);
    const Status over = collection.create_partition("one more").status();
    CHECK(over.code() == StatusCode::kFailedPrecondition);
    CHECK(test::names(over, "1048576"));
    CHECK(collection.stats().partitions == kMaxPartitions);
    Partition last = collection.partition(std::to_string(kMaxPartitions - 1)).value();
    REQUIRE(last.insert(7, kOne).ok());
    CHECK(test::ids_of(collection.search(kOne).value()) == std::vector<Id>{7});
    REQUIRE(collection.drop_partition("77").ok());
    CHECK(collection.create_partition("one more").ok());
}

TEST_CASE("the largest number of partitions by a rule is served", "[.][slow]") {
    Collection collection = ruled(kMaxPartitions);
    CHECK(collection.stats().partitions == kMaxPartitions);
    CHECK(collection.insert(static_cast<Id>(kMaxPartitions) * 3 - 1, kOne).ok());
    CHECK(collection.partition(std::to_string(kMaxPartitions - 1)).value().count() == 1);
}

}  // namespace vecdb
