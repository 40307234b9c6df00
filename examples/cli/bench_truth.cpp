#include "bench_truth.h"

#include "exit_code.h"
#include "import.h"
#include "progress_bar.h"

#include <vecdb/collection.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <future>
#include <thread>

namespace vecdb::cli {
namespace {

// Multiply-adds, about 20 seconds on two cores.
constexpr double kOwnTruthLimit = 4e10;

// Several sums side by side, so that the compiler can keep them in one register.
constexpr std::size_t kLanes = 8;

template <class Term>
double sum_of(std::span<const float> a, std::span<const float> b, Term term) {
    std::array<double, kLanes> sums{};
    std::size_t i = 0;
    for (; i + kLanes <= a.size(); i += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            sums[lane] += term(static_cast<double>(a[i + lane]), static_cast<double>(b[i + lane]));
        }
    }
    double sum = 0;
    for (; i < a.size(); ++i)
        sum += term(static_cast<double>(a[i]), static_cast<double>(b[i]));
    for (const double part : sums)
        sum += part;
    return sum;
}

double dot(std::span<const float> a, std::span<const float> b) {
    return sum_of(a, b, [](double x, double y) { return x * y; });
}

double squared_l2(std::span<const float> a, std::span<const float> b) {
    return sum_of(a, b, [](double x, double y) { return (x - y) * (x - y); });
}

std::span<const float> row_of(const FloatMatrix& matrix, std::size_t row) {
    return std::span(matrix.values).subspan(row * matrix.dim, matrix.dim);
}

double true_limit(const Problem& problem, std::size_t query) {
    std::vector<double> distances;
    distances.reserve(problem.allowed.count);
    for (std::size_t row = 0; row < problem.base.rows; ++row) {
        if (problem.allowed.test(row)) distances.push_back(problem.distance(query, row));
    }
    const auto last = distances.begin() + static_cast<std::ptrdiff_t>(problem.expected()) - 1;
    std::nth_element(distances.begin(), last, distances.end());
    return *last;
}

std::vector<double> all_true_limits(const Problem& problem) {
    std::vector<double> limits(problem.queries.rows);
    std::atomic<std::size_t> next = 0;
    const auto work = [&](ProgressBar* progress) {
        for (std::size_t query = next++; query < limits.size(); query = next++) {
            limits[query] = true_limit(problem, query);
            if (progress != nullptr) progress->advance_to(query + 1);
        }
    };
    ProgressBar progress("exact answers", limits.size(), "queries");
    std::vector<std::future<void>> helpers;  // carry exceptions over, unlike threads
    for (unsigned t = 1; t < std::thread::hardware_concurrency(); ++t) {
        helpers.push_back(std::async(std::launch::async, work, nullptr));
    }
    work(&progress);
    for (std::future<void>& helper : helpers)
        helper.get();
    return limits;
}

}  // namespace

std::size_t Problem::expected() const noexcept {
    return std::min(k, allowed.count);
}

double Problem::distance(std::size_t query, std::size_t row) const noexcept {
    const auto q = row_of(queries, query);
    const auto x = row_of(base, row);
    if (metric == Metric::kL2) return squared_l2(q, x);
    if (metric == Metric::kInnerProduct) return -dot(q, x);
    const double norms = std::sqrt(dot(q, q) * dot(x, x));
    return norms == 0 ? 0 : -dot(q, x) / norms;
}

double Problem::tolerance(std::size_t query, double limit) const noexcept {
    if (metric == Metric::kL2) return limit * (1 + kRoundingShare);
    if (metric == Metric::kCosine) return limit + kRoundingShare;
    const auto q = row_of(queries, query);
    return limit + kRoundingShare * std::max(std::abs(limit), dot(q, q));
}

Truth read_truth(const Problem& problem, const std::string& path) {
    const IntMatrix ids = value_of(read_ints(path), ExitCode::kInput);
    const std::size_t wanted = problem.expected();
    const auto fail = [&](const std::string& what) {
        throw CommandError(ExitCode::kInput, path + ": " + what);
    };
    if (ids.rows != problem.queries.rows || ids.dim < wanted) {
        fail("the truth is " + std::to_string(ids.rows) + " x " + std::to_string(ids.dim) +
             ", wanted are " + std::to_string(problem.queries.rows) + " queries x at least " +
             std::to_string(wanted));
    }
    Truth truth{.limits = std::vector<double>(ids.rows, -INFINITY), .source = path};
    for (std::size_t query = 0; query < ids.rows; ++query) {
        for (const std::int64_t id : ids.row(query).first(wanted)) {
            const std::string where =
                "query " + std::to_string(query) + " names row " + std::to_string(id);
            if (id < 0 || static_cast<std::uint64_t>(id) >= problem.base.rows) {
                fail(where + ", the vectors have " + std::to_string(problem.base.rows));
            }
            const auto row = static_cast<std::size_t>(id);
            if (!problem.allowed.test(row)) fail(where + ", which is not allowed");
            truth.limits[query] = std::max(truth.limits[query], problem.distance(query, row));
        }
    }
    return truth;
}

Truth compute_truth(const Problem& problem) {
    const double work = static_cast<double>(problem.queries.rows) *
                        static_cast<double>(problem.allowed.count) *
                        static_cast<double>(problem.base.dim);
    if (work <= kOwnTruthLimit) {
        return {.limits = all_true_limits(problem), .source = "computed in double precision"};
    }
    return truth_of(problem, search_exactly(problem));
}

Truth truth_of(const Problem& problem, std::span<const Id> ids) {
    const std::size_t wanted = problem.expected();
    Truth truth{.limits = std::vector<double>(problem.queries.rows, -INFINITY),
                .source = "exact flat search"};
    for (std::size_t query = 0; query < truth.limits.size(); ++query) {
        for (const Id id : ids.subspan(query * wanted, wanted)) {
            const double distance = problem.distance(query, static_cast<std::size_t>(id));
            truth.limits[query] = std::max(truth.limits[query], distance);
        }
    }
    return truth;
}

std::vector<Id> search_exactly(const Problem& problem) {
    Collection collection =
        make_collection(problem.base.dim, problem.metric, FlatOptions{.codes = Codes::kNone});
    import_rows(collection, problem.base.view(), "the vectors");
    const SearchResult exact =
        value_of(collection.search(
                     problem.queries.view(),
                     {.k = problem.expected(), .filter = problem.allowed.filter, .threads = 0}),
                 ExitCode::kInput);
    std::vector<Id> ids;
    for (const Hit& hit : exact.padded())
        ids.push_back(hit.id);
    return ids;
}

double recall(const Problem& problem, const Truth& truth, std::span<const Hit> answers) {
    const std::size_t wanted = problem.expected();
    std::size_t right = 0;
    std::vector<Id> counted;
    for (std::size_t query = 0; query < problem.queries.rows; ++query) {
        const double limit = problem.tolerance(query, truth.limits[query]);
        counted.clear();
        for (const Hit& hit : answers.subspan(query * wanted, wanted)) {
            if (hit.id == kNoId ||
                std::find(counted.begin(), counted.end(), hit.id) != counted.end()) {
                continue;
            }
            counted.push_back(hit.id);
            if (problem.distance(query, static_cast<std::size_t>(hit.id)) <= limit) ++right;
        }
    }
    return static_cast<double>(right) / static_cast<double>(problem.queries.rows * wanted);
}

std::string find_fault(const Problem& problem, std::span<const Hit> answers) {
    const std::size_t wanted = problem.expected();
    std::vector<Id> ids;
    for (std::size_t query = 0; query < problem.queries.rows; ++query) {
        ids.clear();
        for (const Hit& hit : answers.subspan(query * wanted, wanted)) {
            const auto row = static_cast<std::size_t>(hit.id);
            if (hit.id < 0 || row >= problem.base.rows || !problem.allowed.test(row)) {
                return "query " + std::to_string(query) + " returned row " +
                       std::to_string(hit.id) + ", which is not allowed";
            }
            ids.push_back(hit.id);
        }
        std::sort(ids.begin(), ids.end());
        const auto twice = std::adjacent_find(ids.begin(), ids.end());
        if (twice != ids.end()) {
            return "query " + std::to_string(query) + " returned row " + std::to_string(*twice) +
                   " twice";
        }
    }
    return {};
}

}  // namespace vecdb::cli
