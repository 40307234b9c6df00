#include "index/kmeans.h"

#include "index/faiss_bridge.h"
#include "index/nearest_centroid.h"
#include "index/row_floats.h"
#include "simd/dispatch.h"
#include "support/catch.h"
#include "support/random_data.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <set>

namespace vecdb::index {
namespace {

using test::Matrix;

simd::Rows rows_of(const Matrix& matrix) {
    return {matrix.values.data(), matrix.dim, matrix.dim};
}

/// Draw rows around `clusters` far centres.
Matrix clustered_rows(std::size_t rows, std::size_t dim, std::size_t clusters, std::uint64_t seed) {
    const Matrix centres = test::normal_rows(clusters, dim, seed);
    Matrix matrix = test::normal_rows(rows, dim, seed + 1);
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t d = 0; d < dim; ++d)
            matrix.row(i)[d] = 10 * centres.row(i % clusters)[d] + 0.1F * matrix.row(i)[d];
    }
    return matrix;
}

double squared_distance(const float* a, const float* b, std::size_t dim) {
    double sum = 0;
    for (std::size_t d = 0; d < dim; ++d)
        sum += std::pow(static_cast<double>(a[d]) - b[d], 2);
    return sum;
}

/// Return the mean squared distance of rows to the nearest centroid.
double objective(const Matrix& rows, const std::vector<float>& centroids) {
    double sum = 0;
    for (std::size_t i = 0; i < rows.rows; ++i) {
        double nearest = std::numeric_limits<double>::infinity();
        for (std::size_t c = 0; c * rows.dim < centroids.size(); ++c) {
            nearest = std::min(
                nearest, squared_distance(rows.row(i).data(), &centroids[c * rows.dim], rows.dim));
        }
        sum += nearest;
    }
    return sum / static_cast<double>(rows.rows);
}

TEST_CASE("every row is assigned to its nearest centroid whatever the guess") {
    const std::size_t dim = GENERATE(1U, 7U, 100U, 300U);
    const std::size_t count = GENERATE(1U, 5U, 64U, 700U);
    const Metric metric = GENERATE(Metric::kL2, Metric::kInnerProduct);
    const Matrix rows = test::integer_rows(500, dim, 3, 1);
    const Matrix centroids = test::integer_rows(count, dim, 3, 2);
    const NearestCentroid nearest(
        simd::table_in_use(), metric, centroids.values.data(), count, dim);
    NearestCentroid::Scratch scratch;
    std::vector<std::uint32_t> labels(rows.rows);
    for (std::size_t i = 0; i < rows.rows; ++i)
        labels[i] = static_cast<std::uint32_t>(i * 31 % count);
    nearest.assign(rows_of(rows), labels, scratch);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < rows.rows; ++i) {
        std::size_t expected = 0;
        double best = std::numeric_limits<double>::infinity();
        for (std::size_t c = 0; c < count; ++c) {
            double distance = 0;
            for (std::size_t d = 0; d < dim; ++d) {
                const double q = rows.row(i)[d];
                const double x = centroids.row(c)[d];
                distance += metric == Metric::kL2 ? (q - x) * (q - x) : -q * x;
            }
            if (distance < best) {
                best = distance;
                expected = c;
            }
        }
        wrong += labels[i] != expected ? 1U : 0U;
    }
    CAPTURE(dim, count, to_string(metric));
    CHECK(wrong == 0);
}

TEST_CASE("k-means finds clusters that lie apart") {
    const Matrix rows = clustered_rows(2000, 16, 10, 3);
    const auto centroids =
        train_kmeans(rows_of(rows), rows.rows, {.clusters = 20}, {.threads = 1, .seed = 1}).value();
    REQUIRE(centroids.size() == 20 * 16);
    // Inside the clusters the mean square is 16 * 0.01; between them it is a hundred times more.
    CHECK(objective(rows, centroids) < 16 * 0.01 * 1.5);
}

TEST_CASE("k-means under cosine gives unit centroids and assigns by angle") {
    Matrix rows = test::normal_rows(1500, 12, 5);
    for (std::size_t i = 0; i < rows.rows; ++i) {
        const auto row = rows.row(i);
        double square = 0;
        for (const float x : row)
            square += static_cast<double>(x) * x;
        for (float& x : row)
            x = static_cast<float>(x / std::sqrt(square));
    }
    const auto centroids = train_kmeans(rows_of(rows),
                                        rows.rows,
                                        {.clusters = 12, .metric = Metric::kCosine},
                                        {.threads = 1, .seed = 1})
                               .value();
    for (std::size_t c = 0; c < 12; ++c) {
        double square = 0;
        for (std::size_t d = 0; d < 12; ++d)
            square += std::pow(static_cast<double>(centroids[c * 12 + d]), 2);
        CHECK(square == Approx(1).margin(1e-6));
    }
}

TEST_CASE("k-means gives the same bytes for any number of threads, others for another seed") {
    const Matrix rows = test::normal_rows(4000, 24, 9);
    const Metric metric = GENERATE(Metric::kL2, Metric::kCosine, Metric::kInnerProduct);
    const auto train = [&](std::size_t threads, std::uint64_t seed) {
        return train_kmeans(rows_of(rows),
                            rows.rows,
                            {.clusters = 37, .metric = metric},
                            {.threads = threads, .seed = seed})
            .value();
    };
    const auto one = train(1, 5);
    CHECK(train(2, 5) == one);
    CHECK(train(3, 5) == one);
    CHECK(train(1, 6) != one);
}

TEST_CASE("clusters that lose all rows are split off large ones") {
    // Many equal rows: most of the first centroids are equal, and only one of them gets the rows.
    Matrix rows(600, 4);
    for (std::size_t i = 0; i < 600; ++i)
        rows.row(i)[0] = i < 500 ? 1.0F : static_cast<float>(i);
    const auto centroids =
        train_kmeans(rows_of(rows), 600, {.clusters = 50}, {.threads = 1, .seed = 2}).value();
    std::set<std::vector<float>> different;
    for (std::size_t c = 0; c < 50; ++c)
        different.emplace(&centroids[c * 4], &centroids[c * 4] + 4);
    CHECK(different.size() > 15);
}

TEST_CASE("a step of k-means is the same with Faiss and without") {
    if (!has_faiss()) return;
    const std::size_t dim = GENERATE(1U, 5U, 64U);
    const bool with_empty = GENERATE(false, true);
    const Matrix rows = test::normal_rows(900, dim, 11);
    std::vector<std::uint32_t> labels(rows.rows);
    for (std::size_t i = 0; i < rows.rows; ++i)
        labels[i] = static_cast<std::uint32_t>(i * i % (with_empty ? 10 : 40) % 40);
    const std::size_t clusters =
        with_empty ? 40 : *std::max_element(labels.begin(), labels.end()) + 1;
    std::vector<float> ours(clusters * dim, 1.0F);
    std::vector<float> theirs = ours;
    move_centroids({rows.values.data(), dim, labels}, ours);
    REQUIRE(faiss_move_centroids({rows.values.data(), dim, labels}, theirs).ok());
#if defined(__x86_64__)
    CHECK(ours == theirs);
#endif
    for (std::size_t i = 0; i < ours.size(); ++i)
        CHECK(ours[i] == Approx(theirs[i]).epsilon(1e-5).margin(1e-6));
}

TEST_CASE("k-means keeps centroids finite where sums overflow") {
    Matrix rows(300, 3);
    for (std::size_t i = 0; i < rows.values.size(); ++i)
        rows.values[i] = (i % 2 == 0 ? 3e38F : -3e38F);
    for (std::size_t i = 0; i < 100; ++i)
        rows.row(i)[0] = 1.0F;
    const auto centroids =
        train_kmeans(rows_of(rows), 300, {.clusters = 3}, {.threads = 1, .seed = 2}).value();
    for (const float x : centroids)
        CHECK(std::isfinite(x));
}

TEST_CASE("k-means says when rows are too few") {
    const Matrix rows = test::normal_rows(9, 4, 1);
    const auto result = train_kmeans(rows_of(rows), 9, {.clusters = 10}, {});
    REQUIRE(result.status().code() == StatusCode::kFailedPrecondition);
    CHECK(result.status().message().find("9 rows") != std::string::npos);
    CHECK(result.status().message().find("10") != std::string::npos);
    CHECK(train_kmeans(rows_of(rows), 9, {.clusters = 9}, {}).ok());
}

TEST_CASE("k-means and assignment end when asked") {
    const Matrix rows = test::normal_rows(3000, 8, 1);
    Control control;
    control.cancel.emplace();
    control.cancel->cancel();
    const IndexBuild how{.threads = 2, .seed = 1, .control = &control};
    CHECK(train_kmeans(rows_of(rows), rows.rows, {.clusters = 10}, how).status().code() ==
          StatusCode::kCancelled);
    std::vector<std::uint32_t> labels(rows.rows);
    const IndexRows index_rows{
        .base = rows.values.data(), .stride = 32, .dim = 8, .count = rows.rows};
    CHECK(assign_clusters(index_rows, {rows.values.data(), 80}, how, labels).code() ==
          StatusCode::kCancelled);
}

TEST_CASE("a sample has no row twice and repeats") {
    const auto sample = draw_sample(1000, 300, 4);
    REQUIRE(sample.size() == 300);
    CHECK(std::set(sample.begin(), sample.end()).size() == 300);
    CHECK(std::is_sorted(sample.begin(), sample.end()));
    CHECK(sample.back() < 1000);
    CHECK(draw_sample(1000, 300, 4) == sample);
    CHECK(draw_sample(1000, 300, 5) != sample);
    CHECK(draw_sample(10, 300, 5).size() == 10);
}

TEST_CASE("elements of every type become floats") {
    float out[10];
    const std::uint16_t halves[] = {0x3C00, 0xC000, 0x0001, 0x8000, 0x7BFF};
    to_floats(ElementType::kFloat16, halves, 5, out);
    CHECK(out[0] == 1.0F);
    CHECK(out[1] == -2.0F);
    CHECK(out[2] == std::ldexp(1.0F, -24));
    CHECK(out[3] == 0.0F);
    CHECK(out[4] == 65504.0F);
    const std::uint16_t brains[] = {0x3F80, 0xC000};
    to_floats(ElementType::kBFloat16, brains, 2, out);
    CHECK(out[0] == 1.0F);
    CHECK(out[1] == -2.0F);
    const std::int8_t bytes[] = {-128, 127};
    to_floats(ElementType::kInt8, bytes, 2, out);
    CHECK(out[0] == -128.0F);
    CHECK(out[1] == 127.0F);
    const std::uint8_t bits[] = {0b10000001, 0b10};
    to_floats(ElementType::kBit, bits, 10, out);
    const float expected[] = {1, 0, 0, 0, 0, 0, 0, 1, 0, 1};
    CHECK(std::equal(out, out + 10, expected));
}

}  // namespace
}  // namespace vecdb::index
