// Databases whose storage fails at every call in turn, once or from then on: a write that failed is
// not seen, nothing that was acknowledged is lost, and without faults all goes on.
// VECDB_FAULT_SEED and VECDB_FAULT_SEEDS say with which seed the workloads begin and how many there
// are.

#include "persist/manifest.h"
#include "support/catch.h"
#include "support/fault_storage.h"
#include "support/memory_storage.h"
#include "support/numbers.h"
#include "support/workload.h"

#include <vecdb/database.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vecdb {
namespace {

using test::Calls;
using test::Fault;
using test::FaultPlan;
using test::FaultStorage;
using test::fingerprint;
using test::MemoryStorage;
using test::Work;

const std::vector<float> kPoint(2, 1);
const std::vector<float> kWorkPoint(test::kWorkDim, 1);
/// Writes that are tried after the first that failed.
constexpr std::size_t kWritesAfter = 4;

/// A workload and what it leads to.
struct Plan {
    std::vector<std::uint64_t> seeds;  ///< Of its writes.
    std::vector<std::string> states;   ///< Before each, and after the last.

    Plan(std::uint64_t seed, std::size_t writes) {
        test::Random random(seed);
        Database mirror = Database::in_memory({.threads = 1}).value();
        test::Worker worker(mirror);
        states.push_back(fingerprint(mirror));
        // Collections and their alias come first, so that there is something to write to.
        while (seeds.size() < writes) {
            std::uint64_t next = random();
            const std::size_t i = seeds.size();
            const Work wanted = i < 5 ? Work::kCreateCollection : Work::kMoveAlias;
            while (i < 7 && test::work_of(next) != wanted)
                next = random();
            seeds.push_back(next);
            worker.work(seeds.back()).check();
            states.push_back(fingerprint(mirror));
        }
    }
};

OpenOptions options_for(std::shared_ptr<Storage> storage) {
    OpenOptions options;
    options.checkpoint_bytes = 0;
    options.keep_replaced = std::chrono::seconds(0);
    options.storage = std::move(storage);
    options.run.threads = 1;
    return options;
}

/// Return a storage that shares its owner with the files behind it.
struct Disk {
    std::shared_ptr<MemoryStorage> files = std::make_shared<MemoryStorage>();
    std::shared_ptr<FaultStorage> faults = std::make_shared<FaultStorage>(*files);
};

/// Tell whether nothing more can be written when calls about these paths failed: otherwise they
/// were parts of one build only.
bool stops_writes(const std::vector<std::string>& failed) {
    return std::any_of(failed.begin(), failed.end(), [](std::string_view path) {
        const auto file = persist::parse_file_name(path.substr(path.find('/') + 1));
        return !file || file->kind == persist::FileKind::kManifest ||
               file->kind == persist::FileKind::kLog;
    });
}

/// The state that a database must be in while its storage fails.
class Mirror {
  public:
    explicit Mirror(const Plan& plan) : plan_(plan) {}

    /// Do write `i` here too.
    void follow(std::size_t i) {
        if (database_) {
            test::Worker(*database_).work(plan_.seeds[i]).check();
        } else {
            at_ = i + 1;
        }
    }
    /// Leave write `i` out.
    void skip(std::size_t i) {
        if (database_ || plan_.states[i] == plan_.states[i + 1]) return;
        database_ = Database::in_memory({.threads = 1}).value();
        test::Worker worker(*database_);
        for (std::size_t done = 0; done < i; ++done)
            worker.work(plan_.seeds[done]).check();
    }
    [[nodiscard]] std::string state() const {
        return database_ ? fingerprint(*database_) : plan_.states[at_];
    }

  private:
    const Plan& plan_;
    std::size_t at_ = 0;  // writes of the plan that were done, while none was left out
    std::optional<Database> database_;  // from then on
};

/// The states that are right when the database is opened again: that of all writes that were done
/// and, if the first one after which nothing could be written may have been done, that after it.
using Allowed = std::vector<std::string>;

bool is_allowed(const std::string& state, const Allowed& allowed) {
    return std::find(allowed.begin(), allowed.end(), state) != allowed.end();
}

/// Check that the files hold what is expected, for a reader and for a writer, who goes on.
void check_reopened(const std::shared_ptr<MemoryStorage>& files, const Allowed& allowed) {
    OpenOptions options = options_for(files);
    options.mode = OpenMode::kReadOnly;
    std::string state;
    {
        const auto reader = Database::open("d", options);
        if (reader.status().code() != StatusCode::kNotFound) {
            INFO(reader.status().to_string());
            REQUIRE(reader.ok());
            state = fingerprint(*reader);
            REQUIRE(is_allowed(state, allowed));
        }
    }
    options.mode = OpenMode::kOpenOrCreate;
    {
        auto writer = Database::open("d", options);
        INFO(writer.status().to_string());
        REQUIRE(writer.ok());
        REQUIRE(fingerprint(*writer) == state);
        REQUIRE(is_allowed(state, allowed));
        Collection more = writer->create_collection("more", Schema::single(2)).value();
        more.insert(Id{1}, kPoint).check();
        writer->close().check();
    }
    options.mode = OpenMode::kOpen;
    auto again = Database::open("d", options);
    INFO(again.status().to_string());
    REQUIRE(again.ok());
    CHECK(again->open_report().clean);
    CHECK(again->collection("more").value().count() == 1);
    again->drop_collection("more").check();
    REQUIRE(fingerprint(*again) == state);
}

/// Check that a database refuses every kind of write with its first failure.
void check_refuses(Database& database, const Status& first) {
    const auto refused = [&](const Status& status) {
        INFO(status.to_string() << " instead of " << first.to_string());
        CHECK(status.code() == first.code());
        CHECK(status.message() == first.message());
    };
    refused(database.create_collection("other", Schema::single(2)).status());
    refused(database.checkpoint());
    for (const std::string& name : database.list_collections()) {
        Collection collection = database.collection(name).value();
        const Id id = 100'000;
        const test::FieldRows fields(collection.schema(), {&id, 1}, 1);
        refused(collection.insert({&id, 1}, VectorView(kWorkPoint), fields.columns()));
        refused(database.create_alias("other", name));
    }
}

/// Do the writes of a plan on a database whose storage fails; check what it says and what is seen.
Allowed work(const Plan& plan, Database& database, const FaultStorage& storage) {
    Mirror mirror(plan);
    std::optional<Status> first;  // failure after which nothing is written
    Allowed allowed;
    std::size_t after = 0;
    for (std::size_t i = 0; i < plan.seeds.size() && after < kWritesAfter; ++i) {
        const bool stopped = first.has_value();
        const Status status = test::Worker(database).work(plan.seeds[i]);
        INFO("write " << i << ": " << status.to_string());
        if (stopped) {
            // What has nothing to do may succeed; what is seen stays.
            if (!status.ok()) CHECK(status.message() == first->message());
        } else if (status.ok()) {
            REQUIRE_FALSE(stops_writes(storage.failed_writes()));
            mirror.follow(i);
        } else {
            REQUIRE_FALSE(storage.failed().empty());
            REQUIRE(status.code() == StatusCode::kIoError);
            mirror.skip(i);
            if (stops_writes(storage.failed_writes())) {
                // A rebuild tells its own failure, and drops what it made.
                first =
                    test::work_of(plan.seeds[i]) == Work::kRebuild ? database.checkpoint() : status;
                allowed.push_back(mirror.state());
                mirror.follow(i);
                allowed.push_back(mirror.state());
            }
        }
        if (storage.failed().empty()) continue;
        ++after;
        REQUIRE(fingerprint(database) == (first ? allowed.front() : mirror.state()));
        if (first && !stopped) check_refuses(database, *first);
    }
    if (!first) allowed.push_back(mirror.state());
    return allowed;
}

/// Do the writes of a plan while the storage fails. Returns whether it did.
bool run(const Plan& plan, const FaultPlan& faults) {
    const Disk disk;
    disk.faults->plan(faults);
    Allowed allowed = {plan.states.front()};
    {
        auto database = Database::open("d", options_for(disk.faults));
        INFO(database.status().to_string());
        if (database.ok()) {
            allowed = work(plan, *database, *disk.faults);
        } else {
            REQUIRE_FALSE(disk.faults->failed().empty());
            REQUIRE(database.status().code() == StatusCode::kIoError);
        }
    }
    const bool failed = !disk.faults->failed().empty();
    disk.faults->mend();
    check_reopened(disk.files, allowed);
    return failed;
}

/// All ways in which a call may fail.
std::vector<FaultPlan> all_faults() {
    std::vector<FaultPlan> plans;
    for (const bool for_ever : {false, true}) {
        for (std::uint8_t fault = 0; fault < static_cast<std::uint8_t>(Fault::kEnd); ++fault)
            plans.push_back({.fault = static_cast<Fault>(fault), .for_ever = for_ever});
        plans.push_back({.calls = Calls::kReads, .for_ever = for_ever});
    }
    return plans;
}

std::string to_string(const FaultPlan& plan) {
    return std::string(plan.calls == Calls::kReads ? "read " : "change ") +
           std::to_string(plan.first) + (plan.for_ever ? " and all after it fail" : " fails") +
           " in way " + std::to_string(static_cast<int>(plan.fault));
}

/// What a writer may leave behind.
struct Image {
    std::string name;
    std::shared_ptr<MemoryStorage> files;
    std::string state;
};

/// Return the files of the plan's database: none, after the process ended, with a torn end of the
/// log, and after it was closed.
std::vector<Image> images_of(const Plan& plan) {
    const auto files = std::make_shared<MemoryStorage>();
    std::vector<Image> images = {{"no files", files->copy(), plan.states.front()}};
    auto database = Database::open("d", options_for(files)).value();
    for (std::size_t i = 0; i < plan.seeds.size(); ++i) {
        test::Worker(database).work(plan.seeds[i]).check();
        if (i % 10 == 9)
            images.push_back(
                {"after write " + std::to_string(i), files->copy(), plan.states[i + 1]});
    }
    Image torn{"a torn log", files->copy(), plan.states.back()};
    for (const std::string& name : torn.files->names()) {
        if (name.starts_with("d/log-"))
            torn.files->bytes(name).resize(torn.files->bytes(name).size() + 5);
    }
    images.push_back(std::move(torn));
    database.close().check();
    images.push_back({"closed", files->copy(), plan.states.back()});
    return images;
}

/// Open an image in several ways, one after the other, while the storage fails, and then without.
/// Returns whether it failed.
bool open_with(const Image& image, const FaultPlan& faults) {
    struct How {
        OpenMode mode;
        SyncMode sync;
    };
    constexpr How kHow[] = {{OpenMode::kReadOnly, SyncMode::kEach},
                            {OpenMode::kOpenOrCreate, SyncMode::kEach},
                            {OpenMode::kOpenOrCreate, SyncMode::kEach},
                            {OpenMode::kOpenOrCreate, SyncMode::kEach},
                            {OpenMode::kOpenOrCreate, SyncMode::kOff}};
    Disk disk;
    disk.files = image.files->copy();
    disk.faults = std::make_shared<FaultStorage>(*disk.files);
    bool failed = false;
    for (const auto& [mode, sync] : kHow) {
        disk.faults->plan(faults);
        OpenOptions options = options_for(disk.faults);
        options.mode = mode;
        options.sync = sync;
        const auto database = Database::open("d", options);
        failed |= !disk.faults->failed().empty();
        const bool nothing_there = image.state.empty() && mode == OpenMode::kReadOnly &&
                                   database.status().code() == StatusCode::kNotFound;
        if (nothing_there) continue;
        INFO(database.status().to_string());
        if (database.ok()) {
            REQUIRE(fingerprint(*database) == image.state);
        } else {
            REQUIRE_FALSE(disk.faults->failed().empty());
            REQUIRE(database.status().code() == StatusCode::kIoError);
        }
    }
    disk.faults->mend();
    check_reopened(disk.files, {image.state});
    return failed;
}

}  // namespace

TEST_CASE("a call to the storage that fails undoes nothing and is told", "[faults]") {
    const std::uint64_t first = test::number_from("VECDB_FAULT_SEED", 1);
    const std::uint64_t seeds = test::number_from("VECDB_FAULT_SEEDS", 5);
    std::size_t runs = 0;
    for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
        const Plan plan(seed, 150);
        for (FaultPlan faults : all_faults()) {
            for (bool failed = true; failed; ++faults.first, ++runs) {
                INFO("seed " << seed << ", " << to_string(faults));
                failed = run(plan, faults);
            }
        }
    }
    CHECK(runs > 1'000 * seeds);
    if (std::getenv("VECDB_FAULT_SHOW") != nullptr) WARN(runs << " runs");
}

TEST_CASE("an opening that fails damages nothing", "[faults]") {
    const std::uint64_t first = test::number_from("VECDB_FAULT_SEED", 1);
    std::size_t runs = 0;
    for (const Image& image : images_of(Plan(first, 150))) {
        for (FaultPlan faults : all_faults()) {
            for (bool failed = true; failed; ++faults.first, ++runs) {
                INFO(image.name << ", " << to_string(faults));
                failed = open_with(image, faults);
            }
        }
    }
    CHECK(runs > 1'000);
    if (std::getenv("VECDB_FAULT_SHOW") != nullptr) WARN(runs << " runs");
}

}  // namespace vecdb
