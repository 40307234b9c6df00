#pragma once

/// \file
/// What the handles on one collection share.

#include "collection/checked_rows.h"
#include "collection/names.h"
#include "collection/operate/services.h"
#include "collection/storage/growing_segment.h"
#include "collection/storage/history.h"
#include "collection/storage/partition_directory.h"
#include "collection/storage/replay.h"
#include "collection/storage/seal.h"
#include "collection/storage/stored_partition.h"
#include "collection/storage/version_edit.h"
#include "collection/version.h"
#include "mutex.h"
#include "simd/kernel_table.h"

#include <vecdb/build_options.h>
#include <vecdb/fetched_rows.h>
#include <vecdb/filter.h>
#include <vecdb/health.h>
#include <vecdb/retention.h>
#include <vecdb/schema.h>
#include <vecdb/search.h>
#include <vecdb/status.h>
#include <vecdb/types.h>
#include <vecdb/views.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vecdb {

/// The rows of one collection: a writer side that builds the next version aside, and the version
/// that readers work on.
///
/// A write goes: check the whole batch, reserve all memory, fill rows that no reader sees yet, log
/// it, then publish (which cannot fail). New rows go to the growing segments of their partitions;
/// rows of sealed segments are only marked as removed. build_index() makes one sealed segment of
/// all live rows of a partition. Threads: internally synchronised.
class CollectionState {
  public:
    /// What a write does with ids that exist.
    enum class Mode : std::uint8_t { kInsert, kUpsert };

    using VersionPointer = std::shared_ptr<const collection::Version>;
    using PartitionPointer = std::shared_ptr<const collection::PartitionInfo>;

    /// What a collection begins with.
    struct Identity {
        std::uint64_t id = 0;  ///< In the files of its database.
        std::string name;
        Schema schema;
    };
    /// Make an empty collection.
    CollectionState(Identity identity,
                    const simd::KernelTable& kernels,
                    std::shared_ptr<collection::Services> services);
    /// Loads the partitions of a collection from files.
    using Loader = std::function<Result<std::vector<collection::LoadedPartition>>()>;
    /// Make a collection whose rows `loader` will load; `sequence` is that of its first version.
    CollectionState(Identity identity,
                    const simd::KernelTable& kernels,
                    std::shared_ptr<collection::Services> services,
                    Loader loader,
                    std::uint64_t sequence);
    ~CollectionState();
    CollectionState(const CollectionState&) = delete;
    CollectionState& operator=(const CollectionState&) = delete;

    [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const Schema& schema() const noexcept { return schema_; }
    /// Return vector field `number` of the schema.
    [[nodiscard]] const VectorField& field(std::size_t number = 0) const noexcept {
        return schema_.vectors[number];
    }
    [[nodiscard]] collection::RowFields fields() const noexcept {
        return {schema_.vectors, scalars_};
    }
    /// Return the number of the vector field of a name; of none: 0. Returns kInvalidArgument.
    [[nodiscard]] Result<std::size_t> find_vector(std::string_view name) const;
    [[nodiscard]] const std::string& index_name() const noexcept { return index_name_; }
    [[nodiscard]] const simd::KernelTable& kernels() const noexcept { return kernels_; }
    [[nodiscard]] collection::Services& services() const noexcept { return *services_; }

    [[nodiscard]] VersionPointer version() const noexcept {
        const Lock lock(publishing_);
        return version_;
    }
    /// Return the version of a moment; errors as of SearchOptions::as_of.
    [[nodiscard]] Result<VersionPointer> version_at(const Moment& moment) const {
        return history_.find(moment, version());
    }
    void set_retention(const Retention& retention);

    /// As Collection's functions of these names.
    Result<PartitionPointer> create_partition(std::string_view name);
    Result<PartitionPointer> partition(std::string_view name) const;
    /// Return the state of a partition in a version of any age. Returns kNotFound.
    Result<const collection::PartitionVersion*> partition_at(const collection::Version& version,
                                                             std::string_view name) const;
    Status drop_partition(std::string_view name);

    // Of the following, `only` names a partition to stay in; null: the whole collection. A
    // partition that was dropped gives kNotFound.

    /// Wait as SegmentPolicy::max_growing_rows says before `ids` are written. Never called with a
    /// lock that the background takes.
    void give_way(const collection::PartitionInfo* only, std::span<const Id> ids)
        VECDB_EXCLUDES(writer_);
    /// As WriteHandle::insert and upsert; may throw std::bad_alloc and then changes nothing.
    Status write(const collection::PartitionInfo* only,
                 const collection::RowsToWrite& rows,
                 Mode mode);
    Result<std::size_t> remove(const collection::PartitionInfo* only, std::span<const Id> ids);
    /// May throw what a predicate throws.
    Result<std::size_t> remove(const collection::PartitionInfo* only, const Filter& filter);
    /// As WriteHandle::build_index and flush; may throw what a custom index throws.
    Status build_index(const collection::PartitionInfo* only, const BuildOptions& options);
    Status flush(const collection::PartitionInfo* only, const BuildOptions& options);
    /// A row in memory.
    struct FoundRow {
        const collection::RowBlock& block;
        std::size_t offset;
    };
    /// Rows of one version.
    struct FoundPlaces {
        VersionPointer version;
        std::vector<std::optional<collection::Place>> rows;  ///< None where there is no such row.

        [[nodiscard]] const collection::SegmentVersion& segment(std::size_t i) const {
            return version->partitions.get(rows[i]->partition)->segment(rows[i]->segment);
        }
        [[nodiscard]] FoundRow row(std::size_t i) const {
            const collection::SegmentVersion& in = segment(i);
            return {*(*in.blocks)[rows[i]->row / in.rows_per_block],
                    rows[i]->row % in.rows_per_block};
        }
    };
    /// Find rows by id in `pinned` or, if it is null, in the last version.
    Result<FoundPlaces> places(const collection::PartitionInfo* only,
                               const VersionPointer& pinned,
                               std::span<const Id> ids) const;
    /// Return the values of fields, in the order of the names; null where there is no row. Returns
    /// kInvalidArgument for the name of no field.
    Result<std::vector<ScalarColumn>> values(const FoundPlaces& found,
                                             std::span<const std::string> names) const;
    /// Return the vectors that rows have in a field; zeros where there is no row. Throws
    /// std::bad_alloc.
    [[nodiscard]] FetchedVectors vectors(const FoundPlaces& found, std::size_t number) const;
    /// As ReadHandle::get, of `pinned` or, if it is null, of the last version.
    Result<FetchedRows> get(const collection::PartitionInfo* only,
                            const VersionPointer& pinned,
                            std::span<const Id> ids,
                            std::span<const std::string> names = {}) const;

    /// Tell whether load() has been done. Before that nothing but id, name and schema is there.
    [[nodiscard]] bool loaded() const noexcept { return loaded_; }
    /// Load the rows, once. Returns what the loader returns; the next call tries again.
    Status load() VECDB_EXCLUDES(loading_, writer_);
    /// Return what is damaged in the files that were loaded, as OpenReport::damage says it.
    [[nodiscard]] std::vector<std::string> damage() const;
    /// Return why rows had to be read out of damaged files, a message for each segment.
    [[nodiscard]] std::vector<std::string> rescued() const {
        const Lock writer(writer_);
        return rescued_;
    }
    /// Return how many rows could be read there.
    [[nodiscard]] std::uint64_t rescued_rows() const {
        const Lock writer(writer_);
        return rescued_rows_;
    }
    /// Build the index of sealed segments that have none, where there are rows enough. Returns how
    /// many were built; errors as of build_index.
    Result<std::size_t> build_missing(const BuildOptions& options);
    /// Return why writes are refused, when rows are missing as their files are damaged.
    [[nodiscard]] Status check_whole() const;
    /// Add the sealed segments that have files.
    void collect_segments(collection::KnownSegments& known) const;

    /// Do again what a record of the log says. Rows of partitions that have it already are passed
    /// over. Errors as of write.
    Status replay_rows(const collection::Replay& replay,
                       const persist::LoggedRows& rows,
                       MatrixView vectors);
    Status replay_removal(const collection::Replay& replay, std::span<const Id> ids);
    /// Go on from write number `last` of the database, and let the background see to what was
    /// loaded. Throws std::bad_alloc.
    void end_replay(std::uint64_t last) VECDB_EXCLUDES(loading_, writer_);

    /// Note that the database has this no more: handles go on working on rows in memory.
    void set_dropped() noexcept { dropped_ = true; }

    /// The sequence number of the version whose rows are all in files, for those who hold
    /// Store::committing().
    [[nodiscard]] std::uint64_t saved_sequence() const noexcept { return saved_sequence_; }
    void set_saved_sequence(std::uint64_t sequence) noexcept { saved_sequence_ = sequence; }

    [[nodiscard]] Health health() const;

    /// Call `body` with the last version while no other one can come; it may use other collections.
    /// When it returns the name of a successor, writes are refused from then on, so that none is
    /// lost that was meant for the successor.
    Status hold_writers(const std::function<Result<std::string>(const VersionPointer&)>& body);

  private:
    class Write;
    class Rewriting;
    class Freeze;

    /// A partition as its writers see it.
    struct WriterSide {
        PartitionPointer info;  ///< Null: the number is free.
        std::shared_ptr<collection::GrowingSegment> growing;
        std::size_t seal_rows = 0;  ///< Live rows of `growing` that the background seals.
        /// After a failure, the sequence number from which on the background tries again.
        std::uint64_t not_before = 0;
    };

    /// A partition with something to do.
    struct Pending {
        PartitionPointer info;  ///< Null: there is none.
        std::size_t seal_rows = 0;
    };

    WriterSide make_partition(std::string name, std::uint32_t number) const;
    void install(std::vector<collection::LoadedPartition> partitions, std::uint64_t sequence)
        VECDB_REQUIRES(writer_);
    void note_damage(const collection::LoadedPartition& loaded) VECDB_REQUIRES(writer_);
    void schedule_all() VECDB_EXCLUDES(writer_);
    Status check_unruled(const char* what) const;

    /// Return the partition that the rule sends `id` to.
    [[nodiscard]] std::uint32_t routed(Id id) const noexcept {
        return static_cast<std::uint32_t>(static_cast<std::uint64_t>(id) % schema_.rule.partitions);
    }
    /// Find the live row of `id` in the last version; in a replay, in partitions that take part.
    [[nodiscard]] std::optional<collection::Place> find(
        const collection::Version& version,
        const collection::PartitionInfo* only,
        Id id,
        const collection::Replay* replay = nullptr) const VECDB_REQUIRES_SHARED(map_);
    /// The same in a version of any age.
    [[nodiscard]] std::optional<collection::Place> find_in_past(
        const collection::Version& version, const collection::PartitionInfo* only, Id id) const
        VECDB_REQUIRES_SHARED(map_);
    std::unique_ptr<collection::PartitionDirectory> make_directory(
        const collection::Version& version, std::size_t more) const;

    [[nodiscard]] std::vector<collection::Place> find_all(const collection::Version& current,
                                                          const collection::PartitionInfo* only,
                                                          std::span<const Id> ids,
                                                          const collection::Replay* replay) const
        VECDB_EXCLUDES(map_);
    Status check_found(const collection::Version& version,
                       const collection::PartitionInfo* only,
                       const std::vector<bool>& found) const;
    Status check_writable() const VECDB_REQUIRES(writer_);
    [[nodiscard]] bool is_flooded(std::uint32_t number) const VECDB_REQUIRES(writer_);
    Result<std::size_t> remove_places(const collection::Version& current,
                                      std::vector<collection::Place> places,
                                      const collection::Replay* replay = nullptr)
        VECDB_REQUIRES(writer_);
    void publish(VersionPointer version) noexcept;
    void compact_if_hollow(std::uint32_t number) VECDB_REQUIRES(writer_);
    void tidy(const collection::VersionEdit& done) VECDB_REQUIRES(writer_);
    std::shared_ptr<collection::GrowingSegment> copy_growing(std::uint32_t number,
                                                             std::size_t first,
                                                             collection::VersionEdit& edit) const;
    void publish_growing(std::uint32_t number,
                         std::shared_ptr<collection::GrowingSegment> growing,
                         VersionPointer version) noexcept VECDB_REQUIRES(writer_)
        VECDB_EXCLUDES(map_);

    template <class Choose>
    Result<bool> rewrite(const collection::PartitionInfo& info,
                         Choose choose,
                         collection::BuiltOn base,
                         const BuildOptions& options);
    Status place_rows(const collection::SealSources& sources,
                      const collection::Store& store,
                      collection::PartitionSaver& saver,
                      collection::Seal& seal) const;
    Status adopt(const collection::PartitionInfo& info,
                 const collection::SealSources& sources,
                 const collection::Seal& seal,
                 std::uint64_t frozen_at,
                 collection::Store& store,
                 collection::PartitionSaver& saver) VECDB_REQUIRES(store.committing(), writer_);
    Status prepare_adopted(const collection::PartitionVersion& partition,
                           std::optional<std::uint64_t> grown_until,
                           const collection::Store& store,
                           collection::PartitionSaver& saver) const
        VECDB_REQUIRES(store.committing(), writer_);
    Status check_buildable(const BuildOptions& options) const;
    template <class One>
    Status rewrite_partitions(const collection::PartitionInfo* only,
                              const BuildOptions& options,
                              One one);
    void schedule(std::uint32_t number) noexcept VECDB_REQUIRES(writer_);
    void post_maintenance() noexcept VECDB_REQUIRES(writer_);
    void maintain(const CancelToken& cancel) noexcept VECDB_EXCLUDES(writer_);
    Pending take_pending() VECDB_EXCLUDES(writer_);
    void note_maintained(std::uint32_t number, Status done) noexcept VECDB_REQUIRES(writer_);
    [[nodiscard]] std::size_t first_seal_rows() const noexcept;
    /// Return where this is kept. That may change once, so a call asks once.
    [[nodiscard]] collection::Store& store() const noexcept;

    const std::uint64_t id_;
    const std::string name_;
    const Schema schema_;
    const std::shared_ptr<const collection::ScalarFields> scalars_;  // null: there are none
    const collection::RowFormat format_;                             // of all rows
    const std::string index_name_;
    const simd::KernelTable& kernels_;
    const std::shared_ptr<collection::Services> services_;

    mutable Mutex writer_;  // held for a whole write; taken before the others
    std::vector<WriterSide> partitions_ VECDB_GUARDED_BY(writer_);  // by number
    std::vector<std::uint32_t> free_numbers_ VECDB_GUARDED_BY(writer_);
    std::vector<std::string> damage_ VECDB_GUARDED_BY(writer_);
    std::vector<std::string> rescued_ VECDB_GUARDED_BY(writer_);
    std::uint64_t rescued_rows_ VECDB_GUARDED_BY(writer_) = 0;
    std::string successor_ VECDB_GUARDED_BY(writer_);  // not empty: writes are refused

    // Segments are rewritten by one thread at a time: see Rewriting.
    bool rewriting_ VECDB_GUARDED_BY(writer_) = false;
    std::size_t rewriters_waiting_ VECDB_GUARDED_BY(writer_) = 0;
    std::optional<CancelToken> background_cancel_ VECDB_GUARDED_BY(writer_);  // while it rewrites
    std::condition_variable_any rewritten_;
    // The partition of which: rows of its growing segment keep their numbers.
    const collection::PartitionInfo* frozen_ VECDB_GUARDED_BY(writer_) = nullptr;

    std::set<std::uint32_t> pending_ VECDB_GUARDED_BY(writer_);  // partitions with something to do
    bool posted_ VECDB_GUARDED_BY(writer_) = false;              // maintain() will come
    bool closing_ VECDB_GUARDED_BY(writer_) = false;             // maintain() shall not come
    std::uint32_t last_taken_ VECDB_GUARDED_BY(writer_) = 0;     // of pending_: they take turns
    Status background_error_ VECDB_GUARDED_BY(writer_);          // the first since a flush

    // Held by writers while they enter ids, in growing segments and here, and publish: whoever
    // holds it finds the ids of the last version.
    mutable SharedMutex map_;
    // Null: the partition of an id is known without it.
    std::unique_ptr<collection::PartitionDirectory> directory_ VECDB_GUARDED_BY(map_);
    // Versions from this sequence number on have no id that it does not know.
    std::uint64_t directory_since_ VECDB_GUARDED_BY(map_) = 0;

    mutable SharedMutex naming_;  // held for a look into names_, so that searches may
    std::unordered_map<std::string, PartitionPointer, collection::NameHash, std::equal_to<>> names_
        VECDB_GUARDED_BY(naming_);

    std::uint64_t saved_sequence_;  // see saved_sequence()
    std::atomic<bool> dropped_ = false;
    Mutex loading_;  // held while rows are loaded; taken before the others
    Loader loader_ VECDB_GUARDED_BY(loading_);
    bool replayed_ VECDB_GUARDED_BY(loading_) = false;  // end_replay() was called
    std::atomic<bool> loaded_ = false;
    std::atomic<bool> has_lost_ = false;  // rows
    mutable collection::History history_;
    // Held to copy or swap one pointer. std::atomic<std::shared_ptr> would do, but that of
    // libstdc++ 12 lets a reader's access slip past its unlocking.
    mutable Mutex publishing_;
    VersionPointer version_ VECDB_GUARDED_BY(publishing_);
};

}  // namespace vecdb
