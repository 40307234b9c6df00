// The numbers of the distance kernels: every one against the sum in double precision.

#include "simd/kernel_cases.h"
#include "support/catch.h"
#include "support/guarded_array.h"
#include "support/reservation.h"

namespace vecdb::test {
namespace {

constexpr std::size_t kMaxRows = 70;
constexpr std::uint64_t kSeed = 20'240'601;

/// Rows that end where memory ends, a query that does too, and the exact distances.
struct Scene {
    Scene(std::size_t dim, std::size_t stride, Data data, Edge edge, std::uint64_t seed)
        : floats((kMaxRows - 1) * stride + dim, edge),
          query(dim, edge),
          rows{floats.data(), stride, dim} {
        Random random(seed + 1'000 * dim + stride);
        fill(query, data, random);
        for (std::size_t r = 0; r < kMaxRows; ++r) {  // between the rows: not a number
            for (std::size_t i = 0; i < dim; ++i)
                floats[r * stride + i] = draw(data, random);
        }
    }

    /// Return the last `count` rows (the ones that end where memory ends).
    [[nodiscard]] simd::Rows last(std::size_t count) const { return rows.from(kMaxRows - count); }

    [[nodiscard]] std::vector<Reference> expected(const DistanceKernels& kernels) const {
        std::vector<Reference> all;
        for (std::size_t r = 0; r < kMaxRows; ++r) {
            all.push_back(
                kernels.reference(query.data(), static_cast<const float*>(rows.row(r)), rows.dim));
        }
        return all;
    }

    GuardedArray<float> floats;
    GuardedArray<float> query;
    simd::Rows rows;
};

std::string compare(const Pairs& got, const std::vector<Reference>& expected, std::size_t count) {
    if (!got.fault.empty()) return got.fault;
    if (got.rows.size() != count) return sentence("kept ", got.rows.size(), " rows, not all");
    for (std::size_t i = 0; i < count; ++i) {
        const Reference& exact = expected[kMaxRows - count + i];
        if (got.rows[i] != i) return sentence("row ", got.rows[i], " at place ", i);
        if (!accepts(exact, got.distances[i])) {
            return sentence(
                "row ", i, ": ", got.distances[i], " for ", exact.value, " +- ", exact.bound);
        }
    }
    return "";
}

std::string compare_bits(const Pairs& list, const Pairs& range) {
    if (!list.fault.empty()) return list.fault;
    if (list.rows != range.rows) return "the list kernel kept other rows";
    for (std::size_t i = 0; i < list.rows.size(); ++i) {
        if (!same_bits(list.distances[i], range.distances[i])) {
            return sentence(
                "row ", i, ": list ", list.distances[i], ", range ", range.distances[i]);
        }
    }
    return "";
}

/// Run all distance kernels of all levels on the last `count` rows for each of `counts`.
std::string check_scene(const Scene& scene, const std::vector<std::size_t>& counts) {
    std::vector<std::uint32_t> numbers(kMaxRows);
    for (std::uint32_t i = 0; i < kMaxRows; ++i)
        numbers[i] = i;
    for (const DistanceKernels& kernels : kDistances) {
        const std::vector<Reference> expected = scene.expected(kernels);
        for (const simd::KernelTable* table : simd::available_tables()) {
            for (const std::size_t count : counts) {
                const simd::Rows rows = scene.last(count);
                GuardedArray<std::uint32_t> list(count);
                std::copy_n(numbers.begin(), count, list.begin());
                const float* query = scene.query.data();
                const Pairs range = run_range(*table, kernels, query, rows, count);
                std::string fault = compare(range, expected, count);
                if (fault.empty()) {
                    fault = compare_bits(run_list(*table, kernels, query, rows, list.data(), count),
                                         range);
                }
                if (!fault.empty()) {
                    return sentence(table->name,
                                    " ",
                                    kernels.metric,
                                    ", dim ",
                                    rows.dim,
                                    ", stride ",
                                    rows.stride,
                                    ", ",
                                    count,
                                    " rows: ",
                                    fault);
                }
            }
        }
    }
    return "";
}

std::vector<std::size_t> all_counts() {
    std::vector<std::size_t> counts;
    for (std::size_t count = 0; count <= kMaxRows; ++count)
        counts.push_back(count);
    return counts;
}

TEST_CASE("distances are within the documented tolerance", "[simd][quick]") {
    INFO("seed " << kSeed);
    for (const std::size_t dim : quick_dims()) {
        const Scene packed(dim, dim, Data::kUniform, Edge::kEnd, kSeed);
        REQUIRE(check_scene(packed, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 23}) == "");
        const Scene padded(dim, dim + 3, Data::kUniform, Edge::kStart, kSeed);
        REQUIRE(check_scene(padded, {6, kMaxRows}) == "");
    }
    for (const std::size_t dim : usual_dims()) {
        const Scene scene(dim, dim + 1, Data::kUniform, Edge::kEnd, kSeed);
        REQUIRE(check_scene(scene, {5}) == "");
    }
}

TEST_CASE("distances of wide and tiny values are within the documented tolerance",
          "[simd][quick]") {
    INFO("seed " << kSeed);
    const Data data = GENERATE(Data::kWide, Data::kTiny, Data::kExtreme);
    for (const std::size_t dim : {1U, 2U, 3U, 7U, 8U, 15U, 16U, 17U, 31U, 33U, 65U, 100U, 131U}) {
        const Scene scene(dim, dim, data, Edge::kEnd, kSeed);
        REQUIRE(check_scene(scene, {7}) == "");
    }
}

TEST_CASE("distances of every dimension, row count, stride and kind of data", "[simd][.slow]") {
    INFO("seed " << kSeed);
    const std::vector<std::size_t> counts = all_counts();
    for (const std::size_t dim : all_dims()) {
        for (const std::size_t padding : {0U, 1U, 16U}) {
            const Scene ends(dim, dim + padding, Data::kUniform, Edge::kEnd, kSeed);
            REQUIRE(check_scene(ends, padding == 0 ? counts : std::vector<std::size_t>{5, 70}) ==
                    "");
            const Scene starts(dim, dim + padding, Data::kUniform, Edge::kStart, kSeed);
            REQUIRE(check_scene(starts, {kMaxRows}) == "");
        }
        for (const Data data : {Data::kWide, Data::kTiny, Data::kExtreme}) {
            const Scene scene(dim, dim, data, Edge::kEnd, kSeed + 1);
            REQUIRE(check_scene(scene, {kMaxRows}) == "");
        }
    }
}

/// Return what each level answers for one pair.
float distance_of(const simd::KernelTable& table,
                  const DistanceKernels& kernels,
                  const std::vector<float>& query,
                  const std::vector<float>& row) {
    const Pairs pairs =
        run_range(table, kernels, query.data(), {row.data(), row.size(), row.size()}, 1);
    return pairs.distances.at(0);
}

TEST_CASE("what overflows is infinite, and what is not a number comes last", "[simd][quick]") {
    for (const simd::KernelTable* table : simd::available_tables()) {
        for (const std::size_t dim : {1U, 2U, 5U, 8U, 16U, 17U, 33U, 100U}) {
            CAPTURE(table->name, dim);
            const std::vector<float> big(dim, 1e38F);
            const std::vector<float> minus_big(dim, -1e38F);
            CHECK(distance_of(*table, kL2, big, minus_big) == kInfinity);
            CHECK(distance_of(*table, kIp, big, minus_big) == kInfinity);
            CHECK(distance_of(*table, kIp, big, big) == -kInfinity);
            CHECK(distance_of(*table, kL2, big, big) == 0.0F);

            const std::vector<float> zeros(dim, 0.0F);
            std::vector<float> row(dim, 1.0F);
            std::vector<float> query(dim, 1.0F);
            for (const float odd : {kNaN, -kNaN}) {
                for (std::size_t at = 0; at < dim; at += 1 + dim / 5) {
                    row.assign(dim, 1.0F);
                    row[at] = odd;
                    CHECK(distance_of(*table, kL2, query, row) == kInfinity);
                    CHECK(distance_of(*table, kIp, query, row) == kInfinity);
                }
            }
            row.assign(dim, kInfinity);
            CHECK(distance_of(*table, kL2, row, row) == kInfinity);    // inf - inf
            CHECK(distance_of(*table, kIp, zeros, row) == kInfinity);  // 0 * inf
            CHECK(distance_of(*table, kIp, query, row) == -kInfinity);
            if (dim > 1) {
                row.assign(dim, 0.0F);
                row.front() = kInfinity;
                row.back() = -kInfinity;
                CHECK(distance_of(*table, kIp, query, row) == kInfinity);  // -inf + inf
            }
        }
    }
}

TEST_CASE("denormals are honoured and zeros have no sign", "[simd][quick]") {
    for (const simd::KernelTable* table : simd::available_tables()) {
        for (const std::size_t dim : {1U, 3U, 8U, 16U, 31U, 64U}) {
            CAPTURE(table->name, dim);
            std::vector<float> query(dim, 0.0F);
            std::vector<float> row(dim, -0.0F);
            CHECK(distance_of(*table, kL2, query, row) == 0.0F);
            CHECK(distance_of(*table, kIp, query, row) == 0.0F);
            row[dim / 2] = std::ldexp(1.0F, -70);
            CHECK(distance_of(*table, kL2, query, row) == std::ldexp(1.0F, -140));
            query[dim / 2] = std::ldexp(-1.0F, -75);
            CHECK(distance_of(*table, kIp, query, row) == std::ldexp(1.0F, -145));
            row[dim / 2] = std::numeric_limits<float>::denorm_min();
            query[dim / 2] = 0x1p100F;
            CHECK(distance_of(*table, kIp, query, row) == -std::ldexp(1.0F, -49));
        }
    }
}

TEST_CASE("offsets of rows that do not fit 32 bits are right", "[simd][quick]") {
    constexpr std::size_t kStride = (std::size_t{1} << 31U) + 1;
    constexpr std::size_t kRows = 4;  // one group, in which only a wide product is right
    constexpr std::uint32_t kLastRow = 0x7FFFFFFE;
    const Reservation memory(kRows * kStride * sizeof(float));
    if (memory.floats() == nullptr) {
        WARN("left out: the system gives no 32 GiB of address space");
        return;
    }
    const float query = 1.0F;
    for (std::size_t r = 0; r < kRows; ++r)
        memory.floats()[r * kStride] = static_cast<float>(r + 2);
    memory.floats()[kLastRow] = 9.0F;
    for (const simd::KernelTable* table : simd::available_tables()) {
        CAPTURE(table->name);
        const simd::Rows far_apart = {memory.floats(), kStride, 1};
        CHECK(run_range(*table, kL2, &query, far_apart, 4).distances ==
              std::vector<float>{1.0F, 4.0F, 9.0F, 16.0F});
        CHECK(run_range(*table, kL2, &query, far_apart, 3).distances ==
              std::vector<float>{1.0F, 4.0F, 9.0F});
        const std::uint32_t list[] = {0, 3, 2, 1, 3};
        CHECK(run_list(*table, kL2, &query, far_apart, list, 5).distances ==
              std::vector<float>{1.0F, 16.0F, 9.0F, 4.0F, 16.0F});

        const simd::Rows many = {memory.floats(), 1, 1};
        const std::uint32_t last[] = {kLastRow, kLastRow, kLastRow, kLastRow, kLastRow};
        CHECK(run_list(*table, kIp, &query, many, last, 5).distances ==
              std::vector<float>(5, -9.0F));

        float norms[kRows] = {};
        table->float32.squared_norms(far_apart, kRows, norms);
        CHECK(norms[kRows - 1] == 25.0F);
    }
}

}  // namespace
}  // namespace vecdb::test
