// vecdb bench: recall, speed and size of an index on the user's own vectors.

#include "bench_sweep.h"
#include "bench_timing.h"
#include "bench_truth.h"
#include "command.h"
#include "exit_code.h"
#include "import.h"
#include "index_spec.h"
#include "inputs.h"
#include "output.h"
#include "plot.h"
#include "sweep.h"

#include <vecdb/collection.h>
#include <vecdb/index_options.h>
#include <vecdb/simd.h>
#include <vecdb/version.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace vecdb::cli {
namespace {

struct BenchOptions {
    std::string base_path;
    std::string queries_path;
    std::string truth_path;
    std::string index = "flat";
    std::size_t build_threads = 1;
    std::vector<std::string> sweeps;
    std::string csv_path;
    std::string plot_path;
    double seconds = 1.0;
    SearchSettings settings;
    std::string json_path;

    /// Whether a table of settings is asked for, not one setting in detail.
    [[nodiscard]] bool swept() const {
        return !sweeps.empty() || !csv_path.empty() || !plot_path.empty();
    }
};

/// A collection that is ready to be searched, and what that took.
struct Subject {
    Collection collection;
    double build_seconds = 0;
    double prepare_seconds = 0;
    double bytes_per_vector = 0;
};

/// One setting in detail.
struct Report {
    SingleTiming single;
    BatchTiming batch;
    double recall = 0;
    std::string fault;
};

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

Subject make_subject(const Problem& problem, const BenchOptions& options) {
    Subject subject{.collection = make_collection(
                        problem.base.dim, problem.metric, parse_index("--index", options.index))};
    subject.build_seconds = seconds_of([&] {
        import_rows(subject.collection, problem.base.view(), options.base_path);
        build_index(subject.collection, options.build_threads);
    });
    subject.prepare_seconds = seconds_of(
        [&] { check(subject.collection.prepare(problem.allowed.filter), ExitCode::kInput); });
    subject.bytes_per_vector = static_cast<double>(subject.collection.stats().memory_bytes) /
                               static_cast<double>(problem.base.rows);
    return subject;
}

SearchOptions search_of(const Problem& problem, const BenchOptions& options) {
    return {.k = problem.k,
            .filter = problem.allowed.filter,
            .threads = options.settings.thread_count()};
}

Report measure(const Problem& problem,
               const Truth& truth,
               const Collection& collection,
               const BenchOptions& options) {
    Report report;
    const SearchOptions search = search_of(problem, options);
    report.single = time_single(collection, problem.queries.view(), search, options.seconds);
    report.batch = time_batch(collection, problem.queries.view(), search, options.seconds);
    report.fault = find_any_fault(problem, report);
    if (report.fault.empty()) report.recall = recall(problem, truth, report.single.answers);
    return report;
}

void print_subject(const Output& output,
                   const Problem& problem,
                   const BenchOptions& options,
                   const Subject& subject) {
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
                options.index + ", built in " + fixed(subject.build_seconds, 3) + " s, " +
                    fixed(subject.bytes_per_vector, 1) + " bytes per vector");
}

void print(const Output& output, const Problem& problem, const Report& report) {
    output.line("recall@" + std::to_string(problem.k), fixed(report.recall, 4));
    output.line("one query",
                fixed(report.single.qps, 1) + " queries/s, p50 " + fixed(report.single.p50_ms, 3) +
                    " ms, p95 " + fixed(report.single.p95_ms, 3) + " ms, p99 " +
                    fixed(report.single.p99_ms, 3) + " ms");
    output.line("batch", fixed(report.batch.qps, 1) + " queries/s");
}

Json to_json(const Report& report) {
    return {{"recall", report.recall},
            {"qps", report.single.qps},
            {"qps_batch", report.batch.qps},
            {"p50_ms", report.single.p50_ms},
            {"p95_ms", report.single.p95_ms},
            {"p99_ms", report.single.p99_ms}};
}

void add_subject(Json& json,
                 const Problem& problem,
                 const BenchOptions& options,
                 const Subject& subject) {
    json.update({{"build_seconds", subject.build_seconds},
                 {"prepare_seconds", subject.prepare_seconds},
                 {"bytes_per_vector", subject.bytes_per_vector},
                 {"simd", value_of(active_simd_level(), ExitCode::kUnsupported)},
                 {"threads", options.settings.thread_count()},
                 {"base", options.base_path},
                 {"rows", problem.base.rows},
                 {"dim", problem.base.dim},
                 {"queries", problem.queries.rows},
                 {"k", problem.k},
                 {"metric", options.settings.metric_name},
                 {"index", options.index},
                 {"allowed", problem.allowed.count}});
}

std::string to_csv(const Problem& problem,
                   const BenchOptions& options,
                   const Subject& subject,
                   std::span<const SweepPoint> points) {
    std::string csv = csv_line({"engine",
                                "index",
                                "setting",
                                "k",
                                "recall",
                                "qps",
                                "p50_us",
                                "p95_us",
                                "p99_us",
                                "build_seconds",
                                "bytes_per_vector"});
    for (const SweepPoint& point : points) {
        csv += csv_line({"vecdb",
                         options.index,
                         point.setting.name(),
                         std::to_string(problem.k),
                         fixed(point.recall, 6),
                         fixed(point.timing.qps, 1),
                         fixed(point.timing.p50_ms * 1e3, 2),
                         fixed(point.timing.p95_ms * 1e3, 2),
                         fixed(point.timing.p99_ms * 1e3, 2),
                         fixed(subject.build_seconds, 3),
                         fixed(subject.bytes_per_vector, 1)});
    }
    return csv;
}

std::string to_svg(const Problem& problem,
                   const BenchOptions& options,
                   std::span<const SweepPoint> points) {
    const std::string file = std::filesystem::path(options.base_path).filename().string();
    return draw_svg(file + ", " + options.settings.metric_name +
                        ", k = " + std::to_string(problem.k) + ", " +
                        std::to_string(options.settings.thread_count()) + " threads",
                    {{.name = "vecdb " + options.index, .points = curve_of(points)}});
}

std::vector<SweepPoint> measure_all(const Output& output,
                                    const SweepCase& now,
                                    std::span<const Setting> settings) {
    std::vector<SweepPoint> points;
    output.text('\n' + sweep_head(settings, now.problem.k));
    for (const Setting& setting : settings) {
        points.push_back(measure_setting(now, setting));
        output.text(sweep_line(settings, points.back()));
    }
    output.text('\n' + recall_lines(curve_of(points)));
    return points;
}

std::string first_fault(std::span<const SweepPoint> points) {
    for (const SweepPoint& point : points) {
        if (!point.fault.empty()) return point.setting.name() + ": " + point.fault;
    }
    return {};
}

Problem make_problem(const FloatMatrix& base,
                     const FloatMatrix& queries,
                     const Allowed& allowed,
                     const BenchOptions& options) {
    if (allowed.count == 0) {
        throw CommandError(ExitCode::kInput,
                           (base.rows == 0 ? options.base_path : options.settings.allowed_path) +
                               ": no row is left to search");
    }
    return {base, queries, allowed, options.settings.metric(), options.settings.k};
}

void run_bench(const BenchOptions& options) {
    const std::vector<Setting> settings =
        parse_sweeps(options.sweeps, parse_index("--index", options.index));
    const Output output(options.json_path);
    check_writable(options.csv_path);
    check_writable(options.plot_path);
    const FloatMatrix base = read_vectors(options.base_path);
    const FloatMatrix queries = read_queries(options.queries_path, base.dim);
    const Allowed allowed = read_allowed(options.settings.allowed_path, base.rows);
    const Problem problem = make_problem(base, queries, allowed, options);
    Truth truth;  // a file that does not fit is refused before the work, not after it
    if (!options.truth_path.empty()) truth = read_truth(problem, options.truth_path);

    const Subject subject = make_subject(problem, options);
    if (truth.limits.empty()) truth = compute_truth(problem);
    print_subject(output, problem, options, subject);
    output.line("truth", truth.source);

    Json json = Json::object();
    std::string fault;
    if (options.swept()) {
        const SweepCase now{
            problem, truth, subject.collection, search_of(problem, options), options.seconds};
        const std::vector<SweepPoint> points = measure_all(output, now, settings);
        fault = first_fault(points);
        add_sweep(json, points);
        write_file(options.csv_path, to_csv(problem, options, subject, points));
        write_file(options.plot_path, to_svg(problem, options, points));
    } else {
        const Report report = measure(problem, truth, subject.collection, options);
        fault = report.fault;
        print(output, problem, report);
        json = to_json(report);
    }
    add_subject(json, problem, options, subject);
    json.update({{"truth", truth.source}, {"sound", fault.empty()}, {"version", version()}});
    output.finish(json);
    if (!fault.empty()) throw CommandError(ExitCode::kNotSound, fault);
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
    command
        ->add_option("--index",
                     options->index,
                     "flat, hnsw or ivf, then key=value for flat: codes; hnsw: m, ef_construction, "
                     "alpha, codes; ivf: nlist, codes, pq_dims")
        ->capture_default_str();
    command->add_option("--build-threads", options->build_threads, "0: as many as the machine has")
        ->check(CLI::Range(std::size_t{0}, kMaxThreads))
        ->capture_default_str();
    command
        ->add_option("--sweep",
                     options->sweeps,
                     "Measure each value of a search's setting: hnsw: ef, rerank; ivf: nprobe, "
                     "bound, rerank. Several: all combinations")
        ->type_name("KEY=V,V,...")
        ->expected(1)
        ->take_all();
    command->add_option("--csv", options->csv_path, "Write a line a setting")->type_name("F.csv");
    command->add_option("--plot", options->plot_path, "Draw recall against speed")
        ->type_name("F.svg");
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
