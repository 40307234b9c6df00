#pragma once

/// \file
/// What a database consists of on disk: collections, partitions, aliases, and the files of their
/// rows. Bytes: FORMAT.md.

#include "persist/archive.h"
#include "persist/section_file.h"

#include <vecdb/schema.h>
#include <vecdb/status.h>

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace vecdb::persist {

/// Bytes in the section of a file that many share.
struct StoredRange {
    std::uint64_t file = 0;  ///< 0: there are none.
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;

    friend bool operator==(const StoredRange&, const StoredRange&) = default;
};

/// A sealed segment.
struct StoredSegment {
    std::uint64_t rows_file = 0;
    std::uint64_t index_file = 0;  ///< 0: the rows are compared one by one.
    std::uint64_t rows = 0;        ///< Live and removed.
    std::uint64_t removed_rows = 0;
    StoredRange removed = {};  ///< Their bits.

    friend bool operator==(const StoredSegment&, const StoredSegment&) = default;
};

/// A partition, with all writes up to one.
struct StoredPartition {
    std::uint32_t number = 0;
    std::string name = {};
    std::uint64_t covered = 0;  ///< The last record of the log that is part of this.
    std::vector<StoredSegment> segments = {};
    std::uint64_t growing_rows = 0;
    StoredRange growing = {};

    friend bool operator==(const StoredPartition&, const StoredPartition&) = default;
};

/// A collection.
struct StoredCollection {
    std::string name;
    bool building =
        false;  ///< By a rebuild that has not ended: dropped when the database is opened.
    Schema schema;
    std::map<std::uint32_t, StoredPartition> partitions;
};

/// A file that partitions name.
struct StoredFile {
    FileKind kind = FileKind::kRows;
    FileStamp stamp;

    friend bool operator==(const StoredFile&, const StoredFile&) = default;
};

/// A file of the log.
struct StoredLog {
    std::uint64_t file = 0;
    std::uint64_t first = 1;  ///< Number of its first record.
    std::uint64_t bytes = 0;  ///< Where it ends; 0: it is the one that is written.

    friend bool operator==(const StoredLog&, const StoredLog&) = default;
};

/// Which numbers are free, and where the log is.
struct StoredPosition {
    std::uint64_t next_file = 1;
    std::uint64_t next_collection = 1;
    std::uint64_t covered = 0;  ///< The last record of the log whose names are part of this.
    /// Those that are needed, oldest first; each goes on where the one before ends.
    std::vector<StoredLog> logs = {};

    friend bool operator==(const StoredPosition&, const StoredPosition&) = default;
};

// Changes, in the order of Change: the place in it is the number in files.

struct SetCollection {
    std::uint64_t id = 0;
    std::string name;
    bool building = false;
    Schema schema;
};
struct DropCollection {
    std::uint64_t id = 0;
};
struct SetPartition {
    std::uint64_t collection = 0;
    StoredPartition partition;
};
struct DropPartition {
    std::uint64_t collection = 0;
    std::uint32_t number = 0;
};
struct SetAlias {
    std::string name;
    std::uint64_t collection = 0;
};
struct DropAlias {
    std::string name;
};
struct AddFile {
    std::uint64_t number = 0;
    StoredFile file;
};
struct DropFile {
    std::uint64_t number = 0;
};
using Change = std::variant<SetCollection,
                            DropCollection,
                            SetPartition,
                            DropPartition,
                            SetAlias,
                            DropAlias,
                            AddFile,
                            DropFile,
                            StoredPosition>;

/// The state that changes lead to.
/// Threads: needs exclusive access to change.
class Catalogue {
  public:
    /// Apply a change. Returns kCorruption, naming what does not fit, when it cannot follow: the
    /// catalogue is then as before.
    [[nodiscard]] Status apply(const Change& change);

    /// Check that what partitions name is there. Returns kCorruption.
    [[nodiscard]] Status validate() const;
    /// Check that nothing is said to have writes after the `last` one. Returns kCorruption.
    [[nodiscard]] Status check_covered(std::uint64_t last) const;

    /// Return the changes that lead here from nothing.
    [[nodiscard]] std::vector<Change> all() const;

    [[nodiscard]] const std::map<std::uint64_t, StoredCollection>& collections() const noexcept {
        return collections_;
    }
    [[nodiscard]] const std::map<std::string, std::uint64_t>& aliases() const noexcept {
        return aliases_;
    }
    [[nodiscard]] const std::map<std::uint64_t, StoredFile>& files() const noexcept {
        return files_;
    }
    /// Return the state of a partition, or null.
    [[nodiscard]] const StoredPartition* find(std::uint64_t collection,
                                              std::uint32_t number) const noexcept;
    /// Return the files that no partition names.
    [[nodiscard]] std::vector<std::uint64_t> unused() const;
    /// Return the bytes of a file that partitions name ranges of.
    [[nodiscard]] std::uint64_t used_bytes(std::uint64_t file) const;
    [[nodiscard]] const StoredPosition& position() const noexcept { return position_; }

  private:
    friend struct Applied;

    /// What partitions name of a file.
    struct FileUse {
        std::uint64_t names = 0;
        std::uint64_t bytes = 0;  ///< Of ranges.
    };
    template <class Use>
    static void for_each_file(const StoredPartition& partition, Use&& use);
    void begin_use(const StoredPartition& partition);
    void end_use(const StoredPartition& partition) noexcept;

    [[nodiscard]] Status check_file(std::uint64_t file, FileKind kind) const;
    [[nodiscard]] Status check_range(const StoredRange& range) const;
    [[nodiscard]] Status check_partition(const StoredPartition& partition) const;
    [[nodiscard]] Status check_names() const;
    [[nodiscard]] Status check_numbers() const;

    std::map<std::uint64_t, StoredCollection> collections_;  // by id
    std::map<std::string, std::uint64_t> aliases_;           // to ids
    std::map<std::uint64_t, StoredFile> files_;              // by number
    std::map<std::uint64_t, FileUse> uses_;                  // of files, by number
    StoredPosition position_;
};

/// Write changes as one list. Throws std::bad_alloc.
void write_changes(ArchiveWriter& to, std::span<const Change> changes);

/// Read such a list and show its changes one by one. Returns kCorruption, what `show` returns.
/// Throws std::bad_alloc.
[[nodiscard]] Status read_changes(ArchiveReader& from,
                                  const std::function<Status(const Change&)>& show);

}  // namespace vecdb::persist
