#pragma once

/// \file
/// The right answers, by comparing every row: what an index is measured by.

#include "index/conformance/masks.h"
#include "index/conformance/segment.h"

#include <vecdb/index.h>

#include <cstddef>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace vecdb::test {

/// All rows of a segment, sorted by their distance to each of its queries.
/// Threads: const methods may run concurrently.
class Truth {
  public:
    /// `segment` outlives this. Looks at its first `rows` rows.
    Truth(const Segment& segment, std::size_t rows);

    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }

    /// Return the k nearest allowed rows, nearest first, equal distances by ascending id.
    [[nodiscard]] std::vector<Hit> nearest(std::size_t query,
                                           const Mask& mask,
                                           std::size_t k) const;
    /// Return all allowed rows within `radius`, in that order.
    [[nodiscard]] std::vector<Hit> within(std::size_t query, const Mask& mask, float radius) const;

    /// Return what is wrong with an answer, which must be of allowed rows, each once, nearest
    /// first, with their distances; empty if nothing is.
    [[nodiscard]] std::string fault(std::size_t query,
                                    const Mask& mask,
                                    std::span<const Hit> answer) const;

  private:
    struct Place {
        Hit hit;
        std::size_t row = 0;
    };

    std::size_t rows_;
    std::vector<std::vector<Place>> sorted_;                 ///< One list per query.
    std::vector<std::unordered_map<Id, std::size_t>> find_;  ///< From id to place in the list.
};

/// Search one query and return the answer.
[[nodiscard]] std::vector<Hit> ask(const Index& index,
                                   const IndexRows& rows,
                                   const void* query,
                                   const IndexSearch& how,
                                   std::size_t k);

/// Return the part of the k true hits that are matched in distance; 1 when there are none.
[[nodiscard]] double recall(std::span<const Hit> answer, std::span<const Hit> truth);

}  // namespace vecdb::test
