#pragma once

/// \file
/// The lists of an inverted file: centroids, and which consecutive rows belong to each. J. Sivic
/// and A. Zisserman, "Video Google", ICCV 2003; H. Jegou et al., "Product quantization for nearest
/// neighbor search", TPAMI 2011.

#include <vecdb/index.h>
#include <vecdb/status.h>
#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb::index {

/// Threads: const methods may run concurrently.
class IvfLists {
  public:
    IvfLists() = default;

    /// Cluster the rows into `nlist` lists, 0 for a number chosen by the rows. Sets `order`: new
    /// row i is old row order[i]; a list's rows keep their order among themselves. No rows, no
    /// lists. Returns kFailedPrecondition when there are fewer rows than lists.
    [[nodiscard]] static Result<IvfLists> build(const IndexRows& rows,
                                                std::size_t nlist,
                                                const IndexBuild& how,
                                                std::vector<std::uint32_t>& order);

    [[nodiscard]] std::size_t count() const noexcept { return starts_.size() - 1; }
    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    /// Return count() x dim() floats.
    [[nodiscard]] const float* centroids() const noexcept { return centroids_.data(); }
    /// Return the first row of a list; begin(count()) is the number of rows.
    [[nodiscard]] std::uint32_t begin(std::size_t list) const noexcept { return starts_[list]; }
    [[nodiscard]] std::uint32_t end(std::size_t list) const noexcept { return starts_[list + 1]; }

    [[nodiscard]] std::size_t memory_bytes() const noexcept;

    [[nodiscard]] Status validate(const IndexRows& rows) const;
    [[nodiscard]] Status save(SectionWriter& to) const;
    [[nodiscard]] static Result<IvfLists> load(SectionReader& from, const IndexRows& rows);

  private:
    std::size_t dim_ = 0;
    std::vector<float> centroids_;
    std::vector<std::uint32_t> starts_ = {0};  ///< count() + 1, ascending.
};

/// Return how many lists serve `rows` rows well: about 3 sqrt(rows), at least 100 rows each, 1 for
/// few rows.
[[nodiscard]] std::size_t default_nlist(std::size_t rows) noexcept;

}  // namespace vecdb::index
