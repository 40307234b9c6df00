#include "support/catch.h"
#include "support/collections.h"
#include "support/names.h"

#include <vecdb/database.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace vecdb {
namespace {

TEST_CASE("a new database is empty") {
    const Database database = Database::in_memory().value();
    CHECK(database.list_collections().empty());
    CHECK(database.collection("words").status().code() == StatusCode::kNotFound);
}

TEST_CASE("a created collection has its name and schema and no rows") {
    Database database = Database::in_memory().value();
    const Schema schema = Schema::single(7, Metric::kCosine);
    const Collection collection = database.create_collection("words", schema).value();
    CHECK(collection.name() == "words");
    REQUIRE(collection.schema().vectors.size() == 1);
    CHECK(collection.schema().vectors[0].dim == 7);
    CHECK(collection.schema().vectors[0].metric == Metric::kCosine);
    CHECK(collection.count() == 0);
    CHECK(collection.stats().live_rows == 0);
    CHECK(collection.stats().dead_rows == 0);
}

TEST_CASE("resolving gives a handle on the same rows") {
    Database database = Database::in_memory().value();
    Collection made = database.create_collection("words", Schema::single(1)).value();
    const Collection found = database.collection("words").value();
    const std::vector<float> vector = {2.0F};
    REQUIRE(made.insert(1, vector).ok());
    CHECK(found.count() == 1);
    CHECK(Collection(found).count() == 1);
}

TEST_CASE("a name is taken once") {
    Database database = Database::in_memory().value();
    REQUIRE(database.create_collection("words", Schema::single(2)).ok());
    const Status again = database.create_collection("words", Schema::single(3)).status();
    CHECK(again.code() == StatusCode::kAlreadyExists);
    CHECK(test::names(again, "words"));
    CHECK(database.collection("words")->schema().vectors[0].dim == 2);
    CHECK(database.create_collection("Words", Schema::single(3)).ok());
}

TEST_CASE("an unknown name is not found") {
    Database database = Database::in_memory().value();
    REQUIRE(database.create_collection("words", Schema::single(2)).ok());
    const Status resolved = database.collection("wordz").status();
    CHECK(resolved.code() == StatusCode::kNotFound);
    CHECK(test::names(resolved, "wordz"));
    const Status dropped = database.drop_collection("wordz");
    CHECK(dropped.code() == StatusCode::kNotFound);
    CHECK(test::names(dropped, "wordz"));
    CHECK(database.list_collections().size() == 1);
}

TEST_CASE("collections are listed in byte order") {
    Database database = Database::in_memory().value();
    const std::vector<std::string> names = {"b", "a", "\xC3\xA4", "B", "aa", "10", "9"};
    for (const std::string& name : names) {
        REQUIRE(database.create_collection(name, Schema::single(2)).ok());
    }
    const std::vector<std::string> sorted = {"10", "9", "B", "a", "aa", "b", "\xC3\xA4"};
    CHECK(database.list_collections() == sorted);
    REQUIRE(database.drop_collection("aa").ok());
    CHECK(database.list_collections().size() == names.size() - 1);
}

TEST_CASE("a dropped name is free again and its new rows are its own") {
    Database database = Database::in_memory().value();
    Collection old = database.create_collection("words", Schema::single(1)).value();
    const std::vector<float> vector = {2.0F};
    REQUIRE(old.insert(1, vector).ok());
    REQUIRE(database.drop_collection("words").ok());
    CHECK(database.collection("words").status().code() == StatusCode::kNotFound);
    CHECK(database.drop_collection("words").code() == StatusCode::kNotFound);
    const Collection fresh = database.create_collection("words", Schema::single(4)).value();
    CHECK(fresh.count() == 0);
    CHECK(old.count() == 1);
}

TEST_CASE("a handle outlives drop and database") {
    std::optional<Database> database = Database::in_memory().value();
    Collection collection = database->create_collection("words", Schema::single(1)).value();
    const std::vector<float> vector = {2.0F};
    REQUIRE(collection.insert(1, vector).ok());
    REQUIRE(database->drop_collection("words").ok());
    REQUIRE(collection.insert(2, vector).ok());
    database.reset();
    REQUIRE(collection.insert(3, vector).ok());
    CHECK(collection.name() == "words");
    CHECK(test::ids_of(collection.search(vector).value()) == std::vector<Id>{1, 2, 3});
}

TEST_CASE("a moved database keeps its collections") {
    Database first = Database::in_memory().value();
    REQUIRE(first.create_collection("words", Schema::single(1)).ok());
    Database second = std::move(first);
    CHECK(second.collection("words").ok());
    Database third = Database::in_memory().value();
    third = std::move(second);
    CHECK(third.collection("words").ok());
}

TEST_CASE("collection names are checked") {
    for (const test::NameCase& name : test::name_cases()) {
        CAPTURE(name.what);
        Database database = Database::in_memory().value();
        const Result<Collection> made = database.create_collection(name.name, Schema::single(1));
        CHECK(made.ok() == name.valid);
        if (name.valid) {
            CHECK(database.collection(name.name)->name() == name.name);
        } else {
            CHECK(made.status().code() == StatusCode::kInvalidArgument);
            CHECK_FALSE(made.status().message().empty());
            CHECK(database.list_collections().empty());
        }
    }
}

TEST_CASE("a schema that is refused makes no collection") {
    Database database = Database::in_memory().value();
    CHECK(database.create_collection("a", Schema::single(0)).status().code() ==
          StatusCode::kInvalidArgument);
    Schema graph = Schema::single(8);
    graph.vectors[0].index = CustomOptions{.name = "no such index", .parameters = {}};
    CHECK(database.create_collection("a", graph).status().code() == StatusCode::kInvalidArgument);
    const Status wide = database.create_collection("a", Schema::single(kMaxDimension + 1)).status();
    CHECK(wide.code() == StatusCode::kInvalidArgument);
    CHECK(test::names(wide, "32768"));
    CHECK(database.list_collections().empty());
    CHECK(database.create_collection("a", Schema::single(kMaxDimension)).ok());
}

TEST_CASE("65,536 collections fit and the next is refused") {
    Database database = Database::in_memory().value();
    const Schema schema = Schema::single(4);
    std::size_t failures = 0;
    for (std::size_t i = 0; i < kMaxCollections; ++i) {
        failures += database.create_collection(std::to_string(i), schema).ok() ? 0U : 1U;
    }
    REQUIRE(failures == 0);
    const Status over = database.create_collection("one more", schema).status();
    CHECK(over.code() == StatusCode::kFailedPrecondition);
    CHECK(test::names(over, "65536"));
    CHECK(database.list_collections().size() == kMaxCollections);
    REQUIRE(database.drop_collection("77").ok());
    CHECK(database.create_collection("one more", schema).ok());
}

/// What one thread does with collections of its own and one shared name.
std::size_t use_database(Database& database, const std::string& prefix) {
    std::size_t wrong = 0;
    for (int round = 0; round < 300; ++round) {
        const std::string name = prefix + std::to_string(round % 7);
        wrong += database.create_collection(name, Schema::single(2)).ok() ? 0U : 1U;
        wrong += database.collection(name).ok() ? 0U : 1U;
        const std::vector<std::string> all = database.list_collections();
        wrong += std::is_sorted(all.begin(), all.end()) ? 0U : 1U;
        wrong += std::binary_search(all.begin(), all.end(), name) ? 0U : 1U;
        (void)database.create_collection("shared", Schema::single(2)).ok();
        if (Result<Collection> shared = database.collection("shared")) {
            wrong += shared->name() == "shared" ? 0U : 1U;
        }
        (void)database.drop_collection("shared").ok();
        wrong += database.drop_collection(name).ok() ? 0U : 1U;
    }
    return wrong;
}

TEST_CASE("threads create, resolve, list and drop at the same time") {
    Database database = Database::in_memory().value();
    std::atomic<std::size_t> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&database, &wrong, t] {
            wrong += use_database(database, "thread" + std::to_string(t) + "/");
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    CHECK(wrong == 0);
    const std::vector<std::string> left = database.list_collections();
    CHECK(left.size() <= 1);
}

TEST_CASE("of threads that create one name exactly one succeeds") {
    Database database = Database::in_memory().value();
    std::atomic<int> made{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 100; ++i) {
                made +=
                    database.create_collection(std::to_string(i), Schema::single(2)).ok() ? 1 : 0;
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    CHECK(made == 100);
}

}  // namespace
}  // namespace vecdb
