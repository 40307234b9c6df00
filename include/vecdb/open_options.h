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
    kLazy,  ///< Headers and tables; rows and indexes before their first use.
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
    /// What was damaged and could be done without, one message each: an index that is not used.
    std::vector<std::string> damage = {};
};

}  // namespace vecdb
