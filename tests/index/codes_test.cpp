#include "index/codes.h"

#include "index/encode.h"
#include "index/half.h"
#include "simd/dispatch.h"
#include "support/catch.h"
#include "support/segments.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

using vecdb::IndexRows;
using vecdb::Metric;
using vecdb::test::Segment;
using namespace vecdb::index;  // NOLINT(google-build-using-namespace): the header under test
namespace simd = vecdb::simd;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr CodeLayout kLayouts[] = {CodeLayout::kBlock4,
                                   CodeLayout::kRow4,
                                   CodeLayout::kRow5,
                                   CodeLayout::kRow7,
                                   CodeLayout::kRow8};
constexpr Metric kMetrics[] = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine};

/// Run `body` with each kernel table in use.
template <class Body>
void on_every_level(Body&& body) {
    const std::string before = simd::table_in_use().name;
    for (const simd::KernelTable* table : simd::available_tables()) {
        REQUIRE(simd::choose_table(table->name).ok());
        body(*table);
    }
    REQUIRE(simd::choose_table(before).ok());
}

std::vector<std::uint32_t> all_rows(std::size_t count) {
    std::vector<std::uint32_t> list(count);
    std::iota(list.begin(), list.end(), 0U);
    return list;
}

/// Return the scores of all rows.
std::vector<float> scores(const CodeTable& codes, const simd::CodeQuery& query) {
    const std::size_t room = (codes.rows() + 31) / 32 * 32;
    std::vector<std::uint32_t> rows(room);
    std::vector<float> values(room);
    const simd::Kept kept{rows.data(), values.data()};
    const simd::KernelTable& table = simd::table_in_use();
    std::size_t n = 0;
    if (codes.layout() == CodeLayout::kBlock4) {
        n = table.codes.block4(query, codes.blocks(), codes.rows(), kInfinity, kept);
    } else {
        const auto list = all_rows(codes.rows());
        n = codes.row_kernel(table)(
            query, codes.code_rows(), list.data(), list.size(), 0, kInfinity, kept);
    }
    REQUIRE(n == codes.rows());
    values.resize(n);
    return values;
}

std::vector<float> distances(const IndexRows& rows, const float* query) {
    std::vector<float> values(rows.count);
    rows.distances(query, all_rows(rows.count), values);
    return values;
}

/// Return queries near rows, among them, and far from all.
vecdb::test::Matrix queries_for(const Segment& segment) {
    const auto& rows = segment.matrix();
    vecdb::test::Matrix queries(6, rows.dim);
    const auto noise = vecdb::test::normal_rows(6, rows.dim, 99);
    for (std::size_t q = 0; q < 6; ++q) {
        for (std::size_t d = 0; d < rows.dim; ++d) {
            const float x = rows.row(q * 5 % rows.rows)[d];
            const float factors[] = {0.0F, 1e-3F, 0.5F, 0.0F, 0.0F, 0.0F};
            queries.row(q)[d] = x + factors[q] * noise.row(q)[d] * std::fabs(x);
            if (q == 3) queries.row(q)[d] = 0.0F;
            if (q == 4) queries.row(q)[d] = noise.row(q)[d];
            if (q == 5) queries.row(q)[d] = -x;
        }
    }
    return Segment(queries, segment.view().metric).matrix();
}

CodeSpace space_of(const IndexRows& rows, const CodeSpace::Wish& wish) {
    return *CodeSpace::choose(rows, wish, {});
}

CodeTable table_of(const IndexRows& rows, const CodeSpace& space, CodeLayout layout) {
    return *CodeTable::build(rows, space, layout, {});
}

/// Return the number of rows whose lower bound is not above the k-th distance.
std::size_t survivors(const CodeTable& codes,
                      const CodeSpace& space,
                      const IndexRows& rows,
                      const float* query,
                      std::size_t k) {
    PreparedQuery prepared;
    codes.prepare(space, query, 1.0F, prepared);
    std::vector<float> exact = distances(rows, query);
    std::nth_element(exact.begin(), exact.begin() + static_cast<long>(k - 1), exact.end());
    const auto bounds = scores(codes, prepared.code);
    return static_cast<std::size_t>(std::count_if(
        bounds.begin(), bounds.end(), [&](float bound) { return bound <= exact[k - 1]; }));
}

}  // namespace

TEST_CASE("a bound is never above the distance the kernel computes", "[index][codes]") {
    const std::size_t dim = GENERATE(1U, 3U, 24U, 100U, 290U);
    const bool cuts = GENERATE(false, true);
    if (cuts && dim < 24) return;
    for (auto& data : vecdb::test::hard_data(dim > 100 ? 600 : 230, dim, 7)) {
        for (const Metric metric : kMetrics) {
            const Segment segment(data.rows, metric);
            const IndexRows rows = segment.view();
            const CodeSpace space =
                space_of(rows, {.max_head = cuts ? 16U : 0U, .variance = 0.9, .must_cut = cuts});
            const auto queries = queries_for(segment);
            for (const CodeLayout layout : kLayouts) {
                on_every_level([&](const simd::KernelTable& level) {
                    const CodeTable codes = table_of(rows, space, layout);
                    PreparedQuery prepared;
                    for (std::size_t q = 0; q < queries.rows; ++q) {
                        const float* const query = queries.row(q).data();
                        codes.prepare(space, query, 1.0F, prepared);
                        const auto bounds = scores(codes, prepared.code);
                        const auto exact = distances(rows, query);
                        for (std::size_t i = 0; i < rows.count; ++i) {
                            if (bounds[i] <= exact[i]) continue;
                            CAPTURE(data.name, dim, cuts, level.name, q, i);
                            CAPTURE(static_cast<int>(metric), static_cast<int>(layout));
                            REQUIRE(bounds[i] <= exact[i]);
                        }
                    }
                });
            }
        }
    }
}

TEST_CASE("bounds of random rows leave few of them", "[index][codes]") {
    const Metric metric = GENERATE(Metric::kL2, Metric::kInnerProduct, Metric::kCosine);
    const Segment segment(vecdb::test::normal_rows(20'000, 100, 3), metric);
    const IndexRows rows = segment.view();
    const CodeSpace space = space_of(rows, {});
    REQUIRE(space.head() == 100);
    const Segment queries(vecdb::test::normal_rows(8, 100, 4), metric);
    const std::pair<CodeLayout, double> limits[] = {{CodeLayout::kRow4, 0.02},
                                                    {CodeLayout::kRow5, 0.008},
                                                    {CodeLayout::kRow7, 0.002},
                                                    {CodeLayout::kRow8, 0.002}};
    for (const auto& [layout, part] : limits) {
        const CodeTable codes = table_of(rows, space, layout);
        std::size_t sum = 0;
        for (std::size_t q = 0; q < 8; ++q)
            sum += survivors(codes, space, rows, queries.matrix().row(q).data(), 10);
        CAPTURE(static_cast<int>(layout), static_cast<int>(metric), sum / 8);
        REQUIRE(static_cast<double>(sum) / 8 <= part * 20'000);
        REQUIRE(sum >= 80);
    }
}

TEST_CASE("a head is cut where few directions hold the variance", "[index][codes]") {
    const Segment segment(vecdb::test::flat_spectrum_rows(3'000, 96, 0.9, 5), Metric::kL2);
    const IndexRows rows = segment.view();
    const CodeSpace space = space_of(rows, {.max_head = 0, .variance = 0.88});
    REQUIRE(space.rotates());
    REQUIRE(space.head() <= 24);
    REQUIRE(space.head() % 8 == 0);
    REQUIRE(space.skew() < 1e-5);
    const CodeTable codes = table_of(rows, space, CodeLayout::kBlock4);
    const auto noise = vecdb::test::normal_rows(1, 96, 8);
    std::vector<float> query(96);
    for (std::size_t d = 0; d < 96; ++d)
        query[d] = rows.dim > 0 ? segment.matrix().row(17)[d] + 0.1F * noise.row(0)[d] : 0;
    REQUIRE(survivors(codes, space, rows, query.data(), 10) <= 300);
    REQUIRE_FALSE(space_of(rows, {.max_head = 8, .variance = 0.99}).rotates());
    REQUIRE(space_of(rows, {.max_head = 8, .variance = 0.99, .must_cut = true}).head() == 8);
}

TEST_CASE("estimates are near the distances", "[index][codes]") {
    const Metric metric = GENERATE(Metric::kL2, Metric::kInnerProduct, Metric::kCosine);
    const float centre = GENERATE(0.0F, 2.0F);
    const Segment segment(vecdb::test::far_rows(500, 100, centre, 3), metric);
    const IndexRows rows = segment.view();
    const CodeSpace space = space_of(rows, {});
    REQUIRE(space.mean().empty() == (centre == 0.0F));
    const float* const query = segment.matrix().row(0).data();
    const auto exact = distances(rows, query);
    const float spread = *std::max_element(exact.begin(), exact.end()) -
                         *std::min_element(exact.begin() + 1, exact.end());
    const std::pair<CodeLayout, float> limits[] = {{CodeLayout::kBlock4, 0.12F},
                                                   {CodeLayout::kRow4, 0.12F},
                                                   {CodeLayout::kRow5, 0.07F},
                                                   {CodeLayout::kRow7, 0.02F},
                                                   {CodeLayout::kRow8, 0.02F}};
    for (const auto& [layout, part] : limits) {
        const CodeTable codes = table_of(rows, space, layout);
        PreparedQuery prepared;
        codes.prepare(space, query, 1.0F, prepared);
        const auto estimates = scores(codes, prepared.estimate);
        double error = 0;
        for (std::size_t i = 0; i < rows.count; ++i)
            error = std::max<double>(error, std::fabs(estimates[i] - exact[i]));
        CAPTURE(static_cast<int>(layout), static_cast<int>(metric), centre, error, spread);
        REQUIRE(error <= part * spread);
    }
}

TEST_CASE("estimates of a cut head take the rest of near rows to be alike", "[index][codes]") {
    const Metric metric = GENERATE(Metric::kL2, Metric::kCosine);
    const Segment segment(vecdb::test::normal_rows(300, 64, 3), metric);
    const IndexRows rows = segment.view();
    const CodeSpace space = space_of(rows, {.max_head = 16, .must_cut = true});
    REQUIRE(space.head() == 16);
    const CodeTable codes = table_of(rows, space, CodeLayout::kRow8);
    PreparedQuery prepared;
    for (std::size_t i = 0; i < rows.count; ++i) {
        const float* const query = segment.matrix().row(i).data();
        codes.prepare(space, query, 1.0F, prepared);
        const float own = distances(rows, query)[i];
        const float length = metric == Metric::kCosine ? 1.0F : 64.0F;
        REQUIRE(scores(codes, prepared.estimate)[i] == Approx(own).margin(0.05 * length));
    }
}

TEST_CASE("error and tail of a code are rounded up", "[index][codes]") {
    const auto heads = vecdb::test::normal_rows(500, 20, 3);
    for (const CodeLayout layout : kLayouts) {
        const RowCoder coder(layout, 20, 16.0);
        const LevelRange range = LevelRange::of(layout);
        for (std::size_t i = 0; i < heads.rows; ++i) {
            std::uint8_t levels[20];
            CodeFactors factors;
            double longest_hat = 0;
            const double tail = 0.001 * static_cast<double>(i + 1);
            coder.code(heads.row(i).data(), {.tail = tail}, levels, factors, longest_hat);
            const double step = 16.0 * kFactorStep;
            double error = 0;
            double hat = 0;
            for (std::size_t d = 0; d < 20; ++d) {
                const double level = static_cast<double>(levels[d]) - range.middle;
                const double rest = heads.row(i)[d] - half_value(factors.scale) * step * level;
                error += rest * rest;
                hat += level * level;
            }
            REQUIRE(half_value(factors.tail) * step >= tail);
            REQUIRE(half_value(factors.tail) * step <= tail * 1.001);
            REQUIRE(half_value(factors.error) * step >= std::sqrt(error));
            REQUIRE(half_value(factors.error) * step <= std::sqrt(error) * 1.002);
            REQUIRE(longest_hat == Approx(std::sqrt(hat)));
        }
    }
}

TEST_CASE("estimates order rows of any magnitude", "[index][codes]") {
    const Metric metric = GENERATE(Metric::kL2, Metric::kInnerProduct);
    const int exponent = GENERATE(-90, -60, 0, 60, 90);
    auto matrix = vecdb::test::normal_rows(400, 32, 3);
    vecdb::test::scale_all(matrix, std::ldexp(1.0F, exponent));
    const Segment segment(std::move(matrix), metric);
    auto plain = vecdb::test::normal_rows(400, 32, 3);
    const Segment reference(std::move(plain), metric);
    const auto exact = distances(reference.view(), reference.matrix().row(3).data());
    const auto nearest = std::min_element(exact.begin(), exact.end()) - exact.begin();
    const CodeSpace space = space_of(segment.view(), {});
    const CodeTable codes = table_of(segment.view(), space, CodeLayout::kRow8);
    PreparedQuery prepared;
    codes.prepare(space, segment.matrix().row(3).data(), 1.0F, prepared);
    const auto estimates = scores(codes, prepared.estimate);
    CAPTURE(exponent, static_cast<int>(metric));
    REQUIRE(std::min_element(estimates.begin(), estimates.end()) - estimates.begin() == nearest);
}

TEST_CASE("a row as query scores the negated product of coded heads", "[index][codes]") {
    const CodeLayout layout =
        GENERATE(CodeLayout::kRow4, CodeLayout::kRow5, CodeLayout::kRow7, CodeLayout::kRow8);
    const Metric metric = GENERATE(Metric::kL2, Metric::kCosine);
    const Segment segment(vecdb::test::far_rows(200, 90, 1.0F, 3), metric);
    const IndexRows rows = segment.view();
    const CodeSpace space = space_of(rows, {});
    const CodeTable codes = table_of(rows, space, layout);
    PreparedQuery prepared;
    std::vector<float> heads(200 * 90);
    std::vector<CodeSpace::Measures> measures(200);
    space.project(rows, 0, 200, heads.data(), measures.data());
    std::vector<std::vector<float>> products;
    for (std::size_t i = 0; i < 200; ++i) {
        codes.prepare_row(i, prepared);
        products.push_back(scores(codes, prepared.estimate));
    }
    double error = 0;
    double size = 0;
    for (std::size_t i = 0; i < 200; ++i) {
        for (std::size_t j = 0; j < 200; ++j) {
            REQUIRE(products[i][j] == Approx(products[j][i]).margin(1e-4));
            double product = 0;
            for (std::size_t d = 0; d < 90; ++d)
                product += static_cast<double>(heads[i * 90 + d]) * heads[j * 90 + d];
            error = std::max(error, std::fabs(product + products[i][j]));
            size = std::max(size, std::fabs(product));
        }
    }
    CAPTURE(static_cast<int>(layout), error, size);
    REQUIRE(error <= (layout == CodeLayout::kRow4   ? 0.08
                      : layout == CodeLayout::kRow5 ? 0.04
                                                    : 0.02) *
                         size);
}

TEST_CASE("codes do not depend on the number of threads", "[index][codes]") {
    const Segment segment(vecdb::test::flat_spectrum_rows(5'000, 40, 0.8, 3), Metric::kL2);
    const IndexRows rows = segment.view();
    for (const CodeLayout layout : kLayouts) {
        vecdb::test::MemorySections one;
        vecdb::test::MemorySections three;
        for (const std::size_t threads : {1U, 3U}) {
            auto& sections = threads == 1 ? one : three;
            const vecdb::IndexBuild how{.threads = threads, .seed = 5};
            const CodeSpace space = *CodeSpace::choose(rows, {}, how);
            REQUIRE(space.save(sections).ok());
            REQUIRE(CodeTable::build(rows, space, layout, how)->save(sections).ok());
        }
        REQUIRE(one.sections == three.sections);
    }
}

TEST_CASE("a build that is cancelled says so", "[index][codes]") {
    const Segment segment(vecdb::test::normal_rows(3'000, 8, 3), Metric::kL2);
    vecdb::CancelToken token;
    token.cancel();
    const vecdb::Control control{.cancel = token};
    const vecdb::IndexBuild how{.threads = 2, .control = &control};
    REQUIRE(CodeSpace::choose(segment.view(), {}, how).status().code() ==
            vecdb::StatusCode::kCancelled);
    REQUIRE(
        CodeTable::build(segment.view(), CodeSpace(8), CodeLayout::kRow4, how).status().code() ==
        vecdb::StatusCode::kCancelled);
}

TEST_CASE("saved codes load as they were", "[index][codes]") {
    const CodeLayout layout = GENERATE(from_range(std::begin(kLayouts), std::end(kLayouts)));
    const bool cut = GENERATE(false, true);
    const Segment segment(vecdb::test::flat_spectrum_rows(1'000, 48, 0.9, 3), Metric::kL2);
    const IndexRows rows = segment.view();
    const CodeSpace space = space_of(rows, {.max_head = cut ? 16U : 0U, .must_cut = cut});
    const CodeTable codes = table_of(rows, space, layout);
    vecdb::test::MemorySections sections;
    REQUIRE(space.save(sections).ok());
    REQUIRE(codes.save(sections).ok());
    const auto loaded_space = CodeSpace::load(sections, 48);
    REQUIRE(loaded_space.ok());
    const auto loaded = CodeTable::load(sections, rows, *loaded_space);
    REQUIRE(loaded.ok());
    PreparedQuery a;
    PreparedQuery b;
    codes.prepare(space, segment.matrix().row(1).data(), 1.0F, a);
    loaded->prepare(*loaded_space, segment.matrix().row(1).data(), 1.0F, b);
    REQUIRE(scores(codes, a.code) == scores(*loaded, b.code));
    REQUIRE(scores(codes, a.estimate) == scores(*loaded, b.estimate));
    REQUIRE(loaded->memory_bytes() == codes.memory_bytes());
}

TEST_CASE("codes that are not sound are refused", "[index][codes]") {
    const Segment segment(vecdb::test::flat_spectrum_rows(200, 48, 0.9, 3), Metric::kL2);
    const IndexRows rows = segment.view();
    const CodeSpace space = space_of(rows, {.max_head = 16, .must_cut = true});
    REQUIRE(space.rotates());
    const CodeLayout layout = GENERATE(CodeLayout::kBlock4, CodeLayout::kRow7, CodeLayout::kRow8);
    vecdb::test::MemorySections good;
    REQUIRE(space.save(good).ok());
    REQUIRE(table_of(rows, space, layout).save(good).ok());
    const auto refused = [&](vecdb::test::MemorySections& sections) {
        auto loaded = CodeSpace::load(sections, 48);
        if (!loaded.ok()) return loaded.status().code() == vecdb::StatusCode::kCorruption;
        const auto table = CodeTable::load(sections, rows, *loaded);
        return table.status().code() == vecdb::StatusCode::kCorruption;
    };
    REQUIRE_FALSE(refused(good));
    for (const auto& [name, bytes] : good.sections) {
        CAPTURE(name, static_cast<int>(layout));
        auto shorter = good;
        shorter.sections[name].pop_back();
        REQUIRE(refused(shorter));
        auto longer = good;
        longer.sections[name].push_back(std::byte{0});
        REQUIRE(refused(longer));
        auto missing = good;
        missing.sections.erase(name);
        REQUIRE(refused(missing));
    }
    const auto changed = [&](const char* name, std::size_t at, unsigned value) {
        auto sections = good;
        sections.sections[name].at(at) = static_cast<std::byte>(value);
        return refused(sections);
    };
    for (std::size_t at = 0; at < 24; ++at) {  // all of the heading up to the unit
        CAPTURE(at);
        if (at == 6 || at == 7) continue;  // unused
        REQUIRE(changed("codes", at, 0xEE));
    }
    REQUIRE(changed("codes", 31, 0x7F));  // unit
    REQUIRE(changed("codes", 26, 0x01));  // unit: no power of two
    REQUIRE(changed("codes", 39, 0xFF));  // longest code
    REQUIRE(changed("space.mean", 3, 0x7F));
    REQUIRE(changed("space.matrix", 3, 0x41));  // 8 or more in an orthonormal row
    const std::size_t last =
        good.sections["codes.rows"].size() - 1;  // of a tail; in blocks row 31's
    REQUIRE(changed("codes.rows", layout == CodeLayout::kBlock4 ? last - 62 : last, 0x7C));
    REQUIRE(changed("codes.rows", layout == CodeLayout::kBlock4 ? last - 62 : last, 0x80));
    if (layout == CodeLayout::kRow7) REQUIRE(changed("codes.rows", 3, 0x80));
    if (layout == CodeLayout::kRow8) REQUIRE(changed("codes.rows", 3, 0x00));
}

TEST_CASE("halves round where they should", "[index][codes]") {
    const double values[] = {0.0,
                             1e-9,
                             5.9e-8,
                             6.0e-5,
                             6.2e-5,
                             1.0,
                             1.0004,
                             1.0009765625,
                             2'047.6,
                             65'503.0,
                             65'504.0,
                             3.14159,
                             0x1p-24,
                             0x1.fffp3};
    for (const double value : values) {
        const double down = half_value(half_of(value, HalfRounding::kDown));
        const double up = half_value(half_of(value, HalfRounding::kUp));
        const double nearest = half_value(half_of(value, HalfRounding::kNearest));
        CAPTURE(value, down, up, nearest);
        REQUIRE(down <= value);
        REQUIRE(value <= up);
        REQUIRE(up - down <= std::max(value * 0x1p-10, 0x1p-24));
        REQUIRE(std::fabs(nearest - value) <= std::min(up - value, value - down));
        REQUIRE(half_value(half_of(down, HalfRounding::kUp)) == down);
    }
    REQUIRE(half_value(half_of(1e9, HalfRounding::kNearest)) == kLargestHalf);
}
