#pragma once

/// \file
/// All allowed rows in the order of their distances, which is found out as far as it is read.

#include "index/coded_scan.h"
#include "index/hit_queue.h"
#include "index/key_queue.h"

#include <vecdb/index.h>
#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb::index {

/// An exact cursor. By codes, if there are any: the lower bounds of all rows are computed at the
/// first call, and rows are compared in their order until the nearest of those compared is nearer
/// than all bounds that are left. Without, all rows are compared at the first call.
/// Holds 8 bytes for each row. Threads: single-threaded.
class RowRanking final : public IndexCursor {
  public:
    /// What is viewed must outlive this.
    /// \param stages  null codes: compare rows
    RowRanking(const CodedStages& stages,
               const IndexRows& rows,
               const void* query,
               const IndexSearch& how)
        : stages_(stages),
          rows_(rows),
          query_(query),
          filter_(how.filter),
          allowed_rows_(how.allowed_rows),
          counters_(how.counters) {}

    /// Rank these hits too, of rows that the filter does not allow; before the first next().
    void add(std::span<const Hit> hits);

    void next(std::size_t count, std::vector<Hit>& hits) override;

  private:
    void start();
    [[nodiscard]] std::vector<std::uint64_t> bounds() const;
    [[nodiscard]] std::vector<std::uint64_t> distances() const;
    [[nodiscard]] bool settled();
    void compare_some();
    void compare_all();

    CodedStages stages_;
    IndexRows rows_;
    const void* query_;
    RowFilter filter_;
    std::size_t allowed_rows_;
    SearchCounters* counters_;
    bool started_ = false;
    bool compared_all_ = false;  ///< Scores in `waiting_` are distances.
    KeyQueue waiting_;           ///< Rows that were not compared, with their bounds.
    HitQueue nearest_;           ///< Rows that were.
    std::size_t compared_ = 0;
    std::size_t brought_ = 0;
};

}  // namespace vecdb::index
