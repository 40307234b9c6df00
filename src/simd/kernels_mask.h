#pragma once

/// \file
/// From a mask to the numbers of its rows. Contract: kernel_table.h.
/// Included by the files in arch/ only; internal linkage throughout.

#include "simd/kernel_table.h"
#include "simd/kernels.h"

#include <cstddef>
#include <cstdint>

namespace vecdb::simd {
namespace {

/// Append the numbers of the set bits of a word whose bit 0 is row `base`. Taking bits in fixed
/// numbers, to spare the branch that cannot be predicted, is no faster (bench/NOTES.md).
inline std::size_t list_bits(std::uint64_t bits,
                             std::size_t base,
                             std::uint32_t* rows,
                             std::size_t n) {
    const auto first = static_cast<std::uint32_t>(base);
    for (; bits != 0; bits &= bits - 1)
        rows[n++] = first + static_cast<std::uint32_t>(__builtin_ctzll(bits));
    return n;
}

VECDB_KERNEL inline std::size_t list_rows(const RowMask& mask,
                                          std::size_t& first,
                                          std::size_t last,
                                          std::uint32_t* list) {
    constexpr std::size_t kWords = kListedAtOnce / 64;
    std::size_t n = 0;
    std::size_t row = first;
    while (row < last && n < kListedRows) {
        if (row % 64 == 0 && last - row >= kListedAtOnce) {
            std::uint64_t words[kWords];
            std::uint64_t any = 0;
            for (std::size_t w = 0; w < kWords; ++w) {
                words[w] = mask.word(row / 64 + w);
                any |= words[w];
            }
            for (std::size_t w = 0; any != 0 && w < kWords; ++w)
                n = list_bits(words[w], row + w * 64, list, n);
            row += kListedAtOnce;
            continue;
        }
        const std::size_t start = row / 64 * 64;
        std::uint64_t bits = mask.word(row / 64) & ~std::uint64_t{0} << (row - start);
        if (last - start < 64) bits &= (std::uint64_t{1} << (last - start)) - 1;
        n = list_bits(bits, start, list, n);
        row = start + 64;
    }
    first = row < last ? row : last;
    return n;
}

}  // namespace
}  // namespace vecdb::simd
