#pragma once

/// \file
/// The code kernels over the registers of a level: a group of rows at a time, one row to a 32-bit
/// lane when it comes to scores. Contract: code_kernels.h.
/// Included by the files in arch/ only; internal linkage throughout.
///
/// `Lanes` (code_lanes_*.h) offers:
/// - kWidth, the bytes of a register, and kGroup, its 32-bit lanes;
/// - Bytes: load (aligned), load4 (four bytes, repeated), low_halves, high_halves, bits16 (16 where
///   a bit of kWidth / 8 bytes in memory is set, else 0);
/// - Part: sums of at most kPartProducts products of levels up to 16 with query bytes (no_part,
///   add_small), bytes 4 r to 4 r + 3 ending up in lane r of Sums (widen);
/// - Sums: 32-bit sums (no_sums, add7, add8: products of the bytes of 7- and 8-bit rows, in any
///   lane) and across: lane r is the sum of the lanes of sums[r];
/// - Floats (broadcast, to_floats, load_halves, multiply_add, negated_multiply_add, not_nan: minus
///   infinity for what is not a number), row_factors and not_above: a bit per lane;
/// - Numbers: row numbers (load_numbers, count_from) and keep, which appends the lanes of a mask,
///   writing up to kGroup elements.

#include "simd/kernels_code_layouts.h"
#include "simd/kernels_codes.h"

#include <cstddef>
#include <cstdint>

namespace vecdb::simd {
namespace {

/// Bytes of a group of a block: eight dimensions of its rows.
inline constexpr std::size_t kGroupBytes = 4 * kBlockRows;
inline constexpr std::size_t kGroupLevels = 8;
/// How far ahead blocks are asked for, in bytes.
inline constexpr std::size_t kBlockAhead = 4'096;

/// The factors of a group of rows.
template <class Floats>
struct GroupFactors {
    Floats norm, scale, error, tail;
};

/// The query's constants, one register each.
template <class Lanes>
struct Scorer {
    using Floats = typename Lanes::Floats;

    explicit Scorer(const CodeQuery& query)
        : a(Lanes::broadcast(query.a)),
          w(Lanes::broadcast(query.w)),
          b(Lanes::broadcast(query.b)),
          c(Lanes::broadcast(query.c)),
          e(Lanes::broadcast(query.e)),
          t(Lanes::broadcast(query.t)) {}

    Floats operator()(typename Lanes::Sums raw, const GroupFactors<Floats>& factors) const {
        const Floats linear = Lanes::multiply_add(b, Lanes::to_floats(raw), c);
        Floats score = Lanes::multiply_add(w, factors.norm, a);
        score = Lanes::negated_multiply_add(factors.scale, linear, score);
        score = Lanes::negated_multiply_add(e, factors.error, score);
        score = Lanes::negated_multiply_add(t, factors.tail, score);
        return Lanes::not_nan(score);
    }

    Floats a, w, b, c, e, t;
};

/// Append the lanes of a mask, one after the other.
inline std::size_t keep_lanes(const std::uint32_t* rows,
                              const float* scores,
                              std::size_t count,
                              std::uint32_t mask,
                              const Kept& kept,
                              std::size_t n) {
    for (std::size_t lane = 0; lane < count; ++lane) {
        kept.rows[n] = rows[lane];
        kept.distances[n] = scores[lane];
        n += mask >> lane & 1U;
    }
    return n;
}

/// A list of rows to go through.
struct RowList {
    const std::uint32_t* rows;
    std::size_t count;
    std::size_t ahead;
};

/// Ask for the rows that are `ahead` behind rows [first, first + group) of the list.
inline void ask_ahead(const CodeRows& rows,
                      std::size_t stride,
                      const RowList& list,
                      std::size_t first,
                      std::size_t group) {
    if (list.ahead == 0 || list.ahead >= list.count - first) return;
    const std::size_t begin = first + list.ahead;
    const std::size_t end = list.count - begin < group ? list.count : begin + group;
    for (std::size_t i = begin; i < end; ++i)
        prefetch_code(rows.base + list.rows[i] * stride, stride);
}

/// Compute the sums of a group of rows. Only rows of a known stride are worth unrolling.
template <class Lanes, class Layout>
inline void group_sums(const Layout& layout,
                       const std::uint8_t* const (&group)[Lanes::kGroup],
                       typename Lanes::Sums (&sums)[Lanes::kGroup]) {
    if constexpr (Layout::kKnownStride) {
#pragma GCC unroll 16
        for (std::size_t r = 0; r < Lanes::kGroup; ++r)
            sums[r] = layout(group[r]);
    } else {
#pragma GCC unroll 1
        for (std::size_t r = 0; r < Lanes::kGroup; ++r)
            sums[r] = layout(group[r]);
    }
}

/// Score the listed rows, a group at a time; a last group that is not full repeats its first row.
template <class Lanes, class Layout>
inline std::size_t select_code_rows(const CodeQuery& query,
                                    const CodeRows& rows,
                                    const RowList& list,
                                    float threshold,
                                    const Kept& kept) {
    constexpr std::size_t kGroupRows = Lanes::kGroup;
    const Layout layout(query.levels, rows.stride);
    const std::size_t stride = layout.stride();
    const Scorer<Lanes> scorer(query);
    const auto limit = Lanes::broadcast(threshold);
    std::size_t n = 0;
    std::uint32_t last[kGroupRows];
    for (std::size_t i = 0; i < list.count; i += kGroupRows) {
        const std::uint32_t* numbers = list.rows + i;
        std::uint32_t wanted = ~0U;
        if (list.count - i < kGroupRows) {
            for (std::size_t r = 0; r < kGroupRows; ++r)
                last[r] = numbers[r < list.count - i ? r : 0];
            numbers = last;
            wanted = (1U << (list.count - i)) - 1;
        }
        ask_ahead(rows, stride, list, i, kGroupRows);
        const std::uint8_t* group[kGroupRows];
        typename Lanes::Sums sums[kGroupRows];
#pragma GCC unroll 16
        for (std::size_t r = 0; r < kGroupRows; ++r)
            group[r] = rows.base + numbers[r] * stride;
        group_sums<Lanes>(layout, group, sums);
        const auto scores =
            scorer(Lanes::across(sums), Lanes::row_factors(group, stride - kFactorBytes));
        const std::uint32_t mask = Lanes::not_above(scores, limit) & wanted;
        n = Lanes::keep(Lanes::load_numbers(numbers), scores, mask, kept, n);
    }
    return n;
}

template <class Lanes, template <class, std::size_t> class Layout>
// NOLINTNEXTLINE(readability-function-size): the parameters of a RowScoreKernel
VECDB_KERNEL std::size_t wide_rows(const CodeQuery& query,
                                   const CodeRows& rows,
                                   const std::uint32_t* list,
                                   std::size_t count,
                                   std::size_t ahead,
                                   float threshold,
                                   const Kept& kept) {
    const RowList all = {list, count, ahead};
    if (rows.stride == 64)
        return select_code_rows<Lanes, Layout<Lanes, 64>>(query, rows, all, threshold, kept);
    if (rows.stride == 128)
        return select_code_rows<Lanes, Layout<Lanes, 128>>(query, rows, all, threshold, kept);
    return select_code_rows<Lanes, Layout<Lanes, 0>>(query, rows, all, threshold, kept);
}

/// Registers of a group of a block.
template <class Lanes>
inline constexpr std::size_t kBlockRegisters = kGroupBytes / Lanes::kWidth;

/// Add the products of kGroups groups of a block, kPartProducts at most.
template <class Lanes, std::size_t kGroups>
inline void add_groups(const std::int8_t* levels,
                       const std::uint8_t* groups,
                       typename Lanes::Sums (&sums)[kBlockRegisters<Lanes>]) {
    static_assert(2 * kGroups <= kPartProducts);
    typename Lanes::Part parts[kBlockRegisters<Lanes>];
    for (auto& part : parts)
        part = Lanes::no_part();
#pragma GCC unroll 4
    for (std::size_t g = 0; g < kGroups; ++g, groups += kGroupBytes, levels += kGroupLevels) {
        __builtin_prefetch(groups + kBlockAhead, 0, 3);
        __builtin_prefetch(groups + kBlockAhead + kCodeLine, 0, 3);
        const auto low = Lanes::load4(levels);
        const auto high = Lanes::load4(levels + 4);
#pragma GCC unroll 8
        for (std::size_t v = 0; v < kBlockRegisters<Lanes>; ++v) {
            const auto codes = Lanes::load(groups + v * Lanes::kWidth);
            parts[v] = Lanes::add_small(parts[v], Lanes::low_halves(codes), low);
            parts[v] = Lanes::add_small(parts[v], Lanes::high_halves(codes), high);
        }
    }
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kBlockRegisters<Lanes>; ++v)
        sums[v] = Lanes::widen(sums[v], parts[v]);
}

/// Compute raw of the 32 rows of a block.
template <class Lanes>
inline void block_sums(const std::int8_t* levels,
                       const std::uint8_t* block,
                       std::size_t groups,
                       typename Lanes::Sums (&sums)[kBlockRegisters<Lanes>]) {
    for (auto& sum : sums)
        sum = Lanes::no_sums();
    for (std::size_t fours = groups / 4; fours > 0; --fours) {
        add_groups<Lanes, 4>(levels, block, sums);
        levels += 4 * kGroupLevels;
        block += 4 * kGroupBytes;
    }
    if (groups & 2U) {
        add_groups<Lanes, 2>(levels, block, sums);
        levels += 2 * kGroupLevels;
        block += 2 * kGroupBytes;
    }
    if (groups & 1U) add_groups<Lanes, 1>(levels, block, sums);
}

template <class Lanes>
VECDB_KERNEL std::size_t wide_block4(const CodeQuery& query,
                                     const CodeBlocks& blocks,
                                     std::size_t count,
                                     float threshold,
                                     const Kept& kept) {
    constexpr std::size_t kVectors = kBlockRegisters<Lanes>;
    constexpr std::uint32_t kLanes = (1U << Lanes::kGroup) - 1;
    const Scorer<Lanes> scorer(query);
    const auto limit = Lanes::broadcast(threshold);
    const std::uint8_t* block = blocks.base;
    std::size_t n = 0;
    for (std::size_t first = 0; first < count; first += kBlockRows, block += blocks.bytes()) {
        typename Lanes::Sums sums[kVectors];
        block_sums<Lanes>(query.levels, block, blocks.groups, sums);
        typename Lanes::Floats scores[kVectors];
        std::uint32_t mask = 0;
        const std::uint8_t* factors = block + blocks.groups * kGroupBytes;
#pragma GCC unroll 8
        for (std::size_t v = 0; v < kVectors; ++v, factors += 2 * Lanes::kGroup) {
            scores[v] = scorer(sums[v],
                               {Lanes::load_halves(factors),
                                Lanes::load_halves(factors + 64),
                                Lanes::load_halves(factors + 128),
                                Lanes::load_halves(factors + 192)});
            mask |= Lanes::not_above(scores[v], limit) << (v * Lanes::kGroup);
        }
        if (count - first < kBlockRows) mask &= (1U << (count - first)) - 1;
        if (mask == 0) continue;
#pragma GCC unroll 8
        for (std::size_t v = 0; v < kVectors; ++v) {
            const auto numbers =
                Lanes::count_from(static_cast<std::uint32_t>(first + v * Lanes::kGroup));
            n = Lanes::keep(numbers, scores[v], mask >> (v * Lanes::kGroup) & kLanes, kept, n);
        }
    }
    return n;
}

template <class Lanes>
constexpr CodeKernels wide_code_kernels() {
    return {.block4 = wide_block4<Lanes>,
            .row4 = wide_rows<Lanes, WideRow4>,
            .row5 = wide_rows<Lanes, WideRow5>,
            .row7 = wide_rows<Lanes, WideRow7>,
            .row8 = wide_rows<Lanes, WideRow8>,
            .product4 = product4_kernel<Lanes>()};
}

}  // namespace
}  // namespace vecdb::simd
