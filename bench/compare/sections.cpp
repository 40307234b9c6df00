#include "compare/sections.h"

#include "timing.h"

#include <algorithm>
#include <random>

namespace vecdb::bench {

const std::vector<Section>& sections() {
    static const std::vector<Section> kAll = {
        {"machine", "read bandwidth and multiply-add rate of this machine", run_machine},
        {"insert", "insert through the public API, and memory", run_insert},
        {"single", "exact search, one query at a time", run_single},
        {"batch", "exact search, 16 and 1,000 queries a call", run_batch},
        {"filter", "exact search with some of the rows allowed", run_filter},
        {"sweep", "approximate search: recall and speed over settings", run_sweep},
        {"masks", "approximate search with some of the rows allowed", run_masks},
        {"exact", "exact search with and without codes", run_exact},
        {"steady", "insert while searching, beside a rival that only inserts", run_steady},
        {"natural", "search over the segments that a streaming import leaves", run_natural},
        {"rounds", "recall and memory after many rounds of remove and insert", run_rounds},
        {"partitions", "what partitions and single rows cost where there are many", run_partitions},
    };
    return kAll;
}

double search_all(
    Engine& engine, const Dataset& set, std::size_t queries, std::size_t batch, Answers& out) {
    out.ids.clear();
    out.scores.clear();
    Answers part;
    double seconds = 0;
    for (std::size_t first = 0; first < queries; first += batch) {
        const std::size_t count = std::min(batch, queries - first);
        seconds +=
            seconds_of([&] { engine.search(set.queries.row(first), count, kNeighbours, part); });
        out.ids.insert(out.ids.end(), part.ids.begin(), part.ids.end());
        out.scores.insert(out.scores.end(), part.scores.begin(), part.scores.end());
    }
    out.k = kNeighbours;
    return seconds / static_cast<double>(queries);
}

Cell checked(Bench& bench, const Dataset& set, const Answers& ours, const Answers& theirs) {
    const Agreement found = compare_answers(set, ours, theirs);
    std::string shown =
        std::to_string(found.identical) + " identical, " + std::to_string(found.tied) + " tied";
    if (found.different != 0) {
        shown += ", " + std::to_string(found.different) + " DIFFERENT";
        bench.report.fault(describe(set) + ": " + found.first_difference);
    }
    return text("answers", "answers", std::move(shown));
}

std::string describe(const Dataset& set) {
    return set.name + ' ' + std::to_string(set.base.rows) + " x " + std::to_string(set.base.dim) +
           ' ' + std::string(to_string(set.metric));
}

Bitset random_rows(std::size_t rows, double share, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::bernoulli_distribution allowed(share);
    Bitset bits(rows);
    for (std::size_t i = 0; i < rows; ++i)
        bits.set(i, allowed(random));
    return bits;
}

std::chrono::milliseconds pause_for(std::size_t threads) {
    return std::chrono::milliseconds(threads > 1 ? 100 : 0);
}

}  // namespace vecdb::bench
