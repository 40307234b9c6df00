#pragma once

/// \file
/// A set of collections with one name space.

#include <vecdb/collection.h>
#include <vecdb/database_options.h>
#include <vecdb/export.h>
#include <vecdb/open_options.h>
#include <vecdb/rebuild.h>
#include <vecdb/schema.h>
#include <vecdb/status.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vecdb {

class DatabaseState;  // src/collection/database.cpp

/// A second name of a collection.
struct Alias {
    std::string name;
    std::string collection;

    friend bool operator==(const Alias&, const Alias&) = default;
};

/// A database, in a directory or in memory. Collections and aliases share one name space. Names are
/// 1 to 255 bytes of UTF-8 without control characters and are never file names.
///
/// In a directory every write goes to a log before it is seen: see SyncMode for what it survives.
/// Sealed segments are files of their own; a checkpoint saves the other rows and begins the log
/// anew. After a write to a file failed nothing is written any more: every call that would fails
/// with the first failure until the database is opened again. Reads go on.
///
/// An alias stands for a collection until it is moved to another one, at once: whoever resolves it
/// gets the old one or the new one. So readers ask for the alias at every request while the
/// collection behind it is replaced. An alias of an alias there is not.
///
/// Threads: internally synchronised; every method may run concurrently with every other.
class VECDB_EXPORT Database {
  public:
    /// Make an empty database that lives as long as it and the handles on its collections do.
    /// Returns kInvalidArgument (options), and the error of active_simd_level() when VECDB_SIMD
    /// cannot be served.
    [[nodiscard]] static Result<Database> in_memory(const DatabaseOptions& options = {});

    /// Open the database in `directory`, or make it there; options.mode says which. The directory
    /// that holds it must exist. It stays open, and locked for other writers, until close() or
    /// until it and the last handle on its collections are gone, whichever comes first.
    ///
    /// Bytes are checked before they are believed; nothing that could not be read is removed or
    /// changed. Returns kInvalidArgument (options, path), kNotFound (there is none, with kOpen and
    /// kReadOnly), kAlreadyExists (there is one, with kCreate), kFailedPrecondition (another writer
    /// holds it), kCorruption (naming file, section and offset), kUnsupported (a newer version
    /// wrote it), kStale (with kReadOnly: writers replaced files faster than they could be opened),
    /// kIoError, kOutOfMemory, and the error of active_simd_level() when VECDB_SIMD cannot be
    /// served.
    [[nodiscard]] static Result<Database> open(std::string_view directory,
                                               const OpenOptions& options = {});

    ~Database();
    Database(Database&&) noexcept;
    Database& operator=(Database&&) noexcept;
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// Save all rows to files and begin the log anew, so that the next open() has no log to read.
    /// It waits for segments that are being replaced; writers wait for a few syncs of the disk
    /// only, readers not at all. When it returns, everything written before it was called survives
    /// a loss of power, whatever SyncMode. Returns kFailedPrecondition (in memory, read-only or
    /// closed), kIoError.
    [[nodiscard]] Status checkpoint();

    /// Sync what was written, note that the database was closed, and let other writers in; with
    /// SyncMode::kOff, a checkpoint comes first. Every write fails with kFailedPrecondition from
    /// then on, reads go on. In memory, read-only or a second time it does nothing. Returns
    /// kIoError, and then too the database is closed.
    ///
    /// If it is not called, it is done when the last handle goes, where failures cannot be told and
    /// no checkpoint is made.
    [[nodiscard]] Status close();

    /// Save all rows, and make `directory` a copy of the database as it is when this is called,
    /// which can be moved elsewhere and opened. Files are linked where that is possible, as they
    /// never change, and copied otherwise. Nobody who reads or writes waits for that; segments that
    /// are being replaced do. The directory must not exist, or be empty. Returns kAlreadyExists (it
    /// is not), kFailedPrecondition (in memory, read-only or closed), kIoError.
    [[nodiscard]] Status snapshot_to(std::string_view directory);

    /// Make `directory` a copy of the database in `snapshot`, which nobody writes to meanwhile,
    /// after every byte of it was checked. options.storage and options.locking are used. Returns
    /// what open() returns, kAlreadyExists (`directory` is not empty).
    [[nodiscard]] static Status restore(std::string_view snapshot,
                                        std::string_view directory,
                                        const OpenOptions& options = {});

    /// Move to what was written last, in a database that is read only: collection() gives that from
    /// then on, handles and pins stay on what they resolved to. What did not change is not read
    /// again. Returns whether there was anything new; kFailedPrecondition (not opened with
    /// kReadOnly), and what open() returns, kStale among it: everything is as before then.
    [[nodiscard]] Result<bool> refresh();

    /// Check every byte of the files of a database, and what they mean, without changing anything.
    /// A writer may be at work; what it has not committed is not looked at. options.storage is
    /// used. Damage is part of the report; returns kNotFound (no database is there), kIoError.
    [[nodiscard]] static Result<VerifyReport> verify(std::string_view directory,
                                                     const OpenOptions& options = {});

    /// Make a database that is damaged one that can be opened and written to: indexes are built
    /// again from their rows, rows that can be read are kept, files that are damaged are moved to
    /// the folder "damaged" of the directory and never removed. The report says what could not be
    /// saved. Of a sound database nothing changes. options.storage, locking and run are used.
    /// Returns kNotFound, kFailedPrecondition (somebody has it open for writing), kCorruption
    /// (nothing can be read), kIoError.
    [[nodiscard]] static Result<RepairReport> repair(std::string_view directory,
                                                     const OpenOptions& options = {});

    /// Return what open() found. Of a database in memory all is as if it had just been made.
    [[nodiscard]] const OpenReport& open_report() const noexcept;

    /// Make an empty collection.
    /// Returns kInvalidArgument (name or schema), kUnsupported (schema), kAlreadyExists (a
    /// collection or an alias), kFailedPrecondition (65,536 collections exist).
    [[nodiscard]] Result<Collection> create_collection(std::string_view name, const Schema& schema);

    /// Resolve the name of a collection or an alias. Cheap enough to be called per request. Returns
    /// kNotFound.
    [[nodiscard]] Result<Collection> collection(std::string_view name) const;

    /// Forget a collection. Handles on it go on working; its memory returns with the last of them.
    /// Returns kNotFound, kInvalidArgument (the name is an alias), kFailedPrecondition (an alias
    /// stands for it).
    [[nodiscard]] Status drop_collection(std::string_view name);

    /// List the names of all collections in byte order.
    [[nodiscard]] std::vector<std::string> list_collections() const;

    /// Give a collection a second name. Returns kInvalidArgument (name, `collection` is an alias),
    /// kAlreadyExists (a collection or an alias), kNotFound (the collection), kFailedPrecondition
    /// (65,536 aliases exist).
    [[nodiscard]] Status create_alias(std::string_view alias, std::string_view collection);
    /// Let an alias stand for another collection from now on; handles stay on what they resolved
    /// to. Returns kNotFound (either), kInvalidArgument (`collection` is an alias).
    [[nodiscard]] Status move_alias(std::string_view alias, std::string_view collection);
    /// Forget an alias, not its collection. Returns kNotFound.
    [[nodiscard]] Status drop_alias(std::string_view alias);
    /// List all aliases, by name in byte order.
    [[nodiscard]] std::vector<Alias> list_aliases() const;

    /// Replace the rows behind an alias while it serves: check the number of rows of `source`
    /// against the live collection's; write them into a new collection, which is in the database
    /// from then on; build its index; check its number of rows and its recall; search it, to warm
    /// it up; let the alias stand for it, at once; drop the old one. Handles on the old collection
    /// go on reading, and its memory returns with the last of them.
    ///
    /// If anything fails the alias stands for the old collection as before, the new one is dropped
    /// and options.alert is called. Returns kInvalidArgument (options, schema), kNotFound (no such
    /// alias), kFailedPrecondition (a guard, with both numbers; another rebuild of the alias is
    /// under way; rows were written to the old collection meanwhile, without carry_over; the alias
    /// was moved meanwhile), kAlreadyExists (the name of the new collection; an id that comes
    /// twice), what the source returns, kCancelled, kDeadlineExceeded, and what insert and
    /// build_index return.
    [[nodiscard]] Result<RebuildReport> rebuild(std::string_view alias,
                                                const RebuildSource& source,
                                                const RebuildOptions& options = {});

  private:
    explicit Database(std::shared_ptr<DatabaseState> state) noexcept;

    std::shared_ptr<DatabaseState> state_;
};

}  // namespace vecdb
