// vecdb bench: recall, speed and size of an index on the user's own vectors.

#include "bench_timing.h"
#include "bench_truth.h"
#include "command.h"
#include "exit_code.h"
#include "import.h"
#include "inputs.h"
#include "output.h"

#include <vecdb/collection.h>
#include <vecdb/index_options.h>
#include <vecdb/simd.h>
#include <vecdb/version.h>

#include <chrono>
#include <memory>
#include <string>

namespace vecdb::cli {
namespace {

struct BenchOptions {
    std::string base_path;
    std::string queries_path;
    std::string truth_path;
    std::string index_name = "flat";
    double seconds = 1.0;
    SearchSettings settings;
    std::string json_path;
};

struct Report {
    double build_seconds = 0;
    double prepare_seconds = 0;
    double bytes_per_vector = 0;
    SingleTiming single;
    BatchTiming batch;
    std::string truth_source;
    double recall = 0;
    std::string fault;
};

// The tool's own names of indexes; the library has none.
IndexOptions index_of(const std::string& name) {
    if (name == "flat") return FlatOptions{};
    if (name == "hnsw") return HnswOptions{};
    if (name == "ivf") return IvfOptions{};
    throw CommandError(ExitCode::kUsage, "--index: " + name + " is none of flat, hnsw, ivf");
}

template <class Job>
double seconds_of(Job&& job) {
    const auto start = std::chrono::steady_clock::now();
    job();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// What the library promises of every answer, whatever the index.
std::string find_any_fault(const Problem& problem, const Report& report) {
    const std::size_t expected = problem.queries.rows * problem.expected();
    if (report.single.answers.size() != expected || report.batch.answers.size() != expected) {
        return "an answer has fewer than " + std::to_string(problem.expected()) + " rows";
    }
    std::string fault = find_fault(problem, report.single.answers);
    if (fault.empty() && report.single.answers != report.batch.answers) {
        fault = "the batch's answers differ from those of single queries";
    }
    return fault;
}

Report measure(const Problem& problem, const BenchOptions& options) {
    Report report;
    Truth truth;  // a file that does not fit is refused before the work, not after it
    if (!options.truth_path.empty()) truth = read_truth(problem, options.truth_path);
    Collection collection =
        make_collection(problem.base.dim, problem.metric, index_of(options.index_name));
    report.build_seconds =
        seconds_of([&] { import_rows(collection, problem.base.view(), options.base_path); });
    report.prepare_seconds =
        seconds_of([&] { check(collection.prepare(problem.allowed.filter), ExitCode::kInput); });
    report.bytes_per_vector = static_cast<double>(collection.stats().memory_bytes) /
                              static_cast<double>(problem.base.rows);

    const SearchOptions search{.k = problem.k,
                               .filter = problem.allowed.filter,
                               .threads = options.settings.thread_count()};
    report.single = time_single(collection, problem.queries.view(), search, options.seconds);
    report.batch = time_batch(collection, problem.queries.view(), search, options.seconds);

    if (truth.limits.empty()) truth = compute_truth(problem, collection);
    report.truth_source = truth.source;
    report.fault = find_any_fault(problem, report);
    if (report.fault.empty()) report.recall = recall(problem, truth, report.single.answers);
    return report;
}

void print(const Output& output,
           const Problem& problem,
           const BenchOptions& options,
           const Report& report) {
    output.line("base",
                options.base_path + ": " + grouped(problem.base.rows) + " rows x " +
                    grouped(problem.base.dim) + ", " + options.settings.metric_name);
    output.line("queries",
                grouped(problem.queries.rows) + ", k " + grouped(problem.k) + ", " +
                    grouped(problem.allowed.count) + " rows allowed");
    output.line("machine",
                std::string(value_of(active_simd_level(), ExitCode::kUnsupported)) + ", threads " +
                    std::to_string(options.settings.thread_count()));
    output.line("index",
                options.index_name + ", built in " + fixed(report.build_seconds, 3) + " s, " +
                    fixed(report.bytes_per_vector, 1) + " bytes per vector");
    output.line("truth", report.truth_source);
    output.line("recall@" + std::to_string(problem.k), fixed(report.recall, 4));
    output.line("one query",
                fixed(report.single.qps, 1) + " queries/s, p50 " + fixed(report.single.p50_ms, 3) +
                    " ms, p95 " + fixed(report.single.p95_ms, 3) + " ms, p99 " +
                    fixed(report.single.p99_ms, 3) + " ms");
    output.line("batch", fixed(report.batch.qps, 1) + " queries/s");
}

Json to_json(const Problem& problem, const BenchOptions& options, const Report& report) {
    return {{"recall", report.recall},
            {"qps", report.single.qps},
            {"qps_batch", report.batch.qps},
            {"p50_ms", report.single.p50_ms},
            {"p95_ms", report.single.p95_ms},
            {"p99_ms", report.single.p99_ms},
            {"build_seconds", report.build_seconds},
            {"prepare_seconds", report.prepare_seconds},
            {"bytes_per_vector", report.bytes_per_vector},
            {"simd", value_of(active_simd_level(), ExitCode::kUnsupported)},
            {"threads", options.settings.thread_count()},
            {"base", options.base_path},
            {"rows", problem.base.rows},
            {"dim", problem.base.dim},
            {"queries", problem.queries.rows},
            {"k", problem.k},
            {"metric", options.settings.metric_name},
            {"index", options.index_name},
            {"allowed", problem.allowed.count},
            {"truth", report.truth_source},
            {"sound", report.fault.empty()},
            {"version", version()}};
}

void run_bench(const BenchOptions& options) {
    const Output output(options.json_path);
    const FloatMatrix base = read_vectors(options.base_path);
    const FloatMatrix queries = read_queries(options.queries_path, base.dim);
    const Allowed allowed = read_allowed(options.settings.allowed_path, base.rows);
    if (allowed.count == 0) {
        throw CommandError(ExitCode::kInput,
                           (base.rows == 0 ? options.base_path : options.settings.allowed_path) +
                               ": no row is left to search");
    }
    const Problem problem{base, queries, allowed, options.settings.metric(), options.settings.k};
    const Report report = measure(problem, options);
    print(output, problem, options, report);
    output.finish(to_json(problem, options, report));
    if (!report.fault.empty()) throw CommandError(ExitCode::kNotSound, report.fault);
}

}  // namespace

void add_bench(CLI::App& tool, Command& chosen) {
    auto options = std::make_shared<BenchOptions>();
    CLI::App* command =
        tool.add_subcommand("bench", "Measure recall, speed and size; ids are row numbers");
    command->add_option("--base", options->base_path, "The vectors")
        ->type_name("B.npy")
        ->required();
    command->add_option("--queries", options->queries_path, "The queries")
        ->type_name("Q.npy")
        ->required();
    command
        ->add_option("--truth", options->truth_path, "Right ids, nearest first; computed if absent")
        ->type_name("T.npy|T.ivecs");
    command->add_option("--index", options->index_name, "flat (exact); hnsw and ivf: not yet")
        ->check(CLI::IsMember({"flat", "hnsw", "ivf"}))
        ->capture_default_str();
    command
        ->add_option("--seconds", options->seconds, "Measure each way of asking this long at least")
        ->check(CLI::Range(0.0, 3600.0))
        ->capture_default_str();
    add_search_settings(*command, options->settings);
    add_json_option(*command, options->json_path);
    command->callback([options, &chosen] {
        chosen = [options] {
            run_bench(*options);
        };
    });
}

}  // namespace vecdb::cli
