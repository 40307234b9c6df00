#include "plot.h"

#include "output.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>

namespace vecdb::cli {
namespace {

// The place of the drawing, in pixels.
constexpr double kLeft = 90;
constexpr double kRight = 710;
constexpr double kTop = 56;
constexpr double kBottom = 520;
constexpr double kHeight = 580;
constexpr double kLegendLeft = kRight + 24;
constexpr double kLegendStep = 24;
constexpr double kLetter = 7.6;  // width of a letter of 13 px, generously

// The last recall that is told from 1.
constexpr double kNearlyOne = 0.99995;
constexpr double kRecallTicks[] = {
    0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, kNearlyOne};
// Those that are read most get their labels first, as far as there is room.
constexpr double kLabelledFirst[] = {0.95, 0.99, 0.9, 0.999};
constexpr double kLabelGap = 44;

// Okabe and Ito's, which colour-blind readers tell apart, yellow left out.
constexpr const char* kColours[] = {
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"};

double stretched(double recall) {
    return -std::log10(1 - std::clamp(recall, 0.0, kNearlyOne));
}

struct Range {
    double low = 0;
    double high = 1;

    [[nodiscard]] double share(double value) const { return (value - low) / (high - low); }
};

/// Where points come to lie.
struct Axes {
    Range recall;  // stretched
    Range speed;   // log10

    [[nodiscard]] double x(double value) const {
        return std::lerp(kLeft, kRight, recall.share(stretched(value)));
    }
    [[nodiscard]] double y(double qps) const {
        return std::lerp(kBottom, kTop, speed.share(std::log10(qps)));
    }
};

std::string escaped(const std::string& text) {
    std::string safe;
    for (const char c : text) {
        if (c == '<') {
            safe += "&lt;";
        } else if (c == '&') {
            safe += "&amp;";
        } else {
            safe += c;
        }
    }
    return safe;
}

std::string text_at(double x, double y, const char* style, const std::string& text) {
    return "<text x=\"" + fixed(x, 1) + "\" y=\"" + fixed(y, 1) + "\" " + style + '>' +
           escaped(text) + "</text>\n";
}

std::string line_between(double x1, double y1, double x2, double y2, const char* colour) {
    return "<line x1=\"" + fixed(x1, 1) + "\" y1=\"" + fixed(y1, 1) + "\" x2=\"" + fixed(x2, 1) +
           "\" y2=\"" + fixed(y2, 1) + "\" stroke=\"" + colour + "\"/>\n";
}

/// Speeds 1, 2 and 5 times powers of ten, from the last below to the first above all points.
std::vector<double> speed_ticks(double slowest, double fastest) {
    std::vector<double> ticks;
    for (int power = static_cast<int>(std::floor(std::log10(slowest)));; ++power) {
        for (const double step : {1.0, 2.0, 5.0}) {
            const double tick = step * std::pow(10.0, power);
            if (tick <= slowest) ticks.clear();
            ticks.push_back(tick);
            if (tick >= fastest && ticks.size() > 1) return ticks;
        }
    }
}

/// Recalls from the last below to the first above all points.
std::vector<double> recall_ticks(double lowest, double highest) {
    std::vector<double> ticks;
    for (const double tick : kRecallTicks) {
        if (tick <= lowest) ticks.clear();
        ticks.push_back(tick);
        if (tick >= std::min(highest, kNearlyOne) && ticks.size() > 1) break;
    }
    if (ticks.size() == 1) ticks.insert(ticks.begin(), *(std::end(kRecallTicks) - 2));
    return ticks;
}

std::string recall_name(double recall) {
    if (recall == kNearlyOne) return "1";
    if (recall == 0) return "0";
    std::string name = fixed(recall, 4);
    while (name.ends_with('0') && name.size() > 4)
        name.pop_back();
    return name;
}

/// Recalls whose labels do not touch.
std::vector<double> labelled(const Axes& axes, const std::vector<double>& recalls) {
    std::vector<double> order = {recalls.front(), recalls.back()};
    for (const double recall : kLabelledFirst) {
        if (std::find(recalls.begin(), recalls.end(), recall) != recalls.end())
            order.push_back(recall);
    }
    order.insert(order.end(), recalls.begin(), recalls.end());
    std::vector<double> taken;
    for (const double recall : order) {
        const bool free = std::none_of(taken.begin(), taken.end(), [&](double other) {
            return std::abs(axes.x(recall) - axes.x(other)) < kLabelGap;
        });
        if (free) taken.push_back(recall);
    }
    return taken;
}

std::string draw_recalls(const Axes& axes, const std::vector<double>& recalls) {
    std::string svg;
    for (const double recall : recalls) {
        const double x = axes.x(recall);
        svg += line_between(x, kTop, x, kBottom, "#dddddd");
    }
    for (const double recall : labelled(axes, recalls)) {
        const double x = axes.x(recall);
        svg += text_at(x, kBottom + 20, "text-anchor=\"middle\"", recall_name(recall));
    }
    return svg;
}

std::string draw_axes(const Axes& axes,
                      const std::vector<double>& recalls,
                      const std::vector<double>& speeds) {
    std::string svg = draw_recalls(axes, recalls);
    const bool sparse = speeds.size() > 14;
    for (const double speed : speeds) {
        const double y = axes.y(speed);
        svg += line_between(kLeft, y, kRight, y, "#dddddd");
        const double power = std::log10(speed);
        if (sparse && std::abs(power - std::round(power)) > 1e-9) continue;
        const std::string name =
            speed >= 1 ? grouped(static_cast<std::uint64_t>(std::llround(speed))) : fixed(speed, 3);
        svg += text_at(kLeft - 8, y + 4, "text-anchor=\"end\"", name);
    }
    svg += line_between(kLeft, kBottom, kRight, kBottom, "#333333");
    svg += line_between(kLeft, kTop, kLeft, kBottom, "#333333");
    svg += text_at((kLeft + kRight) / 2, kBottom + 46, "text-anchor=\"middle\"", "recall");
    const std::string middle = fixed((kTop + kBottom) / 2, 1);
    const std::string turned = "text-anchor=\"middle\" transform=\"rotate(-90 20 " + middle + ")\"";
    return svg + text_at(20, (kTop + kBottom) / 2, turned.c_str(), "queries per second");
}

std::string draw_curve(const Axes& axes, const Curve& curve, const char* colour) {
    std::string path;
    std::string marks;
    for (const CurvePoint& point : curve.points) {
        const std::string x = fixed(axes.x(point.recall), 1);
        const std::string y = fixed(axes.y(point.qps), 1);
        if (!path.empty()) path += ' ';
        path.append(x).append(",").append(y);
        marks.append("<circle cx=\"").append(x).append("\" cy=\"").append(y);
        marks.append("\" r=\"3\" fill=\"").append(colour).append("\"/>\n");
    }
    return "<polyline points=\"" + path + "\" fill=\"none\" stroke=\"" + colour +
           "\" stroke-width=\"2\"/>\n" + marks;
}

std::string draw_legend(std::size_t place, const std::string& name, const char* colour) {
    const double y = kTop + 12 + kLegendStep * static_cast<double>(place);
    return "<rect x=\"" + fixed(kLegendLeft, 1) + "\" y=\"" + fixed(y - 6, 1) +
           "\" width=\"22\" height=\"4\" fill=\"" + colour + "\"/>\n" +
           text_at(kLegendLeft + 30, y, "", name);
}

std::vector<CurvePoint> drawn_points(const std::vector<Curve>& curves) {
    std::vector<CurvePoint> all;
    for (const Curve& curve : curves)
        all.insert(all.end(), curve.points.begin(), curve.points.end());
    return all;
}

std::string draw_curves(const std::vector<Curve>& curves, const std::vector<CurvePoint>& all) {
    const auto [slowest, fastest] = std::minmax_element(
        all.begin(), all.end(), [](const auto& a, const auto& b) { return a.qps < b.qps; });
    const auto [lowest, highest] = std::minmax_element(
        all.begin(), all.end(), [](const auto& a, const auto& b) { return a.recall < b.recall; });
    const std::vector<double> speeds = speed_ticks(slowest->qps, fastest->qps);
    const std::vector<double> recalls = recall_ticks(lowest->recall, highest->recall);
    const Axes axes{{stretched(recalls.front()), stretched(recalls.back())},
                    {std::log10(speeds.front()), std::log10(speeds.back())}};
    std::string svg = draw_axes(axes, recalls, speeds);
    for (std::size_t i = 0; i < curves.size(); ++i)
        svg += draw_curve(axes, curves[i], kColours[i % std::size(kColours)]);
    return svg;
}

}  // namespace

std::string draw_svg(const std::string& title, const std::vector<Curve>& curves) {
    double width = std::max(kRight, kLeft + kLetter * 1.3 * static_cast<double>(title.size()));
    std::string legend;
    for (std::size_t i = 0; i < curves.size(); ++i) {
        legend += draw_legend(i, curves[i].name, kColours[i % std::size(kColours)]);
        const auto letters = static_cast<double>(curves[i].name.size());
        width = std::max(width, kLegendLeft + 30 + kLetter * letters);
    }
    const double legend_end = kTop + 12 + kLegendStep * static_cast<double>(curves.size());
    const std::string size = "width=\"" + fixed(width + 16, 0) + "\" height=\"" +
                             fixed(std::max(kHeight, legend_end), 0) + "\"";
    const std::vector<CurvePoint> all = drawn_points(curves);
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" " + size +
           " font-family=\"sans-serif\" font-size=\"13\" fill=\"#222222\">\n"
           "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n" +
           text_at(kLeft, 30, "font-size=\"17\"", title) +
           (all.empty() ? "" : draw_curves(curves, all)) + legend + "</svg>\n";
}

}  // namespace vecdb::cli
