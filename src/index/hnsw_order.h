#pragma once

/// \file
/// An order of rows in which neighbours of a graph lie near each other.

#include "index/hnsw_graph.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb::index {

/// Return the numbers below `nodes` in an order chosen at random, the same for the same seed.
[[nodiscard]] std::vector<std::uint32_t> random_order(std::size_t nodes, std::uint64_t seed);

/// Return all nodes: `entries` first, then depth first, each time the nearest neighbour of the node
/// placed last that is not placed yet, or of one of those before it.
[[nodiscard]] std::vector<std::uint32_t> locality_order(const HnswGraph& graph,
                                                        std::span<const std::uint32_t> entries);

/// Return the graph whose node i is node order[i] of `graph`.
[[nodiscard]] HnswGraph renumbered(const HnswGraph& graph, std::span<const std::uint32_t> order);

}  // namespace vecdb::index
