#include "compare/sections.h"
#include "compare/turns.h"

#include <algorithm>

namespace vecdb::bench {
namespace {

/// One line of the table for each engine.
struct Case {
    const Dataset& set;
    std::size_t threads;
    std::size_t batch;

    /// Six calls of a small batch, so that a turn is long enough to be timed.
    [[nodiscard]] std::size_t queries() const {
        return std::min(set.queries.rows, std::max<std::size_t>(batch, 6 * 16));
    }
};

void add_rows(Bench& bench,
              const Case& now,
              const std::vector<Engine*>& engines,
              const std::vector<Answers>& answers,
              const Turns& times) {
    const double peak = times.median_of(engines.size());
    const double flops = 2.0 * static_cast<double>(now.set.base.values.size());
    for (std::size_t i = 0; i < engines.size(); ++i) {
        const double qps = 1 / times.median_of(i);
        const double rate = qps * flops / 1e9;
        bench.report.row({
            text("set", "set", describe(now.set)),
            count("threads", "threads", now.threads),
            count("batch", "queries a call", now.batch),
            text("engine", "engine", engines[i]->name()),
            number("qps", "queries/s", qps, 1),
            number("gflop_s", "GFLOP/s", rate, 1),
            number("percent_of_peak", "% of multiply-add peak", 100 * rate / peak, 1),
            i == 0 ? none("vecdb_times", "vecdb is x faster")
                   : number("vecdb_times", "vecdb is x faster", times.median_ratio(i, 0), 2),
            i == 0 ? text("answers", "answers", "")
                   : checked(bench, now.set, answers[0], answers[i]),
        });
    }
}

void run_case(Bench& bench, const Case& now, const std::vector<Engine*>& engines) {
    std::vector<Answers> answers(engines.size());
    std::vector<Turn> turns;
    for (std::size_t i = 0; i < engines.size(); ++i) {
        const auto turn = [&, i] {
            return search_all(*engines[i], now.set, now.queries(), now.batch, answers[i]);
        };
        engines[i]->set_threads(now.threads);
        turn();
        turns.push_back(turn);
    }
    turns.push_back([&] { return multiply_pass(now.threads); });
    const Turns times = take_turns(turns, bench.options.rounds, pause_for(now.threads));
    add_rows(bench, now, engines, answers, times);
}

}  // namespace

void run_batch(Bench& bench) {
    bench.report.section("batch", "Exact, many queries a call, k = 10");
    for (const auto& [source, metric] :
         {std::pair(Source::kWords, Metric::kCosine), std::pair(Source::kMnist, Metric::kL2)}) {
        const Dataset set = load(source, metric, bench.options.data);
        const Engines engines = exact_engines();
        for (Engine* engine : engines.all())
            fill(*engine, set);
        for (const std::size_t threads : bench.options.threads) {
            for (const std::size_t batch : {std::size_t{16}, std::size_t{1'000}}) {
                run_case(bench, {set, threads, batch}, engines.all());
            }
        }
    }
}

}  // namespace vecdb::bench
