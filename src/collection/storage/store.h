#pragma once

/// \file
/// What of a database is on disk, and what may be written there when.

#include "check.h"
#include "mutex.h"
#include "persist/catalogue.h"
#include "persist/file_set.h"
#include "persist/journal.h"
#include "persist/log.h"
#include "persist/manifest.h"
#include "persist/section_file.h"

#include <vecdb/open_options.h>
#include <vecdb/status.h>
#include <vecdb/storage.h>
#include <vecdb/types.h>
#include <vecdb/views.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace vecdb::collection {

/// The files of a database: its lock, catalogue and log. In memory there are none, and everything
/// succeeds.
///
/// A write is in the log before it is seen, and both happen under one lock, so that the log has
/// all writes of all collections in the order in which they were seen. Changes of names go the same
/// way, and wait in memory to become part of the catalogue with the next commit.
///
/// After a failure that leaves in doubt what is on disk, everything that writes returns that
/// failure.
/// Threads: internally synchronised. Locks are taken in this order: committing(), that of a
/// collection's writers, the store's, those of versions and names.
class Store {
  public:
    /// Make the store of a database in memory.
    Store() = default;
    /// Look at the files of a database, and lock them unless they are only to be read; make them if
    /// options.mode says so. Nothing else is written before begin_writing(). Errors as of
    /// Database::open.
    [[nodiscard]] static Result<std::shared_ptr<Store>> open(std::string directory,
                                                             const OpenOptions& options);
    /// As close(), with nobody to tell of a failure.
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    // What it is -------------------------------------------------------------------------------

    /// Tell whether there are files.
    [[nodiscard]] bool durable() const noexcept { return storage_ != nullptr; }
    /// Tell whether sealed segments are saved as they are made: there is a log that goes on from
    /// them.
    [[nodiscard]] bool saves_segments() const noexcept {
        return durable() && options_.sync != SyncMode::kOff;
    }
    [[nodiscard]] const std::string& directory() const noexcept { return directory_; }
    [[nodiscard]] const persist::DatabaseId& database() const noexcept { return database_; }
    [[nodiscard]] const OpenOptions& options() const noexcept { return options_; }
    [[nodiscard]] bool reads_only() const noexcept { return options_.mode == OpenMode::kReadOnly; }
    /// Return the first failure, or why else there can be no writes.
    [[nodiscard]] Status check_writable() const VECDB_EXCLUDES(mutex_);

    // Writing ----------------------------------------------------------------------------------

    /// Log rows of a batch, as safely as SyncMode says, and call `publish`, which does not
    /// throw, before anything else is logged. When this fails it is not called. Throws
    /// std::bad_alloc and then has changed nothing.
    template <class Publish>
    Status write_rows(const persist::RowsToLog& batch, Publish&& publish) VECDB_EXCLUDES(mutex_) {
        return write([&](persist::JournalWriter& log) { return persist::log_rows(log, batch); },
                     std::forward<Publish>(publish));
    }
    /// The same for the removal of rows.
    template <class Publish>
    Status write_removal(std::uint64_t collection, std::span<const Id> ids, Publish&& publish)
        VECDB_EXCLUDES(mutex_) {
        return write(
            [&](persist::JournalWriter& log) { return persist::log_removal(log, collection, ids); },
            std::forward<Publish>(publish));
    }
    /// The same for changes of names, which a loss of power never undoes when this has returned,
    /// unless there is no log.
    template <class Publish>
    Status write_changes(std::vector<persist::Change> changes, Publish&& publish)
        VECDB_EXCLUDES(mutex_) {
        if (!durable()) {
            std::forward<Publish>(publish)();
            return {};
        }
        const Lock lock(mutex_);
        VECDB_TRY(log_changes(std::move(changes)));
        std::forward<Publish>(publish)();
        ask_for_checkpoint();
        return {};
    }

    /// Return the number of the last write.
    [[nodiscard]] std::uint64_t last_write() const VECDB_EXCLUDES(mutex_);
    /// Return an id for a collection, which no other one has or had.
    [[nodiscard]] std::uint64_t take_collection_id() VECDB_EXCLUDES(mutex_);

    // Saving -----------------------------------------------------------------------------------

    /// Held by whoever saves what rows are in, from looking what is to be saved until it is
    /// committed.
    [[nodiscard]] Mutex& committing() const noexcept VECDB_RETURNS(committing_) {
        return committing_;
    }

    /// Begin a file, which is nothing until a commit adds it.
    struct NewFile {
        std::uint64_t number = 0;
        std::unique_ptr<persist::SectionFileWriter> writer;
    };
    [[nodiscard]] Result<NewFile> create_file(persist::FileKind kind) VECDB_EXCLUDES(mutex_);
    /// Open a file that was finished, before it is committed. Errors as of SectionFile::open.
    [[nodiscard]] Result<std::shared_ptr<persist::SectionFile>> open_file(
        std::uint64_t number, const persist::StoredFile& file) const;
    /// Remove a file that was begun and will not be committed.
    void discard_file(persist::FileKind kind, std::uint64_t number) noexcept;

    /// Call `look` between two writes and begin a new file of the log there; return the number of
    /// the write before.
    [[nodiscard]] Result<std::uint64_t> cut(const std::function<void()>& look)
        VECDB_REQUIRES(committing_) VECDB_EXCLUDES(mutex_);
    /// Commit the changes of names up to the last cut(), then `changes`, which have all rows up to
    /// there; the log before it is not needed any more.
    [[nodiscard]] Status commit_cut(std::vector<persist::Change> changes)
        VECDB_REQUIRES(committing_) VECDB_EXCLUDES(mutex_);
    /// Commit all changes of names, then `changes`, which are of one collection, unless it was
    /// dropped. When this returns, everything logged is durable.
    [[nodiscard]] Status commit(std::uint64_t collection, std::vector<persist::Change> changes)
        VECDB_REQUIRES(committing_) VECDB_EXCLUDES(mutex_);
    /// Return what was committed last.
    [[nodiscard]] const persist::Catalogue& committed() const noexcept VECDB_REQUIRES(committing_);
    /// Return the state of a partition as it was committed or, if it was not, as it was made;
    /// nothing if it is not there.
    [[nodiscard]] std::optional<persist::StoredPartition> stored(std::uint64_t collection,
                                                                 std::uint32_t number) const
        VECDB_REQUIRES(committing_) VECDB_EXCLUDES(mutex_);

    /// Let `full` be called, with the lock held, when the log is so long that a checkpoint should
    /// be made; it does not throw. None: nobody is called from now on.
    void set_on_full(std::function<void()> full) VECDB_EXCLUDES(mutex_);

    /// Sync, note that the database is closed, let go of the lock, and refuse writes from then on.
    /// The first call does it.
    Status close() VECDB_EXCLUDES(mutex_, committing_);

    // Opening ----------------------------------------------------------------------------------

    /// How far somebody had written who was looked at.
    struct FoundAt {
        persist::Current current;
        persist::JournalEnd manifest;
        persist::JournalEnd log;

        friend bool operator==(const FoundAt&, const FoundAt&) = default;
    };
    /// What was there when the files were opened.
    struct Found {
        [[nodiscard]] FoundAt at() const {
            return {committed.current, committed.tail.end, log.end};
        }

        persist::ReadCatalogue committed;
        persist::Catalogue catalogue;             ///< That and the changes of names in the log.
        std::vector<persist::Change> names;       ///< Those changes.
        std::set<std::uint64_t> written;          ///< Collections of which the log has rows.
        std::shared_ptr<persist::FileSet> files;  ///< That the catalogue names.
        persist::JournalTail log;
        bool created = false;
        bool closed = true;  ///< By the last writer.
    };
    [[nodiscard]] const Found& found() const noexcept { return *found_; }
    /// Keep the log although everything in it is saved, as somebody cannot be saved.
    void keep_log() VECDB_EXCLUDES(mutex_) {
        const Lock lock(mutex_);
        keep_log_ = true;
    }
    /// Show what was logged after rows were last saved, in order. Errors as of read_journal.
    [[nodiscard]] Status replay(
        const std::function<Status(std::uint64_t number, const persist::LogEntry& entry)>& show)
        const;
    /// End the opening when all that was found could be read, and begin to write unless it is to be
    /// read only. found() is gone then. Returns kIoError.
    [[nodiscard]] Status finish_opening() VECDB_EXCLUDES(mutex_);

  private:
    Store(std::string directory, OpenOptions options);

    Status look() VECDB_EXCLUDES(mutex_);
    Status look_beside_writer() VECDB_EXCLUDES(mutex_);
    Status lock_or_make() VECDB_EXCLUDES(mutex_);
    Status read_committed();
    [[nodiscard]] Result<std::optional<persist::FileName>> find_later_log(std::uint64_t next) const;
    Status note_found(const persist::JournalRecord& record, persist::StoredPosition& position);
    Status read_names();
    Status resume_log(const Found& found) VECDB_REQUIRES(mutex_);
    Status retire_orphans(std::uint64_t last_time) VECDB_REQUIRES(mutex_);

    template <class Log, class Publish>
    Status write(Log&& log, Publish&& publish) VECDB_EXCLUDES(mutex_) {
        if (!durable()) {
            std::forward<Publish>(publish)();
            return {};
        }
        const Lock lock(mutex_);
        VECDB_TRY(failed_);
        if (log_ != nullptr) {
            VECDB_TRY(note(std::forward<Log>(log)(*log_)));
            if (options_.sync == SyncMode::kEach) VECDB_TRY(note(log_->sync()));
        }
        ++last_;
        std::forward<Publish>(publish)();
        ask_for_checkpoint();
        return {};
    }
    Status log_changes(std::vector<persist::Change> changes) VECDB_REQUIRES(mutex_);
    Status note(Status status) VECDB_REQUIRES(mutex_);
    Status begin_log(std::vector<persist::StoredLog> before) VECDB_REQUIRES(mutex_);
    Status commit_with(std::size_t names,
                       std::vector<persist::Change> changes,
                       std::uint64_t covered,
                       std::vector<persist::StoredLog> logs) VECDB_REQUIRES(mutex_);
    [[nodiscard]] bool is_dropped(std::uint64_t collection) const VECDB_REQUIRES(mutex_);
    [[nodiscard]] std::string path_of(const persist::FileName& file) const;
    void remove_retired() VECDB_REQUIRES(mutex_);
    void retire_dropped() noexcept VECDB_REQUIRES(mutex_);
    void ask_for_checkpoint() noexcept VECDB_REQUIRES(mutex_);
    void sync_at_intervals() VECDB_EXCLUDES(mutex_);
    Status close_files() VECDB_REQUIRES(mutex_);

    using Clock = std::chrono::steady_clock;

    /// A file that is to be removed later.
    struct Retired {
        persist::FileName file;
        Clock::time_point from;
    };

    const std::string directory_;
    const OpenOptions options_ = {};
    const std::shared_ptr<Storage> storage_;  // null: in memory
    persist::DatabaseId database_{};
    std::unique_ptr<Found> found_;

    mutable Mutex committing_;
    mutable Mutex mutex_;
    std::unique_ptr<FileLock> lock_ VECDB_GUARDED_BY(mutex_);
    std::unique_ptr<persist::Manifest> manifest_ VECDB_GUARDED_BY(mutex_);
    std::unique_ptr<persist::JournalWriter> log_ VECDB_GUARDED_BY(mutex_);  // null: there is none
    std::uint64_t last_ VECDB_GUARDED_BY(mutex_) = 0;                       // number of a write
    std::uint64_t next_collection_ VECDB_GUARDED_BY(mutex_) = 1;
    // Logged and not committed, and how many of them were before the last cut.
    std::vector<persist::Change> names_ VECDB_GUARDED_BY(mutex_);
    std::size_t names_before_cut_ VECDB_GUARDED_BY(mutex_) = 0;
    std::uint64_t cut_ VECDB_GUARDED_BY(mutex_) = 0;
    std::deque<Retired> retired_ VECDB_GUARDED_BY(mutex_);
    Status failed_ VECDB_GUARDED_BY(mutex_);

    std::function<void()> on_full_ VECDB_GUARDED_BY(mutex_);
    std::uint64_t full_bytes_ VECDB_GUARDED_BY(mutex_) = 0;  // of the log; 0: never

    std::thread syncing_;
    std::condition_variable_any stopped_;
    bool opened_ VECDB_GUARDED_BY(mutex_) = false;  // to write, and all of it
    bool closed_ VECDB_GUARDED_BY(mutex_) = false;
    bool keep_log_ VECDB_GUARDED_BY(mutex_) = false;
};

}  // namespace vecdb::collection
