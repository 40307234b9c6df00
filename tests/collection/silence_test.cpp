// The library speaks by what it returns: whatever goes well or wrong, nothing is printed and
// nothing ends the program.

#include "support/capture.h"
#include "support/catch.h"
#include "support/collections.h"
#include "support/exact_index.h"
#include "support/random_data.h"

#include <vecdb/database.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace vecdb {
namespace {

using test::Matrix;

constexpr std::size_t kDim = 8;
constexpr std::size_t kRows = 300;

/// Count the statuses that are not `code`.
std::size_t others(std::initializer_list<Status> statuses, StatusCode code) {
    std::size_t count = 0;
    for (const Status& status : statuses)
        count += status.code() == code ? 0U : 1U;
    return count;
}

/// Load, build, search and rewrite under every index.
std::size_t work() {
    std::size_t wrong = 0;
    const Matrix rows = test::normal_rows(kRows, kDim, 1);
    const std::vector<Id> ids = test::sequential_ids(kRows);
    for (const IndexOptions& index :
         {IndexOptions(FlatOptions{}),
          IndexOptions(HnswOptions{.m = 4, .ef_construction = 8}),
          IndexOptions(IvfOptions{.nlist = 200}),
          IndexOptions(IvfOptions{.nlist = 100, .codes = Codes::kPq4}),
          IndexOptions(IvfOptions{.nlist = 100, .codes = Codes::kOpq4})}) {
        Schema schema = Schema::single(kDim);
        schema.vectors[0].index = index;
        schema.segments.seal_rows = 64;
        Collection collection = test::make_collection(schema);
        wrong += others({collection.insert(ids, rows.view()),
                         collection.build_index(),
                         collection.upsert(ids, rows.view()),
                         collection.flush(),
                         collection.search(rows.view(), {.threads = 2}).status(),
                         collection.remove(Filter()).status(),
                         collection.build_index()},
                        StatusCode::kOk);
    }
    return wrong;
}

/// Call with what is not allowed, and with filters that throw.
std::size_t go_wrong() {
    const Matrix rows = test::normal_rows(kRows, kDim, 1);
    const std::vector<Id> ids = test::sequential_ids(kRows);
    Collection collection = test::make_collection(Metric::kL2, ids, rows);
    const std::vector<float> none(kDim, std::numeric_limits<float>::quiet_NaN());
    const std::vector<float> good(kDim, 1.0F), short_one(kDim - 1);
    const Filter throwing = Filter::where([](Id id) -> bool {
        if (id == 77) throw std::runtime_error("of the test");
        return true;
    });
    const Filter greedy = Filter::where([](Id) -> bool { throw std::bad_alloc(); });
    return others(
               {collection.insert(1'000, VectorView(none)),
                collection.insert(-1, VectorView(good)),
                collection.insert(1'000, VectorView(short_one)),
                collection.search(none).status(),
                collection.search(good, {.k = kMaxK + 1}).status(),
                collection.search(good, {.partitions = {"a"}, .as_of = Moment(std::uint64_t{99})})
                    .status(),
                collection.build_index({.threads = kMaxThreads + 1})},
               StatusCode::kInvalidArgument) +
           others({collection.search(good, {.filter = throwing}).status(),
                   collection.count(throwing).status(),
                   collection.remove(throwing).status()},
                  StatusCode::kInternal) +
           others({collection.search(good, {.filter = greedy}).status()}, StatusCode::kOutOfMemory);
}

/// Let an index fail in every way, asked for and in the background, where nobody could catch what
/// it throws.
std::size_t fail_to_build() {
    std::size_t wrong = 0;
    const Matrix rows = test::normal_rows(kRows, kDim, 1);
    for (const auto& [how, code] : {std::pair("status", StatusCode::kUnsupported),
                                    std::pair("throw", StatusCode::kInternal),
                                    std::pair("memory", StatusCode::kOutOfMemory),
                                    std::pair("order", StatusCode::kInternal)}) {
        Schema schema = test::exact_schema(kDim, Metric::kL2, {{"fail", how}});
        Collection asked = test::make_collection(schema);
        asked.insert(test::sequential_ids(kRows), rows.view()).check();
        wrong += others({asked.build_index()}, code);
        schema.segments.seal_rows = 64;
        Collection background = test::make_collection(schema);
        background.insert(test::sequential_ids(kRows), rows.view()).check();
        for (int i = 0; i < 30'000 && background.health()->background_error.ok(); ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        wrong += others({background.health()->background_error}, code);
    }
    return wrong;
}

/// Rebuild from a source that fails, and from one that throws.
std::size_t fail_to_rebuild() {
    Database database = Database::in_memory().value();
    database.create_collection("a", Schema::single(kDim)).status().check();
    database.create_alias("live", "a").check();
    const RebuildSource failing{.rows = 1, .next = []() -> Result<RowBatch> {
                                    return Status(StatusCode::kIoError, "of the test");
                                }};
    const RebuildSource throwing{.rows = 1, .next = []() -> Result<RowBatch> {
                                     throw std::runtime_error("of the test");
                                 }};
    return others({database.rebuild("live", failing).status()}, StatusCode::kIoError) +
           others({database.rebuild("live", throwing).status()}, StatusCode::kInternal) +
           others({database.rebuild("none", failing).status()}, StatusCode::kNotFound);
}

TEST_CASE("nothing is printed and nothing ends the program, whatever goes wrong") {
    test::Capture out(1);
    test::Capture error(2);
    const std::size_t wrong = work() + go_wrong() + fail_to_build() + fail_to_rebuild();
    const long printed = out.bytes() + error.bytes();
    CHECK(printed == 0);
    CHECK(wrong == 0);
}

TEST_CASE("what is printed is noticed") {
    test::Capture out(1);
    test::Capture error(2);
    std::fputs("four", stderr);
    const long printed = out.bytes() + error.bytes();
    CHECK(printed == 4);
}

}  // namespace
}  // namespace vecdb
