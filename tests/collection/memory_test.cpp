#include "support/catch.h"
#include "support/collections.h"
#include "support/random_data.h"

#include <vecdb/collection.h>

#include <cstddef>
#include <cstdio>
#include <vector>

#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#    define VECDB_TEST_SANITIZED 1
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#        define VECDB_TEST_SANITIZED 1
#    endif
#endif

namespace vecdb {
namespace {

/// Return the bytes of this process that are in memory, or 0 where the system does not say.
std::size_t resident_bytes() {
    std::FILE* file = std::fopen("/proc/self/statm", "r");
    if (file == nullptr) return 0;
    unsigned long total = 0, resident = 0;
    const int read = std::fscanf(file, "%lu %lu", &total, &resident);
    std::fclose(file);
    return read == 2 ? resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) : 0;
}

/// Insert rows [count(), rows) in batches of 1,000.
void grow_to(Collection& collection, std::size_t rows, const test::Matrix& batch) {
    while (collection.count() < rows) {
        const Id first = static_cast<Id>(collection.count());
        const std::size_t size = std::min(batch.rows, rows - collection.count());
        REQUIRE(
            collection.insert(test::sequential_ids(size, first), batch.view().slice(0, size)).ok());
    }
}

TEST_CASE("memory stays within 10 % of rows x (4 dim + 16) bytes, and what their codes take") {
    constexpr std::size_t kDim = 100;
    const Codes codes = GENERATE(Codes::kNone, Codes::kDefault);
    const std::size_t code_bytes = codes == Codes::kNone ? 0 : kDim / 2 + 12;
    const test::Matrix batch = test::normal_rows(1000, kDim, 1);
    [[maybe_unused]] const std::size_t resident_before = resident_bytes();
    Schema schema = Schema::single(kDim);
    schema.segments.seal_rows = 0;
    schema.vectors[0].index = FlatOptions{.codes = codes};
    Collection collection = test::make_collection(schema);
    for (const std::size_t rows : {20'000U, 50'000U, 70'000U, 100'000U, 132'000U, 200'000U}) {
        CAPTURE(rows);
        grow_to(collection, rows, batch);
        const auto row_bytes = static_cast<double>(4 * kDim + 16 + code_bytes);
        const double expected = static_cast<double>(rows) * row_bytes;
        const double reported = static_cast<double>(collection.stats().memory_bytes);
        CHECK(reported / expected <= 1.10);
        CHECK(reported >= 0.98 * expected);
#ifndef VECDB_TEST_SANITIZED
        // Later the process has memory left over from before.
        if (rows != 200'000U || resident_before == 0 || codes != Codes::kNone) continue;
        const double grown = static_cast<double>(resident_bytes() - resident_before);
        CAPTURE(grown, reported);
        CHECK(grown / expected <= 1.10);
        CHECK(grown >= 0.9 * reported);
#endif
    }
}

TEST_CASE("a small collection takes little memory") {
    Collection collection = test::make_collection(100);
    CHECK(collection.stats().memory_bytes <= 4'096);
    REQUIRE(collection.insert(1, VectorView(test::normal_rows(1, 100, 1).values.data(), 100)).ok());
    CHECK(collection.stats().memory_bytes <= 65'536);
}

/// Return the bytes that finding ids takes, for each live row.
double id_bytes_per_row(const Collection& collection) {
    const Health health = collection.health().value();
    return static_cast<double>(health.id_bytes) / static_cast<double>(health.live_rows);
}

/// What finding an id may take, beside the 8 bytes of the id itself.
constexpr double kMostIdBytes = 24.0;

TEST_CASE("ids are found in at most 24 bytes a row, growing, sealed and replaced ones") {
    constexpr std::size_t kDim = 2;
    const test::Matrix batch = test::normal_rows(1000, kDim, 1);
    Collection collection = test::make_collection(kDim);
    // Right after a table of ids has grown, and before it grows again.
    for (const std::size_t rows : {100U, 1'000U, 49'000U, 50'000U, 98'000U, 99'000U, 200'000U}) {
        CAPTURE(rows);
        grow_to(collection, rows, batch);
        const double growing = id_bytes_per_row(collection);
        CHECK(growing <= kMostIdBytes);
        CHECK(growing >= 4.0);
    }
    // Just less than what makes the growing rows move together.
    for (Id first = 0; first < 99'000; first += 1'000) {
        REQUIRE(collection.upsert(test::sequential_ids(1'000, first), batch.view()).ok());
    }
    CHECK(collection.stats().dead_rows == 99'000);
    CHECK(id_bytes_per_row(collection) <= kMostIdBytes);
    REQUIRE(collection.build_index().ok());
    CHECK(collection.stats().sealed_rows == 200'000);
    const double sealed = id_bytes_per_row(collection);
    CHECK(sealed <= kMostIdBytes);
    CHECK(sealed >= 4.0);
    REQUIRE(collection.remove(test::sequential_ids(100'000)).ok());
    CHECK(id_bytes_per_row(collection) <= kMostIdBytes);
}

TEST_CASE("ids are found in at most 24 bytes a row in many partitions") {
    constexpr std::size_t kRows = 120'000;
    const test::Matrix rows = test::normal_rows(kRows, 2, 1);
    for (const std::size_t partitions : {2U, 1'000U, 12'000U}) {
        for (const bool ruled : {false, true}) {
            CAPTURE(partitions, ruled);
            Schema schema = Schema::single(2);
            schema.segments.seal_rows = 0;
            if (ruled) schema.rule = {Routing::kIdModulo, partitions};
            Collection collection = test::make_collection(schema);
            if (ruled) {
                REQUIRE(collection.insert(test::sequential_ids(kRows), rows.view()).ok());
            }
            const std::size_t size = kRows / partitions;
            for (std::size_t i = 0; !ruled && i < partitions; ++i) {
                Partition part = collection.create_partition(std::to_string(i)).value();
                const auto ids = test::sequential_ids(size, static_cast<Id>(i * size));
                part.insert(ids, rows.view().slice(i * size, size)).check();
            }
            const double growing = id_bytes_per_row(collection);
            CHECK(growing <= kMostIdBytes);
            REQUIRE(collection.build_index().ok());
            CHECK(collection.stats().sealed_rows == kRows);
            CHECK(id_bytes_per_row(collection) <= growing);
        }
    }
}

TEST_CASE("space returns while the same ids are written over and over") {
    constexpr std::size_t kRows = 2'000, kDim = 32;
    const test::Matrix rows = test::normal_rows(kRows, kDim, 2);
    const std::vector<Id> ids = test::sequential_ids(kRows);
    Collection collection = test::make_collection(Metric::kL2, ids, rows);
    const std::size_t at_first = collection.stats().memory_bytes;
    std::size_t most_dead = 0, most_memory = 0;
    for (int round = 0; round < 300; ++round) {
        REQUIRE(collection.upsert(ids, rows.view()).ok());
        most_dead = std::max(most_dead, collection.stats().dead_rows);
        most_memory = std::max(most_memory, collection.stats().memory_bytes);
    }
    CHECK(collection.stats().live_rows == kRows);
    CHECK(most_dead <= 2 * kRows);
    CHECK(most_memory <= 4 * at_first);
    CHECK(test::floats(*collection.get(ids)) == rows.values);
}

TEST_CASE("space returns when rows are removed") {
    constexpr std::size_t kRows = 20'000, kDim = 32;
    const test::Matrix rows = test::normal_rows(kRows, kDim, 3);
    const std::vector<Id> ids = test::sequential_ids(kRows);
    Collection collection = test::make_collection(Metric::kL2, ids, rows);
    const std::size_t full = collection.stats().memory_bytes;
    for (std::size_t i = 0; i + 10 < kRows; ++i)
        REQUIRE(collection.remove(ids[i]).ok());
    CHECK(collection.count() == 10);
    CHECK(collection.stats().memory_bytes <= full / 10);
    CHECK(test::floats(*collection.get(ids[kRows - 1])).back() == rows.values.back());
    REQUIRE(collection.insert(ids[0], VectorView(rows.row(0))).ok());
    CHECK(collection.count() == 11);
}

}  // namespace
}  // namespace vecdb
