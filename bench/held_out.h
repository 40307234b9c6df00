#pragma once

/// \file
/// Rows of a file to be searched, and some that are held out as queries.

#include <vecdb/dataset_io.h>
#include <vecdb/views.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace vecdb::bench {

/// The first rows of a file; every (rows / queries)-th is a query and no row.
struct HeldOut {
    /// \param most_rows  of the file that are looked at. Throws Error.
    HeldOut(const std::string& path, std::size_t most_rows, std::size_t most_queries) {
        const FloatMatrix all = read_floats(path).value();
        dim = all.view().dim();
        const std::size_t count = std::min(all.view().rows(), most_rows);
        const std::size_t step = std::max<std::size_t>(count / most_queries, 2);
        for (std::size_t row = 0; row < count; ++row) {
            const float* const values = all.view().row<float>(row);
            const bool held_out = row % step == step / 2 && queries.size() < most_queries * dim;
            auto& into = held_out ? queries : rows;
            into.insert(into.end(), values, values + dim);
        }
    }
    [[nodiscard]] VectorView query(std::size_t i) const {
        return std::span(queries).subspan(i * dim, dim);
    }

    std::size_t dim = 0;
    std::vector<float> rows;     ///< Packed.
    std::vector<float> queries;  ///< Packed.
};

}  // namespace vecdb::bench
