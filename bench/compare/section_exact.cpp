#include "compare/approximate.h"
#include "compare/engines.h"
#include "compare/turns.h"

#include <algorithm>

namespace vecdb::bench {
namespace {

struct Subject {
    const char* label;
    FlatOptions options;
};

constexpr Subject kSubjects[] = {{"vecdb flat codes=none", {Codes::kNone}},
                                 {"vecdb flat", {Codes::kDefault}}};

using EngineList = std::vector<std::unique_ptr<Engine>>;

EngineList make_engines(const Dataset& set, std::size_t build_threads) {
    EngineList engines;
    for (const Subject& subject : kSubjects) {
        engines.push_back(make_vecdb(subject.label, subject.options, build_threads));
        fill(*engines.back(), set);
        engines.back()->build();
    }
    return engines;
}

/// Median seconds a query of each engine, and what `probe` measured in the same rounds.
Turns measure(Bench& bench,
              const Dataset& set,
              const EngineList& engines,
              std::size_t batch,
              const Turn& probe,
              std::vector<Answers>& answers) {
    const std::size_t queries = batch > 1 ? batch : bench.options.turn_queries;
    std::vector<Turn> turns;
    for (std::size_t i = 0; i < engines.size(); ++i) {
        turns.push_back([&, i] {
            return search_all(
                *engines[i], set, std::min(queries, set.queries.rows), batch, answers[i]);
        });
        turns.back()();
    }
    turns.push_back(probe);
    const Pinned pinned(bench.options.approximate.cpu);
    return take_turns(turns, bench.options.rounds, pause_for(1));
}

void run_single(Bench& bench, const Dataset& set, const EngineList& engines) {
    std::vector<Answers> answers(engines.size());
    const Turns times = measure(
        bench, set, engines, 1, [&] { return bench.read_probe.pass(1); }, answers);
    const double bandwidth = times.median_of(engines.size());
    const double one_read = static_cast<double>(set.base.bytes()) / bandwidth / 1e9;
    for (std::size_t i = 0; i < engines.size(); ++i) {
        const double seconds = times.median_of(i);
        bench.report.row(
            {text("set", "set", describe(set)),
             count("batch", "queries a call", 1),
             text("engine", "engine", engines[i]->name()),
             number("ms_per_query", "ms a query", seconds * 1e3, 3),
             number("times_one_read", "x one read of the floats", one_read / seconds, 2),
             number("gb_s", "measured read GB/s", bandwidth, 2),
             none("percent_of_peak", "% of multiply-add peak"),
             none("gflop_s", "measured peak GFLOP/s"),
             i == 0 ? text("answers", "answers", "")
                    : checked(bench, set, answers[0], answers[i])});
    }
}

void run_batch_of(Bench& bench, const Dataset& set, const EngineList& engines, std::size_t batch) {
    std::vector<Answers> answers(engines.size());
    const Turns times = measure(
        bench, set, engines, batch, [] { return multiply_pass(1); }, answers);
    const double peak = times.median_of(engines.size());
    const double flops = 2.0 * static_cast<double>(set.base.values.size());
    for (std::size_t i = 0; i < engines.size(); ++i) {
        const double seconds = times.median_of(i);
        bench.report.row(
            {text("set", "set", describe(set)),
             count("batch", "queries a call", batch),
             text("engine", "engine", engines[i]->name()),
             number("ms_per_query", "ms a query", seconds * 1e3, 3),
             none("times_one_read", "x one read of the floats"),
             none("gb_s", "measured read GB/s"),
             number("percent_of_peak", "% of multiply-add peak", flops / seconds / peak / 1e7, 1),
             number("gflop_s", "measured peak GFLOP/s", peak, 1),
             i == 0 ? text("answers", "answers", "")
                    : checked(bench, set, answers[0], answers[i])});
    }
}

}  // namespace

void run_exact(Bench& bench) {
    const ApproximateOptions& options = bench.options.approximate;
    bench.report.section("exact", "Exact, with and without codes, 1 thread, k = 10");
    for (const std::string& name : options.sets) {
        const Dataset set = load_named(name, bench.options);
        const EngineList engines = make_engines(set, options.build_threads);
        run_single(bench, set, engines);
        run_batch_of(bench, set, engines, std::min<std::size_t>(1'000, set.queries.rows));
    }
}

}  // namespace vecdb::bench
