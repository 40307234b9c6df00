#pragma once

/// \file
/// What can be done with rows, be they a collection's, a partition's or those of a past moment.

#include <vecdb/build_options.h>
#include <vecdb/columns.h>
#include <vecdb/cursor.h>
#include <vecdb/export.h>
#include <vecdb/fetched_rows.h>
#include <vecdb/filter.h>
#include <vecdb/hybrid_search.h>
#include <vecdb/query.h>
#include <vecdb/schema.h>
#include <vecdb/search.h>
#include <vecdb/search_report.h>
#include <vecdb/status.h>
#include <vecdb/types.h>
#include <vecdb/views.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace vecdb {

class CollectionState;  // src/collection/collection_state.h
namespace collection {
struct PartitionInfo;  // src/collection/version.h
struct Version;
}  // namespace collection
class Pin;

/// What a collection or a partition holds and what it costs.
struct CollectionStats {
    std::size_t live_rows = 0;
    /// 1 of a Partition.
    std::size_t partitions = 0;
    /// Removed or replaced rows whose space has not returned yet. That of sealed rows returns with
    /// the next build_index, or when all rows of their segment are gone.
    std::size_t dead_rows = 0;
    /// Bytes of memory held for rows, ids, id maps and indexes.
    std::size_t memory_bytes = 0;
    /// Segments that build_index made and their live rows; the other rows are searched exactly.
    std::size_t sealed_segments = 0;
    std::size_t sealed_rows = 0;
    /// Bytes of memory_bytes that are the indexes'.
    std::size_t index_bytes = 0;
    /// Name of the index that the schema asks for in the first vector field: "flat", "hnsw", "ivf"
    /// or CustomOptions::name. Valid as long as a handle on the collection is.
    std::string_view index = {};
};

/// Rows that can be read: those of a collection or a partition (the base of Collection and
/// Partition) as they are when a call starts, or those of a Pin. Copies share the rows and keep
/// them alive, also after Database::drop_collection. With a Partition that was dropped every call
/// that can fail returns kNotFound.
///
/// Threads: internally synchronised. Any number of searches and reads may run beside one writer. A
/// search works on the rows published when it starts and never waits for a writer. A write that
/// returned is seen by every search started later.
class VECDB_EXPORT ReadHandle {
  public:
    [[nodiscard]] const Schema& schema() const noexcept;

    /// Return the number of writes that came before: see SearchOptions::as_of. Every batch that
    /// changes a row is one, and so is a partition that comes or goes; it counts the whole
    /// collection's.
    [[nodiscard]] std::uint64_t sequence() const noexcept;

    /// Fetch vectors of the first vector field by id. Under cosine the product of the stored unit
    /// row and its length is returned: each element within 2 units in the last place of what was
    /// inserted, if it is not denormal and at least 2^-100 of the vector's length (2^-13 with
    /// float16). \param fields  names of fields whose values or vectors are wanted too;
    /// kInvalidArgument for a
    ///                name of none
    [[nodiscard]] Result<FetchedRows> get(std::span<const Id> ids,
                                          std::span<const std::string> fields = {}) const;
    [[nodiscard]] Result<FetchedRows> get(Id id, std::span<const std::string> fields = {}) const {
        return get(std::span<const Id>(&id, 1), fields);
    }

    /// Count live rows.
    [[nodiscard]] std::size_t count() const noexcept;
    /// Count live rows that `filter` allows.
    [[nodiscard]] Result<std::size_t> count(const Filter& filter) const;

    /// Find the k rows nearest to `query`.
    /// Returns kInvalidArgument (dimension, element type, NaN or infinity, zero vector or length
    /// above the largest float under cosine, options), kInternal (exception from a predicate),
    /// kOutOfMemory.
    [[nodiscard]] Result<Hits> search(VectorView query, const SearchOptions& options = {}) const;

    /// Find the k rows nearest to each row of `queries`. Same answers as one search each, faster.
    [[nodiscard]] Result<SearchResult> search(MatrixView queries,
                                              const SearchOptions& options = {}) const;

    /// Search, and fetch scalar values of the rows found as they were when the search began.
    /// Errors as of search, and kInvalidArgument for the name of no field.
    [[nodiscard]] Result<FoundRows> find(VectorView query,
                                         const SearchOptions& options,
                                         std::span<const std::string> fields) const;

    /// Ask one question in several vector fields, or in several ways: search each part as search()
    /// does, all in the rows of one moment, and fuse the answers.
    ///
    /// With RankFusionOptions it is fuse_reciprocal_rank of the answers. With
    /// WeightedFusionOptions every row that a part brought gets its true score in all parts, and
    /// these are what fuse_weighted is given: no row loses because it came too late in one of them.
    ///
    ///     collection.hybrid_search({{image, {.k = 50}}, {text, {.k = 50, .field = "title"}}},
    ///                              WeightedFusionOptions{.weights = {0.7, 0.3}});
    ///
    /// Returns kInvalidArgument (0 or more than 64 parts, parts with different as_of, options of
    /// the fusion), otherwise as search, naming the part.
    [[nodiscard]] Result<Hits> hybrid_search(std::span<const FieldQuery> parts,
                                             const FusionOptions& how = {}) const;
    [[nodiscard]] Result<Hits> hybrid_search(std::initializer_list<FieldQuery> parts,
                                             const FusionOptions& how = {}) const {
        return hybrid_search(std::span(parts.begin(), parts.size()), how);
    }

    /// Return rows that a filter allows, by ascending id. Looks at every row allowed, however few
    /// are wanted.
    /// Returns kInvalidArgument (options; a field that the schema does not have), otherwise as
    /// search.
    [[nodiscard]] Result<QueriedRows> query(const QueryOptions& options) const;

    /// Begin to find the k rows nearest to `query`, and return at once: DatabaseOptions::executor
    /// does the work, in at most options.threads tasks, and not more than DatabaseOptions::threads,
    /// which take one partition at a time. The query is copied; the rows are those published now,
    /// and are kept.
    ///
    /// Each partition is searched by itself and the answers are merged, as merge_hits does: the
    /// answer of search(), ids and scores, whatever the number of tasks.
    ///
    /// The future gets the errors of search(); kCancelled when the executor destroys all tasks
    /// without running one; and kInternal, or kOutOfMemory, when it takes none. The last handle
    /// that goes waits for searches that the library's own threads have not finished. Throws only
    /// std::bad_alloc.
    [[nodiscard]] std::future<Result<Hits>> search_async(VectorView query,
                                                         const SearchOptions& options = {}) const;

    /// The same; `done` is called once with the answer: in a thread of the executor, in this one
    /// when the arguments are wrong or there are no rows, or in the one that destroys the last
    /// task. It should be quick, and may search and let handles go. What it throws is dropped. If
    /// it is empty nothing is done.
    void search_async(VectorView query,
                      const SearchOptions& options,
                      std::function<void(Result<Hits>)> done) const noexcept;

    /// Find every row whose score is not worse than `radius`, in the metric's own terms: score <=
    /// radius under l2, hamming and jaccard, score >= radius under ip and cosine; with
    /// options.inner_radius only those that are not better than that. Nearest first, equal scores
    /// by ascending id. options.k, offset and score_threshold are not used: the answer may be as
    /// large as the collection. Exact with the library's indexes.
    /// Returns kInvalidArgument (radius NaN; negative under l2, hamming or jaccard; infinity under
    /// ip or cosine; an inner radius that is worse), otherwise as search.
    [[nodiscard]] Result<Hits> range_search(VectorView query,
                                            float radius,
                                            const SearchOptions& options = {}) const;

    /// Begin to read the rows nearest to `query` page by page: see SearchCursor. options.k is not
    /// used, the first page begins behind options.offset, and group_by and report are refused with
    /// kUnsupported. Errors as of search. Keeps the rows as they are now.
    [[nodiscard]] Result<SearchCursor> cursor(VectorView query,
                                              const SearchOptions& options = {}) const;

    /// Search one query into `hits`, which must have room for options.k. Returns the true count;
    /// places past it are padded with id kNoId and the metric's worst score. After the first calls
    /// of a thread it allocates nothing when options.threads is 1 and neither offset nor group_by
    /// is set.
    [[nodiscard]] Result<std::size_t> search_into(VectorView query,
                                                  const SearchOptions& options,
                                                  std::span<Hit> hits) const;

    /// Work out now which rows `filter` allows, so that later searches need not.
    [[nodiscard]] Status prepare(const Filter& filter) const;

    [[nodiscard]] CollectionStats stats() const noexcept;

    /// Keep the rows as they are now, to be read as long as the Pin lives.
    [[nodiscard]] Pin pin() const noexcept;
    /// The same for an earlier moment; see SearchOptions::as_of for what can be named and for the
    /// errors.
    [[nodiscard]] Result<Pin> pin(const Moment& moment) const;

  protected:
    ReadHandle(std::shared_ptr<CollectionState> state,
               std::shared_ptr<const collection::PartitionInfo> partition,
               std::shared_ptr<const collection::Version> pinned) noexcept;
    ~ReadHandle();
    ReadHandle(const ReadHandle&) noexcept;
    ReadHandle& operator=(const ReadHandle&) noexcept;
    ReadHandle(ReadHandle&&) noexcept;
    ReadHandle& operator=(ReadHandle&&) noexcept;

    // NOLINTBEGIN(readability-identifier-naming): private to the handles
    std::shared_ptr<CollectionState> state_;
    std::shared_ptr<const collection::PartitionInfo> partition_;  // null: the whole collection
    std::shared_ptr<const collection::Version> pinned_;           // null: the last version
    // NOLINTEND(readability-identifier-naming)
};

/// Rows that can be written too.
/// Threads: as ReadHandle; writers of one collection wait for each other.
class VECDB_EXPORT WriteHandle : public ReadHandle {
  public:
    /// Add rows: ids.size() ids, as many vectors of the first vector field and as many vectors or
    /// values in each column: one for each other vector field, and for scalar fields; a scalar
    /// field that is not given has its fallback, or is null. All or nothing, in all partitions that
    /// they go to. Returns kInvalidArgument (sizes differ, wrong dimension or element type,
    /// negative id, an unknown field, a vector field that is missing, a value that is not of its
    /// field's type, NaN or infinity, zero vector or length above the largest float under cosine,
    /// more than 2^24 rows, an id that the schema's rule sends to another Partition),
    /// kAlreadyExists (an id is taken in any partition or stands twice in the batch),
    /// kFailedPrecondition (2^31 - 1 rows outside of the index, removed ones included until their
    /// space returns), kOutOfMemory. The message names row and value. A batch of no rows does
    /// nothing.
    [[nodiscard]] Status insert(std::span<const Id> ids,
                                MatrixView vectors,
                                std::span<const ColumnView> columns = {});
    [[nodiscard]] Status insert(std::span<const Id> ids,
                                MatrixView vectors,
                                std::initializer_list<ColumnView> columns) {
        return insert(ids, vectors, std::span(columns.begin(), columns.size()));
    }

    /// Add one row.
    [[nodiscard]] Status insert(Id id,
                                VectorView vector,
                                std::initializer_list<FieldValue> values = {});

    /// Add rows, replacing those whose ids exist, with all their values; of an id that stands twice
    /// in the batch the last counts. All or nothing. Errors as insert, without kAlreadyExists.
    [[nodiscard]] Status upsert(std::span<const Id> ids,
                                MatrixView vectors,
                                std::span<const ColumnView> columns = {});
    [[nodiscard]] Status upsert(std::span<const Id> ids,
                                MatrixView vectors,
                                std::initializer_list<ColumnView> columns) {
        return upsert(ids, vectors, std::span(columns.begin(), columns.size()));
    }

    /// Add or replace one row.
    [[nodiscard]] Status upsert(Id id,
                                VectorView vector,
                                std::initializer_list<FieldValue> values = {});

    /// Remove rows; ids of no row are passed over. Returns how many rows were removed.
    [[nodiscard]] Result<std::size_t> remove(std::span<const Id> ids);
    [[nodiscard]] Result<std::size_t> remove(Id id) { return remove(std::span<const Id>(&id, 1)); }
    /// Remove the rows that `filter` allows, all at once; a default-made one removes every row. A
    /// predicate must not write to the collection. Returns how many rows were removed.
    [[nodiscard]] Result<std::size_t> remove(const Filter& filter);

    /// Build the indexes of the schema, one for each vector field, over all live rows, which become
    /// one sealed segment for each partition: they are searched through the indexes from then on.
    /// Rows added later are searched exactly beside it; rows removed later leave it at once. Call
    /// it after the first load, and again when many rows were added or removed since. The indexes
    /// are made from nothing, the best that they can be; flush() is faster where little has
    /// changed. FlatOptions with Codes::kNone only puts the rows in one piece.
    ///
    /// Reads, writes and searches go on meanwhile; at the end writers wait while the rows written
    /// meanwhile are taken over. Holds a second copy of the live rows, and what the index needs
    /// while it is built. `options.control.progress` may use the collection.
    ///
    /// Partitions are built one after the other; a failure leaves those done before as they are
    /// then, and the others as they were. When several have rows, those with too few for the index
    /// are left to exact search.
    ///
    /// Returns kInvalidArgument (options), kFailedPrecondition (another build of this collection is
    /// under way, more than 2^31 - 1 live rows), kCancelled, kDeadlineExceeded, kOutOfMemory,
    /// kInternal (a custom index threw or proposed an order that is none), and what the index
    /// returns, for example for too few rows. The partition has not changed then.
    [[nodiscard]] Status build_index(const BuildOptions& options = {});

    /// Do now, in this thread and those of `options`, what Schema::segments leaves to the
    /// background, and seal growing segments of any size; rows too few for the index are left to
    /// exact search. Returns what failed in the background since the last flush, if anything, and
    /// otherwise what build_index does.
    [[nodiscard]] Status flush(const BuildOptions& options = {});

  protected:
    using ReadHandle::ReadHandle;
    ~WriteHandle() = default;
    WriteHandle(const WriteHandle&) noexcept = default;
    WriteHandle& operator=(const WriteHandle&) noexcept = default;
    WriteHandle(WriteHandle&&) noexcept = default;
    WriteHandle& operator=(WriteHandle&&) noexcept = default;
};

/// The rows of a collection or of a partition at one moment: every call is answered as if no write
/// had come since, however many do, with the same hits and scores each time. Rows that were removed
/// since keep their memory until the last Pin on them is gone.
///
/// SearchOptions::as_of must not be set in a search of it.
/// Threads: as ReadHandle.
class VECDB_EXPORT Pin : public ReadHandle {
  private:
    friend class ReadHandle;
    using ReadHandle::ReadHandle;
};

}  // namespace vecdb
