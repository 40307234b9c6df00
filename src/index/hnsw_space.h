#pragma once

/// \file
/// The distances that a graph is built by: between a node and others, in a measure of which a
/// triangle of nodes makes sense.

#include "index/codes.h"
#include "index/exact.h"
#include "index/hnsw_walk.h"

#include <vecdb/index.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb::index {

/// A node made ready to be compared, once as a search would be and once for pruning.
struct HnswQuery {
    PreparedQuery search;
    PreparedQuery pair;
    std::vector<std::uint32_t> nodes;
    std::vector<float> values;
};

/// The nodes of a graph under construction: rows, and their codes if there are any.
///
/// Searches for candidates compare as every search does. Pruning compares squared Euclidean
/// distances: of the codes, or of rows under l2 and cosine. Under ip the rows are given one more
/// coordinate that makes them equally long, which turns the largest product into the smallest
/// distance (Bachrach et al., "Speeding up the Xbox recommender system using a Euclidean
/// transformation for inner-product spaces"); hamming and jaccard serve as they are.
/// Threads: const methods may run concurrently.
class HnswSpace {
  public:
    /// \param codes  null: compare rows; else codes of all rows in a row layout, made in `head`
    HnswSpace(const IndexRows& rows, const CodeSpace& head, const CodeTable* codes);

    [[nodiscard]] const IndexRows& rows() const noexcept { return rows_; }

    /// Return distances to `node` as a search for it computes them; `query` keeps what they need.
    [[nodiscard]] WalkDistances search_for(std::uint32_t node, HnswQuery& query) const;

    /// Make `node` the one that between() compares with.
    void prepare(std::uint32_t node, HnswQuery& query) const;
    /// Write the distances of the prepared `node` to list[i] to out[i]: not negative, 0 for itself.
    void between(std::uint32_t node,
                 HnswQuery& query,
                 std::span<const std::uint32_t> list,
                 float* out) const;

  private:
    [[nodiscard]] WalkDistances pair_distances(std::uint32_t node, HnswQuery& query) const;
    void measure_squares();
    void level_lengths();

    const IndexRows& rows_;
    const CodeSpace& head_;
    const CodeTable* codes_;
    bool products_ = false;       ///< pair distances come as negated products.
    std::vector<float> squares_;  ///< Of each node, where products_; of codes or of rows.
    std::vector<float> extra_;    ///< The coordinate added under ip.
};

}  // namespace vecdb::index
