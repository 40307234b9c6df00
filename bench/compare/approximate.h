#pragma once

/// \file
/// What the sections of approximate search share: the sets asked for, and the contestants, built.

#include "cli/bench_truth.h"
#include "compare/contest.h"
#include "compare/sections.h"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace vecdb::bench {

/// A set, the right answers to its queries, and who searches it. Does not move: parts refer to
/// each other.
struct Arena {
    Arena(Dataset loaded, const ApproximateOptions& options, std::filesystem::path truth_folder);
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    /// Make all contestants ready.
    void build(const ApproximateOptions& options);

    Dataset set;
    cli::Allowed all;
    cli::Problem problem;
    std::filesystem::path folder;
    cli::Truth truth;
    std::vector<Contestant> subjects;
    std::vector<Contestant> rivals;
};

/// Return the metric of --metric.
[[nodiscard]] Metric metric_of(const ApproximateOptions& options);
/// Load "words" (cosine) or "mnist" (l2).
[[nodiscard]] Dataset load_named(const std::string& name, const CompareOptions& options);

/// Call work(set, folder of its truths) for each set that the command line asks for.
template <class Work>
void for_each_set(const CompareOptions& options, Work&& work) {
    const ApproximateOptions& approximate = options.approximate;
    if (!approximate.base.empty()) {
        work(load_files(approximate.base, approximate.queries, metric_of(approximate)),
             approximate.base.parent_path());
        return;
    }
    for (const std::string& name : approximate.sets)
        work(load_named(name, options), options.data / "full");
}

/// The same with the right answers and the contestants.
template <class Work>
void for_each_arena(const CompareOptions& options, Work&& work) {
    for_each_set(options, [&](Dataset set, std::filesystem::path folder) {
        Arena arena(std::move(set), options.approximate, std::move(folder));
        work(arena);
    });
}

/// Return how long to measure.
[[nodiscard]] Effort effort_of(const CompareOptions& options);

}  // namespace vecdb::bench
