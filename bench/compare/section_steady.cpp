#include "cli/index_spec.h"
#include "cli/output.h"
#include "compare/approximate.h"
#include "compare/engines.h"
#include "machine.h"
#include "timing.h"

#include <vecdb/vecdb.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <random>
#include <thread>
#include <utility>

namespace vecdb::bench {
namespace {

/// Candidates of a reader's walks, and what an ivf searches.
constexpr std::size_t kReaderEf = 64;
/// Growing rows at which the writer waits for the background.
constexpr std::size_t kMostWaiting = 8'192;
/// How long the reader searches alone, for its quiet latencies.
constexpr double kQuietSeconds = 5;
/// Generated rows: more dimensions than the words and MNIST's crowded ones.
constexpr std::size_t kGeneratedRows = 60'000;
constexpr std::size_t kGeneratedDim = 512;
constexpr std::size_t kGeneratedFreedom = 32;

/// Rows near a subspace of kGeneratedFreedom dimensions, as embeddings are, with some noise.
Dataset generate(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> axes(kGeneratedFreedom * kGeneratedDim);
    for (float& each : axes)
        each = normal(random) / std::sqrt(static_cast<float>(kGeneratedFreedom));
    const auto fill_rows = [&](Floats& to, std::size_t rows) {
        to.rows = rows;
        to.dim = kGeneratedDim;
        to.values.resize(rows * kGeneratedDim);
        std::vector<float> place(kGeneratedFreedom);
        for (std::size_t row = 0; row < rows; ++row) {
            for (float& each : place)
                each = normal(random);
            float* values = to.values.data() + row * kGeneratedDim;
            for (std::size_t d = 0; d < kGeneratedDim; ++d) {
                values[d] = 0.1F * normal(random);
                for (std::size_t f = 0; f < kGeneratedFreedom; ++f)
                    values[d] += place[f] * axes[f * kGeneratedDim + d];
            }
        }
    };
    Dataset set{.name = "generated", .metric = Metric::kL2, .base = {}, .queries = {}};
    fill_rows(set.base, kGeneratedRows);
    fill_rows(set.queries, 1'000);
    return set;
}

/// The time of each search of a reader, in microseconds.
class Latencies {
  public:
    void add(double microseconds) { values_.push_back(microseconds); }
    [[nodiscard]] std::size_t count() const { return values_.size(); }
    [[nodiscard]] double percentile(double share) {
        if (values_.empty()) return 0;
        std::sort(values_.begin(), values_.end());
        const auto last = static_cast<double>(values_.size() - 1);
        return values_[static_cast<std::size_t>(share * last)];
    }

  private:
    std::vector<double> values_;
};

/// Search one query after the other until `done`.
Latencies read(const Collection& rows, const Dataset& set, const std::atomic<bool>& done) {
    Latencies latencies;
    const SearchOptions options{.k = kNeighbours, .ef = kReaderEf};
    Hits hits(kNeighbours);
    for (std::size_t query = 0; !done.load(); query = (query + 1) % set.queries.rows) {
        const VectorView vector(set.queries.row(query), set.queries.dim);
        latencies.add(1e6 * seconds_of([&] {
                          static_cast<void>(rows.search_into(vector, options, hits).value());
                      }));
    }
    return latencies;
}

/// A reader on a CPU of its own.
class Reader {
  public:
    Reader(const Collection& rows, const Dataset& set, std::size_t cpu)
        : thread_([this, rows, &set, cpu] {
              const Pinned pinned(cpu);
              latencies_ = read(rows, set, done_);
          }) {}
    ~Reader() {
        if (thread_.joinable()) stop();
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    Latencies& stop() {
        done_ = true;
        thread_.join();
        return latencies_;
    }

  private:
    std::atomic<bool> done_{false};
    Latencies latencies_;
    std::thread thread_;
};

/// What was seen of one import.
struct Steady {
    double insert_seconds = 0;
    double seconds = 0;  ///< Until nothing was pending.
    Latencies busy;
    Latencies quiet;
};

/// Insert all rows, one at a time, while a reader searches. The background's thread stays on the
/// CPU of the writer, which starts it.
Steady import_while_searching(const Dataset& set,
                              const IndexOptions& index,
                              std::size_t writer_cpu,
                              std::size_t reader_cpu) {
    const Pinned pinned(writer_cpu);
    Database database = Database::in_memory().value();
    Schema schema = Schema::single(set.base.dim, set.metric);
    schema.vectors[0].zero_vector = ZeroVector::kFar;
    schema.vectors[0].index = index;
    schema.segments.max_growing_rows = kMostWaiting;
    Collection rows = database.create_collection("steady", schema).value();
    Steady seen;
    {
        Reader reader(rows, set, reader_cpu);
        seen.seconds = seconds_of([&] {
            seen.insert_seconds = seconds_of([&] {
                for (std::size_t row = 0; row < set.base.rows; ++row) {
                    const VectorView vector(set.base.row(row), set.base.dim);
                    rows.insert(static_cast<Id>(row), vector).check();
                }
            });
            rest(rows);
        });
        seen.busy = std::move(reader.stop());
    }
    Reader reader(rows, set, reader_cpu);
    std::this_thread::sleep_for(std::chrono::duration<double>(kQuietSeconds));
    seen.quiet = std::move(reader.stop());
    return seen;
}

/// Return the parameters of hnswlib that are those of an index of vecdb.
std::string same_parameters(const HnswOptions& options) {
    return "m=" + std::to_string(options.m) +
           " ef_construction=" + std::to_string(options.ef_construction);
}

double rival_seconds(const Dataset& set, const HnswOptions& options, std::size_t cpu) {
    const Pinned pinned(cpu);
    const auto rival = make_rival("hnswlib", "hnswlib", same_parameters(options));
    rival->reset(set.base.dim, set.metric);
    return seconds_of([&] { rival->add(set.base.values.data(), set.base.rows); });
}

void run_set(Bench& bench, const Dataset& set, const std::string& spec) {
    const IndexOptions index = cli::parse_index("--index", spec);
    const std::size_t writer = bench.options.approximate.cpu.value_or(0);
    const std::size_t reader = (writer + 1) % usable_cpus();
    bench.report.section(
        "steady_" + set.name,
        describe(set) + ", vecdb " + spec + ": one writer a row at a time, one reader");
    const auto rows = static_cast<double>(set.base.rows);
    std::vector<double> ratios;
    for (std::size_t round = 0; round < bench.options.rounds; ++round) {
        std::fprintf(stderr, "steady %s, round %zu\n", set.name.c_str(), round + 1);
        Steady seen = import_while_searching(set, index, writer, reader);
        const auto* graph = std::get_if<HnswOptions>(&index);
        const double rival = graph != nullptr ? rival_seconds(set, *graph, writer) : 0;
        const double busy = seen.busy.percentile(0.99);
        const double quiet = seen.quiet.percentile(0.99);
        ratios.push_back(rival / seen.seconds);
        bench.report.row({
            number("insert_seconds", "inserted s", seen.insert_seconds, 2),
            number("seconds", "at rest s", seen.seconds, 1),
            number("rows_s", "rows/s", rows / seen.seconds, 0),
            number("rival_rows_s", "hnswlib add rows/s", graph ? rows / rival : 0, 0),
            number("ratio", "ratio", rival / seen.seconds, 2),
            count("searches", "searches", seen.busy.count()),
            number("p50_us", "p50 us", seen.busy.percentile(0.5), 1),
            number("p99_us", "p99 us", busy, 1),
            number("quiet_p50_us", "quiet p50 us", seen.quiet.percentile(0.5), 1),
            number("quiet_p99_us", "quiet p99 us", quiet, 1),
            number("p99_ratio", "p99 / quiet", busy / quiet, 2),
        });
    }
    bench.report.line("steady " + set.name + " rows/s beside hnswlib's add loop, median: " +
                      cli::fixed(median(ratios), 2));
}

}  // namespace

void run_steady(Bench& bench) {
    const ApproximateOptions& options = bench.options.approximate;
    for (const std::string& spec : options.indexes) {
        for_each_set(bench.options,
                     [&](const Dataset& set, const auto&) { run_set(bench, set, spec); });
        if (options.base.empty()) run_set(bench, generate(bench.options.seed), spec);
    }
}

}  // namespace vecdb::bench
