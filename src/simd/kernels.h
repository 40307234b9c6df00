#pragma once

/// \file
/// Distances of one query to many rows, over the operations of lanes.h. Contract: kernel_table.h.
/// Included by the files in arch/ only; internal linkage throughout.

#include "simd/kernel_table.h"
#include "simd/lanes.h"

#include <cstddef>
#include <cstdint>

/// Inline everything below a kernel into it, so that its object exports no other code.
#define VECDB_KERNEL [[gnu::flatten]]

namespace vecdb::simd {
namespace {

/// Accumulators of a row. With two rows side by side they keep eight multiply-adds in flight, which
/// hides their latency.
inline constexpr std::size_t kSums = 4;
inline constexpr std::size_t kGroup = 2;

/// From this many floats on a row is a stream of its own: taken alone, the hardware's prefetching
/// serves it best. Shorter rows go in groups and are asked for ahead (figures in bench/NOTES.md).
inline constexpr std::size_t kLongRow = 160;

/// How far ahead of its use memory is asked for, in floats. Wide registers go through it faster.
template <class V>
inline constexpr std::size_t kStreamAhead = V::kWidth >= 16 ? 1'024 : 256;
inline constexpr std::size_t kListAhead = 1'024;
inline constexpr std::size_t kFloatsPerLine = 16;
inline constexpr float kInfinity = __builtin_inff();

struct SquaredL2 {
    template <class V>
    static V add(V sum, V q, V x) {
        const V difference = q - x;
        return V::multiply_add(difference, difference, sum);
    }
    static float distance(float sum) { return sum; }
};

struct NegatedProduct {
    template <class V>
    static V add(V sum, V q, V x) {
        return V::multiply_add(q, x, sum);
    }
    static float distance(float sum) { return -sum; }
};

inline void prefetch(const float* p) {
    __builtin_prefetch(p, 0, 3);
}

/// Ask for the lines that begin in floats [i, i + Floats) of p.
template <std::size_t Floats>
inline void prefetch_lines(const float* p, std::size_t i) {
    if constexpr (Floats >= kFloatsPerLine) {
        for (std::size_t line = 0; line < Floats; line += kFloatsPerLine)
            prefetch(p + i + line);
    } else {
        if (i % kFloatsPerLine < Floats) prefetch(p + i);
    }
}

/// Ask for R rows that lie one after the other, in the order of memory.
template <std::size_t R>
struct StreamAhead {
    const float* first;

    template <std::size_t Floats>
    void step(std::size_t i, std::size_t r) const {
        prefetch_lines<Floats>(first, R * i + r * Floats);
    }
    void rest(std::size_t i, std::size_t dim) const {
        for (std::size_t f = R * i; f < R * dim; f += kFloatsPerLine)
            prefetch(first + f);
    }
};

/// Ask for R rows that lie anywhere.
template <std::size_t R>
struct ScatteredAhead {
    const float* rows[R];

    template <std::size_t Floats>
    void step(std::size_t i, std::size_t r) const {
        prefetch_lines<Floats>(rows[r], i);
    }
    void rest(std::size_t i, std::size_t dim) const {
        if (i == dim) return;
        for (std::size_t r = 0; r < R; ++r)
            prefetch(rows[r] + dim - 1);
    }
};

/// Ask for nothing.
struct NothingAhead {
    template <std::size_t Floats>
    void step(std::size_t, std::size_t) const {}
    void rest(std::size_t, std::size_t) const {}
};

/// Add up what the accumulators of one row hold, always in the same order.
template <class V>
inline float total(const V (&sums)[kSums]) {
    return ((sums[0] + sums[2]) + (sums[1] + sums[3])).sum();
}

/// Write the distances of `query` to R rows. Each row has its own accumulators, so that a row's
/// value is the same for every R. Asks for the memory of later rows on the way.
template <class V, class Op, std::size_t R, class Ahead>
inline void distances(const float* query,
                      const float* const (&rows)[R],
                      const Ahead& ahead,
                      std::size_t dim,
                      float* out) {
    constexpr std::size_t kW = V::kWidth;
    constexpr std::size_t kStep = kSums * kW;
    V sums[R][kSums];
    for (auto& row_sums : sums) {
        for (V& sum : row_sums)
            sum = V::zero();
    }
    std::size_t i = 0;
    for (; i + kStep <= dim; i += kStep) {
#pragma GCC unroll 8
        for (std::size_t r = 0; r < R; ++r) {
            ahead.template step<kStep>(i, r);
#pragma GCC unroll 8
            for (std::size_t s = 0; s < kSums; ++s) {
                const std::size_t at = i + s * kW;
                sums[r][s] = Op::add(sums[r][s], V::load(query + at), V::load(rows[r] + at));
            }
        }
    }
    ahead.rest(i, dim);
#pragma GCC unroll 8
    for (std::size_t s = 0; s + 1 < kSums; ++s) {
        if (i + kW > dim) break;
#pragma GCC unroll 8
        for (std::size_t r = 0; r < R; ++r) {
            sums[r][s] = Op::add(sums[r][s], V::load(query + i), V::load(rows[r] + i));
        }
        i += kW;
    }
    if (i < dim) {
        const V q = V::load_last(query, dim, dim - i);
#pragma GCC unroll 8
        for (std::size_t r = 0; r < R; ++r) {
            V& sum = sums[r][kSums - 1];
            sum = Op::add(sum, q, V::load_last(rows[r], dim, dim - i));
        }
    }
#pragma GCC unroll 8
    for (std::size_t r = 0; r < R; ++r) {
        const float distance = Op::distance(total(sums[r]));
        out[r] = distance <= kInfinity ? distance : kInfinity;  // not a number: ordered last
    }
}

/// Append row `row` if it is near enough; returns the new number of rows kept.
inline std::size_t keep(
    std::uint32_t row, float distance, float threshold, const Kept& kept, std::size_t n) {
    kept.rows[n] = row;
    kept.distances[n] = distance;
    return n + static_cast<std::size_t>(distance <= threshold);
}

template <class V, class Op>
VECDB_KERNEL std::size_t select_range(
    const float* query, const Rows& rows, std::size_t count, float threshold, const Kept& kept) {
    std::size_t n = 0;
    std::size_t i = 0;
    float out[kGroup];
    for (; rows.dim < kLongRow && i + kGroup <= count; i += kGroup) {
        const float* group[kGroup];
        for (std::size_t r = 0; r < kGroup; ++r)
            group[r] = rows.base + (i + r) * rows.stride;
        const StreamAhead<kGroup> ahead{group[0] + kStreamAhead<V>};
        distances<V, Op, kGroup>(query, group, ahead, rows.dim, out);
        for (std::size_t r = 0; r < kGroup; ++r) {
            n = keep(static_cast<std::uint32_t>(i + r), out[r], threshold, kept, n);
        }
    }
    for (; i < count; ++i) {
        const float* const row[1] = {rows.base + i * rows.stride};
        distances<V, Op, 1>(query, row, NothingAhead(), rows.dim, out);
        n = keep(static_cast<std::uint32_t>(i), out[0], threshold, kept, n);
    }
    return n;
}

template <class V, class Op>
VECDB_KERNEL std::size_t select_list(const float* query,
                                     const Rows& rows,
                                     const std::uint32_t* list,
                                     std::size_t count,
                                     float threshold,
                                     const Kept& kept) {
    // Whole groups ahead: at least one, and about kListAhead floats.
    const std::size_t distance = kGroup * (1 + kListAhead / (kGroup * rows.dim));
    std::size_t n = 0;
    std::size_t i = 0;
    float out[kGroup];
    for (; i + kGroup <= count; i += kGroup) {
        const float* group[kGroup];
        ScatteredAhead<kGroup> ahead;
        for (std::size_t r = 0; r < kGroup; ++r) {
            group[r] = rows.base + list[i + r] * rows.stride;
            const std::size_t later = i + r + distance;
            ahead.rows[r] = later < count ? rows.base + list[later] * rows.stride : group[r];
        }
        distances<V, Op, kGroup>(query, group, ahead, rows.dim, out);
        for (std::size_t r = 0; r < kGroup; ++r) {
            n = keep(list[i + r], out[r], threshold, kept, n);
        }
    }
    for (; i < count; ++i) {
        const float* const row[1] = {rows.base + list[i] * rows.stride};
        distances<V, Op, 1>(query, row, NothingAhead(), rows.dim, out);
        n = keep(list[i], out[0], threshold, kept, n);
    }
    return n;
}

template <class V>
VECDB_KERNEL void squared_norms(const Rows& rows, std::size_t count, float* norms) {
    for (std::size_t i = 0; i < count; ++i) {
        const float* const row[1] = {rows.base + i * rows.stride};
        distances<V, NegatedProduct, 1>(row[0], row, NothingAhead(), rows.dim, norms + i);
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

}  // namespace
}  // namespace vecdb::simd
