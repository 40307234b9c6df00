#pragma once

/// \file
/// Options that several commands share, and reading the files they name. All functions throw
/// CommandError.

#include <vecdb/dataset_io.h>
#include <vecdb/filter.h>
#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace vecdb::cli {

/// How rows are compared and found.
struct SearchSettings {
    std::string metric_name = "l2";
    std::size_t k = 10;
    /// 0: as many as the machine has.
    std::size_t threads = 1;
    /// A file of one yes or no per row; empty: all rows are allowed.
    std::string allowed_path;

    [[nodiscard]] Metric metric() const;
    /// Return the number of threads, 0 replaced by the machine's.
    [[nodiscard]] std::size_t thread_count() const;
};

/// Add --metric, --k, --threads and --allowed to a command.
void add_search_settings(CLI::App& command, SearchSettings& settings);

/// Which rows may be returned.
struct Allowed {
    Filter filter;
    /// One yes or no per row; empty when all are allowed.
    std::vector<std::uint8_t> mask;
    std::size_t count = 0;

    [[nodiscard]] bool test(std::size_t row) const noexcept {
        return mask.empty() || mask[row] != 0;
    }
};

/// Read the mask of a data set of `rows` rows; an empty path allows all.
[[nodiscard]] Allowed read_allowed(const std::string& path, std::size_t rows);

/// Read a file of vectors under a progress bar.
[[nodiscard]] FloatMatrix read_vectors(const std::string& path);

/// Read queries of dimension `dim`. A .npy of one axis is one query.
[[nodiscard]] FloatMatrix read_queries(const std::string& path, std::size_t dim);

}  // namespace vecdb::cli
