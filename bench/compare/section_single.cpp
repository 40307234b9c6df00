#include "compare/sections.h"
#include "compare/turns.h"

#include <algorithm>
#include <utility>

namespace vecdb::bench {
namespace {

/// Run one data set; `engines` are in the order of the table, ours first.
void run_set(Bench& bench, const std::vector<Engine*>& engines, const Dataset& set) {
    const std::size_t queries = std::min(bench.options.turn_queries, set.queries.rows);
    std::vector<Answers> answers(engines.size());
    std::vector<Turn> turns;
    for (std::size_t i = 0; i < engines.size(); ++i) {
        fill(*engines[i], set);
        engines[i]->set_threads(1);
        search_all(*engines[i], set, queries, 1, answers[i]);
        turns.push_back([&, i] { return search_all(*engines[i], set, queries, 1, answers[i]); });
    }
    turns.push_back([&] { return bench.read_probe.pass(1); });
    const Turns times = take_turns(turns, bench.options.rounds, pause_for(1));
    const double bandwidth = times.median_of(engines.size());
    for (std::size_t i = 0; i < engines.size(); ++i) {
        const double seconds = times.median_of(i);
        const double rate = static_cast<double>(set.base.bytes()) / seconds / 1e9;
        bench.report.row({
            text("set", "set", describe(set)),
            text("engine", "engine", engines[i]->name()),
            number("ms_per_query", "ms a query", seconds * 1e3, 3),
            number("gb_s", "GB/s", rate, 2),
            number("percent_of_read", "% of read bandwidth", 100 * rate / bandwidth, 1),
            i == 0 ? none("vecdb_times", "vecdb is x faster")
                   : number("vecdb_times", "vecdb is x faster", times.median_ratio(i, 0), 2),
            i == 0 ? text("answers", "answers", "") : checked(bench, set, answers[0], answers[i]),
        });
    }
}

}  // namespace

void run_single(Bench& bench) {
    bench.report.section("single", "Exact, one query at a time, 1 thread, k = 10");
    const std::pair<Source, Metric> cases[] = {{Source::kWords, Metric::kCosine},
                                               {Source::kWords, Metric::kL2},
                                               {Source::kMnist, Metric::kL2}};
    for (const auto& [source, metric] : cases) {
        const Engines engines = exact_engines();
        run_set(bench, engines.all(), load(source, metric, bench.options.data));
    }
}

}  // namespace vecdb::bench
