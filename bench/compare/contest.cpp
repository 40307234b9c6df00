#include "compare/contest.h"

#include "cli/output.h"
#include "compare/sections.h"
#include "compare/turns.h"
#include "machine.h"
#include "timing.h"

#include <algorithm>

namespace vecdb::bench {
namespace {

/// One entry under one of its settings.
struct Run {
    const Entry& entry;
    const cli::Setting& setting;
};

// Untimed before each turn: the engine before has filled the caches.
constexpr std::size_t kWarmUpQueries = 100;

// A turn takes the queries in pieces of so many, and five pieces at least.
constexpr std::size_t kPiece = 100;
constexpr std::size_t kLeastPieces = 5;

/// Search for `count` queries, from number `first` on and round again.
void search(const Run& run, std::size_t first, std::size_t count, Answers& answers) {
    const cli::Problem& problem = run.entry.problem;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t query = (first + i) % problem.queries.rows;
        const float* values = problem.queries.values.data() + query * problem.queries.dim;
        run.entry.contestant.engine->search(values, 1, problem.k, answers);
    }
}

/// Return queries per second. Goes on at query `next`, so that the turns of a run take all queries.
double timed(const Run& run, double seconds, std::size_t& next, Answers& answers) {
    run.entry.contestant.engine->set(run.setting);
    search(run, next, kWarmUpQueries, answers);
    double measured = 0;
    std::size_t queries = 0;
    while (measured < seconds || queries < kLeastPieces * kPiece) {
        measured += seconds_of([&] { search(run, next, kPiece, answers); });
        queries += kPiece;
        next = (next + kPiece) % run.entry.problem.queries.rows;
    }
    return static_cast<double>(queries) / measured;
}

double recall_of(const Run& run) {
    const cli::Problem& problem = run.entry.problem;
    Engine& engine = *run.entry.contestant.engine;
    engine.set(run.setting);
    std::vector<Hit> hits;
    Answers answers;
    for (std::size_t query = 0; query < problem.queries.rows; ++query) {
        const float* values = problem.queries.values.data() + query * problem.queries.dim;
        engine.search(values, 1, problem.k, answers);
        for (std::size_t place = 0; place < problem.expected(); ++place)
            hits.push_back({answers.ids[place], answers.scores[place]});
    }
    return cli::recall(problem, run.entry.truth, hits);
}

Measured summary(const Run& run, double recall, std::vector<double> rates) {
    const auto [slowest, fastest] = std::minmax_element(rates.begin(), rates.end());
    Measured measured{.setting = run.setting, .recall = recall};
    measured.spread = *fastest - *slowest;
    measured.qps = median(std::move(rates));
    measured.spread /= measured.qps;
    return measured;
}

}  // namespace

std::vector<std::vector<Measured>> compete(const std::vector<Entry>& entries,
                                           const Effort& effort) {
    const Pinned pinned(effort.cpu);
    std::vector<Run> runs;
    for (const Entry& entry : entries) {
        for (const cli::Setting& setting : entry.contestant.settings)
            runs.push_back({entry, setting});
    }
    std::vector<double> recalls;
    std::vector<Turn> turns;
    std::vector<std::size_t> next_query(runs.size());
    Answers answers;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        recalls.push_back(recall_of(runs[i]));
        turns.push_back([&run = runs[i], &next = next_query[i], &effort, &answers] {
            return timed(run, effort.seconds, next, answers);
        });
    }
    Turns rates = take_turns(turns, effort.rounds, pause_for(1));
    std::vector<std::vector<Measured>> results;
    std::size_t next = 0;
    for (const Entry& entry : entries) {
        results.emplace_back();
        for (std::size_t i = 0; i < entry.contestant.settings.size(); ++i, ++next)
            results.back().push_back(
                summary(runs[next], recalls[next], std::move(rates.values[next])));
    }
    return results;
}

std::vector<cli::CurvePoint> curve_of(const std::vector<Measured>& measured) {
    std::vector<cli::CurvePoint> curve;
    for (const Measured& each : measured)
        curve.push_back({each.recall, each.qps});
    return curve;
}

std::string recall_line(double recall,
                        const std::optional<double>& ours,
                        const std::string& rival,
                        const std::optional<double>& theirs) {
    std::string line = "recall " + cli::fixed(recall, 2) + " vecdb " + cli::qps_text(ours);
    if (rival.empty()) return line;
    line += ' ' + rival + ' ' + cli::qps_text(theirs) + " ratio ";
    return line + (ours && theirs ? cli::fixed(*ours / *theirs, 2) : "-");
}

}  // namespace vecdb::bench
