#include "bench_timing.h"

#include "exit_code.h"
#include "progress_bar.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>

namespace vecdb::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kWarmUpSeconds = 0.2;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

VectorView query_of(const MatrixView& queries, std::size_t query) {
    return {queries.row<float>(query), queries.dim()};
}

// The smallest measured time that at least `share` of the queries did not exceed.
double percentile_ms(std::span<const double> sorted_seconds, double share) {
    const auto count = static_cast<double>(sorted_seconds.size());
    const auto rank = static_cast<std::size_t>(std::ceil(share * count));
    return 1e3 * sorted_seconds[std::max<std::size_t>(rank, 1) - 1];
}

// Searches queries one by one into memory that is asked for once.
class SingleRun {
  public:
    SingleRun(const Collection& collection, const MatrixView& queries, const SearchOptions& options)
        : collection_(collection), queries_(queries), options_(options), hits_(options.k) {}

    std::span<const Hit> search(std::size_t query) {
        const Result<std::size_t> count =
            collection_.search_into(query_of(queries_, query), options_, hits_);
        if (!count) check(count.status(), ExitCode::kInput);
        return std::span<const Hit>(hits_).first(*count);
    }

    void warm_up() {
        const auto start = Clock::now();
        std::size_t query = 0;
        do {
            search(query);
        } while (++query < queries_.rows() && seconds_since(start) < kWarmUpSeconds);
    }

  private:
    const Collection& collection_;
    const MatrixView& queries_;
    const SearchOptions& options_;
    std::vector<Hit> hits_;
};

}  // namespace

SingleTiming time_single(const Collection& collection,
                         const MatrixView& queries,
                         const SearchOptions& options,
                         double seconds) {
    SingleRun run(collection, queries, options);
    run.warm_up();

    SingleTiming timing;
    std::vector<double> times;
    double total = 0;
    ProgressBar progress("one query at a time", queries.rows(), "queries");
    for (bool first_pass = true; first_pass || total < seconds; first_pass = false) {
        for (std::size_t query = 0; query < queries.rows(); ++query) {
            const auto start = Clock::now();
            const std::span<const Hit> hits = run.search(query);
            times.push_back(seconds_since(start));
            total += times.back();
            if (!first_pass) continue;
            timing.answers.insert(timing.answers.end(), hits.begin(), hits.end());
            progress.advance(1);
        }
    }
    timing.qps = static_cast<double>(times.size()) / total;
    std::sort(times.begin(), times.end());
    timing.p50_ms = percentile_ms(times, 0.50);
    timing.p95_ms = percentile_ms(times, 0.95);
    timing.p99_ms = percentile_ms(times, 0.99);
    return timing;
}

BatchTiming time_batch(const Collection& collection,
                       const MatrixView& queries,
                       const SearchOptions& options,
                       double seconds) {
    BatchTiming timing;
    const SearchResult answer = value_of(collection.search(queries, options), ExitCode::kInput);
    for (std::size_t query = 0; query < answer.queries(); ++query) {
        const std::span<const Hit> hits = answer[query];
        timing.answers.insert(timing.answers.end(), hits.begin(), hits.end());
    }
    double total = 0;
    std::size_t passes = 0;
    do {
        const auto start = Clock::now();
        check(collection.search(queries, options).status(), ExitCode::kInput);
        total += seconds_since(start);
        ++passes;
    } while (total < seconds);
    timing.qps = static_cast<double>(passes * queries.rows()) / total;
    return timing;
}

}  // namespace vecdb::cli
