#pragma once

/// \file
/// The steps of a graph walk beside the distances. Contract: code_kernels.h.
/// Included by the files in arch/ only; internal linkage throughout.

#include "simd/code_kernels.h"
#include "simd/kernels_codes.h"

#include <cstddef>
#include <cstdint>

#if defined(__AVX2__) && !defined(VECDB_SCALAR_ONLY)
#    include <immintrin.h>
#endif

namespace vecdb::simd {
namespace {

VECDB_KERNEL inline std::size_t visit(const std::uint32_t* list,
                                      std::size_t count,
                                      std::uint64_t* visited,
                                      const CodeRows& rows,
                                      std::size_t lines,
                                      std::uint32_t* fresh) {
    // No branch on the bits: they cannot be predicted. And none is set before all have been read:
    // neighbours lie in few words, and a load would wait for the store before it.
    std::size_t n = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t row = list[i];
        fresh[n] = row;
        n += static_cast<std::size_t>(~visited[row / 64] >> (row % 64) & 1U);
    }
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint32_t row = fresh[i];
        // Into the second level: more lines can be on their way to it than to the first.
        if (lines == 1) {
            __builtin_prefetch(rows.base + row * rows.stride, 0, 2);
        } else {
            prefetch_code(rows.base + row * rows.stride, lines * kCodeLine);
        }
        visited[row / 64] |= std::uint64_t{1} << (row % 64);
    }
    return n;
}

#if defined(__AVX512F__) && !defined(VECDB_SCALAR_ONLY)

/// Eight keys of the array.
struct KeyBlock {
    static constexpr std::size_t kKeys = 8;
    __m512i keys;

    static KeyBlock load(const std::uint64_t* p) { return {_mm512_load_si512(p)}; }
    static KeyBlock broadcast(std::uint64_t key) {
        return {_mm512_set1_epi64(static_cast<long long>(key))};
    }
    void store(std::uint64_t* p) const { _mm512_store_si512(p, keys); }
    /// Insert `key`, given the block to the left; return how many keys here are not above it.
    std::size_t insert(KeyBlock key, KeyBlock left, KeyBlock& moved) const {
        const __m512i lower = _mm512_alignr_epi64(keys, left.keys, 7);
        moved.keys = _mm512_max_epu64(lower, _mm512_min_epu64(keys, key.keys));
        return static_cast<std::size_t>(
            __builtin_popcount(_mm512_cmple_epu64_mask(keys, key.keys)));
    }
};

#elif defined(__AVX2__) && !defined(VECDB_SCALAR_ONLY)

struct KeyBlock {
    static constexpr std::size_t kKeys = 4;
    __m256i keys;

    static KeyBlock load(const std::uint64_t* p) {
        return {_mm256_load_si256(reinterpret_cast<const __m256i*>(p))};
    }
    static KeyBlock broadcast(std::uint64_t key) {
        return {_mm256_set1_epi64x(static_cast<long long>(key))};
    }
    void store(std::uint64_t* p) const { _mm256_store_si256(reinterpret_cast<__m256i*>(p), keys); }
    std::size_t insert(KeyBlock key, KeyBlock left, KeyBlock& moved) const {
        const __m256i lower =
            _mm256_alignr_epi8(keys, _mm256_permute2x128_si256(left.keys, keys, 0x21), 8);
        const __m256i above = is_above(keys, key.keys);
        const __m256i new_key = _mm256_blendv_epi8(key.keys, lower, is_above(lower, key.keys));
        moved.keys = _mm256_blendv_epi8(keys, new_key, above);
        return kKeys - static_cast<std::size_t>(__builtin_popcount(
                           static_cast<unsigned>(_mm256_movemask_pd(_mm256_castsi256_pd(above)))));
    }

  private:
    static __m256i is_above(__m256i a, __m256i b) {  // only signed numbers can be compared
        const __m256i flip = broadcast(std::uint64_t{1} << 63U).keys;
        return _mm256_cmpgt_epi64(_mm256_xor_si256(a, flip), _mm256_xor_si256(b, flip));
    }
};

#else

struct KeyBlock {
    static constexpr std::size_t kKeys = 4;
    std::uint64_t keys[kKeys];

    static KeyBlock load(const std::uint64_t* p) { return {{p[0], p[1], p[2], p[3]}}; }
    static KeyBlock broadcast(std::uint64_t key) { return {{key, key, key, key}}; }
    void store(std::uint64_t* p) const {
        for (std::size_t i = 0; i < kKeys; ++i)
            p[i] = keys[i];
    }
    std::size_t insert(const KeyBlock& key, const KeyBlock& left, KeyBlock& moved) const {
        std::size_t not_above = 0;
        for (std::size_t i = 0; i < kKeys; ++i) {
            const std::uint64_t before = i > 0 ? keys[i - 1] : left.keys[kKeys - 1];
            const std::uint64_t lower = keys[i] < key.keys[i] ? keys[i] : key.keys[i];
            moved.keys[i] = before > lower ? before : lower;
            not_above += keys[i] <= key.keys[i] ? 1U : 0U;
        }
        return not_above;
    }
};

#endif

/// From the end down, each block moves up by one key as far as it is above the new one. Blocks are
/// read whole and once, as they were written: CPUs forward no load from two stores, and one
/// insertion follows the other.
VECDB_KERNEL inline std::size_t insert_key(std::uint64_t* keys,
                                           std::size_t size,
                                           std::uint64_t key) {
    if (size == 0 || keys[size - 1] <= key) return size;
    const KeyBlock inserted = KeyBlock::broadcast(key);
    // Below every key: the place before the first one ends the loop.
    KeyBlock::broadcast(0).store(keys - KeyBlock::kKeys);
    std::uint64_t* block = keys + size;
    KeyBlock old = KeyBlock::load(block - KeyBlock::kKeys);
    std::size_t not_above = 0;
    do {
        block -= KeyBlock::kKeys;
        const KeyBlock left = KeyBlock::load(block - KeyBlock::kKeys);
        KeyBlock moved;
        not_above = old.insert(inserted, left, moved);
        moved.store(block);
        old = left;
    } while (*(block - 1) > key);
    return static_cast<std::size_t>(block - keys) + not_above;
}

constexpr WalkKernels walk_kernels() {
    return {.visit = visit, .insert = insert_key};
}

}  // namespace
}  // namespace vecdb::simd
