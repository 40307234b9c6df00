#include "cli/index_spec.h"
#include "compare/approximate.h"
#include "compare/engines.h"
#include "timing.h"

#include <vecdb/vecdb.h>

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

namespace vecdb::bench {
namespace {

constexpr std::size_t kRows = 40'000;
constexpr std::size_t kRounds = 50;
constexpr std::size_t kReplaced = kRows / 5;
/// Every so many rounds, and the last: no divisor of the rounds after which a graph is made anew.
constexpr std::size_t kReported = 7;
constexpr std::size_t kEf = 64;

Collection make_collection(Database& database,
                           const std::string& name,
                           const Dataset& set,
                           const IndexOptions& index) {
    Schema schema = Schema::single(set.base.dim, set.metric);
    schema.vectors[0].zero_vector = ZeroVector::kFar;
    schema.vectors[0].index = index;
    return database.create_collection(name, schema).value();
}

/// Return the share of the true nearest rows that searches find.
double recall_of(const Collection& rows, const Dataset& set) {
    const std::size_t queries = std::min<std::size_t>(set.queries.rows, 500);
    std::size_t found = 0;
    for (std::size_t query = 0; query < queries; ++query) {
        const VectorView vector(set.queries.row(query), set.queries.dim);
        const Hits hits = rows.search(vector, {.k = kNeighbours, .ef = kEf}).value();
        const Hits truth = rows.search(vector, {.k = kNeighbours, .exact = true}).value();
        for (const Hit& hit : hits)
            found += std::count(truth.begin(), truth.end(), hit) != 0 ? 1U : 0U;
    }
    return static_cast<double>(found) / static_cast<double>(queries * kNeighbours);
}

/// The rows that are live, taken from a set by turns: an id is a row's number.
class Population {
  public:
    Population(const Dataset& set, std::uint64_t seed) : set_(set), random_(seed) {}

    [[nodiscard]] const std::vector<Id>& live() const { return live_; }

    void insert(Collection& rows, std::size_t count) {
        std::vector<Id> ids(count);
        std::vector<float> values;
        for (Id& id : ids) {
            id = static_cast<Id>(next_++);
            const float* row = set_.base.row(static_cast<std::size_t>(id) % set_.base.rows);
            values.insert(values.end(), row, row + set_.base.dim);
        }
        rows.insert(ids, MatrixView(values.data(), count, set_.base.dim)).check();
        live_.insert(live_.end(), ids.begin(), ids.end());
    }

    void remove(Collection& rows, std::size_t count) {
        std::shuffle(live_.begin(), live_.end(), random_);
        const std::vector<Id> ids(live_.end() - static_cast<std::ptrdiff_t>(count), live_.end());
        live_.resize(live_.size() - count);
        static_cast<void>(rows.remove(ids).value());
    }

    /// Insert what is live into an empty collection and build its index.
    void copy(Collection& rows) const {
        std::vector<float> values;
        for (const Id id : live_) {
            const float* row = set_.base.row(static_cast<std::size_t>(id) % set_.base.rows);
            values.insert(values.end(), row, row + set_.base.dim);
        }
        rows.insert(live_, MatrixView(values.data(), live_.size(), set_.base.dim)).check();
        rows.build_index({.threads = 1}).check();
    }

  private:
    const Dataset& set_;
    std::mt19937_64 random_;
    std::vector<Id> live_;
    std::size_t next_ = 0;
};

void run_set(Bench& bench, const Dataset& set, const std::string& spec) {
    const IndexOptions index = cli::parse_index("--index", spec);
    bench.report.section("rounds_" + set.name,
                         describe(set) + ", vecdb " + spec + ": " + std::to_string(kRows) +
                             " rows live, each round 20 % removed and as many inserted");
    Database database = Database::in_memory().value();
    Collection rows = make_collection(database, "rounds", set, index);
    Population population(set, bench.options.seed);
    population.insert(rows, kRows);
    rest(rows);
    double seconds = 0;
    for (std::size_t round = 1; round <= kRounds; ++round) {
        seconds += seconds_of([&] {
            population.remove(rows, kReplaced);
            population.insert(rows, kReplaced);
            rest(rows);
        });
        const std::size_t since = (round - 1) % kReported + 1;
        if (since != kReported && round != kRounds) continue;
        Collection fresh = make_collection(database, "fresh", set, index);
        population.copy(fresh);
        const double recall = recall_of(rows, set);
        const double fresh_recall = recall_of(fresh, set);
        const auto bytes = static_cast<double>(rows.stats().memory_bytes);
        const auto fresh_bytes = static_cast<double>(fresh.stats().memory_bytes);
        bench.report.row({
            count("rounds", "rounds", round),
            number("seconds", "s a round", seconds / static_cast<double>(since), 2),
            count("segments", "segments", rows.stats().sealed_segments),
            count("dead_rows", "removed rows left", rows.stats().dead_rows),
            number("recall", "recall", recall, 4),
            number("fresh_recall", "of a fresh build", fresh_recall, 4),
            number("lost", "lost", fresh_recall - recall, 4),
            number("bytes_per_row", "bytes a row", bytes / kRows, 1),
            number("fresh_bytes_per_row", "of a fresh build", fresh_bytes / kRows, 1),
            number("bytes_ratio", "ratio", bytes / fresh_bytes, 3),
        });
        seconds = 0;
        database.drop_collection("fresh").check();
    }
}

}  // namespace

void run_rounds(Bench& bench) {
    const ApproximateOptions& options = bench.options.approximate;
    for (const std::string& spec : options.indexes) {
        for_each_set(bench.options,
                     [&](const Dataset& set, const auto&) { run_set(bench, set, spec); });
    }
}

}  // namespace vecdb::bench
