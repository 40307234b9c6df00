#include "cli/index_spec.h"
#include "compare/approximate.h"
#include "compare/engines.h"
#include "timing.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace vecdb::bench {
namespace {

/// Add all rows in batches, slowly enough for the background to keep up.
void stream(Engine& engine, const Dataset& set) {
    constexpr std::size_t kBatch = 1'000;
    engine.reset(set.base.dim, set.metric);
    for (std::size_t first = 0; first < set.base.rows; first += kBatch) {
        engine.add(set.base.row(first), std::min(kBatch, set.base.rows - first));
        engine.build();
    }
}

/// The same index over rows that came in batches and were sealed and merged meanwhile.
Contestant streamed(const Contestant& whole, const std::string& index, const Dataset& set) {
    Contestant streamed{.kind = "vecdb", .label = "streamed " + index};
    streamed.engine = make_streaming_vecdb(streamed.label, cli::parse_index("--index", index));
    streamed.settings = whole.settings;
    std::fprintf(stderr, "streaming into %s\n", streamed.label.c_str());
    streamed.build_seconds = seconds_of([&] { stream(*streamed.engine, set); });
    return streamed;
}

void show_points(Bench& bench,
                 const std::string& state,
                 const Contestant& contestant,
                 const std::vector<Measured>& points) {
    for (const Measured& point : points) {
        bench.report.row({text("state", "rows", state),
                          number("seconds", "import s", contestant.build_seconds, 1),
                          text("setting", "setting", point.setting.name()),
                          number("recall", "recall", point.recall, 4),
                          number("qps", "queries/s", point.qps, 1),
                          number("spread_percent", "spread %", 100 * point.spread, 1)});
    }
}

/// Measure `pieces` beside the index built at once, and show the ratio of the speeds at recalls.
void measure(Bench& bench,
             const Arena& arena,
             const std::string& state,
             Contestant& pieces,
             Contestant& whole) {
    const auto results =
        compete({{pieces, arena.problem, arena.truth}, {whole, arena.problem, arena.truth}},
                effort_of(bench.options));
    bench.report.section("natural_" + state + '_' + arena.set.name,
                         describe(arena.set) + ", " + state + ": " + whole.label);
    show_points(bench, state, pieces, results[0]);
    show_points(bench, "built at once", whole, results[1]);
    for (const double recall : cli::kReadRecalls) {
        const auto ours = cli::qps_at(curve_of(results[0]), recall);
        const auto all = cli::qps_at(curve_of(results[1]), recall);
        bench.report.line(
            state + ' ' + recall_line(recall, ours, "built-at-once", all),
            {{"recall", recall}, {"qps", optional_json(ours)}, {"whole_qps", optional_json(all)}});
    }
}

}  // namespace

void run_natural(Bench& bench) {
    const ApproximateOptions& options = bench.options.approximate;
    for_each_arena(bench.options, [&](Arena& arena) {
        for (std::size_t i = 0; i < arena.subjects.size(); ++i) {
            Contestant& whole = arena.subjects[i];
            make_ready(whole, arena.set, options);
            Contestant pieces = streamed(whole, options.indexes[i], arena.set);
            measure(bench, arena, "streamed", pieces, whole);
            pieces.build_seconds = seconds_of([&] { pieces.engine->compact(); });
            measure(bench, arena, "after build_index", pieces, whole);
        }
    });
}

}  // namespace vecdb::bench
