#pragma once

/// \file
/// The walk through a graph to the nodes nearest to a query: best-first search with a bounded
/// frontier (Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using
/// Hierarchical Navigable Small World graphs", algorithm 2), laid out for the memory system.
///
/// - Of a whole neighbour list the nodes not seen before are found first, and the lines of all of
///   them asked for.
/// - Three hops are in flight: while a candidate's list is on its way, the list of the one before
///   is filtered and its codes asked for, and the distances of the one before that are computed. So
///   the order of hops is two steps late; at the same ef a little more is visited, and found.
/// - The frontier is one sorted array of 64-bit keys, distance above node number above "expanded".

#include "index/codes.h"
#include "index/exact.h"
#include "index/hnsw_graph.h"
#include "index/key_queue.h"
#include "index/scored.h"
#include "index/visited_set.h"
#include "simd/aligned_buffer.h"
#include "simd/kernel_table.h"

#include <vecdb/index.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace vecdb::index {

/// A node with its distance, ordered by distance: the distance's bits made ascending, the node, and
/// in the lowest bit whether its list has been read.
using WalkKey = std::uint64_t;

[[nodiscard]] inline WalkKey walk_key(float distance, std::uint32_t node) noexcept {
    return WalkKey{ascending_bits(distance)} << 32U | WalkKey{node} << 1U;
}
[[nodiscard]] inline std::uint32_t node_of(WalkKey key) noexcept {
    return static_cast<std::uint32_t>(key) >> 1U;
}
[[nodiscard]] inline float distance_of(WalkKey key) noexcept {
    return number_of(static_cast<std::uint32_t>(key >> 32U));
}

/// Distances from one query to nodes, by codes or by the rows themselves.
/// Threads: a value; what it views must outlive it.
class WalkDistances {
  public:
    /// Compare codes; `query` was prepared for `codes`.
    WalkDistances(const simd::KernelTable& table,
                  const CodeTable& codes,
                  const simd::CodeQuery& query) noexcept
        : kernel_(codes.row_kernel(table)),
          memory_(codes.code_rows()),
          lines_(memory_.stride / simd::kCacheLine),
          query_(&query) {}

    /// Compare rows.
    WalkDistances(const IndexRows& rows, const void* vector) noexcept
        : memory_{static_cast<const std::uint8_t*>(rows.base), rows.stride},
          lines_(std::min(rows.stride / simd::kCacheLine + 1, kMostLines)),
          plain_(rows),
          vector_(vector) {}

    /// The memory that a distance needs.
    [[nodiscard]] const simd::CodeRows& memory() const noexcept { return memory_; }
    [[nodiscard]] std::size_t lines() const noexcept { return lines_; }

    /// Keep the listed nodes that are not farther than threshold; `kept` has room for count
    /// rounded up to a multiple of 16.
    std::size_t operator()(const std::uint32_t* list,
                           std::size_t count,
                           float threshold,
                           const simd::Kept& kept) const {
        if (kernel_ == nullptr) return plain_.select(vector_, {list, count}, threshold, kept);
        return kernel_(*query_, memory_, list, count, 0, threshold, kept);
    }

  private:
    /// Of long rows only the beginning is asked for; the list kernel asks for the rest.
    static constexpr std::size_t kMostLines = 8;

    simd::RowScoreKernel kernel_ = nullptr;
    simd::CodeRows memory_;
    std::size_t lines_;
    const simd::CodeQuery* query_ = nullptr;
    ListDistances plain_;
    const void* vector_ = nullptr;
};

/// How many nodes a walk keeps in sight.
struct WalkWidth {
    std::size_t ef = 0;  ///< At most.
    /// Beyond the nearest `least`, only nodes not farther than `within`.
    std::size_t least = ef;
    float within = std::numeric_limits<float>::infinity();
};

/// One thread's memory for walks; it grows to what the largest needed.
/// Threads: single-threaded.
class Walk {
  public:
    /// Walk from the nearest of nodes [0, entries) of `first` and return up to width.ef nodes,
    /// nearest first; valid until the next call. Counts in `counters` if not null.
    ///
    /// \param first  numbers of the nodes to enter at
    std::span<const WalkKey> run(const HnswGraph& graph,
                                 const WalkDistances& distances,
                                 std::span<const std::uint32_t> first,
                                 const WalkWidth& width,
                                 SearchCounters* counters);

    /// Begin a walk as wide as `ef` that can be made wider, and return its nodes, nearest first;
    /// valid until the next call. It remembers every node that it comes across.
    std::span<const WalkKey> begin(const HnswGraph& graph,
                                   const WalkDistances& distances,
                                   std::span<const std::uint32_t> first,
                                   std::size_t ef,
                                   SearchCounters* counters);
    /// Go on with the same walk as wide as `ef`: costs what is visited beyond the last call.
    std::span<const WalkKey> widen(const HnswGraph& graph,
                                   const WalkDistances& distances,
                                   std::size_t ef,
                                   SearchCounters* counters);
    /// Return how many of the nodes returned last were returned before, at the same places.
    [[nodiscard]] std::size_t unchanged() const noexcept { return unchanged_; }
    /// Tell whether a walk that was begun has returned all nodes that can be reached.
    [[nodiscard]] bool at_end() const noexcept;

  private:
    static constexpr std::uint32_t kNone = ~std::uint32_t{0};
    /// Nodes that a walk starts from.
    static constexpr std::size_t kStarts = 2;

    /// Nodes found fresh in one list.
    struct Hop {
        const std::uint32_t* nodes = nullptr;
        std::size_t count = 0;
    };

    void reserve(const HnswGraph& graph, std::size_t entries, const WalkWidth& width);
    void enter(const WalkDistances& distances, std::span<const std::uint32_t> first);
    Hop expand(const HnswGraph& graph, const WalkDistances& distances, std::uint32_t node);
    void score(const WalkDistances& distances, const Hop& hop);
    void ask_for_list(const HnswGraph& graph, std::uint32_t node) const;
    void walk(const HnswGraph& graph, const WalkDistances& distances, SearchCounters* counters);
    [[nodiscard]] std::span<const WalkKey> found() const noexcept;
    [[nodiscard]] float threshold() const noexcept;
    std::uint32_t pop() noexcept;
    void insert(WalkKey key);
    void insert_keeping_rest(WalkKey key);
    void take_from_rest(std::size_t size);

    const simd::KernelTable* table_ = nullptr;
    VisitedSet visited_;
    simd::AlignedBuffer<WalkKey> storage_;
    WalkKey* keys_ = nullptr;  ///< size_ keys, the largest possible one where there is none.
    std::size_t size_ = 0;     ///< ef, rounded up to a multiple of 8.
    WalkWidth width_;
    std::size_t cursor_ = 0;  ///< No key before it waits for being expanded.
    std::vector<std::uint32_t> kept_nodes_;
    std::vector<float> kept_distances_;
    SearchCounters counted_;

    // Of a walk that can be made wider:
    bool keeps_rest_ = false;
    KeyQueue rest_;  ///< Nodes seen beyond the keys.
    std::size_t unchanged_ = 0;
};

}  // namespace vecdb::index
