#pragma once

/// \file
/// Short codes of the rows of a segment, and queries against them. Layouts and the score's formula:
/// simd/code_kernels.h.
///
/// A row x is centred and turned into head coordinates h (CodeSpace); what the head leaves out has
/// the length tail. The head is coded as x^ = s (c - middle), with c the unsigned levels and s the
/// least-squares scale; error is |h - x^|. For a query q with head g, left-out length q_tail and
/// bytes Q, |g - t Q| = q_error,
///
///     q.x = g.x^ + g.(h - x^) + tails
///         = t s (raw - middle sum Q) +- q_error |x^| +- |g| error +- q_tail tail
///
/// which bounds every distance from below. Factors are halves relative to the segment's `unit` (a
/// power of two at least as long as the longest row): norm rounded down, error and tail up, the
/// scale first rounded and then used.

#include "simd/aligned_buffer.h"
#include "simd/code_kernels.h"
#include "simd/kernel_table.h"

#include <vecdb/control.h>
#include <vecdb/index.h>
#include <vecdb/status.h>
#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb::index {

/// Choose what codes see of a vector: all dimensions as they are, or after a centring rotation the
/// leading ones.
/// Threads: const methods may run concurrently.
class CodeSpace {
  public:
    /// What a caller wants of the head.
    struct Wish {
        std::size_t max_head = 0;  ///< Dimensions at most; 0: all.
        double variance = 0.9;     ///< Part of the variance that the head should have.
        bool must_cut = false;     ///< Take max_head dimensions though they have less.
    };

    /// See all `dim` dimensions, not centred, not rotated.
    explicit CodeSpace(std::size_t dim = 1) : dim_(dim), head_(dim) {}

    /// Choose by the spread of the rows (a sample of at most some ten thousand): the fewest leading
    /// principal components, a multiple of 8, that have the wished variance, rotated at random
    /// among themselves; all dimensions unrotated when more than 60 % of them are needed.
    [[nodiscard]] static Result<CodeSpace> choose(const IndexRows& rows,
                                                  const Wish& wish,
                                                  const IndexBuild& how);

    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] std::size_t head() const noexcept { return head_; }
    [[nodiscard]] bool rotates() const noexcept { return !matrix_.empty(); }

    /// Write the head of a row (`dim` floats) to `head` and return a length that is at least what
    /// the head leaves out, rounding included.
    double project(const float* row, float* head) const;
    /// Write the heads of rows [first, first + count), head() floats each, and what they leave out.
    void project(const IndexRows& rows,
                 std::size_t first,
                 std::size_t count,
                 float* heads,
                 float* tails) const;

    [[nodiscard]] std::span<const float> mean() const noexcept { return mean_; }
    [[nodiscard]] std::size_t memory_bytes() const noexcept;

    [[nodiscard]] Status save(SectionWriter& to) const;
    [[nodiscard]] static Result<CodeSpace> load(SectionReader& from, std::size_t dim);

  private:
    std::size_t dim_;
    std::size_t head_;
    std::vector<float> mean_;    ///< Empty, or dim_ floats.
    std::vector<float> matrix_;  ///< Empty, or head_ rows of dim_ floats, orthonormal to rounding.
};

/// How the levels of a row lie in memory.
enum class CodeLayout : std::uint8_t { kBlock4 = 1, kRow4 = 2, kRow5 = 3, kRow7 = 4, kRow8 = 5 };

/// Return the bytes of a code row that holds `head` dimensions (a multiple of 64), or of a block.
[[nodiscard]] std::size_t code_stride(CodeLayout layout, std::size_t head) noexcept;

/// A query ready to be scored against one CodeTable. Owns its memory, which is kept from query to
/// query: prepare() allocates nothing once the largest has been seen.
struct PreparedQuery {
    simd::CodeQuery code = {};      ///< Lower bounds, times the factor that was asked for.
    simd::CodeQuery estimate = {};  ///< The same without error terms.
    std::vector<float> head;        ///< Of the query.
    simd::AlignedBuffer<std::int8_t> levels;
};

/// The codes of all rows of a segment in one layout.
/// Threads: const methods may run concurrently.
class CodeTable {
  public:
    CodeTable() = default;

    /// Code all rows. Returns what how.check() says.
    [[nodiscard]] static Result<CodeTable> build(const IndexRows& rows,
                                                 const CodeSpace& space,
                                                 CodeLayout layout,
                                                 const IndexBuild& how);

    [[nodiscard]] bool empty() const noexcept { return rows_ == 0; }
    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] CodeLayout layout() const noexcept { return layout_; }

    [[nodiscard]] simd::CodeRows code_rows() const noexcept { return {bytes_.data(), stride_}; }
    /// Return the blocks from row `first` on, a multiple of 32.
    [[nodiscard]] simd::CodeBlocks blocks(std::size_t first = 0) const noexcept {
        return {bytes_.data() + first / simd::kBlockRows * stride_, groups_};
    }
    [[nodiscard]] simd::RowScoreKernel row_kernel(const simd::KernelTable& table) const noexcept;

    /// Make `query` (rows.dim floats) ready. Scores are then distances in the segment's own measure
    /// (lower is nearer, as IndexRows::distances) less at most the bound times `bound`: with 1 no
    /// score is above the distance that the level's own kernel computes.
    void prepare(const CodeSpace& space,
                 const float* query,
                 float bound,
                 PreparedQuery& prepared) const;

    /// Make row `row` of a table in a row layout itself a query, without its floats: `estimate`
    /// then scores the negated product of the coded heads, -x^.y^, in every metric.
    void prepare_row(std::size_t row, PreparedQuery& prepared) const;

    /// Return the table whose row i is row order[i] of this one, which has a row layout.
    [[nodiscard]] CodeTable reordered(std::span<const std::uint32_t> order) const;

    [[nodiscard]] std::size_t memory_bytes() const noexcept { return bytes_.size(); }
    [[nodiscard]] Status save(SectionWriter& to) const;
    [[nodiscard]] static Result<CodeTable> load(SectionReader& from,
                                                const IndexRows& rows,
                                                const CodeSpace& space);

  private:
    CodeLayout layout_ = CodeLayout::kBlock4;
    Metric metric_ = Metric::kL2;
    std::size_t dim_ = 0;
    std::size_t head_ = 0;
    std::size_t rows_ = 0;
    std::size_t stride_ = 0;
    std::size_t groups_ = 0;
    float unit_ = 1.0F;         ///< Factors are relative to it.
    float longest_hat_ = 0.0F;  ///< Largest |x^| / s of any row.
    simd::AlignedBuffer<std::uint8_t> bytes_;
};

}  // namespace vecdb::index
