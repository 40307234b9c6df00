#include "cli/output.h"
#include "compare/approximate.h"
#include "compare/engines.h"
#include "compare/truth.h"

#include <algorithm>
#include <utility>

namespace vecdb::bench {
namespace {

constexpr double kShares[] = {0.5, 0.1, 0.01, 0.001};
constexpr double kUnfilteredRecall = 0.95;
/// Masks of at least that share are compared with the rival without a filter too.
constexpr double kUnfilteredShare = 0.5;
constexpr double kAll = 1 - 1e-9;

/// What compares the floats of the allowed rows, all of them and nothing else.
Contestant make_scan() {
    Contestant scan{.kind = "scan", .label = "vecdb scan of the allowed floats"};
    scan.engine = make_vecdb(scan.label, FlatOptions{.codes = Codes::kNone});
    scan.settings = cli::settings_of({});
    return scan;
}

/// A mask, and how fast what it is compared with was in the same rounds.
struct Masked {
    double share;
    const cli::Allowed& allowed;
    double scan_qps;
    std::optional<double> unfiltered_qps;  ///< Of the first rival, at kUnfilteredRecall.
};

void show_points(Bench& bench,
                 const Contestant& contestant,
                 const std::vector<Measured>& points,
                 const Masked& mask,
                 const std::string& rival) {
    for (const Measured& point : points) {
        const std::string title = "x " + rival + " unfiltered at 0.95";
        bench.report.row(
            {number("percent_allowed", "% allowed", 100 * mask.share, 1),
             count("rows_allowed", "rows allowed", mask.allowed.count),
             text("engine", "engine", contestant.label),
             text("setting", "setting", point.setting.name()),
             number("recall", "recall", point.recall, 4),
             number("qps", "queries/s", point.qps, 1),
             number("spread_percent", "spread %", 100 * point.spread, 1),
             number("times_scan", "x scan", point.qps / mask.scan_qps, 2),
             mask.unfiltered_qps
                 ? number("times_unfiltered", title, point.qps / *mask.unfiltered_qps, 2)
                 : none("times_unfiltered", title)});
    }
}

/// The lines that the targets are read from.
std::vector<std::string> lines_of(const std::vector<Measured>& points,
                                  const Masked& mask,
                                  const std::string& rival) {
    const std::string start = "mask " + cli::fixed(100 * mask.share, 1) + "% ";
    const auto curve = curve_of(points);
    const auto exact = cli::qps_at(curve, kAll);
    std::vector<std::string> lines = {start + "exact vecdb " + cli::qps_text(exact) + " scan " +
                                      cli::qps_text(mask.scan_qps) + " ratio " +
                                      (exact ? cli::fixed(*exact / mask.scan_qps, 2) : "-")};
    lines.push_back(start + recall_line(kUnfilteredRecall,
                                        cli::qps_at(curve, kUnfilteredRecall),
                                        rival,
                                        mask.unfiltered_qps));
    return lines;
}

void run_mask(
    Bench& bench, Arena& arena, Contestant& scan, double share, std::vector<std::string>& lines) {
    const Bitset rows = random_rows(arena.set.base.rows, share, bench.options.seed);
    const cli::Allowed allowed = allow_only(rows);
    if (allowed.count == 0) return;
    const cli::Problem problem{
        arena.set.base, arena.set.queries, allowed, arena.set.metric, arena.problem.k};
    const cli::Truth truth = exact_truth(arena.set, problem, arena.folder);
    std::vector<Entry> entries = {{scan, problem, truth}};
    for (Contestant& subject : arena.subjects)
        entries.push_back({subject, problem, truth});
    for (const Entry& entry : entries)
        static_cast<void>(entry.contestant.engine->set_filter(&rows));
    const bool beside_rival = share >= kUnfilteredShare && !arena.rivals.empty();
    if (beside_rival) entries.push_back({arena.rivals.front(), arena.problem, arena.truth});

    const auto results = compete(entries, effort_of(bench.options));
    Masked mask{share, allowed, results[0][0].qps, std::nullopt};
    const std::string rival = arena.rivals.empty() ? "" : arena.rivals.front().kind;
    if (beside_rival) {
        mask.unfiltered_qps = cli::qps_at(curve_of(results.back()), kUnfilteredRecall);
    }
    for (std::size_t i = 0; i <= arena.subjects.size(); ++i) {
        show_points(bench, entries[i].contestant, results[i], mask, rival);
        if (i == 0) continue;
        lines.push_back(entries[i].contestant.label);
        for (std::string& line : lines_of(results[i], mask, beside_rival ? rival : ""))
            lines.push_back(std::move(line));
    }
}

}  // namespace

void run_masks(Bench& bench) {
    const ApproximateOptions& options = bench.options.approximate;
    for_each_arena(bench.options, [&](Arena& arena) {
        arena.build(options);
        Contestant scan = make_scan();
        make_ready(scan, arena.set, options);
        bench.report.section("masks_" + arena.set.name,
                             describe(arena.set) + ", random rows allowed, filter prepared");
        std::vector<std::string> lines;
        for (const double share : kShares)
            run_mask(bench, arena, scan, share, lines);
        bench.report.line("");
        for (const std::string& line : lines)
            bench.report.line(line);
    });
}

}  // namespace vecdb::bench
