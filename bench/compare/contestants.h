#pragma once

/// \file
/// Who takes part in a comparison of approximate searches: vecdb with the indexes asked for, and
/// rivals with what each is known to do well with.

#include "cli/sweep.h"
#include "compare/engine.h"
#include "compare/options.h"

#include <memory>
#include <string>
#include <vector>

namespace vecdb::bench {

/// An index and the settings of its search that are measured.
struct Contestant {
    std::string kind;   ///< "vecdb", or the rival's name as --rivals takes it.
    std::string label;  ///< With its parameters, as tables and drawings name it.
    std::unique_ptr<Engine> engine = nullptr;
    std::vector<cli::Setting> settings = {};
    double build_seconds = 0;
    bool from_cache = false;  ///< The build was timed in an earlier run.
};

/// Make vecdb with each index of --index; an index takes those of the sweeps whose keys its search
/// has, or its own. Throws cli::CommandError(kUsage), also for a sweep that no index has.
[[nodiscard]] std::vector<Contestant> make_subjects(const ApproximateOptions& options);

/// Make the rivals of --rivals for rows of `dim` elements. Throws cli::CommandError(kUsage) for a
/// name, parameter or sweep of no rival, std::runtime_error for a module that was not built.
[[nodiscard]] std::vector<Contestant> make_rivals(const ApproximateOptions& options,
                                                  std::size_t dim);

/// Give a contestant all rows of a set and build its index, or load it from the cache when it was
/// built from the same rows before. Keeps the seconds.
void make_ready(Contestant& contestant, const Dataset& set, const ApproximateOptions& options);

/// Names of all rivals, for --help.
[[nodiscard]] std::string rival_names();

}  // namespace vecdb::bench
