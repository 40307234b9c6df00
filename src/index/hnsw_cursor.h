#pragma once

/// \file
/// A search of a graph that goes on.

#include "index/codes.h"
#include "index/hit_queue.h"
#include "index/hnsw_graph.h"
#include "index/hnsw_walk.h"
#include "index/row_ranking.h"

#include <vecdb/bitset.h>
#include <vecdb/index.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace vecdb::index {

/// What a walk needs of a graph index.
struct WalkedGraph {
    const HnswGraph& graph;
    const CodeSpace& space;
    const CodeTable* codes;              ///< Null: rows are compared.
    std::vector<std::uint32_t> entries;  ///< Nodes to enter at.
};

/// The rows that a walk comes to, which is made wider for every call; and those that are left, in
/// the order of their distances, once that costs less, or the walk brings too few allowed rows.
/// Threads: single-threaded.
class HnswCursor final : public IndexCursor {
  public:
    /// What is viewed must outlive this. \param ef  how far a walk looks beyond the rows it brings
    HnswCursor(WalkedGraph graph,
               const IndexRows& rows,
               const void* query,
               const IndexSearch& how,
               std::size_t ef);

    void next(std::size_t count, std::vector<Hit>& hits) override;

  private:
    [[nodiscard]] bool walk_on(std::size_t count);
    void compare(std::span<const WalkKey> found);
    void rank_rest();

    WalkedGraph graph_;
    IndexRows rows_;
    const void* query_;
    std::size_t ef_;
    std::size_t left_;  ///< Rows that were not brought.
    SearchCounters* counters_;
    double share_;  ///< Rows for each that may be returned.
    Bitset open_;   ///< Rows that may be returned and were not compared.
    PreparedQuery prepared_;
    std::optional<WalkDistances> distances_;  ///< Set when the walk begins.
    Walk walk_;
    std::vector<std::uint32_t> list_;
    std::vector<float> values_;
    HitQueue nearest_;  ///< Rows compared and not brought.
    std::size_t brought_ = 0;
    std::optional<RowRanking> rest_;  ///< Set when the walk is over.
};

}  // namespace vecdb::index
