/// \file
/// vecdb_compare: vecdb through its public API beside its rivals, in one run.
/// Exits with 0 when all engines agreed, 1 when they did not or the run failed, 2 on a wrong
/// command line, 3 when data is missing.

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
#include <utility>

#include <CLI/CLI.hpp>

namespace vecdb::bench {
namespace {

CLI::App_p command_line(CompareOptions& options) {
    auto app = std::make_shared<CLI::App>("Compare vecdb with its rivals", "vecdb_compare");
    std::set<std::string> keys;
    std::string help = "Run these sections alone:";
    for (const Section& section : sections()) {
        keys.insert(section.key);
        help += std::string("\n  ") + section.key + ": " + section.help;
    }
    app->add_option("--data", options.data, "Folder with full/words_full.npy and so on")
        ->capture_default_str();
    app->add_option("--only", options.only, help)->delimiter(',')->check(CLI::IsMember(keys));
    app->add_option("--rounds", options.rounds, "Turns of each engine; medians are shown")
        ->check(CLI::Range(1, 1'000))
        ->capture_default_str();
    app->add_option("--queries", options.queries, "One-at-a-time queries of a turn")
        ->check(CLI::Range(1, 1'000))
        ->capture_default_str();
    app->add_option("--threads", options.threads, "Threads of batch and machine: 1, or 1,2")
        ->delimiter(',')
        ->check(CLI::Range(1, 1'024))
        ->capture_default_str();
    app->add_option("--seed", options.seed, "Seed of the random masks")->capture_default_str();
    app->add_option("--json", options.json, "Write all figures to this file");
    return app;
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
    const Engines engines = exact_engines();
    for (const Engine* engine : engines.all()) {
        for (const auto& [title, value] : engine->about())
            report.about(title, value);
    }
    if (engines.rivals.empty()) report.about("rivals", "none built: answers are not checked");
    report.about("rounds", std::to_string(options.rounds));
    report.about("queries of a turn", std::to_string(options.queries));
    report.about("seed", std::to_string(options.seed));
}

bool wanted(const CompareOptions& options, const std::string& key) {
    return options.only.empty() ||
           std::find(options.only.begin(), options.only.end(), key) != options.only.end();
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
        std::fprintf(stderr, "vecdb_compare: answers differ: %s\n", fault.c_str());
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
        return vecdb::bench::run(options);
    } catch (const vecdb::bench::MissingData& error) {
        std::fprintf(stderr, "vecdb_compare: %s\n", error.what());
        return 3;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "vecdb_compare: %s\n", error.what());
        return 1;
    }
}
