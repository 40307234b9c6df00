#pragma once

/// \file
/// The base layer of a graph index: for each row the rows to go on to.

#include "simd/aligned_buffer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace vecdb::index {

/// Lists of neighbours of fixed width, one after the other; no neighbour stands in a list twice. A
/// list shorter than the width is padded with its own node's number, which a walk passes over
/// because it has been there.
/// Threads: const methods may run concurrently; different nodes may be set concurrently.
class HnswGraph {
  public:
    static constexpr std::size_t kPerLine = simd::kCacheLine / sizeof(std::uint32_t);

    HnswGraph() = default;

    /// Make `nodes` empty lists with room for `degree` neighbours each.
    HnswGraph(std::size_t nodes, std::size_t degree)
        : nodes_(nodes), width_(width_of(degree)), links_(nodes * width_) {
        for (std::size_t node = 0; node < nodes; ++node)
            set(static_cast<std::uint32_t>(node), {});
    }

    /// Return the width of lists that hold `degree` neighbours: whole cache lines.
    [[nodiscard]] static constexpr std::size_t width_of(std::size_t degree) noexcept {
        return (degree + kPerLine - 1) / kPerLine * kPerLine;
    }

    [[nodiscard]] std::size_t nodes() const noexcept { return nodes_; }
    [[nodiscard]] std::size_t width() const noexcept { return width_; }

    /// Return the whole padded list.
    [[nodiscard]] const std::uint32_t* list(std::uint32_t node) const noexcept {
        return links_.data() + node * width_;
    }
    /// Return the width of a list without the lines that are padding only.
    [[nodiscard]] std::size_t used_width(std::uint32_t node) const noexcept {
        std::size_t width = width_;
        while (width > kPerLine && list(node)[width - kPerLine] == node)
            width -= kPerLine;
        return width;
    }
    /// Return the neighbours without the padding.
    [[nodiscard]] std::span<const std::uint32_t> neighbours(std::uint32_t node) const noexcept {
        const std::uint32_t* first = list(node);
        return {first, std::find(first, first + width_, node)};
    }

    /// Replace the list; at most width() neighbours, none of them `node`.
    void set(std::uint32_t node, std::span<const std::uint32_t> neighbours) noexcept {
        std::uint32_t* first = links_.data() + node * width_;
        std::fill(std::copy(neighbours.begin(), neighbours.end(), first), first + width_, node);
    }
    /// Add one neighbour where `degree` are; degree < width().
    void append(std::uint32_t node, std::size_t degree, std::uint32_t neighbour) noexcept {
        links_[node * width_ + degree] = neighbour;
    }

    /// Return a graph of `nodes` >= nodes() nodes that begins with this one.
    [[nodiscard]] HnswGraph grown(std::size_t nodes) const {
        HnswGraph graph(nodes, width_);
        std::memcpy(graph.links_.data(), links_.data(), nodes_ * width_ * sizeof(std::uint32_t));
        return graph;
    }

    [[nodiscard]] std::span<const std::uint32_t> links() const noexcept {
        return {links_.data(), links_.size()};
    }
    [[nodiscard]] std::span<std::uint32_t> links() noexcept {
        return {links_.data(), links_.size()};
    }
    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return links_.size() * sizeof(std::uint32_t);
    }

  private:
    std::size_t nodes_ = 0;
    std::size_t width_ = 0;
    simd::AlignedBuffer<std::uint32_t> links_;
};

}  // namespace vecdb::index
