#include "recall_curve.h"

#include "output.h"

#include <algorithm>
#include <cmath>

namespace vecdb::cli {

std::vector<CurvePoint> upper_envelope(std::span<const CurvePoint> points) {
    std::vector<CurvePoint> sorted(points.begin(), points.end());
    std::sort(sorted.begin(), sorted.end(), [](const CurvePoint& a, const CurvePoint& b) {
        return a.recall != b.recall ? a.recall > b.recall : a.qps > b.qps;
    });
    std::vector<CurvePoint> envelope;
    for (const CurvePoint& point : sorted) {
        if (envelope.empty() || point.qps > envelope.back().qps) envelope.push_back(point);
    }
    std::reverse(envelope.begin(), envelope.end());
    return envelope;
}

std::optional<double> qps_at(std::span<const CurvePoint> points, double recall) {
    const std::vector<CurvePoint> envelope = upper_envelope(points);
    const auto above = std::find_if(envelope.begin(), envelope.end(), [&](const CurvePoint& point) {
        return point.recall >= recall;
    });
    if (above == envelope.end()) return std::nullopt;
    if (above == envelope.begin()) return above->qps;
    const CurvePoint& below = *(above - 1);
    const double share = (recall - below.recall) / (above->recall - below.recall);
    return std::exp(std::lerp(std::log(below.qps), std::log(above->qps), share));
}

std::string qps_text(const std::optional<double>& qps) {
    return qps ? fixed(*qps, 1) : "not reached";
}

}  // namespace vecdb::cli
