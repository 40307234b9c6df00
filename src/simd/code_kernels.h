#pragma once

/// \file
/// Kernels over short codes of rows, part of every KernelTable.
///
/// A code holds unsigned levels c of the dimensions of a row's *head* (all dimensions, or the
/// leading ones after a rotation) and four half-precision factors: norm N, scale s, error E, tail
/// T. It is scored against signed bytes Q that stand for a query, by the integer
///
///     raw = sum Q_d c_d
///
/// and from it, in float, in this order with fused multiply-adds where the level has them,
///
///     score = ((a + w N) - s (b raw + c)) - e E - t T
///
/// The constants belong to the query. With c, e and t from the error bound the score is a lower
/// bound of a distance; with e = t = 0 it is an estimate. src/index/codes.h says how both are made.
///
/// - raw is the same number on every level. |Q| <= 127 and c <= 127 (4, 5, 7 bits), or c in
///   [1, 255] standing for c - 128 (8 bits, where raw = sum Q_d (c_d - 128)).
/// - On one level a row's score depends on its code and the query alone, not on its place, the list
///   or the kernel. A score that is not a number is kept, as -infinity.
/// - Factors are finite.
///
/// Code *rows* are for lists of rows (walks, filters): row i at base + i * stride, stride a
/// multiple of 64, base aligned to 64. The last 8 bytes are N, s, E, T; before them lie the levels,
/// in area = stride - 8 bytes:
/// - 7 and 8 bits: byte i holds dimension i; dims <= area.
/// - 4 bits: the low half of byte i holds dimension i, the high half dimension area + i;
///   dims <= 2 area.
/// - 5 bits: with n = area * 4 / 5 rounded down to a multiple of 4: bytes [0, n) hold the low
///   4 bits of dimensions i and n + i as above; bit i % 8 of byte n + i / 8 holds bit 4 of
///   dimension i; dims <= 2 n.
/// Unused levels are 0, and their Q is 0.
///
/// Code *blocks* are for ranges of rows (scans, lists): 32 rows in `groups` * 128 + 256 bytes, 4
/// bits a level, dims <= 8 * groups. For group g and half h, the 64 bytes at (2 g + h) * 64 hold in
/// byte 4 r + j the levels of row 16 h + r: low half dimension 8 g + j, high half 8 g + 4 + j. Then
/// come N, s, E, T of all 32 rows, 64 bytes each. Blocks follow each other, aligned to 64.
///
/// *Product codes* have no factors: a row is one of 16 words in each of several codebooks, its sum
///
///     sum over the codebooks m of tables[16 m + word of m]
///
/// with 8-bit tables that a query fills. Largest entries of all codebooks sum up to at most 65,535,
/// so no sum leaves 16 bits, and it is the same number on every level. Blocks have 32 rows in
/// `groups` * 64 bytes, for up to 4 * groups codebooks: byte 64 g + 16 j + r has the words of
/// codebook 4 g + j, row r in its low half, row 16 + r in its high half. Codebooks that are left
/// over have zeros in the tables.
///
/// Threads: as in kernel_table.h.

#include <cstddef>
#include <cstdint>

namespace vecdb::simd {

inline constexpr std::size_t kBlockRows = 32;
inline constexpr std::size_t kFactorBytes = 8;  ///< Of one row: four halves.

/// A query made ready for codes of one layout.
struct CodeQuery {
    /// Rows, 7 and 8 bits: stride bytes, Q_d at d. Rows, 4 bits: 2 * stride bytes, Q of the low
    /// halves from 0, of the high halves from stride. Rows, 5 bits: the same (high halves of bytes
    /// [0, n)), then stride * 8 bytes: Q_d at 2 * stride + d for the bit plane, times 16 in raw.
    /// Blocks: 8 * groups bytes, Q_d at d. Aligned to 64; zeros where there is no level.
    const std::int8_t* levels;
    float a, w, b, c, e, t;
};

/// Code rows in memory.
struct CodeRows {
    const std::uint8_t* base;
    std::size_t stride;
};

/// Code blocks in memory.
struct CodeBlocks {
    const std::uint8_t* base;
    std::size_t groups;

    [[nodiscard]] std::size_t bytes() const noexcept { return groups * 128 + 256; }
};

/// Blocks of product codes in memory.
struct ProductBlocks {
    const std::uint8_t* base;
    std::size_t groups;

    [[nodiscard]] std::size_t bytes() const noexcept { return groups * 64; }
};

struct Kept;

/// Score rows [0, count) of consecutive blocks and keep, in ascending order, those whose score is
/// not above threshold. Row r lies in block r / 32. Reads ahead. Returns how many were kept;
/// `kept` has room for count rounded up to a multiple of 32.
using BlockScoreKernel = std::size_t (*)(const CodeQuery& query,
                                         const CodeBlocks& blocks,
                                         std::size_t count,
                                         float threshold,
                                         const Kept& kept);

/// One query's part in a scan of blocks for several.
struct BlockScan {
    const CodeQuery* query;
    float threshold;
    const Kept* kept;
    std::size_t count;  ///< Set by the kernel: how many were kept.
};

/// Do for each of two queries what a BlockScoreKernel does, reading the codes once.
using BlockPairKernel = void (*)(BlockScan (&scans)[2],
                                 const CodeBlocks& blocks,
                                 std::size_t count);

/// Score the listed rows, in the order of the list, the same way. Row list[i + ahead] is asked for
/// when row i is scored; 0 asks for nothing. `kept` has room for count rounded up to a multiple of
/// 16.
using RowScoreKernel = std::size_t (*)(const CodeQuery& query,
                                       const CodeRows& rows,
                                       const std::uint32_t* list,
                                       std::size_t count,
                                       std::size_t ahead,
                                       float threshold,
                                       const Kept& kept);

/// Sum up rows [0, count) of consecutive blocks of product codes and keep, in ascending order,
/// those whose sum is at most `limit`, with the sum as their distance. `tables` has groups * 64
/// bytes and is aligned to 64. Reads ahead. Returns how many were kept; writes nothing else.
using ProductBlockKernel = std::size_t (*)(const std::uint8_t* tables,
                                           const ProductBlocks& blocks,
                                           std::size_t count,
                                           std::uint32_t limit,
                                           const Kept& kept);

/// All code kernels of one level.
struct CodeKernels {
    BlockScoreKernel block4;
    BlockPairKernel block4_pair;
    RowScoreKernel row4;
    RowScoreKernel row5;
    RowScoreKernel row7;
    RowScoreKernel row8;
    ProductBlockKernel product4;
};

/// Mark the bits of the listed rows in `visited` and write those that were not marked to `fresh`,
/// in order; asks for the first `lines` cache lines of the code row of each. Returns their number.
/// `fresh` has room for count rounded up to a multiple of 16; no row but a marked one may stand in
/// the list twice.
using VisitKernel = std::size_t (*)(const std::uint32_t* list,
                                    std::size_t count,
                                    std::uint64_t* visited,
                                    const CodeRows& rows,
                                    std::size_t lines,
                                    std::uint32_t* fresh);

/// Insert `key` into the ascending keys [0, size), dropping the last one. size is a multiple of 8,
/// keys are aligned to 64 bytes, and keys[-1 .. -8] may be read and written.
/// Returns the place it took, or size when it is not below the last key.
using InsertKeyKernel = std::size_t (*)(std::uint64_t* keys, std::size_t size, std::uint64_t key);

/// The steps of a graph walk.
struct WalkKernels {
    VisitKernel visit;
    InsertKeyKernel insert;
};

}  // namespace vecdb::simd
