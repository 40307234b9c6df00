// Calls on a database in files are made again and again, their first allocation failing, then their
// second and so on: each says so or succeeds, what is seen stays, and the files hold what was
// acknowledged.

#include "support/catch.h"
#include "support/memory_storage.h"
#include "support/operator_new.h"
#include "support/random_data.h"
#include "support/small_database.h"

#include <vecdb/database.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vecdb {
namespace {

using test::describe;
using test::MemoryStorage;
using test::small_options;
using test::SmallDatabase;
using test::until_failure;
using Files = std::shared_ptr<MemoryStorage>;

struct Call {
    const char* name;
    std::function<Status(Database&)> body;
};

std::vector<Call> calls() {
    static const Schema kSchema = Schema::single(3);
    static const test::Matrix kRows = test::normal_rows(6, test::kSmallDim, 9);
    static const std::vector<Id> kNew = test::sequential_ids(6, 500);
    static const std::vector<Id> kMixed = {1, 2, 100, 200, 501, 502};
    const auto flat = [](Database& database) {
        return database.collection("flat").value();
    };
    const auto graph = [](Database& database) {
        return database.collection("graph").value();
    };
    return {{"insert",
             [=](Database& d) {
                 return flat(d).insert(kNew, kRows.view());
             }},
            {"upsert",
             [=](Database& d) {
                 return flat(d).upsert(kMixed, kRows.view());
             }},
            {"remove",
             [=](Database& d) {
                 return flat(d).remove(kMixed).status();
             }},
            {"create_partition",
             [=](Database& d) {
                 return flat(d).create_partition("new").status();
             }},
            {"drop_partition",
             [=](Database& d) {
                 return flat(d).drop_partition("part");
             }},
            {"create_collection",
             [=](Database& d) {
                 return d.create_collection("new", kSchema).status();
             }},
            {"drop_collection",
             [=](Database& d) {
                 return d.drop_collection("lists");
             }},
            {"create_alias",
             [=](Database& d) {
                 return d.create_alias("new", "graph");
             }},
            {"move_alias",
             [=](Database& d) {
                 return d.move_alias("live", "graph");
             }},
            {"drop_alias",
             [=](Database& d) {
                 return d.drop_alias("live");
             }},
            {"build_index",
             [=](Database& d) {
                 return graph(d).build_index({.threads = 1});
             }},
            // Not of ivf: Faiss, which moves centroids, ends the program when it has no memory.
            {"flush",
             [=](Database& d) {
                 return flat(d).flush({.threads = 1});
             }},
            {"checkpoint",
             [=](Database& d) {
                 return d.checkpoint();
             }},
            {"close",
             [=](Database& d) {
                 return d.close();
             }},
            {"rebuild", [=](Database& d) {
                 bool given = false;
                 const RebuildSource source{.rows = kRows.rows, .next = [&]() -> Result<RowBatch> {
                                                if (std::exchange(given, true)) return RowBatch{};
                                                return RowBatch{kNew, kRows.view()};
                                            }};
                 return d
                     .rebuild(
                         "live", source, {.warm_up_queries = 1, .keep_old = true, .threads = 1})
                     .status();
             }}};
}

Database open(const Files& files, OpenMode mode = OpenMode::kOpenOrCreate) {
    return Database::open("d", small_options(files, mode)).value();
}

/// Open a copy of the files, as if the process ended here, and describe what is there.
std::string described_elsewhere(const Files& files) {
    const auto opened = Database::open("d", small_options(files->copy(), OpenMode::kOpen));
    return opened.ok() ? describe(*opened) : opened.status().to_string();
}

/// Check what is there after a call failed or not for want of memory, and after it was made again.
void check_after(const Call& call,
                 Database& database,
                 const Files& files,
                 const Status& status,
                 const std::string& before,
                 const std::string& after) {
    if (!status.ok()) REQUIRE(status.code() == StatusCode::kOutOfMemory);
    const std::string& expected = status.ok() ? after : before;
    REQUIRE(describe(database) == expected);
    REQUIRE(described_elsewhere(files) == expected);
    if (status.ok()) return;
    // Nothing may be written any more when it is in doubt what the files hold.
    const Status again = call.body(database);
    const std::string& then = again.ok() ? after : before;
    INFO("again: " << again.to_string());
    REQUIRE(describe(database) == then);
    REQUIRE(described_elsewhere(files) == then);
}

/// Make one call fail at each allocation in turn; returns how often.
std::size_t fail_everywhere(const Call& call, const SmallDatabase& small) {
    std::string after;
    {
        Database database = open(small.files->copy());
        call.body(database).check();
        after = describe(database);
    }
    for (std::size_t n = 0; n < 100'000; n += 1 + n / 200) {
        const Files files = small.files->copy();
        bool failed = false;
        {
            Database database = open(files);
            until_failure = static_cast<long>(n);
            const Status status = call.body(database);
            failed = until_failure.exchange(-1) < 0;
            INFO("allocation " << n << ": " << status.to_string());
            check_after(call, database, files, status, small.states.back(), after);
        }
        const std::string last = described_elsewhere(files);
        REQUIRE((last == small.states.back() || last == after));
        if (!failed) return n;
    }
    FAIL("the call allocates without end");
    return 0;
}

}  // namespace

TEST_CASE("a write to files that cannot have memory is done wholly or not at all") {
    const bool closed = GENERATE(true, false);
    const SmallDatabase small(7, closed);
    for (const Call& call : calls()) {
        INFO(call.name);
        const std::size_t failures = fail_everywhere(call, small);
        CHECK(failures > 0);
        if (std::getenv("VECDB_ALLOCATIONS_SHOW") != nullptr)
            WARN(call.name << ": " << failures << " allocations");
    }
}

TEST_CASE("an opening that cannot have memory damages nothing") {
    const SmallDatabase closed(8, true);
    const SmallDatabase crashed(8, false);
    const Files none = std::make_shared<MemoryStorage>();
    const Files torn = crashed.files->copy();
    for (const std::string& path : torn->names()) {
        if (path.starts_with("d/log-")) torn->bytes(path).resize(torn->bytes(path).size() + 3);
    }
    for (const auto& [image, state] : {std::pair(none, std::string()),
                                       std::pair(closed.files, closed.states.back()),
                                       std::pair(crashed.files, crashed.states.back()),
                                       std::pair(torn, crashed.states.back())}) {
        for (const OpenMode mode : {OpenMode::kOpenOrCreate, OpenMode::kReadOnly}) {
            if (state.empty() && mode == OpenMode::kReadOnly) continue;
            for (const SyncMode sync : {SyncMode::kEach, SyncMode::kOff}) {
                std::size_t n = 0;
                for (bool failed = true; failed; n += 1 + n / 200) {
                    const Files files = image->copy();
                    OpenOptions options = small_options(files, mode);
                    options.sync = sync;
                    until_failure = static_cast<long>(n);
                    auto opened = std::make_optional(Database::open("d", options));
                    failed = until_failure.exchange(-1) < 0;
                    INFO("allocation " << n << ": " << opened->status().to_string());
                    if (opened->ok()) {
                        REQUIRE(describe(**opened) == state);
                    } else {
                        REQUIRE(opened->status().code() == StatusCode::kOutOfMemory);
                    }
                    opened.reset();
                    REQUIRE(describe(open(files)) == state);
                }
                CHECK(n > 0);
            }
        }
    }
}

}  // namespace vecdb
