// Databases on a disk that loses power at every call that changes something: what is left is the
// state after the writes up to some point, and after all that had to be durable.
// VECDB_POWER_SEED and VECDB_POWER_SEEDS say with which seed the workloads begin and how many there
// are.

#include "support/catch.h"
#include "support/disk_model.h"
#include "support/memory_storage.h"
#include "support/numbers.h"
#include "support/workload.h"

#include <vecdb/database.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vecdb {
namespace {

using test::DiskModel;
using test::fingerprint;
using test::MemoryStorage;
using test::Work;

constexpr std::uint64_t kImages = static_cast<std::uint64_t>(DiskModel::Left::kEnd);

/// A workload and what it leads to.
struct Plan {
    std::vector<std::uint64_t> seeds;  ///< Of its writes.
    std::vector<std::string> states;   ///< Before each, and after the last.

    Plan(std::uint64_t seed, std::size_t writes) {
        test::WorkSeeds from(seed);
        Database mirror = Database::in_memory({.threads = 1}).value();
        test::Worker worker(mirror);
        states.push_back(fingerprint(mirror));
        while (seeds.size() < writes) {
            seeds.push_back(from.next());
            worker.work(seeds.back()).check();
            states.push_back(fingerprint(mirror));
        }
    }
    /// Tell whether write i is durable when it returns, whatever SyncMode.
    [[nodiscard]] bool syncs(std::size_t i, SyncMode sync) const {
        if (states[i] == states[i + 1] && test::work_of(seeds[i]) != Work::kCheckpoint)
            return false;
        switch (test::work_of(seeds[i])) {
            case Work::kInsert:
            case Work::kUpsert:
            case Work::kRemove:
                return sync == SyncMode::kEach;
            case Work::kBuildIndex:
            case Work::kFlush:
                return false;  // there may have been nothing to do
            case Work::kCheckpoint:
                return true;
            default:
                return sync != SyncMode::kOff;
        }
    }
};

OpenOptions options_for(const std::shared_ptr<Storage>& storage, SyncMode sync) {
    OpenOptions options;
    options.sync = sync;
    options.sync_interval = std::chrono::hours(1);
    options.checkpoint_bytes = 0;
    options.keep_replaced = std::chrono::seconds(0);
    options.storage = storage;
    options.run.threads = 1;
    return options;
}

/// How far a workload came before the power failed.
struct Reached {
    bool opened = false;
    std::size_t done = 0;     ///< Writes that returned success.
    std::size_t durable = 0;  ///< Writes up to the last that is durable for certain.
    bool closed = false;
};

/// Do the writes from `begin` on until the power fails, and close the database.
Reached work(const std::shared_ptr<Storage>& disk,
             const Plan& plan,
             std::size_t begin,
             std::size_t end,
             SyncMode sync) {
    Reached reached{.opened = false, .done = begin, .durable = begin, .closed = false};
    auto opened = Database::open("d", options_for(disk, sync));
    if (!opened.ok()) return reached;
    reached.opened = true;
    test::Worker worker(*opened);
    for (; reached.done < end; ++reached.done) {
        if (!worker.work(plan.seeds[reached.done]).ok()) return reached;
        if (plan.syncs(reached.done, sync)) reached.durable = reached.done + 1;
    }
    reached.closed = opened->close().ok();
    if (reached.closed) reached.durable = reached.done;
    return reached;
}

/// Return after how many writes, from `low` to `high`, the state is that of a database; npos: none.
std::size_t find_state(const Plan& plan,
                       const Database& database,
                       std::size_t low,
                       std::size_t high) {
    const std::string state = fingerprint(database);
    for (std::size_t i = high + 1; i-- > low;) {
        if (plan.states[i] == state) return i;
    }
    return std::string::npos;
}

/// Open what a loss of power left and check that it may be so. Returns after how many writes it is.
std::size_t check_image(const std::shared_ptr<MemoryStorage>& image,
                        const Plan& plan,
                        const Reached& reached,
                        SyncMode sync) {
    const std::size_t high = std::min(reached.done + 1, plan.seeds.size());
    OpenOptions options = options_for(image, sync);
    options.mode = OpenMode::kReadOnly;
    auto reader = Database::open("d", options);
    if (!reached.opened && reader.status().code() == StatusCode::kNotFound) return 0;
    INFO(reader.status().to_string());
    REQUIRE(reader.ok());
    const std::size_t found = find_state(plan, *reader, reached.durable, high);
    REQUIRE(found != std::string::npos);
    // A writer finds the same, goes on from there, and what it writes is found.
    options.mode = OpenMode::kOpen;
    {
        auto writer = Database::open("d", options);
        INFO(writer.status().to_string());
        REQUIRE(writer.ok());
        REQUIRE(fingerprint(*writer) == plan.states[found]);
        writer->create_collection("more", Schema::single(2)).status().check();
        writer->drop_collection("more").check();
        writer->close().check();
    }
    options.mode = OpenMode::kReadOnly;
    const auto again = Database::open("d", options);
    REQUIRE(again.ok());
    CHECK(again->open_report().clean);
    REQUIRE(fingerprint(*again) == plan.states[found]);
    return found;
}

/// Let the power fail at every call of a workload.
std::size_t fail_everywhere(std::uint64_t seed, SyncMode sync, std::size_t writes) {
    const Plan plan(seed, writes);
    const auto whole = std::make_shared<DiskModel>();
    REQUIRE(work(whole, plan, 0, writes, sync).closed);
    std::size_t images = 0;
    for (std::size_t calls = 0; calls <= whole->calls(); ++calls) {
        const auto disk = std::make_shared<DiskModel>();
        disk->fail_after(calls);
        const Reached reached = work(disk, plan, 0, writes, sync);
        for (std::uint64_t left = 0; left < kImages; ++left) {
            INFO("seed " << seed << ", sync " << static_cast<int>(sync) << ", power lost after "
                         << calls << " calls, image " << left << ", " << reached.done
                         << " writes done");
            const auto image = std::make_shared<MemoryStorage>();
            disk->lose_power(static_cast<DiskModel::Left>(left), calls * kImages + left, *image);
            ++images;
            // The opening after it loses power too.
            if (calls % 4 == left % 4) {
                const auto second = std::make_shared<DiskModel>(*image);
                second->fail_after(calls / 4 % 14);
                (void)Database::open("d", options_for(second, sync));
                const auto after = std::make_shared<MemoryStorage>();
                second->lose_power(
                    static_cast<DiskModel::Left>((left + calls / 4) % kImages), calls, *after);
                check_image(after, plan, reached, sync);
                ++images;
            }
            check_image(image, plan, reached, sync);
        }
    }
    return images;
}

}  // namespace

TEST_CASE("a write that returned survives a loss of power", "[power]") {
    const std::uint64_t first = test::number_from("VECDB_POWER_SEED", 1);
    const std::uint64_t seeds = test::number_from("VECDB_POWER_SEEDS", 3);
    std::size_t images = 0;
    for (std::uint64_t seed = first; seed < first + seeds; ++seed)
        images += fail_everywhere(seed, SyncMode::kEach, 200);
    CHECK(images > 1'000 * seeds);
}

TEST_CASE("what a loss of power leaves is the writes up to some point", "[power]") {
    const auto sync = GENERATE(SyncMode::kOs, SyncMode::kInterval, SyncMode::kOff);
    const std::uint64_t first = test::number_from("VECDB_POWER_SEED", 1);
    const std::uint64_t seeds = test::number_from("VECDB_POWER_SEEDS", 1);
    std::size_t images = 0;
    for (std::uint64_t seed = first; seed < first + seeds; ++seed)
        images += fail_everywhere(seed + 100, sync, 200);
    CHECK(images > 500 * seeds);
}

}  // namespace vecdb
