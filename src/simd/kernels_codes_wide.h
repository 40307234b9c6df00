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
VECDB_PREFETCHES void ask_ahead(const CodeRows& rows,
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

/// Sums of a block's rows for kQueries queries.
template <class Lanes, std::size_t kQueries>
using BlockSums = typename Lanes::Sums[kQueries][kBlockRegisters<Lanes>];

/// Add the products of kGroups groups of a block, kPartProducts at most.
template <class Lanes, std::size_t kGroups, std::size_t kQueries>
inline void add_groups(const std::int8_t* const (&levels)[kQueries],
                       std::size_t first_level,
                       const std::uint8_t* groups,
                       BlockSums<Lanes, kQueries>& sums) {
    static_assert(2 * kGroups <= kPartProducts);
    constexpr std::size_t kVectors = kBlockRegisters<Lanes>;
    typename Lanes::Part parts[kQueries][kVectors];
    for (auto& of_query : parts) {
        for (auto& part : of_query)
            part = Lanes::no_part();
    }
#pragma GCC unroll 4
    for (std::size_t g = 0; g < kGroups; ++g, groups += kGroupBytes, first_level += kGroupLevels) {
        __builtin_prefetch(groups + kBlockAhead, 0, 3);
        __builtin_prefetch(groups + kBlockAhead + kCodeLine, 0, 3);
        typename Lanes::Bytes low[kQueries];
        typename Lanes::Bytes high[kQueries];
#pragma GCC unroll 2
        for (std::size_t q = 0; q < kQueries; ++q) {
            low[q] = Lanes::load4(levels[q] + first_level);
            high[q] = Lanes::load4(levels[q] + first_level + 4);
        }
#pragma GCC unroll 8
        for (std::size_t v = 0; v < kVectors; ++v) {
            const auto codes = Lanes::load(groups + v * Lanes::kWidth);
            const auto low_codes = Lanes::low_halves(codes);
            const auto high_codes = Lanes::high_halves(codes);
#pragma GCC unroll 2
            for (std::size_t q = 0; q < kQueries; ++q) {
                parts[q][v] = Lanes::add_small(parts[q][v], low_codes, low[q]);
                parts[q][v] = Lanes::add_small(parts[q][v], high_codes, high[q]);
            }
        }
    }
#pragma GCC unroll 2
    for (std::size_t q = 0; q < kQueries; ++q) {
#pragma GCC unroll 8
        for (std::size_t v = 0; v < kVectors; ++v)
            sums[q][v] = Lanes::widen(sums[q][v], parts[q][v]);
    }
}

/// Compute raw of the 32 rows of a block.
template <class Lanes, std::size_t kQueries>
inline void block_sums(const std::int8_t* const (&levels)[kQueries],
                       const std::uint8_t* block,
                       std::size_t groups,
                       BlockSums<Lanes, kQueries>& sums) {
    for (auto& of_query : sums) {
        for (auto& sum : of_query)
            sum = Lanes::no_sums();
    }
    std::size_t g = 0;
    for (; g + 4 <= groups; g += 4)
        add_groups<Lanes, 4>(levels, g * kGroupLevels, block + g * kGroupBytes, sums);
    if (groups & 2U) {
        add_groups<Lanes, 2>(levels, g * kGroupLevels, block + g * kGroupBytes, sums);
        g += 2;
    }
    if (groups & 1U) add_groups<Lanes, 1>(levels, g * kGroupLevels, block + g * kGroupBytes, sums);
}

/// What a scan of blocks looks for, in registers, and what it has kept.
template <class Lanes>
struct BlockSelection {
    explicit BlockSelection(const BlockScan& scan)
        : scorer(*scan.query), limit(Lanes::broadcast(scan.threshold)), kept(*scan.kept) {}

    /// Keep those rows of a block, from row `first` on, whose bits are set in `mask`.
    void keep(const typename Lanes::Floats (&scores)[kBlockRegisters<Lanes>],
              std::size_t first,
              std::uint32_t mask) {
        constexpr std::uint32_t kLanes = (1U << Lanes::kGroup) - 1;
#pragma GCC unroll 8
        for (std::size_t v = 0; v < kBlockRegisters<Lanes>; ++v) {
            const auto numbers =
                Lanes::count_from(static_cast<std::uint32_t>(first + v * Lanes::kGroup));
            n = Lanes::keep(numbers, scores[v], mask >> (v * Lanes::kGroup) & kLanes, kept, n);
        }
    }

    const Scorer<Lanes> scorer;
    const typename Lanes::Floats limit;
    const Kept kept;
    std::size_t n = 0;
};

/// Score the 32 rows of a block for each selection and return which rows are not above its limit.
template <class Lanes, std::size_t kQueries>
inline void block_scores(const BlockSelection<Lanes> (&selections)[kQueries],
                         const BlockSums<Lanes, kQueries>& sums,
                         const std::uint8_t* factors,
                         typename Lanes::Floats (&scores)[kQueries][kBlockRegisters<Lanes>],
                         std::uint32_t (&masks)[kQueries]) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kBlockRegisters<Lanes>; ++v, factors += 2 * Lanes::kGroup) {
        const GroupFactors<typename Lanes::Floats> group = {Lanes::load_halves(factors),
                                                            Lanes::load_halves(factors + 64),
                                                            Lanes::load_halves(factors + 128),
                                                            Lanes::load_halves(factors + 192)};
#pragma GCC unroll 2
        for (std::size_t q = 0; q < kQueries; ++q) {
            scores[q][v] = selections[q].scorer(sums[q][v], group);
            masks[q] |= Lanes::not_above(scores[q][v], selections[q].limit) << (v * Lanes::kGroup);
        }
    }
}

/// Score blocks for one query or two (BlockScan) at once.
template <class Lanes, class... Scans>
inline void scan_blocks(const CodeBlocks& blocks, std::size_t count, Scans&... scans) {
    constexpr std::size_t kQueries = sizeof...(Scans);
    BlockSelection<Lanes> selections[] = {BlockSelection<Lanes>(scans)...};
    const std::int8_t* const levels[] = {scans.query->levels...};
    const std::uint8_t* block = blocks.base;
    for (std::size_t first = 0; first < count; first += kBlockRows, block += blocks.bytes()) {
        BlockSums<Lanes, kQueries> sums;
        block_sums<Lanes, kQueries>(levels, block, blocks.groups, sums);
        typename Lanes::Floats scores[kQueries][kBlockRegisters<Lanes>];
        std::uint32_t masks[kQueries] = {};
        block_scores<Lanes, kQueries>(
            selections, sums, block + blocks.groups * kGroupBytes, scores, masks);
        const std::uint32_t wanted = count - first < kBlockRows ? (1U << (count - first)) - 1 : ~0U;
#pragma GCC unroll 2
        for (std::size_t q = 0; q < kQueries; ++q) {
            if ((masks[q] & wanted) != 0) selections[q].keep(scores[q], first, masks[q] & wanted);
        }
    }
    const BlockSelection<Lanes>* selection = selections;
    ((scans.count = selection++->n), ...);
}

template <class Lanes>
VECDB_KERNEL std::size_t wide_block4(const CodeQuery& query,
                                     const CodeBlocks& blocks,
                                     std::size_t count,
                                     float threshold,
                                     const Kept& kept) {
    BlockScan scan = {&query, threshold, &kept, 0};
    scan_blocks<Lanes>(blocks, count, scan);
    return scan.count;
}

template <class Lanes>
VECDB_KERNEL void wide_block4_pair(BlockScan (&scans)[2],
                                   const CodeBlocks& blocks,
                                   std::size_t count) {
    if constexpr (kBlockRegisters<Lanes> <= 4) {  // the sums of both fit the registers
        scan_blocks<Lanes>(blocks, count, scans[0], scans[1]);
    } else {
        scan_blocks<Lanes>(blocks, count, scans[0]);
        scan_blocks<Lanes>(blocks, count, scans[1]);
    }
}

template <class Lanes>
constexpr CodeKernels wide_code_kernels() {
    return {.block4 = wide_block4<Lanes>,
            .block4_pair = wide_block4_pair<Lanes>,
            .row4 = wide_rows<Lanes, WideRow4>,
            .row5 = wide_rows<Lanes, WideRow5>,
            .row7 = wide_rows<Lanes, WideRow7>,
            .row8 = wide_rows<Lanes, WideRow8>,
            .product4 = product4_kernel<Lanes>()};
}

}  // namespace
}  // namespace vecdb::simd
