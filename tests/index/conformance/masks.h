#pragma once

/// \file
/// Which rows a search may return, in every shape that indexes treat differently.

#include <vecdb/index.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vecdb::test {

/// Own the bits of a RowFilter. Bits past the last row are set: they must not matter.
struct Mask {
    std::string name;
    std::vector<std::uint64_t> allowed;     ///< Empty: all rows.
    std::vector<std::uint64_t> tombstones;  ///< Empty: none.
    std::size_t allowed_rows = 0;

    [[nodiscard]] RowFilter filter() const noexcept {
        return {allowed.empty() ? nullptr : allowed.data(),
                tombstones.empty() ? nullptr : tombstones.data()};
    }
};

/// Make the masks "none", "50 %", "10 %", "1 %", "one row", "no row", "tombstones" and "both".
[[nodiscard]] std::vector<Mask> make_masks(std::size_t rows, std::uint64_t seed);

}  // namespace vecdb::test
