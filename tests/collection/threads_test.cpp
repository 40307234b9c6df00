#include "support/catch.h"
#include "support/collections.h"
#include "support/exact_index.h"
#include "support/random_data.h"

#include <vecdb/collection.h>
#include <vecdb/filter.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <thread>
#include <vector>

namespace vecdb {
namespace {

using test::Matrix;

constexpr std::size_t kDim = 4;
constexpr int kRounds = 300;

/// Rows whose every element is `number`: at squared distance kDim * number^2 from the origin.
Matrix rows_of(std::size_t count, int number) {
    Matrix rows(count, kDim);
    std::fill(rows.values.begin(), rows.values.end(), static_cast<float>(number));
    return rows;
}

float score_of(int number) {
    return static_cast<float>(kDim) * static_cast<float>(number) * static_cast<float>(number);
}

/// Tell whether all hits have the same score, and it is not that of a number before `oldest`.
bool of_one_number(std::span<const Hit> hits, int oldest) {
    return std::all_of(hits.begin(), hits.end(), [&](const Hit& hit) {
        return hit.score == hits.front().score && hit.score >= score_of(oldest);
    });
}

/// Run `write` for each round in this thread while each of `readers` repeats in a thread of its
/// own. A reader is given the last round that was certainly written and returns how much was wrong.
/// Nothing is asserted in the threads: the assertions of the test framework are for one thread.
std::size_t run(const std::function<void(int)>& write,
                const std::vector<std::function<std::size_t(int)>>& readers) {
    std::atomic<int> written{0};
    std::atomic<bool> done{false};
    std::atomic<std::size_t> wrong{0};
    std::vector<std::thread> threads;
    for (const auto& reader : readers) {
        threads.emplace_back([&] {
            do {
                wrong += reader(written.load());
            } while (!done.load());
        });
    }
    for (int round = 1; round <= kRounds; ++round) {
        write(round);
        written = round;
    }
    done = true;
    for (std::thread& thread : threads)
        thread.join();
    return wrong;
}

const std::vector<float>& origin() {
    static const std::vector<float> kZeros(kDim, 0.0F);
    return kZeros;
}

TEST_CASE("readers see all of an upsert or nothing, and never an older one than published") {
    constexpr std::size_t kRows = 100;
    const std::vector<Id> ids = test::sequential_ids(kRows);
    Collection collection = test::make_collection(Metric::kL2, ids, rows_of(kRows, 1));
    const auto write = [&](int round) {
        collection.upsert(ids, rows_of(kRows, round + 1).view()).check();
    };

    const auto search = [&](int oldest) -> std::size_t {
        const Hits hits = collection.search(origin(), {.k = 200}).value();
        return hits.size() == kRows && of_one_number(hits, oldest + 1) ? 0 : 1;
    };
    const Matrix queries(7, kDim);
    const auto batch = [&](int oldest) -> std::size_t {
        const SearchResult result =
            collection.search(queries.view(), {.k = kRows, .threads = 2}).value();
        return of_one_number(result.padded(), oldest + 1) && result[6].size() == kRows ? 0 : 1;
    };
    const auto fetch = [&](int oldest) -> std::size_t {
        const FetchedRows fetched = collection.get(ids).value();
        const float first = fetched.elements().front();
        const auto same = [first](float value) {
            return value == first;
        };
        const bool all = std::all_of(fetched.elements().begin(), fetched.elements().end(), same);
        return all && first >= static_cast<float>(oldest + 1) && collection.count() == kRows ? 0
                                                                                             : 1;
    };
    CHECK(run(write, {search, batch, fetch}) == 0);
}

TEST_CASE("readers see all rows of a batch that is inserted and removed or none") {
    constexpr std::size_t kRows = 64;
    Collection collection = test::make_collection(kDim);
    const auto write = [&](int round) {
        const std::vector<Id> ids = test::sequential_ids(kRows, round * 1000);
        collection.insert(ids, rows_of(kRows, round).view()).check();
        if (round % 3 != 0) collection.remove(ids).status().check();
    };
    const auto whole_batches = [](std::span<const Hit> hits) -> std::size_t {
        return hits.size() % kRows == 0 ? 0 : 1;
    };
    const auto search = [&](int) {
        return whole_batches(collection.search(origin(), {.k = 16'384}).value());
    };
    const auto threaded = [&](int) {
        const SearchOptions options{.k = 16'384, .threads = 2};
        return whole_batches(collection.search(origin(), options).value());
    };
    const auto count = [&](int) -> std::size_t {
        return collection.count() % kRows + collection.stats().live_rows % kRows;
    };
    CHECK(run(write, {search, threaded, count}) == 0);
    CHECK(collection.count() == kRows * (kRounds / 3));
}

TEST_CASE("a search gives as many hits as the version that it saw has rows") {
    // Queries this wide keep a search busy before it looks at rows. Even numbers have 5 rows, odd
    // ones 1; between an even one and the next there are none.
    constexpr std::size_t kWide = kMaxDimension;
    const auto rows_in = [](int number) -> std::size_t {
        return number % 2 == 0 ? 5 : 1;
    };
    const auto wide_rows = [&](int number) {
        Matrix rows(rows_in(number), kWide);
        for (std::size_t i = 0; i < rows.rows; ++i)
            rows.row(i)[0] = static_cast<float>(number);
        return rows;
    };
    Collection collection = test::make_collection(kWide);
    const auto write = [&](int number) {
        if (number % 2 == 1) collection.remove(test::sequential_ids(5)).status().check();
        const Matrix rows = wide_rows(number);
        collection.upsert(test::sequential_ids(rows.rows), rows.view()).check();
    };
    const std::vector<float> zeros(kWide);
    const auto search = [&](const SearchOptions& options) -> std::size_t {
        const Hits hits = collection.search(zeros, options).value();
        if (hits.empty()) return 0;
        const auto number = static_cast<int>(std::lround(std::sqrt(hits.front().score)));
        const bool whole = hits.size() == rows_in(number);
        return whole && hits.front().score == hits.back().score ? 0 : 1;
    };
    const Filter filter = Filter::where([](Id) { return true; });
    const auto plain = [&](int) {
        return search({.k = 100});
    };
    const auto filtered = [&](int) {
        return search({.k = 100, .filter = filter});
    };
    CHECK(run(write, {plain, filtered}) == 0);
}

TEST_CASE("one filter serves many threads while rows arrive") {
    constexpr std::size_t kRows = 40;
    Collection collection = test::make_collection(kDim);
    const Filter filter = Filter::where([](Id id) { return id % 4 == 0; });
    const auto write = [&](int round) {
        const auto first = static_cast<Id>(kRows) * (round - 1);
        collection.insert(test::sequential_ids(kRows, first), rows_of(kRows, round).view()).check();
    };
    const auto enough = [](std::size_t found, int oldest) -> std::size_t {
        const std::size_t least = static_cast<std::size_t>(oldest) * kRows / 4;
        return found >= least && found % (kRows / 4) == 0 ? 0 : 1;
    };
    const auto search = [&](int oldest) {
        const Hits hits = collection.search(origin(), {.k = 16'384, .filter = filter}).value();
        const auto stranger = [](const Hit& hit) {
            return hit.id % 4 != 0;
        };
        if (std::any_of(hits.begin(), hits.end(), stranger)) return std::size_t{1};
        return enough(hits.size(), oldest);
    };
    const auto count = [&](int oldest) {
        return enough(collection.count(filter).value(), oldest);
    };
    const auto prepare = [&](int) -> std::size_t {
        return collection.prepare(filter).ok() ? 0 : 1;
    };
    CHECK(run(write, {search, count, prepare}) == 0);
    CHECK(collection.count(filter).value() == kRows / 4 * kRounds);
}

TEST_CASE("a filter stays right while rows are rewritten under it") {
    constexpr std::size_t kRows = 600;
    const std::vector<Id> ids = test::sequential_ids(kRows);
    Collection collection = test::make_collection(Metric::kL2, ids, rows_of(kRows, 1));
    const Filter filter = Filter::where([](Id id) { return id % 3 == 0; });
    const auto write = [&](int round) {
        const std::vector<Id> order = test::shuffled_ids(kRows, static_cast<std::uint64_t>(round));
        collection.upsert(order, rows_of(kRows, round + 1).view()).check();
    };
    const auto search = [&](int oldest) -> std::size_t {
        const Hits hits = collection.search(origin(), {.k = kRows, .filter = filter}).value();
        std::vector<Id> found = test::ids_of(hits);
        bool right = found.size() == kRows / 3 && of_one_number(hits, oldest + 1);
        for (std::size_t i = 0; right && i < found.size(); ++i) {
            right = found[i] == static_cast<Id>(i) * 3;
        }
        return right ? 0 : 1;
    };
    CHECK(run(write, {search, search}) == 0);
}

TEST_CASE("writers in several threads lose nothing") {
    constexpr std::size_t kThreads = 4, kBatches = 100, kRows = 10;
    Collection collection = test::make_collection(kDim);
    std::atomic<std::size_t> failures{0};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            for (std::size_t b = 0; b < kBatches; ++b) {
                const auto first = static_cast<Id>((t * kBatches + b) * kRows);
                const std::vector<Id> ids = test::sequential_ids(kRows, first);
                failures += collection.insert(ids, rows_of(kRows, 1).view()).ok() ? 0U : 1U;
                failures += collection.remove(first).value() == 1 ? 0U : 1U;
                failures += collection.get(first + 1)->found[0] ? 0U : 1U;
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    CHECK(failures == 0);
    CHECK(collection.count() == kThreads * kBatches * (kRows - 1));
}

TEST_CASE("of threads that insert one id exactly one succeeds") {
    Collection collection = test::make_collection(kDim);
    std::atomic<int> inserted{0}, refused{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (Id id = 0; id < 200; ++id) {
                const Status status = collection.insert(id, VectorView(origin()));
                inserted += status.ok() ? 1 : 0;
                refused += status.code() == StatusCode::kAlreadyExists ? 1 : 0;
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    CHECK(inserted == 200);
    CHECK(refused == 600);
}

TEST_CASE("handles are dropped while others search") {
    Database database = Database::in_memory().value();
    std::atomic<std::size_t> wrong{0};
    std::atomic<bool> done{false};
    std::thread reader([&] {
        while (!done) {
            if (Result<Collection> found = database.collection("rows")) {
                const Result<Hits> hits = found->search(origin());
                wrong += hits.ok() && (hits->size() == 10 || hits->empty()) ? 0U : 1U;
            }
        }
    });
    for (int round = 0; round < 200; ++round) {
        Collection made = database.create_collection("rows", Schema::single(kDim)).value();
        made.insert(test::sequential_ids(10), rows_of(10, 1).view()).check();
        database.drop_collection("rows").check();
    }
    done = true;
    reader.join();
    CHECK(wrong == 0);
}

TEST_CASE("no read waits for a write that is under way") {
    Collection collection = test::make_collection(kDim);
    REQUIRE(collection.insert(test::sequential_ids(100), rows_of(100, 1).view()).ok());
    std::atomic<int> calls{0};
    std::atomic<bool> read{false}, waited{false};
    std::thread reader;
    // A removal asks the filter about rows that came while it was asked about the others once more,
    // and then it is the writer.
    const Filter filter = Filter::where([&](Id id) {
        const int call = ++calls;
        if (call == 1) {
            std::thread([&] {
                collection.insert(test::sequential_ids(50, 1'000), rows_of(50, 1).view()).check();
            }).join();
        }
        if (id == 1'000 && !reader.joinable()) {
            reader = std::thread([&] {
                const Pin pin = collection.pin();
                const bool all = collection.search(origin(), {.k = 200}).value().size() == 150 &&
                                 collection.get(1'049).value().found[0] &&
                                 collection.range_search(origin(), 1e9F).value().size() == 150 &&
                                 pin.count() == 150 && collection.stats().live_rows == 150;
                read = all;
            });
            for (int i = 0; i < 10'000 && !read.load(); ++i)
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            waited = !read.load();
        }
        return id % 2 == 0;
    });
    CHECK(collection.remove(filter).value() == 75);
    REQUIRE(reader.joinable());
    reader.join();
    CHECK_FALSE(waited);
    CHECK(collection.count() == 75);
}

TEST_CASE("a database and the handles of others go while calls run") {
    for (int round = 0; round < 20; ++round) {
        std::optional<Database> database = Database::in_memory().value();
        Schema schema = test::exact_schema(kDim);
        schema.segments.seal_rows = 64;
        std::optional<Collection> rows = database->create_collection("rows", schema).value();
        rows->insert(test::sequential_ids(200), rows_of(200, 1).view()).check();
        std::atomic<int> begun{0};
        std::atomic<std::size_t> wrong{0};
        std::vector<std::thread> threads;
        const auto start = [&](const std::function<bool(Collection&, int)>& call) {
            threads.emplace_back([&, call, own = *rows]() mutable {
                ++begun;
                for (int i = 0; i < 30; ++i)
                    wrong += call(own, i) ? 0U : 1U;
            });
        };
        start([](Collection& own, int) { return own.search(origin()).value().size() == 10; });
        start([](Collection& own, int) { return own.build_index({.threads = 1}).ok(); });
        start([](Collection& own, int i) {
            return own.upsert(test::sequential_ids(100, 100 * i), rows_of(100, i).view()).ok();
        });
        while (begun.load() < 3)
            std::this_thread::yield();
        if (round % 2 == 0) database->drop_collection("rows").check();
        database.reset();
        rows.reset();
        for (std::thread& thread : threads)
            thread.join();
        CHECK(wrong == 0);
    }
}

TEST_CASE("rows are fetched right beside writes that grow the collection, and writes that fail") {
    Collection collection = test::make_collection(kDim);
    const Matrix rows = test::normal_rows(20'000, kDim, 77);
    REQUIRE(collection.insert(0, VectorView(rows.row(0))).ok());
    std::atomic<bool> done{false};
    std::atomic<bool> wrong{false};
    std::thread reader([&] {
        while (!done) {
            const FetchedRows fetched = collection.get(0).value();
            const bool right = fetched.found[0] && std::equal(fetched.elements().begin(),
                                                              fetched.elements().end(),
                                                              rows.row(0).begin());
            if (!right) wrong = true;
        }
    });
    std::vector<float> bad(kDim, std::numeric_limits<float>::quiet_NaN());
    std::size_t failed = 0;
    for (std::size_t i = 1; i < rows.rows; ++i) {
        if (i % 64 == 0 && !collection.insert(static_cast<Id>(i), VectorView(bad)).ok()) ++failed;
        const Status added = collection.insert(static_cast<Id>(i), VectorView(rows.row(i)));
        if (!added.ok()) FAIL_CHECK(added.message());
    }
    done = true;
    reader.join();
    CHECK_FALSE(wrong);
    CHECK(failed == (rows.rows - 1) / 64);
    CHECK(collection.count() == rows.rows);
}

TEST_CASE("readers see one number throughout while an index is built again and again") {
    constexpr std::size_t kRows = 300;
    const std::vector<Id> ids = test::sequential_ids(kRows);
    test::exact_index_faults = 0;
    Collection collection = test::make_collection(test::exact_schema(kDim));
    collection.upsert(ids, rows_of(kRows, 1).view()).check();
    const Filter filter = Filter::where([](Id id) { return id % 3 == 0; });
    std::atomic<bool> done{false};
    std::size_t builds = 0;
    std::thread builder([&] {
        while (!done) {
            collection.build_index({.threads = 2}).check();
            ++builds;
        }
    });
    const auto write = [&](int round) {
        collection.upsert(ids, rows_of(kRows, round + 1).view()).check();
    };
    const auto search = [&](int oldest) -> std::size_t {
        const Hits hits = collection.search(origin(), {.k = 1000}).value();
        return hits.size() == kRows && of_one_number(hits, oldest + 1) ? 0 : 1;
    };
    const auto filtered = [&](int oldest) -> std::size_t {
        const SearchOptions options{.k = 1000, .filter = filter, .threads = 2};
        const Hits hits = collection.search(origin(), options).value();
        return hits.size() == kRows / 3 && of_one_number(hits, oldest + 1) ? 0 : 1;
    };
    const auto range = [&](int oldest) -> std::size_t {
        const Hits hits = collection.range_search(origin(), score_of(kRounds + 1)).value();
        return hits.size() == kRows && of_one_number(hits, oldest + 1) ? 0 : 1;
    };
    const auto fetch = [&](int oldest) -> std::size_t {
        const FetchedRows fetched = collection.get(ids).value();
        const float first = fetched.elements().front();
        const auto same = [first](float value) {
            return value == first;
        };
        const bool all = std::all_of(fetched.elements().begin(), fetched.elements().end(), same);
        return all && first >= static_cast<float>(oldest + 1) ? 0 : 1;
    };
    CHECK(run(write, {search, filtered, range, fetch}) == 0);
    done = true;
    builder.join();
    CHECK(builds > 0);
    CHECK(collection.count() == kRows);
    CHECK(test::exact_index_faults == 0);
}

}  // namespace
}  // namespace vecdb
