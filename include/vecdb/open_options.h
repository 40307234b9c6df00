#pragma once

/// \file
/// How a database on disk is opened, and what was found.

#include <vecdb/database_options.h>
#include <vecdb/export.h>
#include <vecdb/status.h>
#include <vecdb/storage.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vecdb {

/// What Database::open does with a directory.
enum class OpenMode : std::uint8_t {
    kOpenOrCreate,  ///< Open the database there, for writing; make one if there is none.
    kOpen,          ///< Open it for writing. There must be one.
    kCreate,        ///< Make it. There must be none.
    kReadOnly,  ///< Read what was written last, beside a writer and other readers, see refresh().
};

/// When a write is safe from what. In each case what is left after a crash is all writes up to some
/// point, in their order.
enum class SyncMode : std::uint8_t {
    kEach,      ///< A write that returned survives a loss of power.
    kInterval,  ///< It survives the end of the process, and a loss of power an interval later.
    kOs,        ///< It survives the end of the process, not a loss of power.
    kOff,       ///< No log is written: all since the last checkpoint() or close() is lost.
};

/// How much of the files is checked when a database is opened.
enum class Verify : std::uint8_t {
    kFull,  ///< Every byte.
    kLazy,  ///< What files there are and their tables; the rest of a collection when it is first
            ///< asked for.
};

/// What keeps a second writer away.
enum class Locking : std::uint8_t {
    kSystem,  ///< A lock of the operating system, which ends with the process.
    kNone,    ///< Nothing, for network mounts without locks: the user sees to it.
};

/// How a database is opened.
struct OpenOptions {
    OpenMode mode = OpenMode::kOpenOrCreate;
    /// What writes wait for.
    SyncMode sync = SyncMode::kEach;
    /// Of SyncMode::kInterval: 1 ms to 1 hour.
    std::chrono::milliseconds sync_interval{100};
    Verify verify = Verify::kFull;
    /// Use sealed rows where they lie in their files, as memory that the system fills and takes
    /// back; false: copy them to memory. What cannot be mapped is copied.
    bool map = true;
    Locking locking = Locking::kSystem;
    /// With `map`, most bytes of sealed rows that are kept in memory when segments are sealed or
    /// merged; rows of a segment that does not fit are used where they lie in its file. 0: no
    /// limit.
    std::uint64_t memory_budget = 0;
    /// Bytes of the log at which the background makes a checkpoint, which frees it and bounds the
    /// time to open: 64 KiB or more, 0: never. Where checkpoints are larger than that they come as
    /// rarely as they are large.
    std::uint64_t checkpoint_bytes = std::uint64_t{64} << 20U;
    /// How long files that are no longer needed stay for readers in other processes: up to 1 day.
    std::chrono::seconds keep_replaced{60};
    /// Where the files are; null: the operating system's.
    std::shared_ptr<Storage> storage = {};
    /// What the database may use of the machine.
    DatabaseOptions run = {};

    /// Returns kInvalidArgument naming the field, its value and its limit.
    [[nodiscard]] VECDB_EXPORT Status validate() const;
};

/// What was found when a database was opened.
struct OpenReport {
    bool created = false;  ///< There was none.
    /// The last writer closed it. If not, its process or its machine ended before: the log was read
    /// up to its last whole record.
    bool clean = true;
    std::uint64_t replayed_records = 0;  ///< Of the log, since the last checkpoint.
    std::uint64_t replayed_rows = 0;     ///< Rows written in them.
    std::uint64_t torn_bytes = 0;        ///< Behind the last whole record, which are not used.
    /// Collections of rebuilds that had not ended; they are gone.
    std::vector<std::string> dropped_collections = {};
    /// What was damaged and could be done without, one message each: an index, whose rows are
    /// compared one by one then; rows, without which their partition is searched only with
    /// SearchOptions::allow_partial. A collection that lost rows is not written to before
    /// Database::repair. With Verify::kLazy damage is found later.
    std::vector<std::string> damage = {};
};

/// One thing that is wrong with a file of a database.
struct Damage {
    std::string file;          ///< Its path.
    std::string section = {};  ///< In which part of it, if it has parts.
    std::uint64_t offset = 0;  ///< Where that part begins, or the record.
    std::string message = {};  ///< What is wrong.
};

/// What Database::verify found.
struct VerifyReport {
    std::uint64_t files = 0;  ///< That were read.
    std::uint64_t bytes = 0;  ///< In them.
    std::vector<Damage> damage = {};

    [[nodiscard]] bool sound() const noexcept { return damage.empty(); }
};

/// What Database::repair did.
struct RepairReport {
    /// Files that were moved to the folder "damaged" of the database.
    std::vector<std::string> set_aside = {};
    std::size_t rebuilt_indexes = 0;
    std::uint64_t saved_rows = 0;  ///< Out of damaged files.
    /// What could not be saved, one message each.
    std::vector<std::string> lost = {};
};

}  // namespace vecdb
