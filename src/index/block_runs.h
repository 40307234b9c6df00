#pragma once

/// \file
/// Which blocks of codes a filter leaves to scan.

#include "simd/code_kernels.h"

#include <vecdb/index.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace vecdb::index {

/// Return which rows of a block may be returned, bits past the last row undefined.
inline std::uint32_t allowed_of_block(const RowFilter& filter, std::size_t block) {
    return static_cast<std::uint32_t>(filter.word(block / 2) >> (block % 2 * simd::kBlockRows));
}

/// Call body(first, last) for the runs of blocks of [first, last) that allow any row, each of at
/// most `longest` blocks.
template <class Body>
void for_block_runs(const RowFilter& filter,
                    std::size_t first,
                    std::size_t last,
                    std::size_t longest,
                    Body&& body) {
    const bool all = filter.allows_all();
    while (first < last) {
        if (!all && allowed_of_block(filter, first) == 0) {
            ++first;
            continue;
        }
        std::size_t end = std::min(last, first + longest);
        if (!all) {
            std::size_t block = first + 1;
            while (block < end && allowed_of_block(filter, block) != 0)
                ++block;
            end = block;
        }
        body(first, end);
        first = end;
    }
}

}  // namespace vecdb::index
