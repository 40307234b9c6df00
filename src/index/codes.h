#pragma once

/// \file
/// Short codes of the rows of a segment, and queries against them. Layouts and the score's formula:
/// simd/code_kernels.h.
///
/// A row x less the mean m is y, its head h (CodeSpace); what the head leaves out has the length
/// tail. The head is coded as x^ = s (c - middle), with c the unsigned levels and s the
/// least-squares scale; error is |h - x^|. For a query q, p = q - m with head g, left-out length
/// q_tail and bytes Q, |g - t Q| = q_error,
///
///     p.y = g.x^ + g.(h - x^) + tails
///         = t s (raw - middle sum Q) +- q_error |x^| +- |g| error +- q_tail tail
///
/// which bounds every distance from below, |p|^2 + |y|^2 - 2 p.y or -q.m - m.y - p.y (the proof:
/// code_query.cpp). Factors are halves relative to the segment's `unit`, a power of two at least as
/// long as the longest y: scale, error and tail in steps of unit / 2^15; norm is |y|^2 under l2, in
/// steps of unit^2 / 2^15, and otherwise m.y in steps of unit / 2^15 times the power of two above
/// |m|. So none is above 2^15 but for rounding, and rows longer than unit / 2^14 keep all bits of a
/// half. Error, tail and m.y are rounded up, |y|^2 down, the scale first rounded and then used.

#include "index/code_layout.h"
#include "index/rotation.h"
#include "simd/aligned_buffer.h"
#include "simd/code_kernels.h"
#include "simd/kernel_table.h"

#include <vecdb/control.h>
#include <vecdb/index.h>
#include <vecdb/status.h>
#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
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

    /// What codes need of a vector y, centred, beside its head.
    struct Measures {
        double length = 0.0;      ///< |y|
        double tail = 0.0;        ///< At least the length of what the head leaves out.
        double along_mean = 0.0;  ///< m.y
    };

    /// See all `dim` dimensions, not centred, not rotated.
    explicit CodeSpace(std::size_t dim = 1) : dim_(dim), head_(dim) {}

    /// Choose by the spread of the rows (a sample of at most some ten thousand): the fewest leading
    /// principal components, a multiple of 8, that have the wished variance, rotated at random
    /// among themselves; all dimensions unrotated when more than 60 % of them are needed.
    [[nodiscard]] static Result<CodeSpace> choose(const IndexRows& rows,
                                                  const Wish& wish,
                                                  const IndexBuild& how);
    /// The same by axes that are known, for those who want several heads.
    [[nodiscard]] static CodeSpace of(const PrincipalAxes& axes,
                                      const Wish& wish,
                                      std::uint64_t seed);

    /// See the products with the orthonormal rows of a matrix, `dim` floats each, not centred.
    [[nodiscard]] static CodeSpace along(std::vector<float> matrix, std::size_t dim);

    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] std::size_t head() const noexcept { return head_; }
    [[nodiscard]] bool rotates() const noexcept { return panels_ != nullptr; }

    /// Write the head of a vector (`dim` floats) to `head`.
    Measures project(const float* vector, float* head) const;
    /// Write the heads of rows [first, first + count), head() floats each.
    void project(const IndexRows& rows,
                 std::size_t first,
                 std::size_t count,
                 float* heads,
                 Measures* measures) const;

    /// Return how far the computed head of a vector of length 1 may be from the exact one.
    [[nodiscard]] double head_error() const noexcept;
    /// Return how far the rows of the rotation are from orthonormal, as skew(); 0 without one.
    [[nodiscard]] double skew() const noexcept { return skew_; }
    /// Return the mean that is taken off: empty, or dim() floats.
    [[nodiscard]] std::span<const float> mean() const noexcept { return mean_; }
    [[nodiscard]] double mean_length() const noexcept { return mean_length_; }
    [[nodiscard]] std::size_t memory_bytes() const noexcept;

    [[nodiscard]] Status save(SectionWriter& to) const;
    [[nodiscard]] static Result<CodeSpace> load(SectionReader& from, std::size_t dim);

  private:
    void project_group(const float* const* rows,
                       std::size_t count,
                       float* heads,
                       Measures* measures) const;
    void multiply(const float* centred, std::size_t count, float* heads) const;
    void set_mean(std::vector<float> mean);
    void set_matrix(std::span<const float> matrix);
    [[nodiscard]] std::vector<float> matrix() const;
    /// Return where in panels_ the elements of a panel for the dimensions from `from` on begin.
    [[nodiscard]] std::size_t panel_at(std::size_t from, std::size_t panel) const noexcept;
    [[nodiscard]] std::size_t element_at(std::size_t h, std::size_t d) const noexcept;
    [[nodiscard]] std::size_t panels() const noexcept;

    std::size_t dim_;
    std::size_t head_;
    std::vector<float> mean_;  ///< Empty, or dim_ floats.
    /// Null, or the rotation: head_ rows of dim_ floats, orthonormal to rounding, and rows of zeros
    /// up to whole panels of a MultiplyKernel; a part of the dimensions of all panels after the
    /// other. Never written again, so copies share it.
    std::shared_ptr<const simd::AlignedBuffer<float>> panels_;
    double mean_length_ = 0.0;
    double skew_ = 0.0;
};

/// A query ready to be scored against one CodeTable. Owns its memory, which is kept from query to
/// query: prepare() allocates nothing once the largest has been seen.
struct PreparedQuery {
    simd::CodeQuery code = {};      ///< Lower bounds, times the factor that was asked for.
    simd::CodeQuery estimate = {};  ///< The same without error terms.
    std::vector<float> head;        ///< Of the query.
    CodeSpace::Measures measures;   ///< Of the query.
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
    /// Tell whether bounds are of use: not when lengths lie beyond 2^-50 to 2^50.
    [[nodiscard]] bool bounds() const noexcept;

    [[nodiscard]] simd::CodeRows code_rows() const noexcept {
        return {bytes_.data(), places_.stride()};
    }
    /// Return the blocks from row `first` on, a multiple of 32.
    [[nodiscard]] simd::CodeBlocks blocks(std::size_t first = 0) const noexcept {
        return {bytes_.data() + first / simd::kBlockRows * places_.stride(), places_.groups()};
    }
    [[nodiscard]] simd::RowScoreKernel row_kernel(const simd::KernelTable& table) const noexcept;

    /// Make `query` (rows.dim floats) ready. Scores are then distances in the segment's own measure
    /// (lower is nearer, as IndexRows::distances) less at most the bound times `bound`: with 1 no
    /// score is above the distance that the level's own kernel computes. Estimates take what the
    /// heads leave out of row and query to be parallel (not under ip), as it nearly is among
    /// neighbours.
    /// Lengths beyond 2^-50 to 2^50: every lower bound is -infinity, and estimates are the
    /// distances times a power of two; beyond 2^-100 to 2^100 all estimates are 0.
    void prepare(const CodeSpace& space,
                 const float* query,
                 float bound,
                 PreparedQuery& prepared) const;
    /// The same for a query that another table of the same space and metric has prepared as `same`:
    /// saves the projection.
    void prepare_again(const CodeSpace& space,
                       const float* query,
                       float bound,
                       const PreparedQuery& same,
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
    struct QueryFacts;

    /// Finish prepare(): head and measures are there.
    void prepare_head(const CodeSpace& space,
                      const float* query,
                      float bound,
                      PreparedQuery& prepared) const;

    /// Measure the rows, which sets unit_.
    Status measure(const IndexRows& rows, const CodeSpace& space, const IndexBuild& how);
    /// Code rows [first, first + count); returns the largest |x^| / s.
    double code_rows_of(const IndexRows& rows,
                        const CodeSpace& space,
                        std::size_t first,
                        std::size_t count);
    /// Return what a stored norm of 1 stands for; 0 where there is none.
    [[nodiscard]] double norm_step(const CodeSpace& space) const noexcept;
    [[nodiscard]] std::uint16_t norm_of(const CodeSpace& space,
                                        const CodeSpace::Measures& row) const noexcept;
    void set_bounds(const CodeSpace& space,
                    const QueryFacts& query,
                    float bound,
                    PreparedQuery& to) const;
    void set_estimates(const CodeSpace& space, const QueryFacts& query, PreparedQuery& to) const;
    [[nodiscard]] Status check_codes() const;

    CodeLayout layout_ = CodeLayout::kBlock4;
    Metric metric_ = Metric::kL2;
    std::size_t dim_ = 0;
    std::size_t head_ = 0;
    std::size_t rows_ = 0;
    CodePlaces places_;
    double unit_ = 1.0;         ///< Factors are relative to it; 0: beyond all range, no codes.
    double longest_hat_ = 0.0;  ///< Largest |x^| / s of any row.
    simd::AlignedBuffer<std::uint8_t> bytes_;
};

}  // namespace vecdb::index
