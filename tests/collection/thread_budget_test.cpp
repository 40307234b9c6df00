#include "collection/operate/thread_budget.h"

#include "support/catch.h"
#include "support/collections.h"
#include "support/crowd_index.h"
#include "support/random_data.h"

#include <vecdb/database.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <filesystem>
#include <future>
#include <iterator>
#include <thread>
#include <utility>
#include <vector>

namespace vecdb {
namespace {

using collection::ThreadBudget;
using test::Crowd;

constexpr std::size_t kDim = 4;
constexpr std::size_t kRows = 200;

std::size_t threads_of_process() {
    const std::filesystem::directory_iterator threads("/proc/self/task");
    return static_cast<std::size_t>(std::distance(begin(threads), end(threads)));
}

/// Make a collection with a Crowd as its index, over kRows rows.
Collection make_crowded(Database& database) {
    Collection collection = database.create_collection("rows", test::crowd_schema(kDim)).value();
    const std::vector<Id> ids = test::sequential_ids(kRows);
    collection.insert(ids, test::normal_rows(kRows, kDim, 1).view()).check();
    collection.build_index({.threads = 1}).check();
    return collection;
}

}  // namespace

TEST_CASE("a budget grants what is free and gets it back") {
    ThreadBudget budget(3);
    CHECK(budget.limit() == 3);
    CHECK(budget.take(0).count() == 0);
    ThreadBudget::Grant two = budget.take(2);
    CHECK(two.count() == 2);
    {
        const ThreadBudget::Grant rest = budget.take(5);
        CHECK(rest.count() == 1);
        CHECK(budget.take(1).count() == 0);
    }
    CHECK(budget.take(5).count() == 1);
    ThreadBudget::Grant moved = std::move(two);
    CHECK(budget.take(5).count() == 1);
    moved = budget.take(1);
    CHECK(moved.count() == 1);
    CHECK(budget.take(5).count() == 2);
    moved = {};
    CHECK(budget.take(5).count() == 3);
}

TEST_CASE("a budget is never overdrawn by threads that take from it at once") {
    ThreadBudget budget(5);
    std::atomic<std::size_t> held{0};
    std::atomic<std::size_t> overdrawn{0};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (std::size_t i = 0; i < 2'000; ++i) {
                const ThreadBudget::Grant grant = budget.take((i + t) % 4);
                if (held.fetch_add(grant.count()) + grant.count() > 5) ++overdrawn;
                held.fetch_sub(grant.count());
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    CHECK(overdrawn == 0);
    CHECK(budget.take(100).count() == 5);
}

TEST_CASE("searches of all callers together keep to the threads of their database") {
    const std::size_t limit = GENERATE(1U, 2U, 4U);
    Database database = Database::in_memory({.threads = limit}).value();
    const Collection collection = make_crowded(database);
    const test::Matrix queries = test::normal_rows(64, kDim, 2);
    const SearchOptions many{.k = 3, .threads = 16};
    const SearchResult expected = collection.search(queries.view(), {.k = 3}).value();

    Crowd::forget(limit);
    CHECK(test::identical(collection.search(queries.view(), many).value().padded(),
                          expected.padded()));
    CAPTURE(limit, Crowd::most());
    CHECK(Crowd::most() == limit);

    constexpr std::size_t kCallers = 3;
    Crowd::forget();
    std::vector<std::thread> callers;
    for (std::size_t i = 0; i < kCallers; ++i)
        callers.emplace_back([&] { (void)collection.search(queries.view(), many); });
    for (std::thread& caller : callers)
        caller.join();
    CHECK(Crowd::most() <= kCallers + limit - 1);
}

TEST_CASE("a call that fails gives its threads back") {
    Database database = Database::in_memory({.threads = 3}).value();
    const Collection collection = make_crowded(database);
    const test::Matrix queries = test::normal_rows(64, kDim, 2);
    Crowd::fail_searches(true);
    const auto failed = collection.search(queries.view(), {.threads = 3});
    Crowd::fail_searches(false);
    CHECK(failed.status().code() == StatusCode::kInternal);
    Crowd::forget(3);
    REQUIRE(collection.search(queries.view(), {.threads = 3}).ok());
    CHECK(Crowd::most() == 3);
}

TEST_CASE("a build gets the threads that its database allows and are free") {
    Database database = Database::in_memory({.threads = 4}).value();
    Collection collection = make_crowded(database);
    REQUIRE(collection.build_index({.threads = 0}).ok());
    CHECK(Crowd::build_threads() == 4);
    REQUIRE(collection.build_index({.threads = 16}).ok());
    CHECK(Crowd::build_threads() == 4);
    REQUIRE(collection.build_index({.threads = 2}).ok());
    CHECK(Crowd::build_threads() == 2);
    REQUIRE(collection.build_index({.threads = 1}).ok());
    CHECK(Crowd::build_threads() == 1);

    // While a build of the one collection has them all, that of the other has its own thread.
    Schema schema = test::crowd_schema(kDim);
    Collection other = database.create_collection("other", schema).value();
    const std::vector<float> row(kDim, 1.0F);
    REQUIRE(other.insert(1, row).ok());
    std::size_t threads = 0;
    BuildOptions options{.threads = 4};
    options.control.progress = [&](double part) {
        if (part == 0.0 || threads != 0) return;
        other.build_index({.threads = 4}).check();
        threads = Crowd::build_threads();
    };
    REQUIRE(collection.build_index(options).ok());
    CHECK(threads == 1);
}

TEST_CASE("asynchronous searches keep to the threads of their database") {
    const std::size_t limit = GENERATE(1U, 2U, 4U);
    Database database = Database::in_memory({.threads = limit}).value();
    const Collection collection = make_crowded(database);
    const std::vector<float> query(kDim, 1.0F);
    const auto search_all = [&] {
        std::vector<std::future<Result<Hits>>> answers;
        for (int i = 0; i < 40; ++i)
            answers.push_back(collection.search_async(query, {.threads = 16}));
        for (auto& answer : answers)
            answer.get().status().check();
    };
    Crowd::forget(limit);
    search_all();
    CAPTURE(limit, Crowd::most());
    CHECK(Crowd::most() == limit);

    // Together with two callers, who have threads of their own.
    const test::Matrix queries = test::normal_rows(64, kDim, 2);
    const auto search_many = [&] {
        for (int i = 0; i < 5; ++i)
            collection.search(queries.view(), {.threads = 16}).status().check();
    };
    Crowd::forget();
    std::thread first(search_many);
    std::thread second(search_many);
    search_all();
    first.join();
    second.join();
    CHECK(Crowd::most() <= limit + 2);
}

TEST_CASE("an asynchronous search does not wait for a build that has all helpers") {
    Database database = Database::in_memory({.threads = 2}).value();
    Collection collection = make_crowded(database);
    const std::vector<float> query(kDim, 1.0F);
    std::size_t answers = 0;
    BuildOptions options{.threads = 2};
    options.control.progress = [&](double) {
        answers += collection.search_async(query).get().ok() ? 1U : 0U;
    };
    REQUIRE(collection.build_index(options).ok());
    CHECK(Crowd::build_threads() == 2);
    CHECK(answers > 0);
}

TEST_CASE("a search of one query starts no thread") {
    // Rows enough to be worth several threads.
    const test::Matrix rows = test::normal_rows(20'000, 256, 3);
    Collection collection = test::make_collection(rows.dim);
    REQUIRE(collection.insert(test::sequential_ids(rows.rows), rows.view()).ok());
    const VectorView query(rows.row(0));
    std::vector<Hit> hits(10);
    std::atomic<bool> done{false};
    std::atomic<std::size_t> most{0};
    std::thread watcher([&] {
        while (!done)
            most = std::max(most.load(), threads_of_process());
    });
    const std::size_t before = threads_of_process();
    for (int repeat = 0; repeat < 20; ++repeat) {
        CHECK(collection.search(query).ok());
        CHECK(collection.search_into(query, {}, hits).ok());
        CHECK(collection.range_search(query, 1.0F).ok());
    }
    done = true;
    watcher.join();
    CHECK(most == before);
}

TEST_CASE("options of a database are checked") {
    CHECK(DatabaseOptions{.threads = 1'024}.validate().ok());
    const auto refused = Database::in_memory({.threads = 1'025});
    REQUIRE(refused.status().code() == StatusCode::kInvalidArgument);
    CHECK(test::names(refused.status(), "1025"));
    CHECK(test::names(refused.status(), "1024"));
}

}  // namespace vecdb
