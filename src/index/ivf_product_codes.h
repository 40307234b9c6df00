#pragma once

/// \file
/// The product codes of an IVF index: of its rows in the order of the lists.
///
/// Rows are coded themselves, not what is left of them beside their centroid: so one set of tables
/// serves a query in all lists, and sums of different lists can be compared as they are. Residuals
/// have shorter vectors to code, and would cost a set of tables (l2) or a limit (ip, cosine) of
/// each list.

#include "index/codes.h"
#include "index/ivf_lists.h"
#include "index/product_codebooks.h"
#include "simd/aligned_buffer.h"
#include "simd/code_kernels.h"

#include <vecdb/index.h>
#include <vecdb/status.h>

#include <cstddef>
#include <cstdint>

namespace vecdb::index {

/// Threads: const methods may run concurrently.
class IvfProductCodes {
  public:
    /// What the codes are to be.
    struct Wish {
        std::size_t dims = 2;  ///< Of a piece; at most those of the rows.
        bool rotates = false;  ///< Learn a rotation first: OPQ.
    };

    IvfProductCodes() = default;

    /// Code `rows`, which are in the order of the lists. A segment without rows has no codes.
    [[nodiscard]] static Result<IvfProductCodes> build(const IndexRows& rows,
                                                       const IvfLists& lists,
                                                       const Wish& wish,
                                                       const IndexBuild& how);

    [[nodiscard]] bool empty() const noexcept { return rows_ == 0; }
    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] const CodeSpace& space() const noexcept { return space_; }
    [[nodiscard]] const ProductCodebooks& codebooks() const noexcept { return codebooks_; }
    [[nodiscard]] const CodeTable& centroids() const noexcept { return centroids_; }  ///< Or empty.

    /// Return the blocks from row `first` on, a multiple of 32.
    [[nodiscard]] simd::ProductBlocks blocks(std::size_t first) const noexcept {
        return {bytes_.data() + first / simd::kBlockRows * block_bytes(), codebooks_.groups()};
    }

    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return space_.memory_bytes() + codebooks_.memory_bytes() + bytes_.size() +
               centroids_.memory_bytes();
    }
    [[nodiscard]] Status save(SectionWriter& to) const;
    [[nodiscard]] static Result<IvfProductCodes> load(SectionReader& from,
                                                      const IndexRows& rows,
                                                      const IvfLists& lists,
                                                      const Wish& wish);

  private:
    [[nodiscard]] std::size_t block_bytes() const noexcept {
        return simd::ProductBlocks{nullptr, codebooks_.groups()}.bytes();
    }
    /// Return the bytes of all blocks; the last one is a whole one.
    [[nodiscard]] std::size_t bytes_of_rows() const noexcept {
        return (rows_ + simd::kBlockRows - 1) / simd::kBlockRows * block_bytes();
    }
    Status train(const IndexRows& rows, std::size_t dims, const IndexBuild& how);
    Status code_rows(const IndexRows& rows, const IndexBuild& how);
    void code_block(const IndexRows& rows, std::size_t block) const;

    CodeSpace space_;
    ProductCodebooks codebooks_;  ///< Of what space_ sees.
    std::size_t rows_ = 0;
    simd::AlignedBuffer<std::uint8_t> bytes_;
    CodeTable centroids_;  ///< 8 bits in space_; follows from the lists, so it is not saved.
};

}  // namespace vecdb::index
