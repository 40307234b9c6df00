// The promise of filtered search, measured: at every selectivity and wherever the allowed rows lie,
// how many hits, which recall and how fast with default settings, beside an exact scan of the
// allowed rows and beside the same index without a filter at the same recall.
// Usage: selectivity BASE.npy [--rows N] [--queries N] [--rounds N] [--keep DIRECTORY]
//   the rows of BASE, by cosine; every (rows / queries)-th is held out as a query
//   --keep: a database for the collections, which are made where they are not there
// Exit code 1 when a search returned another number of rows than min(k, allowed).

#include "held_out.h"
#include "timing.h"

#include <vecdb/vecdb.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace {

using vecdb::bench::HeldOut;
using vecdb::bench::median;
using vecdb::bench::seconds_of;

constexpr std::size_t kK = 10;
constexpr double kTurn = 0.1;  // seconds, at least
constexpr double kShares[] = {1.0, 0.5, 0.1, 0.01, 0.001, 0.0001};

/// Where the allowed rows lie.
enum class Where : std::uint8_t { kRandom, kCorrelated, kAnti };
constexpr const char* kPlaces[] = {"random", "correlated", "anti-correlated"};

struct Options {
    std::string base;
    std::string keep;
    std::size_t rows = 400'000;
    std::size_t queries = 100;
    std::size_t rounds = 7;
};

/// One index over the rows.
struct Engine {
    std::string name;
    vecdb::Collection collection;
    /// How fast it is without a filter at a recall, least recall first.
    struct Point {
        double recall;
        double qps;
    };
    std::vector<Point> unfiltered;

    /// Return the speed without a filter at that recall, or at the most that was reached.
    [[nodiscard]] double unfiltered_at(double recall) const {
        for (const Point& point : unfiltered) {
            if (point.recall >= recall) return point.qps;
        }
        return unfiltered.back().qps;
    }
};

Engine make_engine(vecdb::Database& database,
                   const HeldOut& data,
                   const std::string& name,
                   const vecdb::IndexOptions& index) {
    vecdb::Schema schema = vecdb::Schema::single(data.dim, vecdb::Metric::kCosine);
    schema.vectors[0].index = index;
    schema.segments.seal_rows = 0;
    if (const auto kept = database.collection(name); kept.ok()) return {name, *kept, {}};
    Engine engine{name, database.create_collection(name, schema).value(), {}};
    std::vector<vecdb::Id> ids(data.rows.size() / data.dim);
    std::iota(ids.begin(), ids.end(), vecdb::Id{0});
    engine.collection.insert(ids, vecdb::MatrixView(data.rows, data.dim)).check();
    const double took = seconds_of([&] { engine.collection.build_index({.threads = 2}).check(); });
    std::printf("%s: built in %.1f s\n", name.c_str(), took);
    std::fflush(stdout);
    return engine;
}

/// Searches of all queries, each with its filter, again and again for a while.
struct Round {
    double seconds = 0;  ///< Of one pass.
    std::vector<vecdb::Hits> hits;
};

Round ask(const Engine& engine,
          const HeldOut& data,
          const std::vector<vecdb::SearchOptions>& options) {
    Round round;
    round.hits.resize(options.size());
    const auto pass = [&] {
        for (std::size_t q = 0; q < options.size(); ++q)
            round.hits[q] = engine.collection.search(data.query(q), options[q]).value();
    };
    pass();  // what others left in the caches goes
    double sum = 0;
    std::size_t passes = 0;
    for (; sum < kTurn; ++passes)
        sum += seconds_of(pass);
    round.seconds = sum / static_cast<double>(passes);
    return round;
}

double recall_of(const std::vector<vecdb::Hits>& hits, const std::vector<vecdb::Hits>& truth) {
    std::size_t found = 0;
    std::size_t wanted = 0;
    for (std::size_t q = 0; q < hits.size(); ++q) {
        wanted += truth[q].size();
        for (const vecdb::Hit& hit : hits[q]) {
            const auto same = [&](const vecdb::Hit& other) {
                return other.id == hit.id;
            };
            found += std::any_of(truth[q].begin(), truth[q].end(), same) ? 1U : 0U;
        }
    }
    return static_cast<double>(found) / static_cast<double>(wanted);
}

/// Choose a part of the rows, which are ranked by their distance to the query.
std::vector<vecdb::Id> choose(std::vector<vecdb::Id> ranked,
                              double share,
                              Where where,
                              std::mt19937_64& random) {
    const auto count = static_cast<std::size_t>(
        std::max(1.0, std::round(share * static_cast<double>(ranked.size()))));
    if (where == Where::kAnti) std::reverse(ranked.begin(), ranked.end());
    if (where != Where::kRandom) ranked.resize(std::min(2 * count, ranked.size()));
    std::shuffle(ranked.begin(), ranked.end(), random);
    ranked.resize(count);
    return ranked;
}

/// All that is measured together.
class Bench {
  public:
    explicit Bench(Options options)
        : options_(std::move(options)), data_(options_.base, options_.rows, options_.queries) {
        queries_ = data_.queries.size() / data_.dim;
        if (!options_.keep.empty()) database_ = vecdb::Database::open(options_.keep).value();
        engines_.push_back(make_engine(database_, data_, "flat", vecdb::FlatOptions{}));
        engines_.push_back(make_engine(database_, data_, "hnsw", vecdb::HnswOptions{}));
        engines_.push_back(make_engine(database_, data_, "ivf", vecdb::IvfOptions{}));
        for (std::size_t q = 0; q < queries_; ++q) {
            std::vector<vecdb::Id> ranked;
            for (const vecdb::Hit& hit :
                 engines_[0].collection.range_search(data_.query(q), -2.0F).value())
                ranked.push_back(hit.id);
            ranked_.push_back(std::move(ranked));
        }
    }

    /// Returns whether all searches gave as many rows as they should.
    bool run() {
        measure_unfiltered();
        std::printf(
            "\n%zu rows, %zu queries, k %zu, medians of %zu rounds, one thread. `x scan`: of the "
            "floats of all allowed\nrows; `x unfiltered`: of the same index without a filter at "
            "the same recall, or at its highest.\n\n",
            data_.rows.size() / data_.dim,
            queries_,
            kK,
            options_.rounds);
        std::printf(
            "| index | allowed %% | where | rows | recall@10 | queries/s | x scan | x "
            "unfiltered | plan |\n|---|---|---|---|---|---|---|---|---|\n");
        bool right = true;
        for (const double share : kShares) {
            for (const Where where : {Where::kRandom, Where::kCorrelated, Where::kAnti}) {
                if (share == 1.0 && where != Where::kRandom) continue;
                right = run_cell(share, where) && right;
            }
        }
        return right;
    }

  private:
    /// Find out how fast each index is without a filter at several recalls.
    void measure_unfiltered() {
        const std::vector<vecdb::SearchOptions> exactly(queries_, {.k = kK, .exact = true});
        const std::vector<vecdb::Hits> truth = ask(engines_[0], data_, exactly).hits;
        for (Engine& engine : engines_) {
            for (const std::size_t effort :
                 {32U, 48U, 64U, 96U, 128U, 192U, 256U, 384U, 512U, 768U}) {
                vecdb::SearchOptions how{.k = kK, .ef = effort};
                if (engine.name == "ivf") how = {.k = kK, .nprobe = effort};
                const std::vector<vecdb::SearchOptions> all(queries_, how);
                std::vector<double> qps;
                double recall = 0;
                for (std::size_t r = 0; r < options_.rounds; ++r) {
                    const Round round = ask(engine, data_, all);
                    qps.push_back(static_cast<double>(queries_) / round.seconds);
                    recall = recall_of(round.hits, truth);
                }
                engine.unfiltered.push_back({recall, median(qps)});
                if (engine.name == "flat") break;
                std::printf("%s unfiltered, effort %zu: recall %.4f, %.0f queries/s\n",
                            engine.name.c_str(),
                            effort,
                            recall,
                            median(qps));
            }
        }
    }

    bool run_cell(double share, Where where) {
        std::mt19937_64 random(1);
        std::vector<vecdb::SearchOptions> options(queries_, {.k = kK});
        std::size_t allowed = data_.rows.size() / data_.dim;
        for (std::size_t q = 0; q < queries_ && share < 1.0; ++q) {
            const auto ids = choose(ranked_[q], share, where, random);
            allowed = ids.size();
            options[q].filter = vecdb::Filter::allow_ids(ids);
            for (const Engine& engine : engines_)
                engine.collection.prepare(options[q].filter).check();
        }
        std::vector<vecdb::SearchOptions> exactly = options;
        for (vecdb::SearchOptions& each : exactly)
            each.exact = true;
        std::vector<std::vector<double>> seconds(engines_.size());
        std::vector<std::vector<double>> times_scan(engines_.size());
        std::vector<std::vector<vecdb::Hits>> hits(engines_.size());
        std::vector<std::vector<vecdb::Hits>> truth(engines_.size());
        for (std::size_t r = 0; r < options_.rounds; ++r) {
            for (std::size_t i = 0; i < engines_.size(); ++i) {
                const std::size_t e = (i + r) % engines_.size();
                Round round = ask(engines_[e], data_, options);
                Round scan = ask(engines_[e], data_, exactly);
                seconds[e].push_back(round.seconds);
                times_scan[e].push_back(scan.seconds / round.seconds);
                hits[e] = std::move(round.hits);
                truth[e] = std::move(scan.hits);
            }
        }
        bool right = true;
        for (std::size_t e = 0; e < engines_.size(); ++e) {
            for (const vecdb::Hits& each : hits[e])
                right = right && each.size() == std::min(kK, allowed);
            vecdb::SearchReport report;
            options[0].report = &report;
            engines_[e].collection.search(data_.query(0), options[0]).status().check();
            options[0].report = nullptr;
            const double qps = static_cast<double>(queries_) / median(seconds[e]);
            const double recall = recall_of(hits[e], truth[e]);
            std::printf("| %s | %g | %s | %zu | %.4f | %.0f | %.2f | %.2f | %s |\n",
                        engines_[e].name.c_str(),
                        100 * share,
                        share == 1.0 ? "all" : kPlaces[static_cast<std::size_t>(where)],
                        allowed,
                        recall,
                        qps,
                        median(times_scan[e]),
                        qps / engines_[e].unfiltered_at(recall),
                        std::string(to_string(report.segments.front().plan)).c_str());
        }
        std::fflush(stdout);
        if (!right) std::printf("FAILED: a search returned another number of rows\n");
        return right;
    }

    Options options_;
    HeldOut data_;
    std::size_t queries_ = 0;
    vecdb::Database database_ = vecdb::Database::in_memory().value();
    std::vector<Engine> engines_;
    std::vector<std::vector<vecdb::Id>> ranked_;
};

}  // namespace

int main(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        if (name.rfind("--", 0) != 0) {
            options.base = name;
            continue;
        }
        if (name == "--keep" && i + 1 < argc) {
            options.keep = argv[++i];
            continue;
        }
        const std::size_t value = ++i < argc ? std::strtoull(argv[i], nullptr, 10) : 0;
        if (name == "--rows") options.rows = value;
        if (name == "--queries") options.queries = value;
        if (name == "--rounds") options.rounds = value;
    }
    if (options.base.empty() || options.rows == 0 || options.queries == 0 || options.rounds == 0) {
        std::fprintf(stderr,
                     "usage: selectivity BASE.npy [--rows N] [--queries N] [--rounds N] "
                     "[--keep DIRECTORY]\n");
        return 2;
    }
    return Bench(options).run() ? 0 : 1;
}
