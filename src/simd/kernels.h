#pragma once

/// \file
/// Distances of one query to many rows, over pairs of elements of any type (pairs_*.h). Contract:
/// kernel_table.h. Included by the files in arch/ only; internal linkage throughout.
///
/// What `Pairs` must have, one type for each distance, element type and level:
/// - `Element`, and `elements(dim)`: how many a row has;
/// - `Register`, `kWidth` elements of a query or a row; `load(p)`; `load_last(p, count, left)`: the
///   last `left` (1 to kWidth - 1) of `count` elements and zeros, reading nothing else;
/// - `Sum`; `zero()`; `add(sum, query, row)`, where zeros add nothing;
/// - `kSums` sums of a row and `kGroup` rows side by side, so many that their latency is hidden;
/// - `kStreamAhead`: how far ahead memory is asked for, in bytes;
/// - a constructor from the query and its elements, and `distance(sums)`.

#include "simd/kernel_table.h"
#include "simd/prefetch.h"

#include <cstddef>
#include <cstdint>

/// Inline everything below a kernel into it, so that its object exports no other code.
#define VECDB_KERNEL [[gnu::flatten]]

namespace vecdb::simd {
namespace {

/// From this many bytes on a row is a stream of its own: taken alone, the hardware's prefetching
/// serves it best. Shorter rows go in groups and are asked for ahead (figures in bench/NOTES.md).
inline constexpr std::size_t kLongRow = 640;

/// How far ahead of its use memory is asked for, in bytes. Wide registers go through it faster.
inline constexpr std::size_t kWideStreamAhead = 4'096;
inline constexpr std::size_t kNarrowStreamAhead = 1'024;
inline constexpr std::size_t kListAhead = 4'096;
inline constexpr float kInfinity = __builtin_inff();

/// A query and how rows are compared with it.
template <class Pairs>
class Comparison {
  public:
    using Element = typename Pairs::Element;

    Comparison(const void* query, std::size_t dim)
        : query_(static_cast<const Element*>(query)),
          count_(Pairs::elements(dim)),
          pairs_(query_, count_) {}

    /// Return the elements of a row.
    [[nodiscard]] std::size_t count() const { return count_; }
    [[nodiscard]] std::size_t bytes() const { return count_ * sizeof(Element); }

    /// Write the distances to R rows. Each row has its own sums, so that a row's value is the same
    /// for every R. Asks for the memory of later rows on the way.
    template <std::size_t R, class Ahead>
    void operator()(const Element* const (&rows)[R], const Ahead& ahead, float* out) const;

  private:
    const Element* query_;
    std::size_t count_;
    Pairs pairs_;
};

template <class Pairs>
template <std::size_t R, class Ahead>
inline void Comparison<Pairs>::operator()(const Element* const (&rows)[R],
                                          const Ahead& ahead,
                                          float* out) const {
    constexpr std::size_t kW = Pairs::kWidth;
    constexpr std::size_t kSums = Pairs::kSums;
    constexpr std::size_t kStep = kSums * kW;
    typename Pairs::Sum sums[R][kSums];
    for (auto& row_sums : sums) {
        for (auto& sum : row_sums)
            sum = Pairs::zero();
    }
    std::size_t i = 0;
    for (; i + kStep <= count_; i += kStep) {
#pragma GCC unroll 8
        for (std::size_t r = 0; r < R; ++r) {
            ahead.template step<kStep>(i, r);
#pragma GCC unroll 8
            for (std::size_t s = 0; s < kSums; ++s) {
                const std::size_t at = i + s * kW;
                sums[r][s] =
                    Pairs::add(sums[r][s], Pairs::load(query_ + at), Pairs::load(rows[r] + at));
            }
        }
    }
    ahead.rest(i, count_);
#pragma GCC unroll 8
    for (std::size_t s = 0; s + 1 < kSums; ++s) {
        if (i + kW > count_) break;
#pragma GCC unroll 8
        for (std::size_t r = 0; r < R; ++r) {
            sums[r][s] = Pairs::add(sums[r][s], Pairs::load(query_ + i), Pairs::load(rows[r] + i));
        }
        i += kW;
    }
    if (i < count_) {
        const auto q = Pairs::load_last(query_, count_, count_ - i);
#pragma GCC unroll 8
        for (std::size_t r = 0; r < R; ++r) {
            auto& sum = sums[r][kSums - 1];
            sum = Pairs::add(sum, q, Pairs::load_last(rows[r], count_, count_ - i));
        }
    }
#pragma GCC unroll 8
    for (std::size_t r = 0; r < R; ++r)
        out[r] = pairs_.distance(sums[r]);
}

/// Append row `row` if it is near enough; returns the new number of rows kept.
inline std::size_t keep(
    std::uint32_t row, float distance, float threshold, const Kept& kept, std::size_t n) {
    kept.rows[n] = row;
    kept.distances[n] = distance;
    return n + static_cast<std::size_t>(distance <= threshold);
}

template <class Pairs>
VECDB_KERNEL std::size_t select_range(
    const void* query, const Rows& rows, std::size_t count, float threshold, const Kept& kept) {
    using Element = typename Pairs::Element;
    constexpr std::size_t kGroup = Pairs::kGroup;
    const Comparison<Pairs> distances(query, rows.dim);
    std::size_t n = 0;
    std::size_t i = 0;
    float out[kGroup];
    for (; distances.bytes() < kLongRow && i + kGroup <= count; i += kGroup) {
        const Element* group[kGroup];
        for (std::size_t r = 0; r < kGroup; ++r)
            group[r] = rows.row<Element>(i + r);
        const StreamAhead<Element, kGroup> ahead{group[0] + Pairs::kStreamAhead / sizeof(Element)};
        distances(group, ahead, out);
        for (std::size_t r = 0; r < kGroup; ++r) {
            n = keep(static_cast<std::uint32_t>(i + r), out[r], threshold, kept, n);
        }
    }
    for (; i < count; ++i) {
        const Element* const row[1] = {rows.row<Element>(i)};
        distances(row, NothingAhead(), out);
        n = keep(static_cast<std::uint32_t>(i), out[0], threshold, kept, n);
    }
    return n;
}

template <class Pairs>
VECDB_KERNEL std::size_t select_list(const void* query,
                                     const Rows& rows,
                                     const std::uint32_t* list,
                                     std::size_t count,
                                     float threshold,
                                     const Kept& kept) {
    using Element = typename Pairs::Element;
    constexpr std::size_t kGroup = Pairs::kGroup;
    const Comparison<Pairs> distances(query, rows.dim);
    // Whole groups ahead: at least one, and about kListAhead bytes.
    const std::size_t distance = kGroup * (1 + kListAhead / (kGroup * distances.bytes()));
    std::size_t n = 0;
    std::size_t i = 0;
    float out[kGroup];
    for (; i + kGroup <= count; i += kGroup) {
        const Element* group[kGroup];
        ScatteredAhead<Element, kGroup> ahead;
        for (std::size_t r = 0; r < kGroup; ++r) {
            group[r] = rows.row<Element>(list[i + r]);
            const std::size_t later = i + r + distance;
            ahead.rows[r] = later < count ? rows.row<Element>(list[later]) : group[r];
        }
        distances(group, ahead, out);
        for (std::size_t r = 0; r < kGroup; ++r) {
            n = keep(list[i + r], out[r], threshold, kept, n);
        }
    }
    for (; i < count; ++i) {
        const Element* const row[1] = {rows.row<Element>(list[i])};
        distances(row, NothingAhead(), out);
        n = keep(list[i], out[0], threshold, kept, n);
    }
    return n;
}

/// `Products` are the pairs of ip.
template <class Products>
VECDB_KERNEL void squared_norms(const Rows& rows, std::size_t count, float* norms) {
    using Element = typename Products::Element;
    for (std::size_t i = 0; i < count; ++i) {
        const Element* const row[1] = {rows.row<Element>(i)};
        const Comparison<Products> with_itself(row[0], rows.dim);
        with_itself(row, NothingAhead(), norms + i);
        norms[i] = norms[i] == kInfinity ? kInfinity : -norms[i];
    }
}

template <class V>
VECDB_KERNEL void scale(const float* in, std::size_t count, float factor, float* out) {
    const V factors = V::broadcast(&factor);
    std::size_t i = 0;
    for (; i + V::kWidth <= count; i += V::kWidth)
        (V::load(in + i) * factors).store(out + i);
    for (; i < count; ++i)
        out[i] = in[i] * factor;
}

/// The kernels of one distance.
template <class Pairs>
constexpr DistanceKernels distance_kernels() {
    return {select_range<Pairs>, select_list<Pairs>};
}

/// The kernels of one type of numbers.
template <class Squares, class Products>
constexpr NumberKernels number_kernels() {
    return {distance_kernels<Squares>(), distance_kernels<Products>(), squared_norms<Products>};
}

}  // namespace
}  // namespace vecdb::simd
