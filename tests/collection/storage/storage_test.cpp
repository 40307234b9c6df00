#include "collection/storage/growing_segment.h"
#include "collection/storage/history.h"
#include "collection/storage/id_map.h"
#include "collection/storage/partition_directory.h"
#include "collection/storage/persistent_array.h"
#include "collection/storage/row_store.h"
#include "collection/storage/tombstones.h"
#include "support/catch.h"

#include <chrono>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <vector>

using vecdb::Id;
using namespace vecdb::collection;  // NOLINT(google-build-using-namespace): the headers under test

static float* floats_of(const RowStore& store, std::size_t row) {
    return reinterpret_cast<float*>(store.vector(row));
}

TEST_CASE("rows keep their values while the first block grows and others follow",
          "[collection][storage]") {
    const std::size_t dim = GENERATE(1U, 100U, 5'000U);
    RowStore store(VectorFormat{.dim = dim});
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
    RowStore store(VectorFormat{.dim = 4});
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

TEST_CASE("the id map agrees with a std::map under random inserts", "[collection][storage]") {
    RowStore store(VectorFormat{.dim = 1});
    IdMap map(store);
    std::map<Id, std::uint32_t> model;
    std::mt19937_64 random(3);
    constexpr std::uint32_t kRows = 20'000;
    store.reserve(kRows, 0);
    for (std::uint32_t row = 0; row < kRows; ++row) {
        // Few distinct ids, some of them far apart, so that runs of slots collide.
        const Id id = static_cast<Id>(random() % 3'000) << (random() % 2 * 40);
        store.id(row) = id;
        map.reserve(1);
        const auto before = map.insert_or_replace(row);
        const auto known = model.find(id);
        REQUIRE(before.has_value() == (known != model.end()));
        if (before) REQUIRE(*before == known->second);
        model[id] = row;
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

TEST_CASE("a saved table of ids is taken over when it finds every row and leaves a slot empty",
          "[collection][storage]") {
    RowStore store(VectorFormat{.dim = 1});
    store.reserve(32, 0);
    IdMap made(store);
    made.reserve(32);
    for (std::uint32_t row = 0; row < 32; ++row) {
        store.id(row) = static_cast<Id>(row) * 5;
        made.insert_or_replace(row);
    }
    const std::vector<std::uint32_t> saved(made.slots().begin(), made.slots().end());
    IdMap map(store);
    CHECK_FALSE(map.adopt(saved, 31));
    CHECK_FALSE(map.adopt({saved.data(), saved.size() - 1}, 32));
    CHECK_FALSE(map.adopt({}, 0));
    REQUIRE(map.adopt(saved, 32));
    CHECK(map.find(31 * 5) == 31U);
    CHECK_FALSE(map.find(3));

    // With every slot in use a look-up of another id would never end.
    std::vector<std::uint32_t> full;
    for (std::size_t slot = 0; slot < saved.size(); ++slot) {
        if (saved[slot] < 32) full.push_back(saved[slot]);
    }
    REQUIRE(full.size() == 32);
    CHECK_FALSE(map.adopt(full, 32));
    CHECK(map.find(31 * 5) == 31U);
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

TEST_CASE("a persistent array agrees with a std::map, and those before it do not change",
          "[collection][storage]") {
    using Array = PersistentArray<std::size_t>;
    std::vector<std::pair<Array, std::map<std::size_t, std::size_t>>> history(1);
    std::mt19937_64 random(7);
    for (std::size_t step = 0; step < 600; ++step) {
        auto [array, model] = history.back();
        // Mostly the end, as partitions come; now and then far past it.
        const std::size_t place = step % 50 == 49 ? array.size() * 9 + 1
                                  : step % 3 == 0 ? random() % (array.size() + 1)
                                                  : array.size();
        if (random() % 5 == 0) {
            array = array.with(place, nullptr);
            model.erase(place);
        } else {
            array = array.with(place, std::make_shared<std::size_t>(step));
            model[place] = step;
        }
        if (array.size() > 300'000) break;
        history.emplace_back(array, model);
    }
    REQUIRE(history.back().first.size() > 8 * 8 * 8);
    for (const auto& [array, model] : history) {
        std::vector<std::size_t> expected, found;
        for (const auto& [place, value] : model) {
            REQUIRE(array.get(place) != nullptr);
            REQUIRE(*array.get(place) == value);
            expected.push_back(value);
        }
        array.for_each([&](std::size_t value) { found.push_back(value); });
        REQUIRE(found == expected);
        REQUIRE(array.get(array.size()) == nullptr);
        REQUIRE(array.get(array.size() * 8 + 1) == nullptr);
    }
}

TEST_CASE("a directory names every partition that an id was entered with, and few others",
          "[collection][storage]") {
    constexpr std::size_t kIds = 20'000;
    constexpr std::uint32_t kLast = (1U << 20U) - 1;
    PartitionDirectory directory(kIds);
    std::map<Id, std::set<std::uint32_t>> model;
    std::mt19937_64 random(11);
    REQUIRE(directory.has_room(kIds));
    for (std::size_t i = 0; i < kIds; ++i) {
        const Id id = static_cast<Id>(random() % (kIds / 2)) << (random() % 2 * 30);
        const auto partition = static_cast<std::uint32_t>(random() % 4 == 0 ? kLast : random() % 3);
        directory.enter(id, partition);
        model[id].insert(partition);
    }
    std::size_t too_many = 0;
    for (const auto& [id, partitions] : model) {
        std::set<std::uint32_t> named;
        directory.find(id, [&](std::uint32_t partition) {
            named.insert(partition);
            return false;
        });
        for (const std::uint32_t partition : partitions)
            REQUIRE(named.erase(partition) == 1);
        too_many += named.size();
    }
    CHECK(too_many < kIds / 500);
    // Entering what is there takes no place.
    const std::size_t used = directory.used();
    for (const auto& [id, partitions] : model)
        directory.enter(id, *partitions.begin());
    CHECK(directory.used() == used);
    CHECK(directory.memory_bytes() <= kIds * 11);
}

TEST_CASE("numbers of rows and partitions have room for the largest ones",
          "[collection][storage]") {
    // Maps of ids mark free places by the largest number, which no row has.
    CHECK(vecdb::kMaxRowsPerSegment < std::numeric_limits<std::uint32_t>::max());
    // A directory has places with every mark of the last partition, and none is taken for free.
    constexpr Id kIds = 20'000;
    constexpr auto kLast = static_cast<std::uint32_t>(vecdb::kMaxPartitions - 1);
    PartitionDirectory directory(kIds);
    for (Id id = 0; id < kIds; ++id)
        directory.enter(id, kLast);
    CHECK(directory.used() == kIds);
    std::size_t found = 0;
    for (Id id = 0; id < kIds; ++id)
        found += directory.find(id, [](std::uint32_t each) { return each == kLast; }) ? 1U : 0U;
    CHECK(found == kIds);
}

TEST_CASE("every number of rows of a growing segment knows the last of an id below it",
          "[collection][storage]") {
    GrowingSegment segment(VectorFormat{.dim = 1});
    std::vector<std::map<Id, std::uint32_t>> models(1);
    std::mt19937_64 random(13);
    constexpr std::uint32_t kRows = 400;
    segment.store().reserve(kRows, 0);
    for (std::uint32_t row = 0; row < kRows; ++row) {
        const Id id = static_cast<Id>(random() % 60);
        segment.store().id(row) = id;
        segment.reserve_ids(1, segment.last(id) ? 1 : 0);
        segment.enter(row);
        models.push_back(models.back());
        models.back()[id] = row;
    }
    for (std::size_t rows = 0; rows <= kRows; ++rows) {
        for (Id id = 0; id < 60; ++id) {
            const auto expected = models[rows].find(id);
            const auto found = segment.last_before(id, rows);
            REQUIRE(found.has_value() == (expected != models[rows].end()));
            if (found) REQUIRE(*found == expected->second);
        }
    }
}

namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

std::shared_ptr<const Version> version_at(std::uint64_t sequence, system_clock::time_point time) {
    auto version = std::make_shared<Version>();
    version->sequence = sequence;
    version->time = time;
    return version;
}

}  // namespace

TEST_CASE("a history keeps what was the present within its window", "[collection][storage]") {
    const auto now = system_clock::now();
    History history;
    history.set({.window = milliseconds(60'000)}, version_at(0, now - milliseconds(300'000)));
    std::vector<std::shared_ptr<const Version>> versions;
    for (const int age : {200'000, 90'000, 50'000, 20'000, 1'000}) {
        versions.push_back(version_at(versions.size() + 1, now - milliseconds(age)));
        history.add(versions.back());
    }
    const auto& last = versions.back();
    const auto sequence_of = [&](const vecdb::Moment& moment) -> std::optional<std::uint64_t> {
        const auto found = history.find(moment, last);
        return found.ok() ? std::optional((*found)->sequence) : std::nullopt;
    };
    // 60 s ago the version of 90 s ago was the present.
    CHECK(sequence_of(std::uint64_t{5}) == 5);
    CHECK(sequence_of(std::uint64_t{3}) == 3);
    CHECK(sequence_of(std::uint64_t{2}) == 2);
    CHECK_FALSE(sequence_of(std::uint64_t{1}));
    CHECK_FALSE(sequence_of(std::uint64_t{6}));
    CHECK(sequence_of(now) == 5);
    CHECK(sequence_of(now + milliseconds(1'000'000)) == 5);
    CHECK(sequence_of(now - milliseconds(1'000)) == 5);
    CHECK(sequence_of(now - milliseconds(1'001)) == 4);
    CHECK(sequence_of(now - milliseconds(59'000)) == 2);
    CHECK(sequence_of(now - milliseconds(90'000)) == 2);
    CHECK_FALSE(sequence_of(now - milliseconds(90'001)));

    // What is about to be published is not seen before.
    history.add(version_at(6, now));
    CHECK(sequence_of(now + milliseconds(1'000)) == 5);
    CHECK_FALSE(sequence_of(std::uint64_t{6}));
    // The same rows in another order stand in for those before.
    const auto moved = version_at(6, now);
    history.add(moved);
    CHECK(history.find(std::uint64_t{6}, version_at(7, now)).value() == moved);
}

TEST_CASE("a history without a window keeps nothing, one of few writes the last",
          "[collection][storage]") {
    const auto now = system_clock::now();
    History history;
    const auto first = version_at(0, now - milliseconds(1'000));
    history.add(first);
    const auto second = version_at(1, now - milliseconds(900));
    CHECK(history.find(std::uint64_t{0}, second).status().code() == vecdb::StatusCode::kNotFound);
    CHECK(history.find(std::uint64_t{1}, second).value() == second);

    history.set({.window = milliseconds(60'000), .max_writes = 2}, second);
    for (std::uint64_t sequence = 2; sequence < 10; ++sequence)
        history.add(version_at(sequence, now - milliseconds(800) + milliseconds(sequence)));
    const auto last = version_at(9, now);
    CHECK(history.find(std::uint64_t{7}, last).value()->sequence == 7);
    CHECK(history.find(std::uint64_t{6}, last).status().code() == vecdb::StatusCode::kNotFound);

    std::weak_ptr<const Version> kept = history.find(std::uint64_t{8}, last).value();
    CHECK_FALSE(kept.expired());
    history.set({}, last);
    CHECK(kept.expired());
}
