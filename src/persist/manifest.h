#pragma once

/// \file
/// The catalogue on disk: a journal that begins with all of it and goes on with changes, and the
/// file CURRENT, which names the journal. Bytes: FORMAT.md.

#include "persist/catalogue.h"
#include "persist/journal.h"

#include <vecdb/status.h>
#include <vecdb/storage.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vecdb::persist {

/// Return the path of a file of a database: its kind and number are its name.
[[nodiscard]] std::string path_of(const std::string& directory,
                                  FileKind kind,
                                  std::uint64_t number);
/// Return the kind and number of a name that path_of() makes, or nothing.
struct FileName {
    FileKind kind;
    std::uint64_t number;

    friend bool operator==(const FileName&, const FileName&) = default;
};
[[nodiscard]] std::optional<FileName> parse_file_name(std::string_view name);

/// What CURRENT says.
struct Current {
    DatabaseId database{};
    std::uint64_t manifest = 0;  ///< Number of the file.
    std::uint64_t first = 1;     ///< Number of its first record.
    std::uint64_t time = 0;      ///< When this was written, in seconds since 1970.
    /// Set when the database was closed: where the manifest and the log end.
    std::optional<JournalEnd> manifest_end = {};
    std::optional<JournalEnd> log_end = {};

    friend bool operator==(const Current&, const Current&) = default;
};

/// Read CURRENT. Returns kNotFound (no database is there), kCorruption, kUnsupported, kIoError.
[[nodiscard]] Result<Current> read_current(Storage& storage, const std::string& directory);

/// Replace CURRENT at once: after a loss of power it is the old one or the new one. Returns
/// kIoError.
[[nodiscard]] Status write_current(Storage& storage,
                                   const std::string& directory,
                                   const Current& current);

/// Read the catalogue that CURRENT leads to, without writing anything.
struct ReadCatalogue {
    Current current;
    Catalogue catalogue;
    JournalTail tail;  ///< Of the manifest.
};
/// Returns kNotFound, kCorruption, kUnsupported, kIoError.
[[nodiscard]] Result<ReadCatalogue> read_catalogue(Storage& storage, const std::string& directory);

/// Apply what a record of a manifest says. Returns kCorruption. Throws std::bad_alloc.
[[nodiscard]] Status apply_record(const JournalRecord& record, Catalogue& to);

/// Return a number that no file in a directory has, nor one that was to come. Returns kIoError.
[[nodiscard]] Result<std::uint64_t> free_number(Storage& storage,
                                                const std::string& directory,
                                                const StoredPosition& position);

/// The catalogue of a database that is open for writing, and its journal. After a failure that
/// leaves in doubt what is on disk it refuses everything.
/// Threads: needs exclusive access.
class Manifest {
  public:
    /// Begin a database in a directory that has none. Its id is drawn at random. Returns
    /// kAlreadyExists (a database is there), kCorruption (files of one that lost its CURRENT are),
    /// kIoError.
    [[nodiscard]] static Result<std::unique_ptr<Manifest>> create(Storage& storage,
                                                                  const std::string& directory);
    /// Begin a database that is a copy of another one, in a directory that has all files that the
    /// catalogue names. Returns kIoError.
    [[nodiscard]] static Result<std::unique_ptr<Manifest>> create_copy(Storage& storage,
                                                                       const std::string& directory,
                                                                       const DatabaseId& database,
                                                                       const Catalogue& catalogue);
    /// Go on with a database whose catalogue was read, while nobody else writes. What was not
    /// finished when the last writer ended stays behind in the old file. Returns kIoError.
    [[nodiscard]] static Result<std::unique_ptr<Manifest>> resume(Storage& storage,
                                                                  const std::string& directory,
                                                                  const ReadCatalogue& read);

    [[nodiscard]] const DatabaseId& database() const noexcept { return current_.database; }
    [[nodiscard]] const Catalogue& catalogue() const noexcept { return catalogue_; }
    /// Return a number for a file, which no other one in the directory has or will have.
    [[nodiscard]] std::uint64_t take_number() noexcept { return next_file_++; }

    /// Apply changes, and move to `position`, whose next_file is not looked at, all or none, and
    /// return when they are durable. Files that no partition names any more are dropped. Returns
    /// kInternal (the changes do not follow), kIoError; then, and after std::bad_alloc, nothing can
    /// be committed any more.
    [[nodiscard]] Status commit(std::vector<Change> changes, const StoredPosition& position);
    /// Return the files that were dropped since the last call and are still there.
    [[nodiscard]] std::vector<FileName> take_dropped() noexcept {
        return std::exchange(dropped_, {});
    }
    /// Note that the database is closed and its log ends at `log_end`. Nothing may follow.
    [[nodiscard]] Status close(const JournalEnd& log_end);

  private:
    Manifest(Storage& storage, std::string directory);
    Status begin();
    Status apply(std::vector<Change>& changes, const StoredPosition& position);
    Status append(std::span<const Change> changes);
    Status note(Status status);

    Storage& storage_;
    const std::string directory_;
    Current current_;
    Catalogue catalogue_;
    std::unique_ptr<JournalWriter> journal_;
    std::uint64_t base_bytes_ = 0;  // of the journal when it began
    std::uint64_t next_file_ = 1;
    std::vector<FileName> dropped_;
    Status failed_;
};

}  // namespace vecdb::persist
