#pragma once

/// \file
/// How many of the rows a search returned are right, and whether its answers are sound.
///
/// A returned row is right when its score, computed here in double precision, is no farther than
/// the true k-th score. Ties are right, and so is a difference below kRoundingShare of the score's
/// scale, which float kernels cannot see.

#include "inputs.h"

#include <vecdb/dataset_io.h>
#include <vecdb/types.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace vecdb::cli {

inline constexpr double kRoundingShare = 1e-5;

/// One measured search problem. The references outlive it.
struct Problem {
    const FloatMatrix& base;
    const FloatMatrix& queries;
    const Allowed& allowed;
    Metric metric;
    std::size_t k;

    /// Rows that an answer must hold: min(k, rows allowed).
    [[nodiscard]] std::size_t expected() const noexcept;
    /// Return the distance of a row to a query in double precision; lower is nearer.
    [[nodiscard]] double distance(std::size_t query, std::size_t row) const noexcept;
    /// Return the distance that counts as equal to `limit`, rounding included.
    [[nodiscard]] double tolerance(std::size_t query, double limit) const noexcept;
};

/// The true k-th distance of every query, and where it is from.
struct Truth {
    std::vector<double> limits;
    std::string source;
};

/// Take the truth from a file of ids, nearest first, one line per query. Throws CommandError when
/// it does not fit the problem.
[[nodiscard]] Truth read_truth(const Problem& problem, const std::string& path);

/// Compute the truth: in double precision and without the library where that takes seconds,
/// otherwise by the library's comparison of all vectors.
[[nodiscard]] Truth compute_truth(const Problem& problem);

/// Return the nearest rows of every query, found by comparing all vectors: queries x expected()
/// row numbers, nearest first.
[[nodiscard]] std::vector<Id> search_exactly(const Problem& problem);

/// Take the truth from such rows.
[[nodiscard]] Truth truth_of(const Problem& problem, std::span<const Id> ids);

/// Return the share of the expected rows that `answers` (queries x expected() hits) has right. What
/// stands twice in an answer counts once, kNoId not at all.
[[nodiscard]] double recall(const Problem& problem,
                            const Truth& truth,
                            std::span<const Hit> answers);

/// Return what is unsound in `answers`: a row that is not allowed, does not exist, or stands
/// twice; empty if nothing is.
[[nodiscard]] std::string find_fault(const Problem& problem, std::span<const Hit> answers);

}  // namespace vecdb::cli
