#include "bench_sweep.h"

#include "numbers.h"

#include <algorithm>
#include <cstdio>

namespace vecdb::cli {
namespace {

constexpr double kMicro = 1e3;  // microseconds in a millisecond

int name_width(std::span<const Setting> settings) {
    std::size_t width = std::string("setting").size();
    for (const Setting& setting : settings)
        width = std::max(width, setting.name().size());
    return static_cast<int>(width);
}

std::string fault_of(const Problem& problem, std::span<const Hit> answers) {
    if (answers.size() != problem.queries.rows * problem.expected()) {
        return "an answer has fewer than " + std::to_string(problem.expected()) + " rows";
    }
    return find_fault(problem, answers);
}

}  // namespace

SweepPoint measure_setting(const SweepCase& now, const Setting& setting) {
    SweepPoint point;
    point.setting = setting;
    SearchOptions search = now.search;
    apply(setting, search);
    point.timing = time_single(now.collection, now.problem.queries.view(), search, now.seconds);
    const std::vector<Hit> answers = std::move(point.timing.answers);
    point.timing.answers.clear();
    point.fault = fault_of(now.problem, answers);
    if (point.fault.empty()) point.recall = recall(now.problem, now.truth, answers);
    return point;
}

std::vector<CurvePoint> curve_of(std::span<const SweepPoint> points) {
    std::vector<CurvePoint> curve;
    for (const SweepPoint& point : points)
        curve.push_back({point.recall, point.timing.qps});
    return curve;
}

std::string sweep_head(std::span<const Setting> settings, std::size_t k) {
    char line[400];
    std::snprintf(line,
                  sizeof line,
                  "%-*s  %10s  %12s  %10s  %10s\n",
                  name_width(settings),
                  "setting",
                  ("recall@" + std::to_string(k)).c_str(),
                  "queries/s",
                  "p50 us",
                  "p99 us");
    return line;
}

std::string sweep_line(std::span<const Setting> settings, const SweepPoint& point) {
    char line[400];
    std::snprintf(line,
                  sizeof line,
                  "%-*s  %10.4f  %12.1f  %10.1f  %10.1f\n",
                  name_width(settings),
                  point.setting.name().c_str(),
                  point.recall,
                  point.timing.qps,
                  point.timing.p50_ms * kMicro,
                  point.timing.p99_ms * kMicro);
    return line;
}

std::string recall_lines(std::span<const CurvePoint> curve) {
    std::string lines;
    for (const double recall : kReadRecalls) {
        lines += "recall " + fixed(recall, 2) + " vecdb " + qps_text(qps_at(curve, recall)) + '\n';
    }
    return lines;
}

void add_sweep(Json& json, std::span<const SweepPoint> points) {
    json["points"] = Json::array();
    for (const SweepPoint& point : points) {
        Json setting = Json::object();
        for (const auto& [key, value] : point.setting.values) {
            if (key == "bound") {
                setting[key] = parse_real(key, value);
            } else {
                setting[key] = parse_count(key, value);
            }
        }
        json["points"].push_back({{"setting", setting},
                                  {"recall", point.recall},
                                  {"qps", point.timing.qps},
                                  {"p50_us", point.timing.p50_ms * kMicro},
                                  {"p95_us", point.timing.p95_ms * kMicro},
                                  {"p99_us", point.timing.p99_ms * kMicro}});
    }
    json["qps_at_recall"] = Json::object();
    const std::vector<CurvePoint> curve = curve_of(points);
    for (const double recall : kReadRecalls) {
        const auto qps = qps_at(curve, recall);
        json["qps_at_recall"][fixed(recall, 2)] = qps ? Json(*qps) : Json(nullptr);
    }
}

}  // namespace vecdb::cli
