// Product codes: codebooks, tables, and the rotation that is learnt for them.

#include "index/ivf_product_codes.h"
#include "index/ivf_segment.h"
#include "index/opq.h"
#include "index/product_codebooks.h"
#include "simd/dispatch.h"
#include "support/catch.h"
#include "support/random_data.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace vecdb::test {
namespace {

using index::IvfProductCodes;
using index::ProductCodebooks;

/// Draw rows whose dimensions hang together: few hidden ones, mixed, and a little noise.
Matrix correlated_rows(std::size_t rows, std::size_t dim, std::uint64_t seed) {
    const std::size_t hidden = dim / 4;
    const Matrix mix = normal_rows(hidden, dim, 77);
    const Matrix causes = normal_rows(rows, hidden, seed);
    Matrix matrix = normal_rows(rows, dim, seed + 1);
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t d = 0; d < dim; ++d) {
            float sum = 0.2F * matrix.row(i)[d];
            for (std::size_t h = 0; h < hidden; ++h)
                sum += causes.row(i)[h] * mix.row(h)[d] / static_cast<float>(1 + h);
            matrix.row(i)[d] = sum;
        }
    }
    return matrix;
}

ProductCodebooks trained(const Matrix& rows, std::size_t dims, std::size_t iterations = 20) {
    return ProductCodebooks::train(
               rows.values, rows.dim, {.dims = dims, .iterations = iterations}, {.seed = 5})
        .value();
}

/// Return the squared length of what codes lose, relative to that of the rows.
double loss(const ProductCodebooks& books, const Matrix& rows) {
    double lost = 0;
    double whole = 0;
    std::vector<std::uint8_t> words(books.count());
    std::vector<float> decoded(rows.dim);
    for (std::size_t i = 0; i < rows.rows; ++i) {
        books.encode(rows.row(i).data(), words.data());
        books.decode(words.data(), decoded.data());
        for (std::size_t d = 0; d < rows.dim; ++d) {
            const double x = rows.row(i)[d];
            lost += (x - decoded[d]) * (x - decoded[d]);
            whole += x * x;
        }
    }
    return lost / whole;
}

/// Return the sum of the table entries of a row.
std::uint32_t sum_of(const ProductCodebooks& books,
                     const index::ProductQuery& query,
                     const float* row) {
    std::vector<std::uint8_t> words(books.count());
    books.encode(row, words.data());
    std::uint32_t sum = 0;
    for (std::size_t m = 0; m < words.size(); ++m)
        sum += query.tables[16 * m + words[m]];
    return sum;
}

TEST_CASE("product codes lose less the longer their codebooks are trained") {
    const std::size_t dims = GENERATE(1U, 2U, 3U, 5U);
    const Matrix rows = correlated_rows(3000, 32, 1);
    const double untrained = loss(trained(rows, dims, 0), rows);
    const double once = loss(trained(rows, dims, 1), rows);
    const double whole = loss(trained(rows, dims), rows);
    CAPTURE(dims, untrained, once, whole);
    CHECK(once < untrained);
    CHECK(whole < once);
    CHECK(whole < (dims == 1 ? 0.02 : dims == 2 ? 0.12 : 0.5));
}

TEST_CASE("product codes of rows not trained on lose little more") {
    const Matrix rows = correlated_rows(4000, 24, 2);
    const Matrix others = correlated_rows(1000, 24, 900);
    const ProductCodebooks books = trained(rows, 2);
    CHECK(loss(books, others) < 1.2 * loss(books, rows));
}

TEST_CASE("a few rows become their own words") {
    const std::size_t count = GENERATE(1U, 2U, 15U, 16U);
    const Matrix rows = normal_rows(count, 7, 3);
    CHECK(loss(trained(rows, 2), rows) < 1e-12);
}

TEST_CASE("codebooks take rows of any size, all equal ones, and zeros") {
    const float size = GENERATE(0.0F, 1e-44F, 1e-30F, 1.0F, 1e30F, 3e38F);
    Matrix rows = normal_rows(200, 6, 4);
    for (float& x : rows.values)
        x = std::clamp(x, -1.0F, 1.0F) * size;
    const ProductCodebooks books = trained(rows, 2);
    std::vector<std::uint8_t> words(3);
    std::vector<float> decoded(6);
    books.encode(rows.row(0).data(), words.data());
    books.decode(words.data(), decoded.data());
    for (const float x : decoded)
        CHECK(std::isfinite(x));
    index::ProductQuery query;
    books.look_at(rows.row(0).data(), Metric::kL2, query);
    CHECK(sum_of(books, query, rows.row(0).data()) <= 65'535);
    const Matrix equal(50, 6);
    CHECK(sum_of(trained(equal, 2), query, equal.row(0).data()) <= 65'535);
}

TEST_CASE("sums order rows as the distances to what their codes stand for") {
    const Metric metric = GENERATE(Metric::kL2, Metric::kInnerProduct, Metric::kCosine);
    const std::size_t dim = GENERATE(1U, 9U, 50U, 1500U);
    const Matrix rows = normal_rows(300, dim, 6);
    const Matrix queries = normal_rows(5, dim, 7);
    const ProductCodebooks books = trained(rows, 2);
    std::vector<std::uint8_t> words(books.count());
    std::vector<float> decoded(dim);
    for (std::size_t q = 0; q < queries.rows; ++q) {
        const float* query = queries.row(q).data();
        index::ProductQuery prepared;
        books.look_at(query, metric, prepared);
        // Every sum is (distance - start) / step, with an error of half a step a codebook.
        std::vector<double> distances;
        std::vector<double> sums;
        for (std::size_t i = 0; i < rows.rows; ++i) {
            books.encode(rows.row(i).data(), words.data());
            books.decode(words.data(), decoded.data());
            double distance = 0;
            for (std::size_t d = 0; d < dim; ++d) {
                const double apart = static_cast<double>(query[d]) - decoded[d];
                distance += metric == Metric::kL2 ? apart * apart : -query[d] * decoded[d];
            }
            distances.push_back(distance);
            sums.push_back(sum_of(books, prepared, rows.row(i).data()));
        }
        const auto low = std::min_element(distances.begin(), distances.end()) - distances.begin();
        const auto high = std::max_element(distances.begin(), distances.end()) - distances.begin();
        const auto n = static_cast<double>(books.count());
        const double span =
            sums[static_cast<std::size_t>(high)] - sums[static_cast<std::size_t>(low)];
        const double range =
            distances[static_cast<std::size_t>(high)] - distances[static_cast<std::size_t>(low)];
        REQUIRE(span > 4 * std::sqrt(n));
        for (std::size_t i = 0; i < rows.rows; ++i) {
            const double expected =
                sums[static_cast<std::size_t>(low)] +
                (distances[i] - distances[static_cast<std::size_t>(low)]) * span / range;
            CHECK(std::abs(sums[i] - expected) <= 4 * std::sqrt(n) + 2);
        }
    }
}

TEST_CASE("tables never sum up to more than 16 bits hold") {
    const std::size_t dim = GENERATE(1U, 600U, 4000U);
    const Matrix rows = normal_rows(64, dim, 8);
    const ProductCodebooks books = trained(rows, 1, 2);
    const float size = GENERATE(1e-6F, 1.0F, 1e20F, 3e38F);
    std::vector<float> query(dim, size);
    index::ProductQuery prepared;
    books.look_at(query.data(), GENERATE(Metric::kL2, Metric::kInnerProduct), prepared);
    std::uint64_t most = 0;
    for (std::size_t m = 0; m < 4 * books.groups(); ++m) {
        const std::uint8_t* table = prepared.tables.data() + 16 * m;
        most += *std::max_element(table, table + 16);
        if (m < books.count()) CHECK(*std::min_element(table, table + 16) == 0);
    }
    CHECK(most <= 65'535);
    CHECK(most > 0);
}

TEST_CASE("a learnt rotation loses less than none where dimensions hang together") {
    const std::size_t dims = GENERATE(2U, 4U);
    const Matrix rows = correlated_rows(4000, 32, 9);
    const auto rotation = index::learn_rotation(rows.values, 32, dims, {.seed = 5}).value();
    CHECK(index::skew(rotation, 32, 32) < 1e-4);
    Matrix rotated(rows.rows, 32);
    rotated.values = index::multiplied(rotation, rows.values, 32);
    const double before = loss(trained(rows, dims), rows);
    const double after = loss(trained(rotated, dims), rotated);
    CAPTURE(dims, before, after);
    CHECK(after < 0.9 * before);  // an orthonormal one, so lengths are the same
}

TEST_CASE("the rotation between vectors and their rotated copies is found again") {
    const Matrix from = normal_rows(400, 12, 10);
    const auto rotation = index::rotation_between(
        normal_rows(400, 12, 11).values, normal_rows(400, 12, 12).values, 12);
    REQUIRE(rotation.size() == 144);
    const auto to = index::multiplied(rotation, from.values, 12);
    const auto found = index::rotation_between(from.values, to, 12);
    REQUIRE(found.size() == 144);
    for (std::size_t i = 0; i < 144; ++i)
        CHECK(std::abs(found[i] - rotation[i]) < 1e-3F);
    CHECK(index::rotation_between(Matrix(20, 4).values, Matrix(20, 4).values, 4).empty());
}

TEST_CASE("codebooks and rotations have the same bytes for any number of threads") {
    const Matrix rows = correlated_rows(1000, 20, 13);
    SavedSections one;
    REQUIRE(trained(rows, 2).save(one).ok());
    const auto rotation = index::learn_rotation(rows.values, 20, 2, {.seed = 5}).value();
    for (const std::size_t threads : {2U, 5U}) {
        const vecdb::IndexBuild how{.threads = threads, .seed = 5};
        SavedSections other;
        const auto books = ProductCodebooks::train(rows.values, 20, {.dims = 2}, how);
        REQUIRE(books.value().save(other).ok());
        CHECK(other.sections == one.sections);
        CHECK(index::learn_rotation(rows.values, 20, 2, how).value() == rotation);
    }
}

TEST_CASE("training ends when asked") {
    const Matrix rows = correlated_rows(2000, 32, 14);
    CancelToken token;
    token.cancel();
    const Control control{.cancel = token};
    const vecdb::IndexBuild how{.threads = 2, .seed = 5, .control = &control};
    CHECK(ProductCodebooks::train(rows.values, 32, {.dims = 2}, how).status().code() ==
          StatusCode::kCancelled);
    CHECK(index::learn_rotation(rows.values, 32, 2, how).status().code() == StatusCode::kCancelled);
}

TEST_CASE("opq sees few dimensions of rows that lie near a plane, and all of others") {
    Segment flat(Metric::kL2, correlated_rows(3000, 64, 15));
    const auto few = index::learn_product_space(flat.rows(), 2, {.seed = 5}).value();
    CHECK(few.rotates());
    CHECK(few.head() < 32);
    CHECK(few.head() % 2 == 0);
    Segment round(Metric::kL2, normal_rows(3000, 33, 16));
    const auto all = index::learn_product_space(round.rows(), 2, {.seed = 5}).value();
    CHECK(all.rotates());
    CHECK(all.head() == 33);
    Segment small(Metric::kL2, normal_rows(20, 33, 17));
    CHECK_FALSE(index::learn_product_space(small.rows(), 2, {.seed = 5}).value().rotates());
}

TEST_CASE("damaged codebooks are refused") {
    SavedSections good;
    REQUIRE(trained(normal_rows(100, 9, 18), 2).save(good).ok());
    const auto loads = [&](std::size_t at, const auto& value, std::size_t dims = 2) {
        SavedSections bad = good;
        std::memcpy(bad.sections.at("product.words").data() + at, &value, sizeof(value));
        return ProductCodebooks::load(bad, 9, dims).status().code();
    };
    CHECK(loads(0, std::uint32_t{1}) == StatusCode::kOk);
    CHECK(loads(0, std::uint32_t{2}) == StatusCode::kCorruption);
    CHECK(loads(4, std::uint32_t{10}) == StatusCode::kCorruption);
    CHECK(loads(8, std::uint32_t{3}) == StatusCode::kCorruption);
    CHECK(loads(0, std::uint32_t{1}, 3) == StatusCode::kCorruption);
    CHECK(loads(16, 0.0) == StatusCode::kCorruption);
    CHECK(loads(16, 3.0) == StatusCode::kCorruption);
    CHECK(loads(16, -2.0) == StatusCode::kCorruption);
    CHECK(loads(16, std::numeric_limits<double>::infinity()) == StatusCode::kCorruption);
    CHECK(loads(24, std::numeric_limits<float>::quiet_NaN()) == StatusCode::kCorruption);
    CHECK(loads(28, 1e30F) == StatusCode::kCorruption);
}

TEST_CASE("the kernel finds the sums of coded rows in their blocks, on every level") {
    Segment segment(Metric::kL2, correlated_rows(1000, 21, 19));
    std::vector<std::uint32_t> order;
    const auto lists = index::IvfLists::build(segment.rows(), 7, {.seed = 1}, order).value();
    segment.reorder(order);
    const bool rotates = GENERATE(false, true);
    const auto codes =
        IvfProductCodes::build(
            segment.rows(), lists, {.dims = 2, .rotates = rotates}, {.threads = 3, .seed = 1})
            .value();
    std::vector<float> head(codes.space().head());
    index::ProductQuery query;
    codes.space().project(segment.matrix.row(3).data(), head.data());
    codes.codebooks().look_at(head.data(), Metric::kL2, query);
    std::vector<float> row_head(head.size());
    for (const simd::KernelTable* table : simd::available_tables()) {
        std::vector<std::uint32_t> rows(1000);
        std::vector<float> sums(1000);
        const std::size_t n = table->codes.product4(
            query.tables.data(), codes.blocks(0), 1000, 65'535, {rows.data(), sums.data()});
        REQUIRE(n == 1000);
        for (std::size_t i = 0; i < 1000; ++i) {
            codes.space().project(segment.matrix.row(i).data(), row_head.data());
            CHECK(sums[i] == static_cast<float>(sum_of(codes.codebooks(), query, row_head.data())));
        }
    }
}

}  // namespace
}  // namespace vecdb::test
