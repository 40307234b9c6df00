#include "compare/sections.h"
#include "compare/turns.h"
#include "machine.h"
#include "timing.h"

#include <utility>

namespace vecdb::bench {
namespace {

/// What one row occupies.
struct RowBytes {
    double said = 0;
    double resident = 0;
};

RowBytes row_bytes(Engine& engine, const Dataset& set) {
    const double before = resident_bytes();
    fill(engine, set);
    const auto rows = static_cast<double>(set.base.rows);
    return {static_cast<double>(engine.memory_bytes()) / rows, (resident_bytes() - before) / rows};
}

Turn filling(Engine& engine, const Dataset& set) {
    return [&engine, &set] {
        // The old rows go before the clock starts.
        engine.reset(set.base.dim, set.metric);
        return seconds_of([&] { fill(engine, set); });
    };
}

void run_set(Bench& bench, const std::vector<Engine*>& engines, const Dataset& set) {
    std::vector<RowBytes> bytes;
    std::vector<Turn> turns;
    for (Engine* engine : engines) {
        bytes.push_back(row_bytes(*engine, set));
        turns.push_back(filling(*engine, set));
    }
    const Turns times = take_turns(turns, bench.options.rounds, pause_for(1));
    const double least = static_cast<double>(4 * set.base.dim + 16);
    for (std::size_t i = 0; i < engines.size(); ++i) {
        const double values = static_cast<double>(set.base.values.size()) / times.median_of(i);
        bench.report.row({
            text("set", "set", describe(set)),
            text("engine", "engine", engines[i]->name()),
            number("million_values_s", "million values/s", values / 1e6, 1),
            number("bytes_per_row_said", "bytes a row, its own count", bytes[i].said, 1),
            number("bytes_per_row_resident", "resident", bytes[i].resident, 1),
            number("said_ratio", "own count / (4d + 16)", bytes[i].said / least, 3),
            number("resident_ratio", "resident / (4d + 16)", bytes[i].resident / least, 3),
        });
    }
}

}  // namespace

void run_insert(Bench& bench) {
    bench.report.section("insert", "Insert in batches of 1,000, and memory");
    const std::pair<Source, Metric> cases[] = {{Source::kWords, Metric::kL2},
                                               {Source::kWords, Metric::kCosine},
                                               {Source::kMnist, Metric::kL2}};
    for (const auto& [source, metric] : cases) {
        const Dataset set = load(source, metric, bench.options.data);
        const Engines engines = exact_engines();
        // Under cosine a rival's rows are scaled by its adapter here, which would be timed.
        const bool alone = metric == Metric::kCosine;
        run_set(bench, alone ? std::vector<Engine*>{engines.subject.get()} : engines.all(), set);
    }
}

}  // namespace vecdb::bench
