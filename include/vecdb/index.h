#pragma once

/// \file
/// What an index is: a way to choose which of a segment's rows to compare with a query. Programs
/// may register their own (examples/custom_index.cpp); vecdb's own are made the same way.

#include <vecdb/control.h>
#include <vecdb/export.h>
#include <vecdb/schema.h>
#include <vecdb/status.h>
#include <vecdb/top_k.h>
#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vecdb {

/// View the rows of one segment; row i starts i * stride bytes after `base`. Inside an index lower
/// is nearer: squared distance for l2, negated inner product for ip and cosine (whose rows have
/// length 1), differing bits for hamming, one minus the similarity for jaccard.
/// Threads: a value.
struct IndexRows {
    const void* base = nullptr;
    std::size_t stride = 0;        ///< Bytes from row to row; a multiple of the element's size.
    std::size_t dim = 0;           ///< Elements of a row.
    std::size_t count = 0;         ///< Rows, at most kMaxRowsPerSegment.
    const Id* ids = nullptr;       ///< One per row: the order of hits with equal distances.
    const float* norms = nullptr;  ///< Squared length of each row, or null where there is none.
    Metric metric = Metric::kL2;
    ElementType element_type = ElementType::kFloat32;

    [[nodiscard]] const void* row(std::size_t i) const noexcept {
        return static_cast<const char*>(base) + i * stride;
    }
    /// Write the distances of `query` (dim elements of the rows' type) to rows list[i] to out[i]:
    /// the library's own numbers, prefetching inside. out.size() >= list.size().
    VECDB_EXPORT void distances(const void* query,
                                std::span<const std::uint32_t> list,
                                std::span<float> out) const;
};

/// View which rows may be returned: bit i % 64 of word i / 64 for row i. Bits past the last row do
/// not matter. Threads: a value.
struct RowFilter {
    const std::uint64_t* allowed = nullptr;     ///< Rows a filter allows; null: all.
    const std::uint64_t* tombstones = nullptr;  ///< Removed rows; null: none.

    [[nodiscard]] bool allows_all() const noexcept {
        return allowed == nullptr && tombstones == nullptr;
    }
    /// Return rows [64 * word, 64 * word + 64) that may be returned.
    [[nodiscard]] std::uint64_t word(std::size_t word) const noexcept {
        const std::uint64_t may = allowed != nullptr ? allowed[word] : ~std::uint64_t{0};
        return tombstones != nullptr ? may & ~tombstones[word] : may;
    }
    [[nodiscard]] bool test(std::size_t row) const noexcept {
        return (word(row / 64) >> (row % 64) & 1U) != 0;
    }
};

/// How a segment was searched.
enum class SearchPlan : std::uint8_t {
    kNone = 0,      ///< Not at all, or an index that does not tell.
    kRows = 1,      ///< All allowed rows were compared.
    kCodes = 2,     ///< The codes of all allowed rows, and the rows that these could not rule out.
    kGraph = 3,     ///< A graph was walked, its frontier the wider the fewer rows are allowed.
    kLists = 4,     ///< The nearest lists, more the fewer rows are allowed.
    kGraphRows = 5  ///< A walk that did not bring enough allowed rows, and then all of them.
};

/// Return "rows", "codes", "graph" and so on, "none"; valid forever.
[[nodiscard]] VECDB_EXPORT std::string_view to_string(SearchPlan plan) noexcept;

/// What a search did; for explaining and tuning.
struct SearchCounters {
    std::uint64_t visited = 0;    ///< Graph nodes expanded, or lists opened.
    std::uint64_t distances = 0;  ///< Codes or rows compared in the first stage.
    std::uint64_t rescored = 0;   ///< Rows compared with their full precision.
    /// What was done, and the estimates that it was chosen by, both in one unit of the index's; 0
    /// where there was no choice.
    SearchPlan plan = SearchPlan::kNone;
    double index_cost = 0;
    double scan_cost = 0;

    /// Note how rows are searched that are compared in one stage, `count` of them.
    void add_compared(SearchPlan how, std::uint64_t count) noexcept {
        plan = how;
        distances += count;
        rescored += count;
    }
};

/// How one search of an index is to run. 0 leaves a value to the index.
struct IndexSearch {
    RowFilter filter = {};
    std::size_t allowed_rows = 0;  ///< Rows that `filter` lets through: exact, never more.
    std::size_t ef = 0;
    std::size_t nprobe = 0;
    std::size_t rerank = 0;
    float bound = 0.0F;
    /// The hits in `best` are rows of the same kind, from other segments: rows beyond its threshold
    /// need not be offered, nor looked for with as much effort.
    bool narrowed = false;
    SearchCounters* counters = nullptr;  ///< Added to when not null.
};

/// How an index is to be built.
struct IndexBuild {
    std::size_t threads = 1;  ///< At least 1. The bytes of the index do not depend on it.
    std::uint64_t seed = 0;   ///< Of everything chosen at random.
    const Control* control = nullptr;

    /// Return why the build should end now, or success.
    [[nodiscard]] Status check() const { return control != nullptr ? control->check() : Status(); }
};

/// What an index can do.
struct IndexCapabilities {
    std::string_view name;
    bool exact = false;     ///< Every search returns the true nearest rows.
    bool growable = false;  ///< add() works.
};

/// Takes the bytes of an index, section by section. The bytes are valid during the call only.
class SectionWriter {
  public:
    SectionWriter() = default;
    SectionWriter(const SectionWriter&) = default;
    SectionWriter& operator=(const SectionWriter&) = default;
    SectionWriter(SectionWriter&&) = default;
    SectionWriter& operator=(SectionWriter&&) = default;
    virtual ~SectionWriter() = default;
    virtual Status write(std::string_view name, std::span<const std::byte> bytes) = 0;
};

/// Gives the bytes of an index back; they stay valid during load(). Bytes are what was written
/// (their checksums were verified), but not therefore sound: whoever reads checks.
class SectionReader {
  public:
    SectionReader() = default;
    SectionReader(const SectionReader&) = default;
    SectionReader& operator=(const SectionReader&) = default;
    SectionReader(SectionReader&&) = default;
    SectionReader& operator=(SectionReader&&) = default;
    virtual ~SectionReader() = default;
    /// Returns kCorruption when there is no such section.
    virtual Result<std::span<const std::byte>> read(std::string_view name) = 0;
};

/// The rows of one search, nearest first, as many at a time as are asked for.
/// Threads: single-threaded; several cursors of one index may be used concurrently.
class IndexCursor {
  public:
    IndexCursor() = default;
    IndexCursor(const IndexCursor&) = default;
    IndexCursor& operator=(const IndexCursor&) = default;
    IndexCursor(IndexCursor&&) = default;
    IndexCursor& operator=(IndexCursor&&) = default;
    virtual ~IndexCursor() = default;
    /// Append `count` allowed rows that were not brought before, fewer only when there are no
    /// others, with the distances of IndexRows::distances, nearest first. Rows of a later call may
    /// be nearer where the index is not exact. May throw std::bad_alloc, which loses no row.
    virtual void next(std::size_t count, std::vector<Hit>& hits) = 0;
};

/// An index over the rows of one segment. It is derived data: it keeps no reference to the rows,
/// which every call is given, and can always be built again from them.
///
/// Rows of every call but build() are in the order that build() returned.
/// Threads: const methods may run concurrently, also with a search on another index; build, add and
/// load need exclusive access.
class VECDB_EXPORT Index {
  public:
    Index() = default;
    Index(const Index&) = delete;
    Index& operator=(const Index&) = delete;
    virtual ~Index() = default;

    [[nodiscard]] virtual IndexCapabilities capabilities() const noexcept = 0;

    /// Build over all rows. Returns the order in which the segment shall store them: row i becomes
    /// what was row order[i] (a permutation); empty leaves them as they are. Returns a failure for
    /// too few rows or what how.check() says; the index is then as new.
    [[nodiscard]] virtual Result<std::vector<std::uint32_t>> build(const IndexRows& rows,
                                                                   const IndexBuild& how) = 0;

    /// Build over rows of which the first ones are those that `base`, an index of the same field,
    /// knows already: row i is row kept[i] of its rows, kept ascending. Faster than build() where
    /// they are many; otherwise the same. Returns kUnsupported when the index has no such thing.
    [[nodiscard]] virtual Result<std::vector<std::uint32_t>> build_on(
        const IndexRows& rows,
        const Index& base,
        std::span<const std::uint32_t> kept,
        const IndexBuild& how);

    /// Return how many rows build_on() takes over, under `metric`, at a small part of what taking
    /// up one more costs; 0 when it costs as much as build(). Larger segments than that are not
    /// built on for the sake of one row.
    [[nodiscard]] virtual std::size_t build_on_ratio(Metric metric) const noexcept;

    /// Take up rows [first, rows.count), which follow those of the index. Returns kUnsupported when
    /// the index does not grow.
    [[nodiscard]] virtual Status add(const IndexRows& rows,
                                     std::size_t first,
                                     const IndexBuild& how);

    /// Offer near rows to best[i] for queries[i]: `rows.dim` elements of the rows' type, of length
    /// 1 under cosine. Only rows of `how.filter` are offered, each at most once a query, with the
    /// distance of IndexRows::distances; at least min(capacity, how.allowed_rows) of them unless
    /// `how` is narrowed. What is offered for one query does not depend on the others.
    /// Allocates nothing for one query after the first calls of a thread.
    virtual void search(const IndexRows& rows,
                        std::span<const void* const> queries,
                        const IndexSearch& how,
                        std::span<TopK> best) const = 0;

    /// Append every allowed row whose distance is at most `radius`, in any order. Exact with every
    /// index; this one compares all allowed rows.
    virtual void range_search(const IndexRows& rows,
                              const void* query,
                              float radius,
                              const IndexSearch& how,
                              std::vector<Hit>& hits) const;

    /// Begin a search that can go on to the last row of how.filter without starting over. What
    /// `rows`, `query` and `how` view outlives the cursor. Null, as here: the index has no such
    /// thing; search() is then called again for more rows.
    [[nodiscard]] virtual std::unique_ptr<IndexCursor> cursor(const IndexRows& rows,
                                                              const void* query,
                                                              const IndexSearch& how) const;

    /// Check the structure against the rows: sizes, row numbers, reachability. Returns kCorruption.
    [[nodiscard]] virtual Status validate(const IndexRows& rows) const = 0;

    /// Hand over everything that load() needs.
    [[nodiscard]] virtual Status save(SectionWriter& to) const = 0;
    /// Become what was saved. Returns kCorruption, naming what is wrong; the index is then as new.
    [[nodiscard]] virtual Status load(SectionReader& from, const IndexRows& rows) = 0;

    /// Return how many rows no search comes to, however great its effort: a graph's fault.
    [[nodiscard]] virtual std::size_t unreachable_rows() const noexcept;

    /// Return the bytes held.
    [[nodiscard]] virtual std::size_t memory_bytes() const noexcept = 0;
};

/// Make an index, not built yet, for a vector field. Returns kInvalidArgument for parameters out of
/// range and kUnsupported for a metric or element type that the index does not serve.
using IndexFactory = std::function<Result<std::unique_ptr<Index>>(const VectorField& field)>;

/// Make indexes of CustomOptions{name} available to the whole program. Register before collections
/// are made or opened. Returns kInvalidArgument (name, empty factory) and kAlreadyExists (also for
/// the library's own: "flat", "hnsw", "ivf").
/// Threads: may be called from any thread.
[[nodiscard]] VECDB_EXPORT Status register_index(std::string_view name, IndexFactory factory);

}  // namespace vecdb
