#pragma once

/// \file
/// Recall and speed of a collection under several settings of its search, and how they are shown.

#include "bench_timing.h"
#include "bench_truth.h"
#include "output.h"
#include "recall_curve.h"
#include "sweep.h"

#include <vecdb/collection.h>
#include <vecdb/search.h>

#include <span>
#include <string>
#include <vector>

namespace vecdb::cli {

/// What one setting gives.
struct SweepPoint {
    Setting setting;
    double recall = 0;
    SingleTiming timing;  ///< Without its answers.
    std::string fault;    ///< A broken promise, empty if none; recall is then not known.
};

/// What is the same for all settings.
struct SweepCase {
    const Problem& problem;
    const Truth& truth;
    const Collection& collection;
    SearchOptions search;
    double seconds = 1;  ///< Measured a setting, at least.
};

/// Measure one setting.
[[nodiscard]] SweepPoint measure_setting(const SweepCase& now, const Setting& setting);

/// Return recall and speed alone.
[[nodiscard]] std::vector<CurvePoint> curve_of(std::span<const SweepPoint> points);

/// The table that is printed: its head, and one line a setting.
[[nodiscard]] std::string sweep_head(std::span<const Setting> settings, std::size_t k);
[[nodiscard]] std::string sweep_line(std::span<const Setting> settings, const SweepPoint& point);
/// "recall 0.95 vecdb 12345.6" for every recall at which curves are read, each on its line.
[[nodiscard]] std::string recall_lines(std::span<const CurvePoint> curve);

/// The points and the speeds at fixed recalls (null where not reached), under keys "points" and
/// "qps_at_recall".
void add_sweep(Json& json, std::span<const SweepPoint> points);

}  // namespace vecdb::cli
