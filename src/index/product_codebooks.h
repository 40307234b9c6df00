#pragma once

/// \file
/// Codebooks of product quantisation: a vector is cut into pieces of a few dimensions, and each
/// piece replaced by the nearest of 16 words. H. Jegou et al., "Product quantization for nearest
/// neighbor search", TPAMI 2011. How codes and tables lie in memory: simd/code_kernels.h.
///
/// Words are stored relative to a `unit`, a power of two about as large as the largest element of
/// the sample, so that no square leaves the range of floats. What a row adds to the order of rows,
///
///     |q - x^|^2 - |q|^2 = sum over the codebooks of |w|^2 - 2 q.w     (l2)
///     -q.x^ = sum over the codebooks of -q.w                           (ip, cosine)
///
/// is one table entry a codebook, so that a query needs one set of tables for all lists.

#include "simd/aligned_buffer.h"

#include <vecdb/index.h>
#include <vecdb/status.h>
#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb::index {

/// Words of one codebook.
inline constexpr std::size_t kProductWords = 16;

/// What a query looks up, and the memory to compute it: kept from query to query.
struct ProductQuery {
    simd::AlignedBuffer<std::uint8_t> tables;  ///< 64 bytes for each group of four codebooks.
    std::vector<float> values;                 ///< The tables before they are rounded.
    std::vector<float> pieces;                 ///< The query relative to the unit, padded.
};

/// Threads: const methods may run concurrently.
class ProductCodebooks {
  public:
    /// How to train. k-means moves words by Faiss' Clustering, as in kmeans.h.
    struct Training {
        std::size_t dims = 2;         ///< Of a piece, at least 1; the last one may have fewer.
        std::size_t iterations = 20;  ///< Of k-means.
    };

    ProductCodebooks() = default;

    /// Train on vectors of `dim` finite floats, at least one. Up to 16 vectors become words as they
    /// are. Equal input gives equal bytes for any number of threads. `start`: codebooks of the same
    /// shape and unit from which to go on, or null. Returns what how.check() says.
    [[nodiscard]] static Result<ProductCodebooks> train(std::span<const float> vectors,
                                                        std::size_t dim,
                                                        const Training& training,
                                                        const IndexBuild& how,
                                                        const ProductCodebooks* start = nullptr);

    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] std::size_t dims() const noexcept { return dims_; }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    /// Return the groups of four codebooks, the last one filled up.
    [[nodiscard]] std::size_t groups() const noexcept { return (count_ + 3) / 4; }

    /// Write the word of each piece of a vector (dim() floats) to words[0 .. count()).
    void encode(const float* vector, std::uint8_t* words) const;
    /// Write the vector that words stand for.
    void decode(const std::uint8_t* words, float* vector) const;
    /// Fill the tables for a query (dim() floats). Every entry is rounded to the same step, so that
    /// sums order rows as the formulas above; they have at most 65,535 steps.
    void look_at(const float* vector, Metric metric, ProductQuery& query) const;

    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return (words_.size() + squares_.size()) * sizeof(float);
    }
    /// Write and read section "product.words".
    [[nodiscard]] Status save(SectionWriter& to) const;
    [[nodiscard]] static Result<ProductCodebooks> load(SectionReader& from,
                                                       std::size_t dim,
                                                       std::size_t dims);

  private:
    ProductCodebooks(std::size_t dim, std::size_t dims);

    [[nodiscard]] float* word_elements(std::size_t m) noexcept {
        return words_.data() + m * dims_ * kProductWords;
    }
    [[nodiscard]] const float* word_elements(std::size_t m) const noexcept {
        return words_.data() + m * dims_ * kProductWords;
    }
    Status train_codebook(std::size_t m,
                          std::span<const float> scaled,
                          const Training& training,
                          const IndexBuild& how,
                          bool go_on);
    /// Write a vector relative to the unit and padded: count() * dims() floats.
    void scale(const float* vector, float* pieces) const;
    void start_codebook(std::size_t m, std::span<const float> pieces, std::uint64_t seed);
    /// Label each piece with its nearest word; tells whether any label changed.
    [[nodiscard]] bool assign(std::size_t m,
                              std::span<const float> pieces,
                              std::span<std::uint32_t> labels) const;
    [[nodiscard]] std::uint32_t nearest_word(std::size_t m, const float* piece) const;
    void set_squares(std::size_t m);
    /// Return where element `e` of words that lie one after the other is in word_elements().
    [[nodiscard]] std::size_t place_of(std::size_t e) const noexcept {
        return e % dims_ * kProductWords + e / dims_;
    }

    std::size_t dim_ = 0;
    std::size_t dims_ = 0;
    std::size_t count_ = 0;
    double unit_ = 1.0;
    std::vector<float> words_;  ///< Codebook, dimension of the piece, word: the last runs fastest.
    std::vector<float> squares_;  ///< |w|^2: codebook, word.
};

}  // namespace vecdb::index
