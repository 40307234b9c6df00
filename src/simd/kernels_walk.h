#pragma once

/// \file
/// The steps of a graph walk beside the distances, in plain C++ that compilers turn into each
/// level's vector code. Contract: code_kernels.h.
/// Included by the files in arch/ only; internal linkage throughout.

#include "simd/code_kernels.h"
#include "simd/kernels_codes.h"

#include <cstddef>
#include <cstdint>

namespace vecdb::simd {
namespace {

inline constexpr std::size_t kKeyBlock = 8;

VECDB_KERNEL inline std::size_t visit(const std::uint32_t* list,
                                      std::size_t count,
                                      std::uint64_t* visited,
                                      const CodeRows& rows,
                                      std::size_t lines,
                                      std::uint32_t* fresh) {
    // No branch on the bits: they cannot be predicted.
    std::size_t n = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t row = list[i];
        const std::uint64_t word = visited[row / 64];
        fresh[n] = row;
        n += static_cast<std::size_t>(~word >> (row % 64) & 1U);
        visited[row / 64] = word | std::uint64_t{1} << (row % 64);
    }
    if (lines == 1) {
        for (std::size_t i = 0; i < n; ++i)
            __builtin_prefetch(rows.base + fresh[i] * rows.stride, 0, 3);
    } else {
        for (std::size_t i = 0; i < n; ++i)
            prefetch_code(rows.base + fresh[i] * rows.stride, lines * kCodeLine);
    }
    return n;
}

/// Move the keys of one block that are above `key` up by one place, and `key` to where they begin.
/// Returns how many keys of the block are not above it.
inline std::size_t insert_in_block(std::uint64_t* keys, std::uint64_t key) {
    std::uint64_t moved[kKeyBlock];
    std::uint64_t not_above = 0;
    for (std::size_t j = 0; j < kKeyBlock; ++j) {
        const std::uint64_t old = keys[j];
        const std::uint64_t left = *(keys + j - 1);
        const std::uint64_t lower = old < key ? old : key;
        moved[j] = left > lower ? left : lower;
        not_above += old <= key ? 1U : 0U;
    }
    for (std::size_t j = 0; j < kKeyBlock; ++j)
        keys[j] = moved[j];
    return not_above;
}

VECDB_KERNEL inline std::size_t insert_key(std::uint64_t* keys,
                                           std::size_t size,
                                           std::uint64_t key) {
    if (size == 0 || keys[size - 1] <= key) return size;
    keys[-1] = 0;  // below every key: the place before the first one ends the loop
    std::size_t block = size;
    std::size_t not_above = 0;
    do {
        block -= kKeyBlock;
        not_above = insert_in_block(keys + block, key);
    } while (keys[static_cast<std::ptrdiff_t>(block) - 1] > key);
    return block + not_above;
}

constexpr WalkKernels walk_kernels() {
    return {.visit = visit, .insert = insert_key};
}

}  // namespace
}  // namespace vecdb::simd
