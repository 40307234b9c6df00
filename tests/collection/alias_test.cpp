#include "support/catch.h"
#include "support/collections.h"
#include "support/names.h"

#include <vecdb/database.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace vecdb {
namespace {

const std::vector<float> kVector = {1.0F, 2.0F};

Database database_of(std::initializer_list<const char*> names) {
    Database database = Database::in_memory().value();
    for (const char* name : names)
        database.create_collection(name, Schema::single(2)).status().check();
    return database;
}

}  // namespace

TEST_CASE("an alias resolves to its collection") {
    Database database = database_of({"a"});
    REQUIRE(database.create_alias("live", "a").ok());
    Collection collection = database.collection("live").value();
    CHECK(collection.name() == "a");
    REQUIRE(collection.insert(7, kVector).ok());
    CHECK(database.collection("a").value().count() == 1);
    CHECK(database.list_aliases() == std::vector<Alias>{{"live", "a"}});
    CHECK(database.list_collections() == std::vector<std::string>{"a"});
}

TEST_CASE("a moved alias resolves to the other collection, handles stay where they are") {
    Database database = database_of({"a", "b"});
    REQUIRE(database.create_alias("live", "a").ok());
    const Collection before = database.collection("live").value();
    REQUIRE(database.move_alias("live", "b").ok());
    CHECK(before.name() == "a");
    CHECK(database.collection("live").value().name() == "b");
    REQUIRE(database.move_alias("live", "b").ok());
    CHECK(database.list_aliases() == std::vector<Alias>{{"live", "b"}});
}

TEST_CASE("aliases are listed by name, also several of one collection") {
    Database database = database_of({"a", "b"});
    for (const char* alias : {"z", "m", "c"})
        REQUIRE(database.create_alias(alias, alias[0] == 'm' ? "b" : "a").ok());
    CHECK(database.list_aliases() == std::vector<Alias>{{"c", "a"}, {"m", "b"}, {"z", "a"}});
    REQUIRE(database.drop_alias("m").ok());
    CHECK(database.list_aliases() == std::vector<Alias>{{"c", "a"}, {"z", "a"}});
    CHECK(database.collection("m").status().code() == StatusCode::kNotFound);
    CHECK(database.collection("b").ok());
}

TEST_CASE("a collection with an alias cannot be dropped, and the message names it") {
    Database database = database_of({"a", "b"});
    REQUIRE(database.create_alias("live", "a").ok());
    const Status refused = database.drop_collection("a");
    CHECK(refused.code() == StatusCode::kFailedPrecondition);
    CHECK(test::names(refused, "'live'"));
    CHECK(database.collection("a").ok());
    REQUIRE(database.drop_collection("b").ok());
    REQUIRE(database.drop_alias("live").ok());
    CHECK(database.drop_collection("a").ok());
}

TEST_CASE("collections and aliases share one name space") {
    Database database = database_of({"a", "b"});
    REQUIRE(database.create_alias("live", "a").ok());
    CHECK(database.create_alias("live", "b").code() == StatusCode::kAlreadyExists);
    CHECK(database.create_alias("b", "a").code() == StatusCode::kAlreadyExists);
    CHECK(database.create_collection("live", Schema::single(2)).status().code() ==
          StatusCode::kAlreadyExists);
    CHECK(database.list_aliases() == std::vector<Alias>{{"live", "a"}});
}

TEST_CASE("an alias is no target and no collection, a collection no alias") {
    Database database = database_of({"a", "b"});
    REQUIRE(database.create_alias("live", "a").ok());
    CHECK(database.create_alias("other", "live").code() == StatusCode::kInvalidArgument);
    CHECK(database.move_alias("live", "live").code() == StatusCode::kInvalidArgument);
    const Status dropped = database.drop_collection("live");
    CHECK(dropped.code() == StatusCode::kInvalidArgument);
    CHECK(test::names(dropped, "alias of collection 'a'"));
    CHECK(database.move_alias("a", "b").code() == StatusCode::kNotFound);
    CHECK(database.drop_alias("a").code() == StatusCode::kNotFound);
    CHECK(database.collection("live").value().name() == "a");
}

TEST_CASE("what does not exist is not found and changes nothing") {
    Database database = database_of({"a"});
    CHECK(database.create_alias("live", "none").code() == StatusCode::kNotFound);
    REQUIRE(database.create_alias("live", "a").ok());
    const Status moved = database.move_alias("live", "none");
    CHECK(moved.code() == StatusCode::kNotFound);
    CHECK(test::names(moved, "'none'"));
    CHECK(database.move_alias("other", "a").code() == StatusCode::kNotFound);
    CHECK(database.drop_alias("other").code() == StatusCode::kNotFound);
    CHECK(database.list_aliases() == std::vector<Alias>{{"live", "a"}});
}

TEST_CASE("alias names are checked") {
    for (const test::NameCase& name : test::name_cases()) {
        CAPTURE(name.what);
        Database database = database_of({"rows"});
        const Status made = database.create_alias(name.name, "rows");
        CHECK(made.ok() == name.valid);
        if (!name.valid) CHECK(made.code() == StatusCode::kInvalidArgument);
        CHECK(database.collection(name.name).ok() == name.valid);
        CHECK(database.list_aliases().size() == (name.valid ? 1U : 0U));
    }
}

TEST_CASE("65,536 aliases fit beside as many collections, and the next is refused") {
    Database database = database_of({"a"});
    std::size_t failures = 0;
    for (std::size_t i = 1; i < kMaxCollections; ++i)
        failures += database.create_collection(std::to_string(i), Schema::single(2)).ok() ? 0 : 1;
    for (std::size_t i = 0; i < kMaxCollections; ++i)
        failures += database.create_alias("alias " + std::to_string(i), "a").ok() ? 0U : 1U;
    REQUIRE(failures == 0);
    const Status over = database.create_alias("one more", "a");
    CHECK(over.code() == StatusCode::kFailedPrecondition);
    CHECK(test::names(over, "65536"));
    CHECK(database.list_aliases().size() == kMaxCollections);
    REQUIRE(database.drop_alias("alias 77").ok());
    CHECK(database.create_alias("one more", "a").ok());
}

TEST_CASE("readers of a moving alias find one of the collections, whole, and never nothing") {
    Database database = database_of({"even", "odd"});
    for (const char* name : {"even", "odd"}) {
        Collection collection = database.collection(name).value();
        for (Id id = name[0] == 'o' ? 1 : 0; id < 20; id += 2)
            collection.insert(id, kVector).check();
    }
    REQUIRE(database.create_alias("live", "even").ok());
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i) {
        readers.emplace_back([&] {
            while (!done.load()) {
                const auto collection = database.collection("live");
                if (!collection.ok()) {
                    ++wrong;
                    continue;
                }
                const auto hits = collection->search(kVector, {.k = 20});
                const Id parity = collection->name() == "odd" ? 1 : 0;
                if (!hits.ok() || hits->size() != 10) ++wrong;
                for (const Hit& hit : hits.value())
                    wrong += hit.id % 2 != parity ? 1 : 0;
            }
        });
    }
    for (int i = 0; i < 2'000; ++i)
        database.move_alias("live", i % 2 == 0 ? "odd" : "even").check();
    done = true;
    for (std::thread& reader : readers)
        reader.join();
    CHECK(wrong == 0);
}

}  // namespace vecdb
