// The kernels over rows alone: squared norms and scaling.

#include "simd/kernel_cases.h"
#include "support/catch.h"
#include "support/guarded_array.h"

namespace vecdb::test {
namespace {

constexpr std::uint64_t kSeed = 20'240'603;

/// Compare the norms of `count` rows that end where memory ends with the reference and with ip.
std::string check_norms(std::size_t dim, std::size_t stride, std::size_t count, Data data) {
    Random random(kSeed + dim);
    GuardedArray<float> floats(count == 0 ? 0 : (count - 1) * stride + dim);
    for (std::size_t r = 0; r < count; ++r) {
        for (std::size_t i = 0; i < dim; ++i)
            floats[r * stride + i] = draw(data, random);
    }
    const simd::Rows rows = {floats.data(), stride, dim};
    for (const simd::KernelTable* table : simd::available_tables()) {
        GuardedArray<float> norms(count);
        table->float32.squared_norms(rows, count, norms.data());
        for (std::size_t r = 0; r < count; ++r) {
            const auto* row = static_cast<const float*>(rows.row(r));
            Reference exact = reference_ip(row, row, dim);
            exact.value = -exact.value;
            const Pairs self = run_range(*table, kIp, row, {row, dim, dim}, 1);
            if (!accepts(exact, norms[r]) || norms[r] != -self.distances.at(0)) {
                return sentence(table->name,
                                ", dim ",
                                dim,
                                ", stride ",
                                stride,
                                ", row ",
                                r,
                                " of ",
                                count,
                                ": ",
                                norms[r],
                                " for ",
                                exact.value,
                                "; ip says ",
                                self.distances.at(0));
            }
        }
    }
    return "";
}

TEST_CASE("squared norms are minus the inner product of a row with itself", "[simd][quick]") {
    INFO("seed " << kSeed);
    for (const std::size_t dim : quick_dims()) {
        REQUIRE(check_norms(dim, dim, 5, Data::kUniform) == "");
        REQUIRE(check_norms(dim, dim + 2, 4, Data::kTiny) == "");
        REQUIRE(check_norms(dim, dim + 1, 3, Data::kExtreme) == "");
        REQUIRE(check_norms(dim, dim, 0, Data::kUniform) == "");
    }
    for (const std::size_t dim : usual_dims())
        REQUIRE(check_norms(dim, dim, 3, Data::kWide) == "");
}

TEST_CASE("squared norms of every dimension and row count", "[simd][.slow]") {
    INFO("seed " << kSeed);
    for (const std::size_t dim : all_dims()) {
        for (std::size_t count = 0; count <= 70; count += dim <= 130 ? 1 : 23) {
            REQUIRE(check_norms(dim, dim + count % 3, count, Data::kUniform) == "");
        }
    }
}

TEST_CASE("squared norms of elements that are no numbers are not finite", "[simd][quick]") {
    for (const simd::KernelTable* table : simd::available_tables()) {
        for (const std::size_t dim : {1U, 5U, 16U, 37U}) {
            for (const float odd : {kNaN, kInfinity, -kInfinity, 3e38F}) {
                CAPTURE(table->name, dim, odd);
                std::vector<float> row(dim, 1.0F);
                row[dim - 1] = odd;
                float norm = 0.0F;
                table->float32.squared_norms({row.data(), dim, dim}, 1, &norm);
                CHECK_FALSE(std::isfinite(norm));
            }
        }
    }
}

/// Scale `count` elements from and into arrays that end where memory ends.
std::string check_scale(std::size_t count, float factor, Data data) {
    Random random(kSeed + count);
    GuardedArray<float> in(count);
    fill(in, data, random);
    for (const simd::KernelTable* table : simd::available_tables()) {
        GuardedArray<float> out(count);
        table->scale(in.data(), count, factor, out.data());
        for (std::size_t i = 0; i < count; ++i) {
            if (!same_bits(out[i], factor * in[i])) {
                return sentence(table->name,
                                ", element ",
                                i,
                                " of ",
                                count,
                                ": ",
                                out[i],
                                " for ",
                                factor,
                                " * ",
                                in[i]);
            }
        }
    }
    return "";
}

TEST_CASE("scaling multiplies each element and nothing beside it", "[simd][quick]") {
    INFO("seed " << kSeed);
    for (std::size_t count = 0; count <= 130; ++count) {
        REQUIRE(check_scale(count, 0.3F, Data::kUniform) == "");
    }
    for (const float factor : {1e-30F, -1e30F, 0.0F, -0.0F, kInfinity}) {
        REQUIRE(check_scale(67, factor, Data::kExtreme) == "");
    }
    for (const std::size_t count : usual_dims()) {
        REQUIRE(check_scale(count, -7.5F, Data::kWide) == "");
    }
}

}  // namespace
}  // namespace vecdb::test
