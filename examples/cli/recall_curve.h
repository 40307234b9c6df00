#pragma once

/// \file
/// Speed against recall: what a sweep over a search's settings measures.

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vecdb::cli {

/// One measured setting.
struct CurvePoint {
    double recall = 0;
    double qps = 0;
};

/// The recalls at which curves are read.
inline constexpr double kReadRecalls[] = {0.90, 0.95, 0.99};

/// Return the points that no other beats in both, by rising recall and so falling speed.
[[nodiscard]] std::vector<CurvePoint> upper_envelope(std::span<const CurvePoint> points);

/// Return the queries per second at a recall: the logarithm of the speed interpolated linearly
/// between the points of the upper envelope. Below the envelope's first point, the speed of that;
/// nothing when no point has as much recall.
[[nodiscard]] std::optional<double> qps_at(std::span<const CurvePoint> points, double recall);

/// Write a speed, "12345.6", or "not reached".
[[nodiscard]] std::string qps_text(const std::optional<double>& qps);

}  // namespace vecdb::cli
