// Several processes and one database: one writes, others read, and who writes may be killed.
// VECDB_PROCESSES_SECONDS says how long readers and writers go on, in each of two ways.

#include "support/catch.h"
#include "support/child.h"
#include "support/collections.h"
#include "support/numbers.h"
#include "support/random_data.h"
#include "support/temp_directory.h"

#include <vecdb/database.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

namespace vecdb {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Child;
using test::Teller;
using test::TempDirectory;

// Batch n, from 1 on, replaces the rows of batch n - kBatches, so that the database stays small;
// all elements of its vectors are n.
constexpr std::size_t kBatchRows = 10;
constexpr Id kBatches = 60;
constexpr std::size_t kDim = 4;
constexpr const char* kName = "rows";

/// What writers and readers share.
struct Counts {
    std::atomic<Id> written = 0;  ///< Batches whose write returned.
    std::atomic<bool> stop = false;
    std::atomic<std::size_t> opened = 0;
    std::atomic<std::size_t> moved = 0;  ///< Times that a reader moved on to later writes.
    std::atomic<std::size_t> stale = 0;
};
using Shared = test::Shared<Counts>;

OpenOptions options_for(OpenMode mode, seconds keep = seconds(60)) {
    OpenOptions options;
    options.mode = mode;
    options.sync = SyncMode::kOs;
    options.keep_replaced = keep;
    options.checkpoint_bytes = 64U << 10U;
    options.run.threads = 1;
    return options;
}

Schema schema() {
    Schema schema = Schema::single(kDim);
    schema.vectors[0].index = HnswOptions{.m = 4, .ef_construction = 8};
    schema.segments.seal_rows = 64;
    return schema;
}

std::vector<Id> ids_of(Id batch) {
    return test::sequential_ids(kBatchRows, batch % kBatches * static_cast<Id>(kBatchRows));
}

Status half_there(Id batch) {
    return {StatusCode::kInternal, "batch " + std::to_string(batch) + " is not whole"};
}

/// Return the batch whose rows are found in place of a slot's, 0 if there are none; not ok if they
/// are not those of one batch.
Result<Id> batch_in(const FetchedRows& found, Id slot) {
    const auto first = static_cast<std::ptrdiff_t>(slot * static_cast<Id>(kBatchRows));
    const auto from = found.found.begin() + first;
    const auto there = std::count(from, from + kBatchRows, true);
    if (there == 0) return Id{0};
    const auto values =
        found.elements().subspan(static_cast<std::size_t>(first) * kDim, kBatchRows * kDim);
    const bool same = std::count(values.begin(), values.end(), values.front()) ==
                      static_cast<std::ptrdiff_t>(values.size());
    if (there != static_cast<std::ptrdiff_t>(kBatchRows) || !same) return half_there(slot);
    return static_cast<Id>(values.front());
}

/// Return the last batch that is there. Not ok if one is there in part, or not all before it.
Result<Id> last_batch(const Database& database) {
    const auto collection = database.collection(kName);
    if (!collection.ok()) return collection.status();
    const FetchedRows found =
        collection->get(test::sequential_ids(kBatches * static_cast<Id>(kBatchRows))).value();
    std::array<Id, kBatches> batches{};
    for (Id slot = 0; slot < kBatches; ++slot) {
        const auto batch = batch_in(found, slot);
        if (!batch.ok()) return batch.status();
        batches[static_cast<std::size_t>(slot)] = *batch;
    }
    const Id last = *std::max_element(batches.begin(), batches.end());
    for (Id batch = std::max<Id>(1, last - kBatches + 1); batch <= last; ++batch) {
        if (batches[static_cast<std::size_t>(batch % kBatches)] != batch) return half_there(batch);
    }
    const auto rows = static_cast<std::size_t>(std::min(last, kBatches)) * kBatchRows;
    if (collection->count() != rows) return half_there(last);
    return last;
}

/// Write one batch, and now and then what makes new files.
void write_batch(Database& database, Id batch) {
    Collection rows = database.collection(kName).value();
    const std::string part = "part " + std::to_string(batch / 100 % 3);
    if (!rows.partition(part).ok()) rows.create_partition(part).status().check();
    const std::vector<float> values(kBatchRows * kDim, static_cast<float>(batch));
    rows.partition(part).value().upsert(ids_of(batch), MatrixView(values, kDim)).check();
    if (batch % 50 == 0) database.checkpoint().check();
    if (batch % 110 == 0) rows.build_index().check();
}

/// Write batches without end, after those that are there.
void write_on(const std::string& directory, seconds keep, Counts& counts) {
    Database database =
        Database::open(directory, options_for(OpenMode::kOpenOrCreate, keep)).value();
    if (database.open_report().created)
        database.create_collection(kName, schema()).status().check();
    const Id last = last_batch(database).value();
    if (last < counts.written) half_there(last + 1).check();
    for (Id batch = last + 1;; ++batch) {
        write_batch(database, batch);
        counts.written = batch;
    }
}

/// Open the database again and again and look at it.
void read_on(const std::string& directory, Counts& counts) {
    while (!counts.stop) {
        const Id before = counts.written;
        const auto opened = Database::open(directory, options_for(OpenMode::kReadOnly));
        if (opened.status().code() == StatusCode::kStale) {
            ++counts.stale;
            continue;
        }
        const Id last = last_batch(opened.value()).value();
        if (last < before) half_there(last + 1).check();
        ++counts.opened;
    }
}

/// Open the database once, and move on with it again and again.
void follow(const std::string& directory, Counts& counts) {
    auto opened = Database::open(directory, options_for(OpenMode::kReadOnly));
    while (opened.status().code() == StatusCode::kStale)
        opened = Database::open(directory, options_for(OpenMode::kReadOnly));
    Database& database = opened.value();
    Id last = last_batch(database).value();
    while (!counts.stop) {
        const Id before = counts.written;
        const auto moved = database.refresh();
        const Id now = last_batch(database).value();
        if (moved.status().code() == StatusCode::kStale) {
            if (now != last) half_there(now).check();
            ++counts.stale;
            continue;
        }
        if (now < before || (now != last && !moved.value())) half_there(now + 1).check();
        if (now != last) ++counts.moved;
        last = now;
    }
}

void sleep_until(const std::function<bool()>& done) {
    while (!done())
        std::this_thread::sleep_for(milliseconds(1));
}

/// Require that a process goes on, or that it ended well.
void check_alive(Child& child, bool ended) {
    if (!ended && !child.has_ended()) return;
    while (const auto told = child.next()) {
        INFO(told->text);
        REQUIRE(told->kind != test::kFailed);
    }
    REQUIRE(child.wait() == 0);
}

/// Start a process that has the database open until it is killed, and wait until it has.
std::unique_ptr<Child> start_holder(const std::string& directory) {
    auto holder = std::make_unique<Child>([&](const Teller& tell) {
        Database database = Database::open(directory, options_for(OpenMode::kOpenOrCreate)).value();
        database.create_collection("held", Schema::single(2)).status().check();
        tell('h');
        for (;;)
            ::pause();
    });
    const auto told = holder->next();
    REQUIRE(told.has_value());
    INFO(told->text);
    REQUIRE(told->kind == 'h');
    return holder;
}

void check_refused(const std::string& directory) {
    const Status second = Database::open(directory, options_for(OpenMode::kOpen)).status();
    CHECK(second.code() == StatusCode::kFailedPrecondition);
    CHECK_THAT(second.message(), Contains(directory + "/LOCK"));
}

void require(bool fulfilled, const char* what) {
    if (!fulfilled) Status(StatusCode::kInternal, what).check();
}

}  // namespace

TEST_CASE("readers see whole batches in order while writers are killed", "[processes]") {
    constexpr std::size_t kReaders = 4;
    constexpr std::size_t kWriters = 10;
    const seconds keep = GENERATE(seconds(60), seconds(0));
    const auto total = milliseconds(1'000 * test::number_from("VECDB_PROCESSES_SECONDS", 6));
    const TempDirectory place;
    const std::string directory = (place / "database").string();
    const Shared counts;
    const auto start_writer = [&] {
        return std::make_unique<Child>(
            [&](const Teller& /*tell*/) { write_on(directory, keep, *counts); });
    };
    auto writer = start_writer();
    sleep_until([&] { return counts->written != 0 || writer->has_ended(); });
    check_alive(*writer, false);
    std::vector<std::unique_ptr<Child>> readers;
    for (std::size_t i = 0; i < kReaders; ++i) {
        const auto read = i % 2 == 0 ? read_on : follow;
        readers.push_back(
            std::make_unique<Child>([&](const Teller& /*tell*/) { read(directory, *counts); }));
    }
    for (std::size_t killed = 0; killed < kWriters; ++killed) {
        std::this_thread::sleep_for(total / kWriters);
        check_alive(*writer, false);
        writer->kill();
        for (const auto& reader : readers)
            check_alive(*reader, false);
        writer = start_writer();
    }
    counts->stop = true;
    for (const auto& reader : readers)
        check_alive(*reader, true);
    INFO(counts->opened << " times opened, " << counts->moved << " times moved on, "
                        << counts->stale << " times stale, " << counts->written << " batches");
    // Thousands, where the machine has nothing else to do.
    CHECK(counts->opened > kWriters);
    CHECK(counts->moved > kWriters);
    CHECK(counts->written > 10 * kBatches);
    if (keep != seconds(0)) CHECK(counts->stale == 0);
}

TEST_CASE("a second writer is refused while one holds the database", "[processes]") {
    const TempDirectory place;
    const std::string directory = (place / "database").string();
    auto holder = start_holder(directory);
    check_refused(directory);
    CHECK(Database::open(directory, options_for(OpenMode::kReadOnly)).ok());

    holder->signal(SIGSTOP);
    holder->wait_until_stopped();
    check_refused(directory);
    CHECK(Database::open(directory, options_for(OpenMode::kReadOnly)).ok());

    holder->kill();
    CHECK(fs::exists(directory + "/LOCK"));
    const Database next = Database::open(directory, options_for(OpenMode::kOpen)).value();
    CHECK_FALSE(next.open_report().clean);
    CHECK(next.list_collections() == std::vector<std::string>{"held"});
    check_refused(directory);  // in the same process too
}

TEST_CASE("without locking nobody is refused", "[processes]") {
    const TempDirectory place;
    const std::string directory = (place / "database").string();
    const auto holder = start_holder(directory);
    OpenOptions options = options_for(OpenMode::kOpen);
    options.locking = Locking::kNone;
    const auto opened = Database::open(directory, options);
    REQUIRE(opened.ok());
    CHECK(opened->list_collections() == std::vector<std::string>{"held"});
}

TEST_CASE("who may not write can read", "[processes]") {
    const TempDirectory place;
    const std::string directory = (place / "database").string();
    {
        OpenOptions options = options_for(OpenMode::kOpenOrCreate);
        options.checkpoint_bytes = 0;
        Database database = Database::open(directory, options).value();
        database.create_collection(kName, schema()).status().check();
        for (Id batch = 1; batch <= 120; ++batch)
            write_batch(database, batch);
        // Nothing goes on in the background while the files are copied.
        database.collection(kName)->flush().check();
        write_batch(database, 121);
        if (GENERATE(true, false)) database.close().check();
        // Otherwise there are records of the log to read, and nobody to have closed it.
        fs::copy(directory, place / "copy");
    }
    const std::string copy = (place / "copy").string();
    // Of another user's files only others' permissions count.
    const bool root = ::geteuid() == 0;
    const auto file = root ? fs::perms::others_read : fs::perms::owner_read;
    const auto folder = root ? fs::perms::others_read | fs::perms::others_exec
                             : fs::perms::owner_read | fs::perms::owner_exec;
    fs::permissions(place.path(), fs::perms::others_exec, fs::perm_options::add);
    for (const auto& entry : fs::directory_iterator(copy))
        fs::permissions(entry, file);
    fs::permissions(copy, folder);
    const auto failed = test::as_nobody([&] {
        require(::access(copy.c_str(), W_OK) != 0, "the directory can be written to");
        const Database reader = Database::open(copy, options_for(OpenMode::kReadOnly)).value();
        require(last_batch(reader).value() == 121, "rows are missing");
        for (const auto mode : {OpenMode::kOpen, OpenMode::kOpenOrCreate}) {
            const Status refused = Database::open(copy, options_for(mode)).status();
            require(refused.code() == StatusCode::kIoError, "not refused");
            require(refused.message().find(copy + "/LOCK") != std::string::npos, "no path");
        }
    });
    fs::permissions(copy, fs::perms::owner_all);
    if (!failed) WARN("SKIPPED: this user's permissions do not bind, and there is no other user");
    CHECK(failed.value_or("") == std::string());
}

}  // namespace vecdb
