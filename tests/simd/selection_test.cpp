// Which rows the distance kernels keep, in what order, and that a pair's number is one number.

#include "simd/kernel_cases.h"
#include "support/catch.h"
#include "support/guarded_array.h"

#include <numeric>

namespace vecdb::test {
namespace {

constexpr std::uint64_t kSeed = 20'240'602;

/// Return the pairs with distance <= threshold.
Pairs select(const Pairs& all, float threshold) {
    Pairs kept;
    for (std::size_t i = 0; i < all.rows.size(); ++i) {
        if (all.distances[i] <= threshold) {
            kept.rows.push_back(all.rows[i]);
            kept.distances.push_back(all.distances[i]);
        }
    }
    return kept;
}

void check_same(const Pairs& got, const Pairs& expected) {
    CHECK(got.fault.empty());
    CHECK(got.rows == expected.rows);
    CHECK(std::equal(got.distances.begin(),
                     got.distances.end(),
                     expected.distances.begin(),
                     expected.distances.end(),
                     same_bits));
}

/// Rows with ties, an infinite distance of each sign under ip, and one that is not a number.
std::vector<float> rows_with_ties(std::size_t count, std::size_t dim) {
    Random random(kSeed + dim);
    std::vector<float> rows(count * dim);
    for (std::size_t r = 0; r < count; ++r) {
        for (std::size_t i = 0; i < dim; ++i) {
            rows[r * dim + i] = r % 3 == 2 ? rows[(r - 1) * dim + i] : draw(Data::kUniform, random);
        }
        if (r % 16 == 5) rows[r * dim] = 3e38F;
        if (r % 16 == 7) rows[r * dim] = -3e38F;
        if (r % 16 == 9) rows[r * dim + dim / 2] = kNaN;
    }
    return rows;
}

TEST_CASE("a threshold keeps the rows at or below it in ascending order", "[simd][quick]") {
    INFO("seed " << kSeed);
    const std::size_t dim = GENERATE(1U, 7U, 19U, 64U);
    const std::vector<float> rows = rows_with_ties(70, dim);
    std::vector<float> query(dim, 0.25F);
    query[0] = 100.0F;  // times 3e38: infinite
    std::vector<std::uint32_t> list(70);
    std::iota(list.begin(), list.end(), 0U);
    for (const simd::KernelTable* table : simd::available_tables()) {
        for (const DistanceKernels& kernels : kDistances) {
            for (const std::size_t count : {0U, 1U, 2U, 3U, 4U, 5U, 6U, 7U, 11U, 32U, 69U, 70U}) {
                CAPTURE(table->name, kernels.metric, dim, count);
                const simd::Rows view = {rows.data(), dim, dim};
                const Pairs all = run_range(*table, kernels, query.data(), view, count);
                REQUIRE(all.rows.size() == count);
                std::vector<float> thresholds = {kInfinity,
                                                 -kInfinity,
                                                 0.0F,
                                                 -0.0F,
                                                 std::numeric_limits<float>::max(),
                                                 std::numeric_limits<float>::lowest()};
                for (std::size_t i = 0; i < count; i += 1 + count / 4) {
                    thresholds.push_back(all.distances[i]);
                    thresholds.push_back(std::nextafter(all.distances[i], -kInfinity));
                }
                for (const float threshold : thresholds) {
                    CAPTURE(threshold);
                    const Pairs expected = select(all, threshold);
                    check_same(run_range(*table, kernels, query.data(), view, count, threshold),
                               expected);
                    check_same(
                        run_list(
                            *table, kernels, query.data(), view, list.data(), count, threshold),
                        expected);
                }
            }
        }
    }
}

TEST_CASE("an infinite threshold keeps every row and minus infinity no finite one",
          "[simd][quick]") {
    constexpr std::size_t kDim = 6;
    const std::vector<float> rows = rows_with_ties(32, kDim);
    const std::vector<float> query(kDim, 100.0F);
    const simd::Rows view = {rows.data(), kDim, kDim};
    for (const simd::KernelTable* table : simd::available_tables()) {
        CAPTURE(table->name);
        const Pairs all = run_range(*table, kIp, query.data(), view, 32);
        REQUIRE(all.rows.size() == 32);
        CHECK(all.distances[7] == kInfinity);
        CHECK(all.distances[9] == kInfinity);
        CHECK(run_range(*table, kIp, query.data(), view, 32, -kInfinity).rows ==
              std::vector<std::uint32_t>{5, 21});
        CHECK(run_range(*table, kL2, query.data(), view, 32, -kInfinity).rows.empty());
        CHECK(run_range(*table, kL2, query.data(), view, 32).rows.size() == 32);
    }
}

TEST_CASE("the list kernel answers in the list's order, repeated rows too", "[simd][quick]") {
    INFO("seed " << kSeed);
    const std::size_t dim = GENERATE(1U, 5U, 16U, 37U, 100U, 257U, 1'100U);
    constexpr std::size_t kRows = 40;
    Random random(kSeed + dim);
    const std::size_t stride = dim + 3;
    GuardedArray<float> floats((kRows - 1) * stride + dim);
    fill(floats, Data::kUniform, random);
    std::vector<float> query(dim);
    fill(query, Data::kUniform, random);
    const simd::Rows view = {floats.data(), stride, dim};
    for (const simd::KernelTable* table : simd::available_tables()) {
        for (const DistanceKernels& kernels : kDistances) {
            const Pairs all = run_range(*table, kernels, query.data(), view, kRows);
            for (const std::size_t count : {1U, 3U, 4U, 6U, 41U, 70U}) {
                CAPTURE(table->name, kernels.metric, dim, count);
                GuardedArray<std::uint32_t> list(count);
                Pairs expected;
                for (std::uint32_t& row : list) {
                    row = static_cast<std::uint32_t>(random() % kRows);
                    expected.rows.push_back(row);
                    expected.distances.push_back(all.distances[row]);
                }
                const float threshold = all.distances[0];
                check_same(run_list(*table, kernels, query.data(), view, list.data(), count),
                           expected);
                check_same(
                    run_list(*table, kernels, query.data(), view, list.data(), count, threshold),
                    select(expected, threshold));
            }
        }
    }
}

/// Put `count` rows and the query `offset` floats past a 64-byte boundary, `stride` apart, and
/// compare the distances of rows [first, count) with `expected`.
std::string check_placement(const simd::KernelTable& table,
                            const DistanceKernels& kernels,
                            const Matrix& rows,
                            std::size_t offset,
                            std::size_t stride,
                            const std::vector<float>& expected) {
    std::vector<float> memory(rows.rows * stride + 64, kNaN);
    const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    float* base = memory.data() + (64 - address % 64) / sizeof(float) % 16 + offset;
    for (std::size_t r = 0; r < rows.rows; ++r) {
        std::copy_n(rows.values.data() + r * rows.dim, rows.dim, base + r * stride);
    }
    std::vector<float> moved_query(rows.dim + offset);
    std::copy_n(rows.values.data(), rows.dim, moved_query.data() + offset);
    for (std::size_t first = 0; first < 5; ++first) {
        const simd::Rows view = {base + first * stride, stride, rows.dim};
        const std::size_t count = rows.rows - first;
        const Pairs got = run_range(table, kernels, moved_query.data() + offset, view, count);
        if (got.distances.size() != count) return "not all rows are kept";
        for (std::size_t i = 0; i < count; ++i) {
            if (!same_bits(got.distances[i], expected[first + i])) {
                return sentence(table.name,
                                " ",
                                kernels.metric,
                                ", dim ",
                                rows.dim,
                                ", stride ",
                                stride,
                                ", offset ",
                                offset,
                                ", first row ",
                                first,
                                ", place ",
                                i,
                                ": ",
                                got.distances[i],
                                " is not ",
                                expected[first + i]);
            }
        }
    }
    return "";
}

TEST_CASE("a pair has one number whatever its alignment, stride and position", "[simd][quick]") {
    INFO("seed " << kSeed);
    const std::size_t dim = GENERATE(1U, 3U, 8U, 13U, 16U, 31U, 33U, 50U, 100U, 129U);
    Matrix rows(11, dim);  // the first is the query too
    Random random(kSeed + dim);
    fill(rows.values, Data::kUniform, random);
    for (const simd::KernelTable* table : simd::available_tables()) {
        for (const DistanceKernels& kernels : kDistances) {
            std::vector<float> expected;
            for (std::size_t r = 0; r < rows.rows; ++r) {
                const simd::Rows one = {rows.row(r).data(), dim, dim};
                expected.push_back(
                    run_range(*table, kernels, rows.values.data(), one, 1).distances.at(0));
            }
            for (std::size_t offset = 0; offset < 16; ++offset) {
                for (const std::size_t stride : {dim, dim + 1, dim + 16}) {
                    REQUIRE(check_placement(*table, kernels, rows, offset, stride, expected) == "");
                }
            }
        }
    }
}

TEST_CASE("every level gives the same order within its tolerance", "[simd][quick]") {
    INFO("seed " << kSeed);
    const std::size_t dim = GENERATE(3U, 20U, 100U, 128U, 300U);
    constexpr std::size_t kRows = 60;
    Matrix rows(kRows + 1, dim);
    Random random(kSeed + dim);
    fill(rows.values, Data::kUniform, random);
    const float* query = rows.row(kRows).data();
    for (const simd::KernelTable* table : simd::available_tables()) {
        for (const DistanceKernels& kernels : kDistances) {
            CAPTURE(table->name, kernels.metric, dim);
            const Pairs got =
                run_range(*table, kernels, query, {rows.values.data(), dim, dim}, kRows);
            std::vector<std::uint32_t> order = got.rows;
            std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
                return got.distances[a] < got.distances[b];
            });
            std::size_t misplaced = 0;
            for (std::size_t i = 1; i < kRows; ++i) {
                const Reference a = kernels.reference(query, rows.row(order[i - 1]).data(), dim);
                const Reference b = kernels.reference(query, rows.row(order[i]).data(), dim);
                misplaced += a.value - a.bound > b.value + b.bound ? 1 : 0;
            }
            CHECK(misplaced == 0);
        }
    }
}

TEST_CASE("sums that are exact in float are equal on every level", "[simd][quick]") {
    const std::size_t dim = GENERATE(1U, 9U, 100U, 784U);
    const Matrix rows = integer_rows(21, dim, 20, kSeed);
    for (const simd::KernelTable* table : simd::available_tables()) {
        for (const DistanceKernels& kernels : kDistances) {
            CAPTURE(table->name, kernels.metric, dim);
            const float* query = rows.values.data();
            const Pairs got = run_range(*table, kernels, query, {query, dim, dim}, rows.rows);
            for (std::size_t r = 0; r < rows.rows; ++r) {
                const double exact = kernels.reference(query, rows.row(r).data(), dim).value;
                REQUIRE(static_cast<double>(got.distances.at(r)) == exact);
            }
        }
    }
}

}  // namespace
}  // namespace vecdb::test
