#pragma once

/// \file
/// The right answers, which recall is counted against.

#include "cli/bench_truth.h"
#include "compare/dataset.h"

#include <filesystem>
#include <string>

namespace vecdb::bench {

/// Every row, or those of a bitset.
[[nodiscard]] cli::Allowed allow_all(const Dataset& set);
[[nodiscard]] cli::Allowed allow_only(const Bitset& rows);

/// Return the exact answers, by vecdb's comparison of all vectors on all CPUs. They are kept in
/// `folder`, named after the sizes and the values, and read from there the next time; a folder that
/// cannot be written keeps nothing.
[[nodiscard]] cli::Truth exact_truth(const Dataset& set,
                                     const cli::Problem& problem,
                                     const std::filesystem::path& folder);

}  // namespace vecdb::bench
