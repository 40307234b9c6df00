#pragma once

/// \file
/// The short codes of an IVF index: of its rows in the order of the lists, of its centroids, and
/// for long rows a finer code between them and the floats.

#include "index/codes.h"
#include "index/ivf_lists.h"

#include <vecdb/index.h>
#include <vecdb/status.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace vecdb::index {

/// Code the centroids of lists in 8 bits of what `space` sees; empty where they are few, and so are
/// compared by their floats.
[[nodiscard]] Result<CodeTable> coded_centroids(const CodeSpace& space,
                                                Metric metric,
                                                const IvfLists& lists,
                                                const IndexBuild& how);

/// Threads: const methods may run concurrently.
class IvfCodes {
  public:
    IvfCodes() = default;

    /// Code `rows`, which are in the order of the lists. A segment without rows has no codes.
    [[nodiscard]] static Result<IvfCodes> build(const IndexRows& rows,
                                                const IvfLists& lists,
                                                const IndexBuild& how);

    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
    /// Return how much of the error bound to believe when the caller does not say.
    [[nodiscard]] float default_bound() const noexcept;

    [[nodiscard]] const CodeSpace& space() const noexcept { return space_; }
    [[nodiscard]] const CodeTable& rows() const noexcept { return rows_; }
    [[nodiscard]] const CodeSpace& fine_space() const noexcept { return fine_space_; }
    [[nodiscard]] const CodeTable& fine_rows() const noexcept { return fine_rows_; }  ///< Or empty.
    [[nodiscard]] const CodeTable& centroids() const noexcept { return centroids_; }  ///< Or empty.

    [[nodiscard]] std::size_t memory_bytes() const noexcept;

    [[nodiscard]] Status save(SectionWriter& to) const;
    [[nodiscard]] static Result<IvfCodes> load(SectionReader& from,
                                               const IndexRows& rows,
                                               const IvfLists& lists);

  private:
    CodeSpace space_;
    CodeTable rows_;  ///< Blocks of 4 bits.
    CodeSpace fine_space_;
    CodeTable fine_rows_;  ///< 8 bits.
    CodeTable centroids_;  ///< 8 bits in space_; follows from the lists, so it is not saved.
};

}  // namespace vecdb::index
