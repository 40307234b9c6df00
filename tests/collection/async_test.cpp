#include "support/catch.h"
#include "support/collections.h"
#include "support/exact_index.h"
#include "support/executors.h"
#include "support/random_data.h"

#include <vecdb/database.h>
#include <vecdb/filter.h>
#include <vecdb/merge_hits.h>

#include <atomic>
#include <chrono>
#include <future>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace vecdb {
namespace {

using test::Manual;
using test::Matrix;

constexpr std::size_t kDim = 6;
constexpr std::size_t kRows = 1'500;
constexpr std::size_t kQueries = 4;

const std::vector<std::string>& names() {
    static const std::vector<std::string> kNames = {"default", "a", "b", "c", "d", "e"};
    return kNames;
}

Schema schema_of(Metric metric, IndexOptions index) {
    Schema schema = Schema::single(kDim, metric);
    schema.segments.seal_rows = 0;
    schema.vectors[0].index = std::move(index);
    return schema;
}

/// Small integers: equal scores are frequent, across partitions too. No row is zero.
Matrix rows_of(std::size_t count, std::uint64_t seed) {
    Matrix rows = test::integer_rows(count, kDim, 4, seed);
    for (std::size_t i = 0; i < count; ++i)
        rows.row(i)[0] = static_cast<float>(i % 5 + 1);
    return rows;
}

/// Fill partitions with rows: sealed ones and growing ones, some removed from both.
void fill(Collection& collection) {
    const bool ruled = collection.schema().rule.routing != Routing::kNone;
    const std::vector<Id> ids = test::shuffled_ids(kRows, 3, 2);
    const Matrix rows = rows_of(kRows, 4);
    const auto insert = [&](std::size_t first, std::size_t last) {
        for (std::size_t i = first; i < last; ++i) {
            const std::string& name = names()[i % names().size()];
            if (ruled) {
                collection.insert(ids[i], rows.row(i)).check();
            } else {
                collection.partition(name).value().insert(ids[i], rows.row(i)).check();
            }
        }
    };
    for (const std::string& name : names()) {
        if (name != "default" && !ruled) collection.create_partition(name).status().check();
    }
    insert(0, kRows / 2);
    collection.build_index().check();
    insert(kRows / 2, kRows * 3 / 4);
    if (!ruled) collection.partition("b").value().flush().check();
    insert(kRows * 3 / 4, kRows);
    for (std::size_t i = 0; i < kRows; i += 9)
        collection.remove(ids[i]).status().check();
}

/// Searches of every kind. `names_partitions`: also those of some partitions.
std::vector<SearchOptions> searches(bool names_partitions) {
    const Filter third = Filter::where([](Id id) { return id % 3 == 0; });
    const std::vector<Id> few = {2, 10, 44, 300, 1'000, 2'998};
    std::vector<SearchOptions> all = {{.k = 1},
                                      {.k = 10},
                                      {.k = 200},
                                      {.k = 5'000},
                                      {.k = 0},
                                      {.k = 20, .filter = third},
                                      {.k = 20, .filter = Filter::allow_ids(few)},
                                      {.k = 20, .filter = Filter::where([](Id) { return false; })},
                                      {.k = 10, .exact = true}};
    if (!names_partitions) return all;
    all.push_back({.k = 15, .partitions = {"e", "b", "default", "b"}});
    all.push_back({.k = 15, .filter = third, .partitions = {"d"}});
    return all;
}

/// Compare asynchronous searches with `expected(query, options)`.
template <class Expected>
void check_searches(const ReadHandle& rows, std::vector<SearchOptions> all, Expected expected) {
    const Matrix queries = rows_of(kQueries, 5);
    for (SearchOptions& options : all) {
        std::vector<Hits> wanted;
        for (std::size_t q = 0; q < kQueries; ++q)
            wanted.push_back(expected(VectorView(queries.row(q)), options));
        for (const std::size_t threads : {1U, 2U, 4U, 0U}) {
            options.threads = threads;
            std::vector<std::future<Result<Hits>>> answers;
            for (std::size_t q = 0; q < kQueries; ++q)
                answers.push_back(rows.search_async(queries.row(q), options));
            for (std::size_t q = 0; q < kQueries; ++q) {
                CAPTURE(q, threads, options.k, options.partitions.size());
                REQUIRE(test::identical(answers[q].get().value(), wanted[q]));
            }
        }
    }
}

/// Compare with one search over all.
void check_as_search(const ReadHandle& rows, const std::vector<SearchOptions>& all) {
    check_searches(rows, all, [&](VectorView query, const SearchOptions& options) {
        return rows.search(query, options).value();
    });
}

std::shared_ptr<Executor> executor_of(const std::string& kind) {
    if (kind == "thread per task") return std::make_shared<test::ThreadPerTask>();
    if (kind == "inline") return std::make_shared<test::Inline>();
    return nullptr;
}

/// A collection in a database with a Manual executor: its tasks run when the test says so.
struct Paused {
    std::shared_ptr<Manual> executor = std::make_shared<Manual>();
    std::optional<Database> database =
        Database::in_memory({.threads = 4, .executor = executor}).value();
    std::optional<Collection> collection =
        database->create_collection("rows", schema_of(Metric::kL2, FlatOptions())).value();
    std::vector<float> query = std::vector<float>(kDim, 1.0F);

    Paused() { fill(*collection); }
};

bool is_ready(const std::future<Result<Hits>>& answer) {
    return answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

}  // namespace

TEST_CASE("an asynchronous search has the ids and scores of one search over all partitions") {
    const std::string kind = GENERATE("library", "thread per task", "inline");
    const Metric metric = GENERATE(Metric::kL2, Metric::kInnerProduct, Metric::kCosine);
    const std::string index = GENERATE("flat", "hnsw", "custom");
    CAPTURE(kind, to_string(metric), index);
    Schema schema = schema_of(metric, FlatOptions());
    if (index == "hnsw") schema = schema_of(metric, HnswOptions{.m = 4, .ef_construction = 20});
    if (index == "custom") schema = test::exact_schema(kDim, metric);
    Database database = Database::in_memory({.threads = 4, .executor = executor_of(kind)}).value();
    Collection collection = database.create_collection("rows", schema).value();
    collection.set_retention({.window = std::chrono::hours(1)}).check();
    fill(collection);
    check_as_search(collection, searches(true));
    check_as_search(collection.partition("b").value(), searches(false));

    const Pin pin = collection.pin();
    const std::uint64_t then = collection.sequence();
    collection.remove(test::sequential_ids(kRows, kRows / 2)).status().check();
    check_as_search(collection, searches(true));
    check_as_search(pin, searches(true));
    const std::vector<float> query(kDim, 1.0F);
    const SearchOptions past{.k = 30, .threads = 2, .as_of = then};
    CHECK(test::identical(collection.search_async(query, past).get().value(),
                          pin.search(query, {.k = 30}).value()));
}

TEST_CASE("an asynchronous search has the answer of a search where a rule makes partitions") {
    Schema schema = schema_of(Metric::kL2, HnswOptions{.m = 4, .ef_construction = 20});
    schema.rule = {.routing = Routing::kIdModulo, .partitions = 16};
    Database database = Database::in_memory({.threads = 4}).value();
    Collection collection = database.create_collection("rows", schema).value();
    fill(collection);
    check_as_search(collection, searches(false));
}

TEST_CASE("an asynchronous search of ivf has the merged answers of its partitions") {
    const Codes codes = GENERATE(Codes::kNone, Codes::kSq4, Codes::kPq4);
    const std::size_t nprobe = GENERATE(1U, 3U, 1'000U);
    const float bound = GENERATE(0.0F, 1.0F);
    Database database = Database::in_memory({.threads = 4}).value();
    const IvfOptions ivf{.nlist = 8, .codes = codes, .pq_dims = 2};
    Collection collection = database.create_collection("rows", schema_of(Metric::kL2, ivf)).value();
    fill(collection);
    CAPTURE(static_cast<int>(codes), nprobe, bound);
    std::vector<SearchOptions> all = searches(true);
    for (SearchOptions& options : all) {
        options.nprobe = nprobe;
        options.bound = bound;
    }
    check_searches(collection, all, [&](VectorView query, SearchOptions options) {
        const std::vector<std::string> wanted =
            options.partitions.empty() ? names() : std::exchange(options.partitions, {});
        std::vector<Hits> found;
        for (const std::string& name : wanted)
            found.push_back(collection.partition(name).value().search(query, options).value());
        const std::vector<std::span<const Hit>> lists(found.begin(), found.end());
        return merge_hits(Metric::kL2, lists, options.k).value();
    });
    check_as_search(collection, all);
}

TEST_CASE("what is wrong with an asynchronous search comes as its answer") {
    const std::string kind = GENERATE("library", "inline");
    Database database = Database::in_memory({.executor = executor_of(kind)}).value();
    Collection collection =
        database.create_collection("rows", schema_of(Metric::kL2, FlatOptions())).value();
    fill(collection);
    const auto code_of = [&](VectorView query, const SearchOptions& options) {
        return collection.search_async(query, options).get().status().code();
    };
    const std::vector<float> query(kDim, 1.0F);
    const std::vector<float> shorter(kDim - 1, 1.0F);
    const std::vector<float> no_number(kDim, std::numeric_limits<float>::quiet_NaN());
    CHECK(code_of(shorter, {}) == StatusCode::kInvalidArgument);
    CHECK(code_of(no_number, {}) == StatusCode::kInvalidArgument);
    CHECK(code_of(query, {.k = kMaxK + 1}) == StatusCode::kInvalidArgument);
    CHECK(code_of(query, {.partitions = {"nobody's"}}) == StatusCode::kNotFound);
    CHECK(code_of(query, {.as_of = collection.sequence() + 1}) == StatusCode::kInvalidArgument);
    const Filter throwing = Filter::where([](Id id) -> bool {
        if (id % 7 == 0) throw std::runtime_error("the predicate failed");
        return true;
    });
    const auto failed = collection.search_async(query, {.filter = throwing, .threads = 2}).get();
    CHECK(failed.status().code() == StatusCode::kInternal);
    CHECK(test::names(failed.status(), "the predicate failed"));
    const Filter hungry = Filter::where([](Id) -> bool { throw std::bad_alloc(); });
    CHECK(code_of(query, {.filter = hungry}) == StatusCode::kOutOfMemory);

    const Partition dropped = collection.partition("c").value();
    collection.drop_partition("c").check();
    CHECK(dropped.search_async(query).get().status().code() == StatusCode::kNotFound);
    CHECK(collection.search_async(query).get().ok());
}

TEST_CASE("an asynchronous search is about the rows that were there when it was asked for") {
    Paused paused;
    Collection& collection = *paused.collection;
    const SearchOptions options{.k = 50, .threads = 4};
    const Hits before = collection.search(paused.query, options).value();
    std::vector<float> query = paused.query;
    auto answer = collection.search_async(query, options);
    std::fill(query.begin(), query.end(), -3.0F);
    collection.remove(Filter()).status().check();
    collection.drop_partition("a").check();
    CHECK_FALSE(is_ready(answer));
    SECTION("handles stay") {}
    SECTION("all handles and the database go") {
        paused.collection.reset();
        paused.database.reset();
    }
    paused.executor->run_all();
    CHECK(test::identical(answer.get().value(), before));
}

TEST_CASE("tasks that are not run end an asynchronous search as cancelled") {
    Paused paused;
    auto answer = paused.collection->search_async(paused.query, {.threads = 3});
    CHECK(paused.executor->size() == 3);
    SECTION("all are dropped") {
        paused.executor->drop_all();
        REQUIRE(is_ready(answer));
        CHECK(answer.get().status().code() == StatusCode::kCancelled);
    }
    SECTION("one is run and finds it all") {
        paused.executor->run_one();
        REQUIRE(is_ready(answer));
        paused.executor->drop_all();
        CHECK(
            test::identical(answer.get().value(), paused.collection->search(paused.query).value()));
    }
    SECTION("the executor goes with the database") {
        paused.collection.reset();
        paused.database.reset();
        CHECK_FALSE(is_ready(answer));
        paused.executor.reset();
        REQUIRE(is_ready(answer));
        CHECK(answer.get().status().code() == StatusCode::kCancelled);
    }
}

TEST_CASE("tasks that come late keep nothing alive") {
    Paused paused;
    const auto token = std::make_shared<int>(0);
    std::optional<Filter> filter = Filter::where([token](Id) { return *token == 0; });
    auto answer = paused.collection->search_async(paused.query, {.filter = *filter, .threads = 3});
    filter.reset();
    CHECK(token.use_count() == 2);
    paused.executor->run_one();
    CHECK(answer.get().ok());
    CHECK(paused.executor->size() == 2);
    CHECK(token.use_count() == 1);
    paused.executor->run_all();
}

TEST_CASE("an executor that throws fails a search only if it takes no task at all") {
    Paused paused;
    const SearchOptions options{.threads = 3};
    SECTION("at once") {
        paused.executor->fail_after(0);
        const Result<Hits> result = paused.collection->search_async(paused.query, options).get();
        CHECK(result.status().code() == StatusCode::kInternal);
        CHECK(test::names(result.status(), "no more tasks"));
    }
    SECTION("at once, for want of memory") {
        paused.executor->fail_after(0, true);
        const Result<Hits> result = paused.collection->search_async(paused.query, options).get();
        CHECK(result.status().code() == StatusCode::kOutOfMemory);
    }
    SECTION("later") {
        paused.executor->fail_after(1);
        auto answer = paused.collection->search_async(paused.query, options);
        CHECK(paused.executor->size() == 1);
        paused.executor->run_all();
        CHECK(
            test::identical(answer.get().value(), paused.collection->search(paused.query).value()));
    }
}

TEST_CASE("an executor helps searches and builds of several threads") {
    const std::string kind = GENERATE("thread per task", "inline");
    const auto late = std::make_shared<Manual>();
    std::shared_ptr<Executor> executor = executor_of(kind);
    const Matrix rows = rows_of(2'000, 8);
    const Matrix queries = rows_of(50, 9);
    std::vector<SearchResult> answers;
    for (const auto& each :
         {std::shared_ptr<Executor>(), executor, std::shared_ptr<Executor>(late)}) {
        Database database = Database::in_memory({.threads = 4, .executor = each}).value();
        const Schema schema = schema_of(Metric::kL2, HnswOptions{.m = 4, .ef_construction = 20});
        Collection collection = database.create_collection("rows", schema).value();
        collection.insert(test::sequential_ids(rows.rows), rows.view()).check();
        collection.build_index({.threads = 4}).check();
        answers.push_back(collection.search(queries.view(), {.threads = 4}).value());
    }
    CHECK(test::identical(answers[1].padded(), answers[0].padded()));
    CHECK(test::identical(answers[2].padded(), answers[0].padded()));
    CHECK(late->size() > 0);
    late->run_all();  // the database is gone
}

TEST_CASE("a callback is called once, whatever comes") {
    Paused paused;
    std::size_t calls = 0;
    Result<Hits> last = Hits();
    const auto note = [&](Result<Hits> result) {
        ++calls;
        last = std::move(result);
    };
    const std::vector<float> shorter(kDim - 1, 1.0F);
    paused.collection->search_async(shorter, {}, note);
    CHECK(calls == 1);
    CHECK(last.status().code() == StatusCode::kInvalidArgument);
    paused.collection->search_async(paused.query, {.k = 0}, note);
    CHECK(calls == 2);
    CHECK(last.value().empty());
    paused.collection->search_async(paused.query, {.threads = 4}, note);
    CHECK(calls == 2);
    paused.executor->run_all();
    CHECK(calls == 3);
    CHECK(test::identical(last.value(), paused.collection->search(paused.query).value()));
    paused.collection->search_async(paused.query, {}, nullptr);
    CHECK(paused.executor->size() == 0);
    paused.collection->search_async(paused.query, {}, note);
    paused.executor->drop_all();
    CHECK(calls == 4);
    CHECK(last.status().code() == StatusCode::kCancelled);
}

TEST_CASE("a callback that throws harms nobody") {
    const std::string kind = GENERATE("library", "inline");
    Database database = Database::in_memory({.threads = 1, .executor = executor_of(kind)}).value();
    Collection collection =
        database.create_collection("rows", schema_of(Metric::kL2, FlatOptions())).value();
    fill(collection);
    const std::vector<float> query(kDim, 1.0F);
    std::atomic<int> calls{0};
    const auto throwing = [&](const Result<Hits>&) {
        ++calls;
        throw std::runtime_error("the callback failed");
    };
    collection.search_async(query, {}, throwing);
    collection.search_async({}, {}, throwing);
    CHECK(collection.search_async(query).get().ok());
    CHECK(calls == 2);
}

TEST_CASE("a callback may search, and may let the last handle go") {
    const std::vector<float> query(kDim, 1.0F);
    std::optional<Database> database = Database::in_memory({.threads = 2}).value();
    std::optional<Collection> collection =
        database->create_collection("rows", schema_of(Metric::kL2, FlatOptions())).value();
    fill(*collection);
    const Hits expected = collection->search(query).value();

    const auto answer = std::make_shared<std::promise<Hits>>();
    std::promise<void> gone;
    const std::shared_future<void> others_are_gone = gone.get_future().share();
    collection->search_async(
        query,
        {},
        [query, answer, others_are_gone, last = std::optional(*collection)](Result<Hits>) mutable {
            others_are_gone.wait();
            Hits hits = last->search(query).value();
            last.reset();
            answer->set_value(std::move(hits));
        });
    collection.reset();
    database.reset();
    gone.set_value();
    CHECK(test::identical(answer->get_future().get(), expected));
}

TEST_CASE("searches that were begun are answered though the database goes") {
    const std::size_t threads = GENERATE(1U, 3U);
    std::vector<std::future<Result<Hits>>> answers;
    const std::vector<float> query(kDim, 1.0F);
    Hits expected;
    {
        Database database = Database::in_memory({.threads = threads}).value();
        Collection collection =
            database.create_collection("rows", schema_of(Metric::kL2, FlatOptions())).value();
        fill(collection);
        expected = collection.search(query).value();
        for (std::size_t i = 0; i < 100; ++i)
            answers.push_back(collection.search_async(query, {.threads = 1 + i % 3}));
    }
    for (auto& answer : answers) {
        REQUIRE(is_ready(answer));
        REQUIRE(test::identical(answer.get().value(), expected));
    }
}

TEST_CASE("asynchronous searches of many threads beside a writer see whole batches") {
    constexpr std::size_t kBatch = 64;
    constexpr int kRounds = 100;
    Schema schema = schema_of(Metric::kL2, FlatOptions());
    schema.rule = {.routing = Routing::kIdModulo, .partitions = 4};
    Database database = Database::in_memory({.threads = 3}).value();
    Collection collection = database.create_collection("rows", schema).value();
    const std::vector<Id> ids = test::sequential_ids(kBatch);
    const auto write = [&](int round) {
        Matrix rows(kBatch, kDim);
        std::fill(rows.values.begin(), rows.values.end(), static_cast<float>(round));
        collection.upsert(ids, rows.view()).check();
    };
    write(1);
    std::atomic<bool> done{false};
    std::atomic<std::size_t> wrong{0};
    std::atomic<std::size_t> searches{0};
    const std::vector<float> origin(kDim, 0.0F);
    std::vector<std::thread> readers;
    for (std::size_t t = 0; t < 8; ++t) {
        readers.emplace_back([&, t] {
            do {
                const SearchOptions options{.k = kBatch, .threads = t % 4};
                auto first = collection.search_async(origin, options);
                auto second = collection.pin().search_async(origin, options);
                for (auto* answer : {&first, &second}) {
                    const Hits hits = answer->get().value();
                    const bool whole =
                        hits.size() == kBatch && hits.front().score == hits.back().score;
                    if (!whole) ++wrong;
                    ++searches;
                }
            } while (!done);
        });
    }
    for (int round = 2; round <= kRounds; ++round) {
        write(round);
        if (round % 20 == 0) collection.build_index({.threads = 2}).check();
    }
    done = true;
    for (std::thread& reader : readers)
        reader.join();
    CHECK(wrong == 0);
    CHECK(searches >= 16);
}

}  // namespace vecdb
