/// \file
/// compare: vecdb through its public API beside its rivals, in one run.
/// Exits with 0 when all engines agreed, 1 when they did not or the run failed, 2 on a wrong
/// command line, 3 when data is missing.

#include "cli/exit_code.h"
#include "compare/contestants.h"
#include "compare/engines.h"
#include "compare/report.h"
#include "compare/sections.h"
#include "machine.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace vecdb::bench {
namespace {

void add_common(CLI::App& app, CompareOptions& options) {
    std::set<std::string> keys;
    std::string help = "Run these sections:";
    for (const Section& section : sections()) {
        keys.insert(section.key);
        help += std::string("\n  ") + section.key + ": " + section.help;
    }
    app.add_option("--only", options.only, help)
        ->delimiter(',')
        ->check(CLI::IsMember(keys))
        ->capture_default_str();
    app.add_option("--data-dir", options.data, "Folder with full/words_full.npy and so on")
        ->capture_default_str();
    app.add_option("--rounds", options.rounds, "Turns of each engine; medians are shown")
        ->check(CLI::Range(1, 1'000))
        ->capture_default_str();
    app.add_option("--seed", options.seed, "Seed of the random masks")->capture_default_str();
    app.add_option("--json", options.json, "Write all figures to this file");
    app.add_option("--turn-queries",
                   options.turn_queries,
                   "machine to filter, exact: one-at-a-time queries of a turn")
        ->check(CLI::Range(1, 1'000))
        ->capture_default_str();
    app.add_option("--threads", options.threads, "machine, batch: 1, or 1,2")
        ->delimiter(',')
        ->check(CLI::Range(1, 1'024))
        ->capture_default_str();
}

void add_data(CLI::App& app, ApproximateOptions& options) {
    app.add_option("--data", options.sets, "sweep, masks, exact: words (cosine), mnist (l2)")
        ->delimiter(',')
        ->check(CLI::IsMember({"words", "mnist"}))
        ->capture_default_str();
    app.add_option(
           "--query-count", options.query_count, "Queries held out of the words, or MNIST's")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    CLI::Option* base = app.add_option("--base", options.base, "Vectors of your own, not --data");
    CLI::Option* queries = app.add_option("--queries", options.queries, "Their queries");
    base->needs(queries);
    queries->needs(base);
    app.add_option("--truth", options.truth, "Their right ids; computed if absent")->needs(base);
    app.add_option("--metric", options.metric, "Their metric: l2, ip or cosine")
        ->check(CLI::IsMember({"l2", "ip", "cosine"}))
        ->capture_default_str();
    app.add_option("--k", options.k, "Rows wanted per query")
        ->check(CLI::Range(std::size_t{1}, kMaxK))
        ->capture_default_str();
}

void add_contestants(CLI::App& app, ApproximateOptions& options) {
    const auto list = [&app](
                          const char* name, std::vector<std::string>& to, const std::string& help) {
        return app.add_option(name, to, help)->expected(1)->take_all();
    };
    list("--index", options.indexes, "vecdb's index, as of vecdb bench; may stand several times")
        ->capture_default_str();
    list("--sweep", options.sweeps, "KEY=V,V,...: as of vecdb bench; of the indexes that have it");
    app.add_option("--build-threads", options.build_threads, "Of vecdb; 0: all")
        ->check(CLI::Range(std::size_t{0}, kMaxThreads))
        ->capture_default_str();
    app.add_option("--rivals", options.rivals, "Of " + rival_names() + "; or none")
        ->delimiter(',')
        ->capture_default_str();
    list("--rival-options",
         options.rival_options,
         "\"NAME key=value ...\": change a rival's parameters");
    list("--rival-sweep", options.rival_sweeps, "KEY=V,V,...: of the rivals that have it");
    app.add_option("--cache", options.cache, "Folder where rivals' indexes are kept");
    app.add_option("--seconds", options.seconds, "A turn lasts this long at least")
        ->check(CLI::Range(0.0, 3600.0))
        ->capture_default_str();
    app.add_option("--pin", options.cpu, "The CPU that rounds run on");
    app.add_option("--csv", options.csv, "sweep: write a line a setting");
    app.add_option("--plot", options.plot, "sweep: draw recall against speed, an SVG a set");
}

CLI::App_p command_line(CompareOptions& options) {
    auto app = std::make_shared<CLI::App>("Compare vecdb with its rivals", "compare");
    add_common(*app, options);
    add_data(*app, options.approximate);
    add_contestants(*app, options.approximate);
    return app;
}

/// Read what stands inside options, so that a mistake shows before minutes of work.
void check_contestants(ApproximateOptions& options) {
    if (options.rivals == std::vector<std::string>{"none"}) options.rivals.clear();
    constexpr std::size_t kAnyDimension = 64;
    static_cast<void>(make_subjects(options));
    static_cast<void>(make_rivals(options, kAnyDimension));
}

std::string load_average() {
    double loads[1] = {0};
    if (getloadavg(loads, 1) != 1) return "unknown";
    char shown[32];
    std::snprintf(shown, sizeof(shown), "%.2f", loads[0]);
    return shown;
}

void describe_run(const CompareOptions& options, Report& report) {
    report.about("CPU", cpu_name());
    report.about("CPUs of this process", std::to_string(usable_cpus()));
    report.about("load average at the start", load_average());
#if defined(__clang__)
    report.about("compiler", "clang " __clang_version__);
#else
    report.about("compiler", "g++ " __VERSION__);
#endif
    report.about("build type", VECDB_BENCH_BUILD_TYPE);
    for (const auto& [title, value] : make_vecdb("vecdb", FlatOptions{})->about())
        report.about(title, value);
    const std::vector<std::string> rivals = built_rivals();
    for (const std::string& rival : rivals) {
        for (const auto& [title, value] : make_rival(rival, rival, "")->about())
            report.about(title, value);
    }
    if (rivals.empty()) report.about("rivals", "none built: exact answers are not checked");
    report.about("rounds", std::to_string(options.rounds));
    report.about("seed", std::to_string(options.seed));
}

bool wanted(const CompareOptions& options, const std::string& key) {
    return std::find(options.only.begin(), options.only.end(), key) != options.only.end();
}

int run(const CompareOptions& options) {
    // Opened first: minutes of measuring must not end at a wrong path.
    std::ofstream file;
    if (!options.json.empty()) file.open(options.json);
    if (!file) throw std::runtime_error("cannot write " + options.json.string());
    Report report;
    describe_run(options, report);
    ReadProbe read_probe;
    Bench bench{options, report, read_probe};
    for (const Section& section : sections()) {
        if (wanted(options, section.key)) section.run(bench);
    }
    for (const std::string& fault : report.faults()) {
        std::fprintf(stderr, "compare: answers differ: %s\n", fault.c_str());
    }
    if (file.is_open() && !(file << report.json().dump(2) << '\n' << std::flush)) {
        throw std::runtime_error("cannot write " + options.json.string());
    }
    return report.ok() ? 0 : 1;
}

}  // namespace
}  // namespace vecdb::bench

int main(int argc, char** argv) {
    try {
        vecdb::bench::CompareOptions options;
        const CLI::App_p app = vecdb::bench::command_line(options);
        try {
            app->parse(argc, argv);
        } catch (const CLI::ParseError& error) {
            return app->exit(error) == 0 ? 0 : 2;
        }
        vecdb::bench::check_contestants(options.approximate);
        return vecdb::bench::run(options);
    } catch (const vecdb::cli::CommandError& error) {
        std::fprintf(stderr, "compare: %s\n", error.what());
        return std::min(static_cast<int>(error.code()), 3);
    } catch (const vecdb::bench::MissingData& error) {
        std::fprintf(stderr, "compare: %s\n", error.what());
        return 3;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "compare: %s\n", error.what());
        return 1;
    }
}
