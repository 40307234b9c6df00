#pragma once

/// \file
/// What the tests of the code kernels share: random codes in every layout, packed by the words of
/// code_kernels.h, and their scores in integers and double.

#include "simd/kernel_cases.h"
#include "support/guarded_array.h"

#include <array>
#include <cstring>
#include <stdexcept>

namespace vecdb::test {

/// A layout of code rows.
struct RowLayout {
    const char* name;
    simd::RowScoreKernel simd::CodeKernels::*kernel;
    unsigned bits;

    [[nodiscard]] unsigned lowest() const { return bits == 8 ? 1U : 0U; }
    [[nodiscard]] unsigned highest() const { return (1U << bits) - 1; }
    [[nodiscard]] int zero() const { return bits == 8 ? 128 : 0; }
    /// Dimensions of a half-byte area.
    [[nodiscard]] std::size_t half(std::size_t stride) const {
        const std::size_t area = stride - simd::kFactorBytes;
        return bits == 5 ? area * 4 / 5 & ~std::size_t{3} : area;
    }
    [[nodiscard]] std::size_t most_dims(std::size_t stride) const {
        return half(stride) * (bits < 7 ? 2 : 1);
    }
    [[nodiscard]] std::size_t stride(std::size_t dim) const {
        std::size_t stride = 64;
        while (most_dims(stride) < dim)
            stride += 64;
        return stride;
    }
};

inline constexpr RowLayout kRowLayouts[] = {{"row4", &simd::CodeKernels::row4, 4},
                                            {"row5", &simd::CodeKernels::row5, 5},
                                            {"row7", &simd::CodeKernels::row7, 7},
                                            {"row8", &simd::CodeKernels::row8, 8}};

/// Kinds of levels and query bytes.
enum class Levels {
    kRandom,
    kHighest,  ///< Every product as large as it can be.
    kLowest,   ///< Every product as far below zero as it can be.
};

using Halves = std::array<std::uint16_t, 4>;  ///< N, s, E, T.

/// Codes as numbers, not packed yet.
struct PlainCodes {
    PlainCodes(std::size_t row_count, std::size_t dimension)
        : rows(row_count),
          dim(dimension),
          levels(rows * dim),
          query(dim),
          factors(rows, Halves{0, 0xBC00U, 0, 0}) {}

    std::size_t rows;
    std::size_t dim;
    std::vector<std::uint8_t> levels;
    std::vector<std::int8_t> query;
    std::vector<Halves> factors;  ///< At first such that with b = 1 alone the score is raw.
};

inline void fill(PlainCodes& codes, const RowLayout& layout, Levels kind, Random& random) {
    const unsigned span = layout.highest() - layout.lowest() + 1;
    for (std::uint8_t& level : codes.levels) {
        const unsigned random_level = layout.lowest() + static_cast<unsigned>(random() % span);
        level =
            static_cast<std::uint8_t>(kind == Levels::kRandom ? random_level : layout.highest());
    }
    for (std::int8_t& q : codes.query) {
        const int value = static_cast<int>(random() % 255) - 127;
        q = static_cast<std::int8_t>(kind == Levels::kRandom    ? value
                                     : kind == Levels::kHighest ? 127
                                                                : -127);
    }
}

/// Draw finite factors of every size, denormals and zeros among them.
inline void draw_factors(PlainCodes& codes, Random& random) {
    for (Halves& factors : codes.factors) {
        for (std::uint16_t& half : factors) {
            half = static_cast<std::uint16_t>(random() % 0x7C00U | (random() & 1U) << 15U);
        }
        if (random() % 4 == 0) factors[random() % 4] = static_cast<std::uint16_t>(random() % 1024);
        if (random() % 8 == 0) factors[random() % 4] = 0;
    }
}

inline double half_value(std::uint16_t half) {
    const int exponent = half >> 10U & 31U;
    const int fraction = half & 1023U;
    const double size =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    return (half & 0x8000U) != 0 ? -size : size;
}

inline std::int64_t raw_of(const PlainCodes& codes, int zero, std::size_t row) {
    std::int64_t raw = 0;
    for (std::size_t d = 0; d < codes.dim; ++d)
        raw += codes.query[d] * (codes.levels[row * codes.dim + d] - zero);
    return raw;
}

/// Constants of a query without its bytes.
struct Constants {
    float a, w, b, c, e, t;
};

inline constexpr Constants kRawOnly = {0.0F, 0.0F, 1.0F, 0.0F, 0.0F, 0.0F};

/// Return the score in double; `error` bounds what rounding in float may change.
inline double score_of(const Constants& q, const Halves& factors, std::int64_t raw, double& error) {
    const double norm = half_value(factors[0]);
    const double scale = half_value(factors[1]);
    const double terms[] = {static_cast<double>(q.a),
                            q.w * norm,
                            -scale * q.b * static_cast<double>(raw),
                            -scale * q.c,
                            -q.e * half_value(factors[2]),
                            -q.t * half_value(factors[3])};
    double score = 0;
    double sizes = 0;
    for (const double term : terms) {
        score += term;
        sizes += std::abs(term);
    }
    error = 12 * 0x1p-24 * sizes + 0x1p-140;
    return score;
}

/// Write the four factors in the order of memory, low byte first, `step` bytes apart.
inline void put_factors(const Halves& factors, std::uint8_t* to, std::size_t step) {
    for (const std::uint16_t half : factors) {
        to[0] = static_cast<std::uint8_t>(half & 255U);
        to[1] = static_cast<std::uint8_t>(half >> 8U);
        to += step;
    }
}

/// Code rows and the query's bytes in memory that ends at a forbidden page.
class PackedRows {
  public:
    PackedRows(const PlainCodes& codes, const RowLayout& layout, std::size_t stride)
        : stride_(stride),
          half_(layout.half(stride)),
          rows_(codes.rows * stride, Edge::kEnd, 64),
          query_(stride * (layout.bits == 4   ? 2
                           : layout.bits == 5 ? 10
                                              : 1),
                 Edge::kEnd,
                 64) {
        std::fill(rows_.begin(), rows_.end(), std::uint8_t{0});
        std::fill(query_.begin(), query_.end(), std::int8_t{0});
        for (std::size_t r = 0; r < codes.rows; ++r)
            pack_row(codes, layout, r);
        for (std::size_t d = 0; d < codes.dim; ++d)
            pack_query(codes, layout, d);
    }

    [[nodiscard]] simd::CodeRows rows() const { return {rows_.data(), stride_}; }
    [[nodiscard]] simd::CodeQuery query(const Constants& q) const {
        return {query_.data(), q.a, q.w, q.b, q.c, q.e, q.t};
    }

  private:
    void pack_row(const PlainCodes& codes, const RowLayout& layout, std::size_t r) {
        std::uint8_t* const row = rows_.data() + r * stride_;
        for (std::size_t d = 0; d < codes.dim; ++d) {
            const unsigned level = codes.levels[r * codes.dim + d];
            if (layout.bits >= 7) {
                row[d] = static_cast<std::uint8_t>(level);
                continue;
            }
            const unsigned low = d < half_ ? level & 15U : (level & 15U) << 4U;
            std::uint8_t& byte = row[d % half_];
            byte = static_cast<std::uint8_t>(byte | low);
            if (layout.bits == 5) {
                std::uint8_t& bits = row[half_ + d / 8];
                bits = static_cast<std::uint8_t>(bits | (level >> 4U) << (d % 8));
            }
        }
        put_factors(codes.factors[r], row + stride_ - simd::kFactorBytes, 2);
    }

    void pack_query(const PlainCodes& codes, const RowLayout& layout, std::size_t d) {
        if (layout.bits >= 7) {
            query_[d] = codes.query[d];
            return;
        }
        query_[d < half_ ? d : stride_ + d - half_] = codes.query[d];
        if (layout.bits == 5) query_[2 * stride_ + d] = codes.query[d];
    }

    std::size_t stride_;
    std::size_t half_;
    GuardedArray<std::uint8_t> rows_;
    GuardedArray<std::int8_t> query_;
};

/// Code blocks and the query's bytes in memory that ends at a forbidden page. Rows behind the last
/// one are zeros.
class PackedBlocks {
  public:
    PackedBlocks(const PlainCodes& codes, std::size_t groups)
        : groups_(groups),
          blocks_((codes.rows + 31) / 32 * (groups * 128 + 256), Edge::kEnd, 64),
          query_(8 * groups, Edge::kEnd, 64) {
        std::fill(blocks_.begin(), blocks_.end(), std::uint8_t{0});
        std::fill(query_.begin(), query_.end(), std::int8_t{0});
        std::copy(codes.query.begin(), codes.query.end(), query_.begin());
        for (std::size_t r = 0; r < codes.rows; ++r)
            pack_row(codes, r);
    }

    [[nodiscard]] simd::CodeBlocks blocks() const { return {blocks_.data(), groups_}; }
    [[nodiscard]] simd::CodeQuery query(const Constants& q) const {
        return {query_.data(), q.a, q.w, q.b, q.c, q.e, q.t};
    }

  private:
    void pack_row(const PlainCodes& codes, std::size_t row) {
        std::uint8_t* const block = blocks_.data() + row / 32 * blocks().bytes();
        const std::size_t half = row % 32 / 16;
        const std::size_t r = row % 16;
        for (std::size_t d = 0; d < codes.dim; ++d) {
            const std::size_t group = d / 8;
            std::uint8_t& byte = block[(2 * group + half) * 64 + 4 * r + d % 4];
            const unsigned level = codes.levels[row * codes.dim + d];
            byte = static_cast<std::uint8_t>(byte | (d % 8 < 4 ? level : level << 4U));
        }
        put_factors(codes.factors[row], block + groups_ * 128 + 2 * (row % 32), 64);
    }

    std::size_t groups_;
    GuardedArray<std::uint8_t> blocks_;
    GuardedArray<std::int8_t> query_;
};

/// Return room for `count` elements that ends at a forbidden page, always the same for one purpose:
/// a new mapping for every call would cost more than the kernels.
template <class T, int kPurpose>
T* guarded_room(std::size_t count) {
    static GuardedArray<T> memory(4'096);
    if (count > memory.size()) throw std::length_error("guarded_room");
    T* const room = memory.end() - count;
    std::memset(static_cast<void*>(room), 0xFF, count * sizeof(T));
    return room;
}

/// Call a code kernel through `call(kept)`, with room for `count` rounded up to a multiple of
/// `step` and a forbidden page behind it.
template <class Call>
Pairs keep_codes(std::size_t count, std::size_t step, Call&& call) {
    const std::size_t room = (count + step - 1) / step * step;
    const simd::Kept kept = {guarded_room<std::uint32_t, 1>(room), guarded_room<float, 1>(room)};
    const std::size_t n = call(kept);
    Pairs pairs;
    if (n > count) pairs.fault = "kept more rows than there are";
    pairs.rows.assign(kept.rows, kept.rows + std::min(n, count));
    pairs.distances.assign(kept.distances, kept.distances + std::min(n, count));
    return pairs;
}

/// Score listed rows. The list has no room behind its end.
inline Pairs run_rows(const simd::KernelTable& table,
                      const RowLayout& layout,
                      const simd::CodeQuery& query,
                      const simd::CodeRows& rows,
                      const std::vector<std::uint32_t>& list,
                      float threshold = kInfinity,
                      std::size_t ahead = 0) {
    std::uint32_t* const guarded = guarded_room<std::uint32_t, 2>(list.size());
    std::copy(list.begin(), list.end(), guarded);
    return keep_codes(list.size(), 16, [&](const simd::Kept& kept) {
        return (table.codes.*layout.kernel)(
            query, rows, guarded, list.size(), ahead, threshold, kept);
    });
}

inline Pairs run_blocks(const simd::KernelTable& table,
                        const simd::CodeQuery& query,
                        const simd::CodeBlocks& blocks,
                        std::size_t count,
                        float threshold = kInfinity) {
    return keep_codes(count, 32, [&](const simd::Kept& kept) {
        return table.codes.block4(query, blocks, count, threshold, kept);
    });
}

/// Return the first difference between what was kept and what should have been.
inline std::string difference(const Pairs& got, const Pairs& expected) {
    if (!got.fault.empty()) return got.fault;
    if (got.rows.size() != expected.rows.size()) {
        return sentence("kept ", got.rows.size(), " rows, expected ", expected.rows.size());
    }
    for (std::size_t i = 0; i < got.rows.size(); ++i) {
        if (got.rows[i] != expected.rows[i]) {
            return sentence("place ", i, ": row ", got.rows[i], ", expected ", expected.rows[i]);
        }
        if (!same_bits(got.distances[i], expected.distances[i])) {
            return sentence(
                "row ", got.rows[i], ": ", got.distances[i], ", expected ", expected.distances[i]);
        }
    }
    return "";
}

/// Return the pairs whose score is not above the threshold.
inline Pairs not_above(const Pairs& all, float threshold) {
    Pairs kept;
    for (std::size_t i = 0; i < all.rows.size(); ++i) {
        if (all.distances[i] > threshold) continue;
        kept.rows.push_back(all.rows[i]);
        kept.distances.push_back(all.distances[i]);
    }
    return kept;
}

}  // namespace vecdb::test
