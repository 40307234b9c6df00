#include "collection/storage/id_map.h"
#include "collection/storage/row_store.h"
#include "collection/storage/tombstones.h"
#include "support/catch.h"

#include <map>
#include <random>
#include <vector>

using vecdb::Id;
using namespace vecdb::collection;  // NOLINT(google-build-using-namespace): the headers under test

static float* floats_of(const RowStore& store, std::size_t row) {
    return reinterpret_cast<float*>(store.vector(row));
}

TEST_CASE("rows keep their values while the first block grows and others follow",
          "[collection][storage]") {
    const std::size_t dim = GENERATE(1U, 100U, 5'000U);
    RowStore store({.dim = dim});
    REQUIRE(store.rows_per_block() % 64 == 0);
    const std::size_t rows = store.rows_per_block() * 2 + 3;
    std::size_t used = 0;
    for (std::size_t wanted = 1; used < rows; wanted = wanted * 3 + 1) {
        const std::size_t next = std::min(wanted, rows);
        store.reserve(next, used);
        for (; used < next; ++used) {
            floats_of(store, used)[0] = static_cast<float>(used);
            floats_of(store, used)[dim - 1] = static_cast<float>(used);
            store.id(used) = static_cast<Id>(used) * 3;
            store.norm(used) = static_cast<float>(used) + 0.5F;
        }
    }
    for (std::size_t row = 0; row < rows; ++row) {
        REQUIRE(floats_of(store, row)[dim - 1] == static_cast<float>(row));
        REQUIRE(store.id(row) == static_cast<Id>(row) * 3);
        REQUIRE(store.norm(row) == static_cast<float>(row) + 0.5F);
    }
}

TEST_CASE("a table of blocks handed out does not change when the store grows",
          "[collection][storage]") {
    RowStore store({.dim = 4});
    store.reserve(10, 0);
    for (std::size_t row = 0; row < 10; ++row)
        store.id(row) = static_cast<Id>(row);
    const auto before = store.blocks();
    const std::size_t blocks = before->size();
    store.reserve(store.rows_per_block() * 3, 10);
    REQUIRE(before->size() == blocks);
    REQUIRE(store.blocks()->size() == 3);
    for (std::size_t row = 0; row < 10; ++row) {
        REQUIRE((*before)[0]->ids[row] == static_cast<Id>(row));
        REQUIRE(store.id(row) == static_cast<Id>(row));
    }
}

TEST_CASE("the id map agrees with a std::map under random inserts and erasures",
          "[collection][storage]") {
    RowStore store({.dim = 1});
    IdMap map(store);
    std::map<Id, std::uint32_t> model;
    std::mt19937_64 random(3);
    constexpr std::uint32_t kRows = 20'000;
    store.reserve(kRows, 0);
    for (std::uint32_t row = 0; row < kRows; ++row) {
        // Few distinct ids, some of them far apart, so that runs of slots collide.
        const Id id = static_cast<Id>(random() % 3'000) << (random() % 2 * 40);
        store.id(row) = id;
        if (random() % 3 == 0 && model.contains(id)) {
            map.erase(id);
            model.erase(id);
        } else {
            map.reserve(1);
            map.insert_or_replace(row);
            model[id] = row;
        }
        if (row % 1'000 != 0) continue;
        for (Id probe = 0; probe < 3'000; ++probe) {
            const auto expected = model.find(probe);
            const auto found = map.find(probe);
            REQUIRE(found.has_value() == (expected != model.end()));
            if (found) REQUIRE(*found == expected->second);
        }
    }
    REQUIRE(map.memory_bytes() <= 6'000 * 4 * 4);
}

TEST_CASE("tombstones are added without changing the ones before", "[collection][storage]") {
    const auto none = std::make_shared<Tombstones>();
    const std::vector<std::uint32_t> first = {0, 63, 64, 300};
    const auto some = none->with(first, 128);
    const std::vector<std::uint32_t> second = {1, 301};
    const auto more = some->with(second, 128);

    REQUIRE(none->block(0) == nullptr);
    REQUIRE(some->block(1) == nullptr);
    REQUIRE(some->block(0)[0] == (1U | std::uint64_t{1} << 63U));
    REQUIRE(some->block(0)[1] == 1U);
    REQUIRE(some->block(2)[0] == std::uint64_t{1} << 44U);
    REQUIRE(more->block(0)[0] == (3U | std::uint64_t{1} << 63U));
    REQUIRE(more->block(2)[0] == (std::uint64_t{1} << 44U | std::uint64_t{1} << 45U));
    REQUIRE(some->block(0)[0] == (1U | std::uint64_t{1} << 63U));
    REQUIRE(more->block(7) == nullptr);
}
