#include "compare/sections.h"
#include "compare/turns.h"

#include <algorithm>
#include <utility>

namespace vecdb::bench {
namespace {

/// Seconds a query with a filter that was prepared before. Repeats make the turn of a small
/// filter long enough to be timed.
double filtered(
    Engine& engine, const Dataset& set, std::size_t queries, std::size_t repeats, Answers& out) {
    double seconds = 0;
    for (std::size_t i = 0; i < repeats; ++i)
        seconds += search_all(engine, set, queries, 1, out);
    return seconds / static_cast<double>(repeats);
}

void run_share(Bench& bench, const Dataset& set, const std::vector<Engine*>& all, double share) {
    const Bitset allowed = random_rows(set.base.rows, share, bench.options.seed);
    const std::size_t queries = std::min(bench.options.turn_queries, set.queries.rows);
    std::vector<Engine*> engines;
    for (Engine* engine : all) {
        if (engine->set_filter(&allowed)) engines.push_back(engine);
    }
    std::vector<Answers> answers(engines.size());
    std::vector<Turn> turns;
    for (std::size_t i = 0; i < engines.size(); ++i) {
        const auto repeats = static_cast<std::size_t>(i == 0 ? std::max(1.0, 0.2 / share) : 1.0);
        filtered(*engines[i], set, queries, 1, answers[i]);
        turns.push_back(
            [&, i, repeats] { return filtered(*engines[i], set, queries, repeats, answers[i]); });
    }
    // The same engine without the filter, in the same rounds.
    Answers everything;
    turns.push_back([&] {
        static_cast<void>(engines[0]->set_filter(nullptr));
        const double seconds = search_all(*engines[0], set, queries, 1, everything);
        static_cast<void>(engines[0]->set_filter(&allowed));
        return seconds;
    });
    const Turns times = take_turns(turns, bench.options.rounds, pause_for(1));
    for (std::size_t i = 0; i < engines.size(); ++i) {
        bench.report.row({
            text("set", "set", describe(set)),
            number("percent_allowed", "% allowed", 100 * share, 1),
            count("rows_allowed", "rows allowed", allowed.count()),
            text("engine", "engine", engines[i]->name()),
            number("us_per_query", "us a query", times.median_of(i) * 1e6, 1),
            i == 0 ? number("times_unfiltered",
                            "x faster than unfiltered",
                            times.median_ratio(engines.size(), 0),
                            1)
                   : none("times_unfiltered", "x faster than unfiltered"),
            i == 0 ? none("vecdb_times", "vecdb is x faster")
                   : number("vecdb_times", "vecdb is x faster", times.median_ratio(i, 0), 2),
            i == 0 ? text("answers", "answers", "") : checked(bench, set, answers[0], answers[i]),
        });
    }
    for (Engine* engine : engines)
        static_cast<void>(engine->set_filter(nullptr));
}

}  // namespace

void run_filter(Bench& bench) {
    bench.report.section("filter",
                         "Exact, some rows allowed, filter prepared, 1 query, 1 thread, k = 10");
    for (const auto& [source, metric] :
         {std::pair(Source::kWords, Metric::kCosine), std::pair(Source::kMnist, Metric::kL2)}) {
        const Dataset set = load(source, metric, bench.options.data);
        const Engines engines = exact_engines();
        for (Engine* engine : engines.all()) {
            engine->set_threads(1);
            fill(*engine, set);
        }
        for (const double share : {0.5, 0.1, 0.01, 0.001}) {
            run_share(bench, set, engines.all(), share);
        }
    }
}

}  // namespace vecdb::bench
