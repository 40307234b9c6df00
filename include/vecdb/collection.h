#pragma once

/// \file
/// Rows that are searched together.

#include <vecdb/export.h>
#include <vecdb/filter.h>
#include <vecdb/rebuild.h>
#include <vecdb/schema.h>
#include <vecdb/search.h>
#include <vecdb/status.h>
#include <vecdb/types.h>
#include <vecdb/views.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vecdb {

class CollectionState;  // src/collection/collection_state.h

/// Vectors fetched by id, in the order asked for and in the field's own element type.
struct FetchedRows {
    std::size_t dim = 0;
    ElementType type = ElementType::kFloat32;
    /// Packed rows of vector_bytes(type, dim) bytes, aligned for any type; zeros where `found` is
    /// false.
    std::vector<std::byte> bytes;
    /// One per id asked for.
    std::vector<bool> found;

    /// Return the vector of the i-th id asked for; empty when its elements are no T.
    template <Element T = float>
    [[nodiscard]] std::span<const T> row(std::size_t i) const noexcept {
        if (type != ElementTypeOf<T>::kValue) return {};
        return elements<T>().subspan(i * dim, dim);
    }
    /// Return the bits of the i-th id asked for, as VectorView::bits; empty for other types.
    [[nodiscard]] std::span<const std::uint8_t> bits(std::size_t i) const noexcept {
        if (type != ElementType::kBit) return {};
        const std::size_t size = vector_bytes(type, dim);
        const void* first = bytes.data() + i * size;
        return {static_cast<const std::uint8_t*>(first), size};
    }
    /// View all vectors, to search or insert them elsewhere.
    [[nodiscard]] MatrixView view() const noexcept {
        const void* first = bytes.data();
        switch (type) {
            case ElementType::kFloat16:
                return {static_cast<const Float16*>(first), found.size(), dim};
            case ElementType::kBFloat16:
                return {static_cast<const BFloat16*>(first), found.size(), dim};
            case ElementType::kInt8:
                return {static_cast<const std::int8_t*>(first), found.size(), dim};
            case ElementType::kBit:
                return MatrixView::bits(static_cast<const std::uint8_t*>(first), found.size(), dim);
            case ElementType::kFloat32:
                break;
        }
        return {static_cast<const float*>(first), found.size(), dim};
    }
    /// Return the elements of all vectors, row by row; empty when they are no T.
    template <Element T = float>
    [[nodiscard]] std::span<const T> elements() const noexcept {
        if (type != ElementTypeOf<T>::kValue) return {};
        const void* first = bytes.data();
        return {static_cast<const T*>(first), found.size() * dim};
    }
};

/// What a collection holds and what it costs.
struct CollectionStats {
    std::size_t live_rows = 0;
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
    /// Name of the index that the schema asks for: "flat", "hnsw", "ivf" or CustomOptions::name.
    /// Valid as long as a handle on the collection is.
    std::string_view index = {};
};

/// A handle on a collection; copies share it. The handle stays on what it resolved to and keeps
/// its rows alive, also after Database::drop_collection.
///
/// Threads: internally synchronised. Any number of searches and reads may run beside one writer;
/// writers wait for each other. A search works on the rows published when it starts and never waits
/// for a writer. A write that returned is seen by every search started later.
class VECDB_EXPORT Collection {
  public:
    ~Collection();
    Collection(const Collection&) noexcept;
    Collection& operator=(const Collection&) noexcept;
    Collection(Collection&&) noexcept;
    Collection& operator=(Collection&&) noexcept;

    [[nodiscard]] const std::string& name() const noexcept;
    [[nodiscard]] const Schema& schema() const noexcept;

    /// Add rows: ids.size() ids and as many vectors of the schema's dimension. All or nothing.
    /// Returns kInvalidArgument (sizes differ, wrong dimension or element type, negative id, NaN or
    /// infinity, zero vector or length above the largest float under cosine, more than 2^24 rows),
    /// kAlreadyExists (an id is taken or stands twice in the batch), kFailedPrecondition (2^31 - 1
    /// rows outside of the index, removed ones included until their space returns), kOutOfMemory.
    /// The message names row and value. A batch of no rows does nothing.
    [[nodiscard]] Status insert(std::span<const Id> ids, MatrixView vectors);

    /// Add one row.
    [[nodiscard]] Status insert(Id id, VectorView vector) {
        return insert(std::span<const Id>(&id, 1), MatrixView(vector));
    }

    /// Add rows, replacing those whose ids exist; of an id that stands twice in the batch the last
    /// counts. All or nothing. Errors as insert, without kAlreadyExists.
    [[nodiscard]] Status upsert(std::span<const Id> ids, MatrixView vectors);

    /// Add or replace one row.
    [[nodiscard]] Status upsert(Id id, VectorView vector) {
        return upsert(std::span<const Id>(&id, 1), MatrixView(vector));
    }

    /// Remove rows; ids of no row are passed over. Returns how many rows were removed.
    [[nodiscard]] Result<std::size_t> remove(std::span<const Id> ids);
    [[nodiscard]] Result<std::size_t> remove(Id id) { return remove(std::span<const Id>(&id, 1)); }

    /// Fetch vectors by id. Under cosine the product of the stored unit row and its length is
    /// returned: each element within 2 units in the last place of what was inserted, if it is not
    /// denormal and at least 2^-100 of the vector's length (2^-13 with float16).
    [[nodiscard]] Result<FetchedRows> get(std::span<const Id> ids) const;
    [[nodiscard]] Result<FetchedRows> get(Id id) const { return get(std::span<const Id>(&id, 1)); }

    /// Count live rows.
    [[nodiscard]] std::size_t count() const noexcept;
    /// Count live rows that `filter` allows.
    [[nodiscard]] Result<std::size_t> count(const Filter& filter) const;

    /// Build the index of the schema over all live rows, which become one sealed segment: they are
    /// searched through the index from then on. Rows added later are searched exactly beside it;
    /// rows removed later leave it at once. Call it after the first load, and again when many rows
    /// were added or removed since. FlatOptions with Codes::kNone only puts the rows in one piece.
    ///
    /// Reads, writes and searches go on meanwhile; at the end writers wait while the rows written
    /// meanwhile are taken over. Holds a second copy of the live rows, and what the index needs
    /// while it is built. `options.control.progress` may use the collection.
    ///
    /// Returns kInvalidArgument (options), kFailedPrecondition (another build of this collection is
    /// under way, more than 2^31 - 1 live rows), kCancelled, kDeadlineExceeded, kOutOfMemory,
    /// kInternal (a custom index threw or proposed an order that is none), and what the index
    /// returns, for example for too few rows. Nothing has changed then.
    [[nodiscard]] Status build_index(const BuildOptions& options = {});

    /// Find the k rows nearest to `query`.
    /// Returns kInvalidArgument (dimension, element type, NaN or infinity, zero vector or length
    /// above the largest float under cosine, options), kInternal (exception from a predicate),
    /// kOutOfMemory.
    [[nodiscard]] Result<Hits> search(VectorView query, const SearchOptions& options = {}) const;

    /// Find the k rows nearest to each row of `queries`. Same answers as one search each, faster.
    [[nodiscard]] Result<SearchResult> search(MatrixView queries,
                                              const SearchOptions& options = {}) const;

    /// Find every row whose score is not worse than `radius`, in the metric's own terms: score <=
    /// radius under l2, hamming and jaccard, score >= radius under ip and cosine. Nearest first,
    /// equal scores by ascending id. options.k is not used: the answer may be as large as the
    /// collection. Exact with the library's indexes.
    /// Returns kInvalidArgument (radius NaN; negative under l2, hamming or jaccard; infinity under
    /// ip or cosine), otherwise as search.
    [[nodiscard]] Result<Hits> range_search(VectorView query,
                                            float radius,
                                            const SearchOptions& options = {}) const;

    /// Search one query into `hits`, which must have room for options.k. Returns the true count;
    /// places past it are padded with id kNoId and the metric's worst score. After the first calls
    /// of a thread it allocates nothing when options.threads is 1.
    [[nodiscard]] Result<std::size_t> search_into(VectorView query,
                                                  const SearchOptions& options,
                                                  std::span<Hit> hits) const;

    /// Work out now which rows `filter` allows, so that later searches need not.
    [[nodiscard]] Status prepare(const Filter& filter) const;

    [[nodiscard]] CollectionStats stats() const noexcept;

  private:
    friend class Database;
    explicit Collection(std::shared_ptr<CollectionState> state) noexcept;

    std::shared_ptr<CollectionState> state_;
};

}  // namespace vecdb
