#include "cli/recall_curve.h"

#include "cli/plot.h"
#include "support/catch.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace vecdb::test {
namespace {

using cli::CurvePoint;
using cli::qps_at;

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) {
        ++found;
    }
    return found;
}

}  // namespace

TEST_CASE("the upper envelope leaves out what another point beats in both") {
    const std::vector<CurvePoint> points = {{0.9, 100}, {0.8, 90}, {0.95, 50}, {0.95, 40}};
    const std::vector<CurvePoint> envelope = cli::upper_envelope(points);
    REQUIRE(envelope.size() == 2);
    CHECK(envelope[0].recall == 0.9);
    CHECK(envelope[1].recall == 0.95);
    CHECK(envelope[1].qps == 50);
}

TEST_CASE("speed at a recall is interpolated on a logarithmic scale") {
    const std::vector<CurvePoint> points = {{0.92, 100}, {0.88, 10'000}, {0.85, 5'000}};
    CHECK(qps_at(points, 0.90).value() == Approx(1'000));
    CHECK(qps_at(points, 0.92).value() == Approx(100));
    CHECK(qps_at(points, 0.5).value() == Approx(10'000));
    CHECK_FALSE(qps_at(points, 0.93).has_value());
    CHECK_FALSE(qps_at({}, 0.5).has_value());
    CHECK(cli::qps_text(qps_at(points, 0.99)) == "not reached");
    CHECK(cli::qps_text(1234.56) == "1234.6");
}

TEST_CASE("a drawing has a mark for every point, and every name, escaped") {
    const std::string svg =
        cli::draw_svg("a < b & c", {{"first", {{0.5, 10}, {0.9, 5}}}, {"<none>", {}}});
    CHECK(count(svg, "<circle") == 2);
    CHECK(count(svg, "a &lt; b &amp; c") == 1);
    CHECK(count(svg, ">first<") == 1);
    CHECK(count(svg, "&lt;none>") == 1);
    CHECK(svg.ends_with("</svg>\n"));
}

TEST_CASE("a drawing of one point, of recall 1, or of none has finite places") {
    const std::vector<std::vector<CurvePoint>> cases = {
        {}, {{1.0, 1e-3}}, {{0.0, 1e7}}, {{1.0, 1000}, {1.0, 1000}}, {{0.99995, 2}, {0.2, 3e6}}};
    for (const auto& points : cases) {
        const std::string svg = cli::draw_svg("title", {{"name", points}});
        CHECK(svg.find("nan") == std::string::npos);
        CHECK(svg.find("inf") == std::string::npos);
        CHECK(count(svg, "<circle") == points.size());
    }
}

}  // namespace vecdb::test
