#pragma once

/// \file
/// Building and growing the graph: nodes are inserted in batches, each node linked to near nodes in
/// all directions (the pruning of Malkov and Yashunin with the slack alpha of Subramanya et al.,
/// "DiskANN: Fast Accurate Billion-point Nearest Neighbor Search on a Single Node"), links made in
/// both directions. A second pass over all nodes refines the lists on the finished graph.
///
/// A batch is searched on the graph as it was before the batch, and its links are entered in the
/// order of node numbers, so the graph does not depend on the number of threads (as in Manohar et
/// al., "ParlayANN").

#include "index/codes.h"
#include "index/hnsw_graph.h"
#include "index/hnsw_space.h"
#include "index/hnsw_walk.h"

#include <vecdb/index.h>
#include <vecdb/status.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb::index {

/// Return how many nodes a search compares to find where to enter a graph of `nodes`.
[[nodiscard]] constexpr std::size_t entry_count(std::size_t nodes) noexcept {
    return std::min<std::size_t>(nodes, nodes < 100'000 ? 64 : 256);
}

/// What a graph is to be like.
struct HnswShape {
    std::size_t degree = 64;  ///< Neighbours of a node at most, below the width of the lists.
    std::size_t ef = 200;     ///< Candidates that the walk for a node brings.
    float alpha = 1.2F;
};

/// Threads: single-threaded; uses how.threads inside.
class HnswBuilder {
  public:
    /// All parameters are kept by reference. `graph` has lists for all nodes of `space`.
    HnswBuilder(const HnswSpace& space,
                const HnswShape& shape,
                const IndexBuild& how,
                HnswGraph& graph);

    /// Link all nodes: `order` lists them, the first ones to enter at first.
    [[nodiscard]] Status build(std::span<const std::uint32_t> order);

    /// Give node i the list of node kept[i] of another graph, i < kept.size(). For a neighbour that
    /// was not kept neighbours of its own stand in.
    [[nodiscard]] Status take_over(const HnswGraph& from, std::span<const std::uint32_t> kept);

    /// Link nodes [first, graph.nodes()) to those before them, which are linked and can be reached
    /// from `entries`.
    [[nodiscard]] Status add(std::size_t first, std::span<const std::uint32_t> entries);

  private:
    /// Nodes that may enter a list, nearest first: with their distances to the node whose list it
    /// is, and the largest quotient of that distance by the one to a node chosen already.
    struct Candidates {
        std::vector<std::uint32_t> nodes;
        std::vector<float> distances;
        std::vector<float> factors;

        [[nodiscard]] std::size_t size() const noexcept { return nodes.size(); }
        void resize(std::size_t size) {
            nodes.resize(size);
            distances.resize(size);
            factors.resize(size);
        }
        std::size_t weigh(std::span<const float> between, float keep, std::size_t at);
    };
    /// A link that another node's new list asks for.
    struct Reverse {
        std::uint32_t to;
        std::uint32_t from;
    };
    /// One thread's memory.
    struct Worker {
        Walk walk;
        HnswQuery query;
        Candidates candidates;
        std::vector<WalkKey> order;
        std::vector<std::uint32_t> chosen;
        std::vector<std::uint32_t> list;
        std::vector<float> distances;
    };

    /// A graph of which nodes are taken over.
    struct Origin {
        const HnswGraph& graph;
        std::vector<std::uint32_t> numbers;  ///< Of its nodes here; none for those left behind.
    };

    void inherit(std::uint32_t node, const Origin& from, std::uint32_t old, Worker& worker);
    [[nodiscard]] HnswShape narrow() const;
    Status pass(std::span<const std::uint32_t> order,
                std::size_t linked,
                std::span<const std::uint32_t> entries,
                const HnswShape& shape);
    void link_batch(std::span<const std::uint32_t> batch,
                    std::span<const std::uint32_t> entries,
                    const HnswShape& shape);
    void find_list(std::uint32_t node,
                   std::span<const std::uint32_t> entries,
                   const HnswShape& shape,
                   Worker& worker);
    void add_reverse(std::span<const std::uint32_t> batch, float alpha);
    void take_links(std::uint32_t node,
                    std::span<const Reverse> links,
                    float alpha,
                    Worker& worker);
    void measure(std::uint32_t node, Worker& worker) const;
    void prune(std::size_t most, float alpha, Worker& worker) const;
    void choose(std::size_t most, float take, float keep, Worker& worker) const;

    const HnswSpace& space_;
    const HnswShape& shape_;
    const IndexBuild& how_;
    HnswGraph& graph_;
    std::vector<Worker> workers_;
    std::vector<std::uint16_t> degrees_;
    std::vector<std::uint32_t> new_lists_;  ///< Of the batch, shape_.degree places a node.
    std::vector<std::uint16_t> new_degrees_;
    std::vector<Reverse> reverse_;
    double done_ = 0;  ///< Nodes linked, over both passes.
    double to_do_ = 1;
};

/// Return how many nodes cannot be reached from `entries`.
[[nodiscard]] std::size_t count_unreachable(const HnswGraph& graph,
                                            std::span<const std::uint32_t> entries);

/// Return the first node whose list names another one twice, or graph.nodes().
[[nodiscard]] std::size_t find_repeated_link(const HnswGraph& graph);

/// Give each node that cannot be reached from entries[0] a link from a near node that can. Takes
/// the places that lists have beyond the degree they were built with: one each is always enough.
void connect(const HnswSpace& space, std::span<const std::uint32_t> entries, HnswGraph& graph);

}  // namespace vecdb::index
