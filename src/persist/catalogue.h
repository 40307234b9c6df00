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

/// Which numbers are free, and where the log begins.
struct StoredPosition {
    std::uint64_t next_file = 1;
    std::uint64_t next_collection = 1;
    std::uint64_t covered = 0;    ///< The last record of the log whose names are part of this.
    std::uint64_t log_file = 0;   ///< The oldest that is needed; 0: there is none.
    std::uint64_t log_first = 1;  ///< Number of its first record.

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
    FileStamp stamp;
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

    /// Return the changes that lead here from nothing.
    [[nodiscard]] std::vector<Change> all() const;

    [[nodiscard]] const std::map<std::uint64_t, StoredCollection>& collections() const noexcept {
        return collections_;
    }
    [[nodiscard]] const std::map<std::string, std::uint64_t>& aliases() const noexcept {
        return aliases_;
    }
    [[nodiscard]] const std::map<std::uint64_t, FileStamp>& files() const noexcept {
        return files_;
    }
    [[nodiscard]] const StoredPosition& position() const noexcept { return position_; }

  private:
    friend struct Applied;

    [[nodiscard]] Status check_file(std::uint64_t file) const;
    [[nodiscard]] Status check_partition(const StoredPartition& partition) const;
    [[nodiscard]] Status check_names() const;

    std::map<std::uint64_t, StoredCollection> collections_;  // by id
    std::map<std::string, std::uint64_t> aliases_;           // to ids
    std::map<std::uint64_t, FileStamp> files_;               // by number
    StoredPosition position_;
};

/// Write changes as one list. Throws std::bad_alloc.
void write_changes(ArchiveWriter& to, std::span<const Change> changes);

/// Read such a list and show its changes one by one. Returns kCorruption, what `show` returns.
/// Throws std::bad_alloc.
[[nodiscard]] Status read_changes(ArchiveReader& from,
                                  const std::function<Status(const Change&)>& show);

}  // namespace vecdb::persist
