#include "index/flat_batch.h"

#include "simd/dispatch.h"
#include "support/catch.h"
#include "support/random_data.h"
#include "support/reference.h"

#include <cmath>
#include <limits>
#include <vector>

using vecdb::Hit;
using vecdb::Metric;
using namespace vecdb::index;  // NOLINT(google-build-using-namespace): the header under test
namespace simd = vecdb::simd;

namespace {

double length(const float* x, std::size_t dim) {
    return std::sqrt(vecdb::test::reference_l2(x, std::vector<float>(dim).data(), dim).value);
}

/// Return the tile kernel's sum as exactly as a double holds it.
double exact_sum(Metric metric, const float* q, const float* x, std::size_t dim) {
    double sum = 0;
    double square = 0;
    for (std::size_t i = 0; i < dim; ++i) {
        sum += static_cast<double>(q[i]) * x[i];
        square += static_cast<double>(x[i]) * x[i];
    }
    return metric == Metric::kL2 ? sum - square / 2 : sum;
}

}  // namespace

TEST_CASE("the floor of a tile never cuts off a row at the threshold", "[index][flat_batch]") {
    // A row whose single-row distance *is* the threshold must pass even if the tile's sum is as low
    // as its own bound allows.
    const Metric metric = GENERATE(Metric::kL2, Metric::kInnerProduct);
    const float centre = GENERATE(0.0F, 3.0F, 10'000.0F);
    const std::size_t dim = GENERATE(1U, 7U, 100U, 784U);
    const auto rows = vecdb::test::far_rows(40, dim, centre, 5);
    for (const simd::KernelTable* table : simd::available_tables()) {
        const simd::DistanceKernels kernels =
            table->distances(metric, vecdb::ElementType::kFloat32);
        for (std::size_t i = 1; i < rows.rows; ++i) {
            const float* q = rows.row(0).data();
            const float* x = rows.row(i).data();
            std::uint32_t kept = 0;
            float distance = 0;
            kernels.range(
                q, {x, dim, dim}, 1, std::numeric_limits<float>::infinity(), {&kept, &distance});
            const double q_norm = length(q, dim);
            const double x_norm = length(x, dim);
            const double terms = q_norm * x_norm + (metric == Metric::kL2 ? x_norm * x_norm : 0);
            const double lowest =
                exact_sum(metric, q, x, dim) - (static_cast<double>(dim) + 16) * 0x1p-24 * terms;
            CAPTURE(table->name, i, centre, dim);
            REQUIRE(tile_floor(metric, dim, q_norm, x_norm, distance) <= lowest);
        }
    }
}

TEST_CASE("a floor that cannot be computed keeps everything", "[index][flat_batch]") {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const double huge = std::numeric_limits<double>::infinity();
    REQUIRE(tile_floor(Metric::kL2, 8, 1.0, 1.0, kInfinity) == -kInfinity);
    REQUIRE(tile_floor(Metric::kL2, 8, 1.0, huge, 1.0F) == -kInfinity);
    REQUIRE(tile_floor(Metric::kL2, 8, huge, 1.0, 1.0F) == -kInfinity);
    REQUIRE(tile_floor(Metric::kInnerProduct, 8, 1.0, 1.0, kInfinity) == -kInfinity);
    REQUIRE(tile_floor(Metric::kInnerProduct, 8, 0.0, huge, 1.0F) == -kInfinity);
}

TEST_CASE("a floor is near the threshold, or it would select everything", "[index][flat_batch]") {
    // Unit vectors at squared distance 1: the sum of a row at the threshold is 0 for l2.
    const float floor = tile_floor(Metric::kL2, 100, 1.0, 1.0, 1.0F);
    REQUIRE(floor < 0.0F);
    REQUIRE(floor > -1e-4F);
    const float ip = tile_floor(Metric::kInnerProduct, 100, 1.0, 1.0, -0.5F);
    REQUIRE(ip < 0.5F);
    REQUIRE(ip > 0.4999F);
}

TEST_CASE("a batch scan of masked blocks equals plain scans on every level",
          "[index][flat_batch]") {
    const std::size_t dim = GENERATE(3U, 100U);
    const std::size_t keep_every = GENERATE(1U, 2U, 50U);
    const auto rows = vecdb::test::normal_rows(3'000, dim, 21);
    const auto queries = vecdb::test::normal_rows(29, dim, 22);
    std::vector<vecdb::Id> ids(rows.rows);
    std::vector<float> norms(rows.rows);
    std::vector<std::uint64_t> allowed((rows.rows + 63) / 64);
    for (std::size_t i = 0; i < rows.rows; ++i) {
        ids[i] = static_cast<vecdb::Id>((i * 7'919) % rows.rows);
        if (i % keep_every == 0) allowed[i / 64] |= std::uint64_t{1} << (i % 64);
    }
    for (const simd::KernelTable* table : simd::available_tables()) {
        const simd::Rows view{rows.values.data(), dim, dim};
        table->float32.squared_norms(view, rows.rows, norms.data());
        const FlatBlock block{view, ids.data(), norms.data(), rows.rows, {allowed.data(), nullptr}};
        for (const Metric metric : {Metric::kL2, Metric::kInnerProduct}) {
            constexpr std::size_t kK = 5;
            std::vector<Hit> batch_slots(queries.rows * kK);
            std::vector<TopK> batch;
            for (std::size_t q = 0; q < queries.rows; ++q) {
                batch.emplace_back(std::span(batch_slots).subspan(q * kK, kK));
            }
            const QueryTiles tiles(*table, metric, queries.values.data(), queries.rows, dim);
            BatchScan(tiles, batch).scan(block);
            for (std::size_t q = 0; q < queries.rows; ++q) {
                std::vector<Hit> slots(kK);
                TopK single(slots);
                const void* const query[1] = {queries.row(q).data()};
                scan_block(table->distances(metric, vecdb::ElementType::kFloat32),
                           query,
                           block,
                           {&single, 1});
                const auto expected = single.sort();
                const auto found = batch[q].sort();
                CAPTURE(table->name, q, dim, keep_every);
                REQUIRE(std::equal(found.begin(), found.end(), expected.begin(), expected.end()));
            }
        }
    }
}

TEST_CASE("a floor is not used where sums could overflow on the way", "[index][flat_batch]") {
    // In one order of addition such a sum is infinite, in another it is not.
    const float floor = tile_floor(Metric::kInnerProduct, 32, 1.7e20, 1.9e19, -3e38F);
    REQUIRE(floor == -std::numeric_limits<float>::infinity());
}
