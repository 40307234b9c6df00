#pragma once

/// \file
/// The kernel over blocks of product codes: 16-entry tables looked up by byte shuffles, sums of
/// 16 bits. F. André et al., "Cache locality is not enough: high-performance nearest neighbor
/// search with product quantization fast scan", VLDB 2015. Contract: code_kernels.h.
/// Included by the files in arch/ only; internal linkage throughout.
///
/// `Lanes` (code_lanes_*.h) that have byte shuffles offer, beside what kernels_codes_wide.h names:
/// - look_up: each byte of a register replaced by an entry of the 16 bytes of tables that lie in
///   the same quarter, half or whole of another register;
/// - Words: 16-bit sums of bytes (no_words, add_bytes), those of the 16 rows of a register's parts
///   added up by store_words; words_not_above: a bit for each of 32 sums.

#include "simd/code_kernels.h"
#include "simd/kernels.h"

#include <cstddef>
#include <cstdint>

namespace vecdb::simd {
namespace {

/// Bytes of four codebooks of a block, or of their tables.
inline constexpr std::size_t kProductGroup = 64;
inline constexpr std::size_t kTableEntries = 16;
/// How far ahead blocks are asked for, in bytes.
inline constexpr std::size_t kProductAhead = 4'096;

/// Append the rows of a mask.
inline std::size_t keep_sums(const std::uint16_t* sums,
                             std::uint32_t mask,
                             std::size_t first,
                             const Kept& kept,
                             std::size_t n) {
    for (; mask != 0; mask &= mask - 1, ++n) {
        const auto row = static_cast<std::size_t>(__builtin_ctz(mask));
        kept.rows[n] = static_cast<std::uint32_t>(first + row);
        kept.distances[n] = static_cast<float>(sums[row]);
    }
    return n;
}

/// How a level without byte shuffles sums up a block.
struct PlainProduct {
    static void sum(const std::uint8_t* tables,
                    const std::uint8_t* block,
                    std::size_t groups,
                    std::uint16_t* sums) {
        constexpr std::size_t kHalf = kBlockRows / 2;
        std::uint32_t wide[kBlockRows] = {};
        for (std::size_t m = 0; m < 4 * groups; ++m, tables += kTableEntries, block += kHalf) {
            for (std::size_t r = 0; r < kHalf; ++r) {
                wide[r] += tables[block[r] & 15];
                wide[kHalf + r] += tables[block[r] >> 4];
            }
        }
        for (std::size_t r = 0; r < kBlockRows; ++r)
            sums[r] = static_cast<std::uint16_t>(wide[r]);
    }
    static std::uint32_t not_above(const std::uint16_t* sums, std::uint16_t limit) {
        std::uint32_t mask = 0;
        for (std::size_t r = 0; r < kBlockRows; ++r)
            mask |= static_cast<std::uint32_t>(sums[r] <= limit) << r;
        return mask;
    }
};

/// The same by the shuffles of a level.
template <class Lanes>
struct WideProduct {
    static void sum(const std::uint8_t* tables,
                    const std::uint8_t* block,
                    std::size_t groups,
                    std::uint16_t* sums) {
        typename Lanes::Words first = Lanes::no_words();
        typename Lanes::Words second = Lanes::no_words();
        for (std::size_t g = 0; g < groups; ++g) {
            __builtin_prefetch(block + kProductAhead, 0, 3);
#pragma GCC unroll 4
            for (std::size_t v = 0; v < kProductGroup / Lanes::kWidth; ++v) {
                const auto table = Lanes::load(tables + v * Lanes::kWidth);
                const auto words = Lanes::load(block + v * Lanes::kWidth);
                first = Lanes::add_bytes(first, Lanes::look_up(table, Lanes::low_halves(words)));
                second = Lanes::add_bytes(second, Lanes::look_up(table, Lanes::high_halves(words)));
            }
            tables += kProductGroup;
            block += kProductGroup;
        }
        Lanes::store_words(first, sums);
        Lanes::store_words(second, sums + kBlockRows / 2);
    }
    static std::uint32_t not_above(const std::uint16_t* sums, std::uint16_t limit) {
        return Lanes::words_not_above(sums, limit);
    }
};

template <class Product>
VECDB_KERNEL std::size_t product4(const std::uint8_t* tables,
                                  const ProductBlocks& blocks,
                                  std::size_t count,
                                  std::uint32_t limit,
                                  const Kept& kept) {
    const auto most = static_cast<std::uint16_t>(limit < 0xFFFFU ? limit : 0xFFFFU);
    const std::uint8_t* block = blocks.base;
    std::size_t n = 0;
    for (std::size_t first = 0; first < count; first += kBlockRows, block += blocks.bytes()) {
        alignas(64) std::uint16_t sums[kBlockRows];
        Product::sum(tables, block, blocks.groups, sums);
        std::uint32_t mask = Product::not_above(sums, most);
        if (count - first < kBlockRows) mask &= (1U << (count - first)) - 1;
        n = keep_sums(sums, mask, first, kept, n);
    }
    return n;
}

inline constexpr ProductBlockKernel kPlainProduct4 = product4<PlainProduct>;

/// Return the kernel of a level, the plain one where it cannot look up bytes.
template <class Lanes>
constexpr ProductBlockKernel product4_kernel() {
    if constexpr (requires { typename Lanes::Words; }) {
        return product4<WideProduct<Lanes>>;
    } else {
        return kPlainProduct4;
    }
}

}  // namespace
}  // namespace vecdb::simd
