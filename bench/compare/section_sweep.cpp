#include "cli/output.h"
#include "cli/plot.h"
#include "compare/approximate.h"

#include <utility>

namespace vecdb::bench {
namespace {

using Results = std::vector<std::vector<Measured>>;

/// Contestants in the order of their results, ours first.
std::vector<Contestant*> contestants_of(Arena& arena) {
    std::vector<Contestant*> all;
    for (Contestant& subject : arena.subjects)
        all.push_back(&subject);
    for (Contestant& rival : arena.rivals)
        all.push_back(&rival);
    return all;
}

double bytes_of(const Contestant& contestant, const Arena& arena) {
    return static_cast<double>(contestant.engine->memory_bytes()) /
           static_cast<double>(arena.set.base.rows);
}

void show_engines(Bench& bench, const Arena& arena, const std::vector<Contestant*>& all) {
    bench.report.section("engines_" + arena.set.name, describe(arena.set) + ": builds");
    const auto floats = static_cast<double>(4 * arena.set.base.dim);
    for (const Contestant* each : all) {
        const double bytes = bytes_of(*each, arena);
        bench.report.row({text("engine", "engine", each->label),
                          number("build_seconds", "build s", each->build_seconds, 1),
                          text("built", "built", each->from_cache ? "in an earlier run" : "now"),
                          number("bytes_per_vector", "bytes a vector", bytes, 1),
                          number("bytes_beside_floats", "floats left out", bytes - floats, 1)});
    }
}

void show_points(Bench& bench,
                 const Arena& arena,
                 const std::vector<Contestant*>& all,
                 const Results& results) {
    bench.report.section("sweep_" + arena.set.name,
                         describe(arena.set) + ", " + std::to_string(arena.set.queries.rows) +
                             " queries one at a time, 1 thread");
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (const Measured& point : results[i]) {
            bench.report.row(
                {text("engine", "engine", all[i]->label),
                 text("setting", "setting", point.setting.name()),
                 number("recall", "recall@" + std::to_string(arena.problem.k), point.recall, 4),
                 number("qps", "queries/s", point.qps, 1),
                 number("us_per_query", "us a query", 1e6 / point.qps, 1),
                 number("spread_percent", "spread %", 100 * point.spread, 1)});
        }
    }
}

void show_recalls(Bench& bench, const Arena& arena, const Results& results) {
    bench.report.section("recalls_" + arena.set.name, describe(arena.set) + ": speed at recalls");
    const std::size_t ours = arena.subjects.size();
    for (std::size_t i = 0; i < ours; ++i) {
        bench.report.line(arena.subjects[i].label);
        for (std::size_t j = 0; j < std::max<std::size_t>(arena.rivals.size(), 1); ++j) {
            const bool alone = arena.rivals.empty();
            const std::string rival = alone ? "" : arena.rivals[j].kind;
            for (const double recall : cli::kReadRecalls) {
                const auto subject = cli::qps_at(curve_of(results[i]), recall);
                const auto other =
                    alone ? std::nullopt : cli::qps_at(curve_of(results[ours + j]), recall);
                bench.report.line(recall_line(recall, subject, rival, other),
                                  {{"engine", arena.subjects[i].label},
                                   {"rival", rival},
                                   {"recall", recall},
                                   {"qps", optional_json(subject)},
                                   {"rival_qps", optional_json(other)}});
            }
        }
    }
}

std::string csv_of(const Arena& arena,
                   const std::vector<Contestant*>& all,
                   const Results& results) {
    std::string csv;
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (const Measured& point : results[i]) {
            csv += cli::csv_line({arena.set.name,
                                  all[i]->label,
                                  point.setting.name(),
                                  std::to_string(arena.problem.k),
                                  cli::fixed(point.recall, 6),
                                  cli::fixed(point.qps, 1),
                                  cli::fixed(point.spread, 4),
                                  cli::fixed(all[i]->build_seconds, 2),
                                  cli::fixed(bytes_of(*all[i], arena), 1)});
        }
    }
    return csv;
}

std::string svg_of(const Arena& arena,
                   const std::vector<Contestant*>& all,
                   const Results& results) {
    std::vector<cli::Curve> curves;
    for (std::size_t i = 0; i < all.size(); ++i)
        curves.push_back({all[i]->label, cli::upper_envelope(curve_of(results[i]))});
    return cli::draw_svg(describe(arena.set) + ", k = " + std::to_string(arena.problem.k) +
                             ", one query at a time, 1 thread",
                         curves);
}

/// With several sets each has a drawing of its own: plot.svg becomes plot_words.svg.
std::string plot_path(const ApproximateOptions& options, const std::string& set) {
    if (options.plot.empty() || !options.base.empty() || options.sets.size() == 1) {
        return options.plot.string();
    }
    std::filesystem::path path = options.plot;
    path.replace_filename(path.stem().string() + '_' + set + path.extension().string());
    return path.string();
}

}  // namespace

void run_sweep(Bench& bench) {
    const ApproximateOptions& options = bench.options.approximate;
    std::string csv = cli::csv_line({"set",
                                     "engine",
                                     "setting",
                                     "k",
                                     "recall",
                                     "qps",
                                     "spread",
                                     "build_seconds",
                                     "bytes_per_vector"});
    cli::check_writable(options.csv.string());
    for_each_arena(bench.options, [&](Arena& arena) {
        arena.build(options);
        const std::vector<Contestant*> all = contestants_of(arena);
        std::vector<Entry> entries;
        for (Contestant* each : all)
            entries.push_back({*each, arena.problem, arena.truth});
        show_engines(bench, arena, all);
        const Results results = compete(entries, effort_of(bench.options));
        show_points(bench, arena, all, results);
        show_recalls(bench, arena, results);
        csv += csv_of(arena, all, results);
        cli::write_file(options.csv.string(), csv);
        cli::write_file(plot_path(options, arena.set.name), svg_of(arena, all, results));
    });
}

}  // namespace vecdb::bench
