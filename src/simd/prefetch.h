#pragma once

/// \file
/// Asking for the memory of rows that a distance kernel comes to later.
/// Included by the files in arch/ only; internal linkage throughout.

#include "simd/prefetches.h"

#include <cstddef>

namespace vecdb::simd {
namespace {

inline constexpr std::size_t kLineBytes = 64;

/// Elements of a cache line.
template <class Element>
inline constexpr std::size_t kPerLine = kLineBytes / sizeof(Element);

VECDB_PREFETCHES void prefetch(const void* p) {
    __builtin_prefetch(p, 0, 3);
}

/// Ask for the lines that begin in elements [i, i + Count) of p.
template <std::size_t Count, class Element>
VECDB_PREFETCHES void prefetch_lines(const Element* p, std::size_t i) {
    if constexpr (Count >= kPerLine<Element>) {
        for (std::size_t line = 0; line < Count; line += kPerLine<Element>)
            prefetch(p + i + line);
    } else {
        if (i % kPerLine<Element> < Count) prefetch(p + i);
    }
}

/// Ask for R rows that lie one after the other, in the order of memory.
template <class Element, std::size_t R>
struct StreamAhead {
    const Element* first;

    template <std::size_t Count>
    VECDB_PREFETCHES void step(std::size_t i, std::size_t r) const {
        prefetch_lines<Count>(first, R * i + r * Count);
    }
    VECDB_PREFETCHES void rest(std::size_t i, std::size_t count) const {
        for (std::size_t at = R * i; at < R * count; at += kPerLine<Element>)
            prefetch(first + at);
    }
};

/// Ask for R rows that lie anywhere.
template <class Element, std::size_t R>
struct ScatteredAhead {
    const Element* rows[R];

    template <std::size_t Count>
    VECDB_PREFETCHES void step(std::size_t i, std::size_t r) const {
        prefetch_lines<Count>(rows[r], i);
    }
    VECDB_PREFETCHES void rest(std::size_t i, std::size_t count) const {
        if (i == count) return;
        for (std::size_t r = 0; r < R; ++r) {
            // Lines that begin at the multiples of a line from the row's start, and its last one.
            for (std::size_t at = i; at < count; at += kPerLine<Element>)
                prefetch(rows[r] + at);
            prefetch(rows[r] + count - 1);
        }
    }
};

/// Ask for nothing.
struct NothingAhead {
    template <std::size_t Count>
    void step(std::size_t, std::size_t) const {}
    void rest(std::size_t, std::size_t) const {}
};

}  // namespace
}  // namespace vecdb::simd
