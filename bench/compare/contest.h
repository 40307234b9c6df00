#pragma once

/// \file
/// Recall and speed of several engines under several settings, measured in turns.

#include "cli/bench_truth.h"
#include "cli/recall_curve.h"
#include "compare/contestants.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace vecdb::bench {

/// A contestant and what it is to answer. The references outlive it.
struct Entry {
    Contestant& contestant;
    const cli::Problem& problem;
    const cli::Truth& truth;
};

/// One setting of one contestant, over the rounds.
struct Measured {
    cli::Setting setting;
    double recall = 0;
    double qps = 0;     ///< The median.
    double spread = 0;  ///< Slowest to fastest round, as a share of the median.
};

/// How long to measure.
struct Effort {
    std::size_t rounds = 5;
    double seconds = 0.1;                 ///< A turn lasts this long at least.
    std::optional<std::size_t> cpu = {};  ///< Where it runs.
};

/// Let every contestant answer all its queries under each of its settings, one query at a time, on
/// one thread. The first pass is not timed and gives the recall; then in each round every
/// contestant has its turns. Returns the settings of each entry.
[[nodiscard]] std::vector<std::vector<Measured>> compete(const std::vector<Entry>& entries,
                                                         const Effort& effort);

/// Return recall and speed alone.
[[nodiscard]] std::vector<cli::CurvePoint> curve_of(const std::vector<Measured>& measured);

/// Return "recall 0.95 vecdb Q hnswlib Q ratio R", "not reached" and "-" where there is none;
/// without a rival, the first half.
[[nodiscard]] std::string recall_line(double recall,
                                      const std::optional<double>& ours,
                                      const std::string& rival,
                                      const std::optional<double>& theirs);

}  // namespace vecdb::bench
