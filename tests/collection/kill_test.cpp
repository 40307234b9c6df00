// Processes that write are killed at any moment: whoever opens the database then finds the writes
// that returned, and perhaps the one that was under way.
// VECDB_KILL_SEED and VECDB_KILL_CYCLES say with which seed the cycles begin and how many there
// are.

#include "support/catch.h"
#include "support/child.h"
#include "support/numbers.h"
#include "support/temp_directory.h"
#include "support/workload.h"

#include <vecdb/database.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <unistd.h>

namespace vecdb {
namespace {

using std::chrono::microseconds;
using test::Child;
using test::fingerprint;
using test::Teller;
using Clock = std::chrono::steady_clock;

// What the process tells that is to be killed.
constexpr char kOpened = 'o';  // with all that it found
constexpr char kDone = 'd';    // one write

/// How a database is written to.
struct Setting {
    OpenOptions open;
    test::WorkOptions work;

    explicit Setting(std::uint64_t seed) {
        test::Random random(seed);
        open.sync = random() % 2 == 0 ? SyncMode::kEach : SyncMode::kOs;
        open.map = random() % 2 == 0;
        open.checkpoint_bytes = random() % 2 == 0 ? 64U << 10U : 0;
        open.keep_replaced = std::chrono::seconds(random() % 2);
        open.run.threads = 1;
        if (random() % 2 == 0) work = {.seal_rows = 64, .batch = 150, .ids = 600};
    }
};

/// Open the database and tell what is in it.
Database open_and_tell(const std::string& directory, const Setting& setting, const Teller& tell) {
    Database database = Database::open(directory, setting.open).value();
    tell(kOpened, fingerprint(database));
    return database;
}

/// Write and tell of every write, without end. Now and then the database is closed and opened.
void write_and_tell(const std::string& directory,
                    const Setting& setting,
                    test::WorkSeeds seeds,
                    const Teller& tell) {
    std::optional<Database> database(open_and_tell(directory, setting, tell));
    std::optional<test::Worker> worker(std::in_place, *database, setting.work);
    for (;;) {
        const std::uint64_t seed = seeds.next();
        worker->work(seed).check();
        tell(kDone);
        if (seed % 32 != 0) continue;
        database->close().check();
        database.reset();
        database.emplace(Database::open(directory, setting.open).value());
        worker.emplace(*database, setting.work);
    }
}

/// A database on disk whose writers are killed, and one in memory that has the same writes.
class Life {
  public:
    explicit Life(std::uint64_t seed) : random_(seed), setting_(seed) {}

    /// Let a process open the database, look whether it finds what was written, let it write, and
    /// kill it. Returns how many writes returned.
    std::size_t cycle() {
        if (random_() % 4 == 0) kill_opening();
        const test::WorkSeeds seeds(random_(), std::exchange(first_, false));
        const Clock::time_point begin = Clock::now();
        Child writer(
            [&](const Teller& tell) { write_and_tell(directory(), setting_, seeds, tell); });
        check_opened(writer);
        opening_ = std::chrono::duration_cast<microseconds>(Clock::now() - begin);
        seeds_ = seeds;
        std::size_t writes = 0;
        for (const std::size_t wanted = random_() % kMostWrites; writes < wanted; ++writes)
            REQUIRE(follow(writer));
        std::this_thread::sleep_for(microseconds(random_() % 1'000));
        writer.kill();
        while (follow(writer))
            ++writes;
        return writes;
    }

  private:
    /// Of a cycle, before what comes by itself until the process is gone.
    static constexpr std::size_t kMostWrites = 40;

    [[nodiscard]] std::string directory() const { return (place_ / "database").string(); }

    /// Do the next write on the database in memory.
    void write() { worker_.work(seeds_->next()).check(); }

    /// Wait for a write to return, and do it too. Returns whether there was one.
    bool follow(Child& writer) {
        const auto told = writer.next();
        if (!told) return false;
        INFO(told->text);
        REQUIRE(told->kind == kDone);
        write();
        return true;
    }

    /// Check that a process found all writes that returned, or one more.
    void check_opened(Child& child) {
        const auto told = child.next();
        REQUIRE(told.has_value());
        INFO((told->kind == test::kFailed ? told->text : ""));
        REQUIRE(told->kind == kOpened);
        const bool same = told->text == fingerprint(mirror_);
        if (!same && seeds_) write();
        seeds_.reset();  // what was under way is there now, or never will be
        const bool found = told->text == fingerprint(mirror_);
        REQUIRE(found);
    }

    /// Kill a process that opens the database, on its way or soon after.
    void kill_opening() {
        Child opener([&](const Teller& tell) {
            const Database database = open_and_tell(directory(), setting_, tell);
            for (;;)
                ::pause();
        });
        const auto most = static_cast<std::uint64_t>(opening_.count()) * 5 / 4 + 1;
        std::this_thread::sleep_for(microseconds(random_() % most));
        opener.kill();
    }

    test::Random random_;
    const Setting setting_;
    test::TempDirectory place_;
    Database mirror_ = Database::in_memory({.threads = 1}).value();
    test::Worker worker_{mirror_,
                         {.seal_rows = 0, .batch = setting_.work.batch, .ids = setting_.work.ids}};
    bool first_ = true;
    std::optional<test::WorkSeeds> seeds_;  // of the next write that may be there
    microseconds opening_{1'000};
};

}  // namespace

TEST_CASE("a write that returned is there when the process was killed", "[kill]") {
    constexpr std::uint64_t kCyclesOfOne = 50;
    const std::uint64_t seed = test::number_from("VECDB_KILL_SEED", 1);
    const std::uint64_t cycles = test::number_from("VECDB_KILL_CYCLES", 1'200);
    const auto until =
        Clock::now() + std::chrono::seconds(test::number_from("VECDB_KILL_SECONDS", 40));
    std::optional<Life> life;
    std::uint64_t number = seed;
    std::size_t writes = 0;
    std::uint64_t cycle = 0;
    for (; cycle < cycles && (cycle < kCyclesOfOne || Clock::now() < until); ++cycle) {
        if (cycle % kCyclesOfOne == 0) {
            number = seed + cycle / kCyclesOfOne;
            life.emplace(number);
        }
        INFO("VECDB_KILL_SEED=" << number << " VECDB_KILL_CYCLES=" << kCyclesOfOne << ", cycle "
                                << cycle % kCyclesOfOne);
        writes += life->cycle();
    }
    CHECK(writes > 10 * cycle);
}

}  // namespace vecdb
