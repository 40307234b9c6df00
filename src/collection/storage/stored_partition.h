#pragma once

/// \file
/// Partitions in files: which segments they have, and their growing and removed rows, for which
/// many share a file. Bytes: persist/FORMAT.md.

#include "collection/storage/store.h"
#include "collection/version.h"
#include "persist/catalogue.h"
#include "persist/file_set.h"
#include "persist/section_file.h"

#include <vecdb/schema.h>
#include <vecdb/status.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace vecdb::collection {

/// Saves what partitions consist of, towards one commit. Without one it leaves everything as it
/// was. Threads: needs exclusive access.
class PartitionSaver {
  public:
    explicit PartitionSaver(Store& store) noexcept : store_(store) {}
    ~PartitionSaver();
    PartitionSaver(const PartitionSaver&) = delete;
    PartitionSaver& operator=(const PartitionSaver&) = delete;

    /// Save a sealed segment of `fields` and return its files. Returns kIoError, what the index
    /// returns. Throws std::bad_alloc.
    [[nodiscard]] Result<SegmentFiles> save_segment(const SealedSegment& segment,
                                                    const RowFields& fields);
    /// Return the same segment with its rows where they lie in the file that save_segment() wrote;
    /// the index is moved. Errors as of load_rows.
    [[nodiscard]] Result<std::shared_ptr<SealedSegment>> map_segment(SealedSegment& segment,
                                                                     const RowFields& fields);
    /// Describe the sealed segments of a partition and the rows removed from them. What `before`,
    /// its state in files, says of a segment that did not change is said again; segments without
    /// files are saved. The caller holds store.committing().
    [[nodiscard]] Status save_sealed(const PartitionVersion& partition,
                                     const RowFields& fields,
                                     const persist::StoredPartition* before,
                                     persist::StoredPartition& to);
    /// Save the live growing rows of a partition.
    [[nodiscard]] Status save_growing(const PartitionVersion& partition,
                                      persist::StoredPartition& to);

    /// Finish the files; take_changes() then adds them and goes on with `changes`.
    [[nodiscard]] Status prepare(std::vector<persist::Change> changes);
    /// Return what is to be committed. The files stay from then on, as it may be in doubt whether
    /// it was.
    [[nodiscard]] std::vector<persist::Change> take_changes() noexcept;
    /// Note that it was.
    void committed() noexcept { saved_.clear(); }

  private:
    Status begin_range(persist::StoredRange& range);
    Status append_vectors(const SegmentVersion& growing,
                          std::span<const std::uint32_t> rows,
                          std::size_t field,
                          persist::StoredRange& range);
    Status append(std::span<const std::byte> bytes, persist::StoredRange& range);
    Status append_aligned(std::span<const std::byte> bytes, persist::StoredRange& range);

    Store& store_;
    std::vector<persist::FileName> begun_;
    std::vector<const SealedSegment*> saved_;  // that had no files
    std::vector<persist::Change> changes_;
    Store::NewFile shared_;
    std::uint64_t shared_bytes_ = 0;
};

/// A partition as a collection begins with it.
struct LoadedPartition {
    std::string name;
    std::uint32_t number = 0;
    SealedList sealed;
    std::shared_ptr<GrowingSegment> growing;
    std::size_t growing_rows = 0;
    std::vector<std::string> lost;      ///< Rows whose files are damaged, a message for each.
    std::vector<std::string> without;   ///< Indexes that are, likewise.
    std::vector<std::string> unserved;  ///< Indexes that this program does not know.
    /// Rows that were lost and of which what could be read is here: a message for each, and what is
    /// here is not what the files say any more.
    std::vector<std::string> rescued;
    std::uint64_t rescued_rows = 0;
};

/// What to do about rows whose files are damaged.
enum class Damaged : std::uint8_t {
    kLeaveOut,  ///< And say that the partition is not whole.
    kRescue,    ///< Take what can be read, and go on.
};

/// Sealed segments by the number of the file of their rows.
using KnownSegments = std::map<std::uint64_t, std::weak_ptr<const SealedSegment>>;

/// Load a partition of `fields` from files; segments that are `known` are not loaded again. What is
/// damaged or missing is left out. Returns kIoError, kUnsupported (a newer version wrote a file).
/// Throws std::bad_alloc.
[[nodiscard]] Result<LoadedPartition> load_partition(persist::FileSet& files,
                                                     const KnownSegments& known,
                                                     const persist::StoredPartition& stored,
                                                     const RowFields& fields,
                                                     Damaged damaged);

}  // namespace vecdb::collection
