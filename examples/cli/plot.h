#pragma once

/// \file
/// A drawing of recall against speed.

#include "recall_curve.h"

#include <string>
#include <vector>

namespace vecdb::cli {

/// One line of the drawing.
struct Curve {
    std::string name;
    std::vector<CurvePoint> points;  ///< In the order in which they are joined.
};

/// Return an SVG document: recall to the right, stretched like -log10(1 - recall), queries per
/// second upwards on a logarithmic scale, names beside the drawing. Curves without points are named
/// only.
[[nodiscard]] std::string draw_svg(const std::string& title, const std::vector<Curve>& curves);

}  // namespace vecdb::cli
