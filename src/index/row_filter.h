#pragma once

/// \file
/// Which rows of a block may be returned: the only place where a filter's rows and the removed
/// rows meet.

#include <cstddef>
#include <cstdint>

namespace vecdb::index {

/// View two optional bit masks over the rows of one block, bit i of word i / 64 for row i.
/// Threads: a value.
struct RowFilter {
    const std::uint64_t* allowed = nullptr;     ///< Rows a filter allows; null: all.
    const std::uint64_t* tombstones = nullptr;  ///< Removed rows; null: none.

    [[nodiscard]] bool allows_all() const noexcept {
        return allowed == nullptr && tombstones == nullptr;
    }
    /// Return rows [64 * word, 64 * word + 64) that may be returned.
    [[nodiscard]] std::uint64_t word(std::size_t word) const noexcept {
        const std::uint64_t may = allowed != nullptr ? allowed[word] : ~std::uint64_t{0};
        return tombstones != nullptr ? may & ~tombstones[word] : may;
    }
};

}  // namespace vecdb::index
