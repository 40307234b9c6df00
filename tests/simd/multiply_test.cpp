// The product of a panel and a vector.

#include "simd/kernel_cases.h"
#include "support/catch.h"
#include "support/guarded_array.h"

#include <cmath>

namespace vecdb::test {
namespace {

TEST_CASE("multiply sums the products of each row of a panel", "[simd][quick]") {
    constexpr std::uint64_t kSeed = 20'261'122;
    INFO("seed " << kSeed);
    constexpr double kRoundoff = 0x1p-24;
    for (const simd::KernelTable* table : simd::available_tables()) {
        Random random(kSeed);
        for (const std::size_t dims : {1U, 2U, 3U, 7U, 8U, 9U, 16U, 100U, 255U, 256U}) {
            CAPTURE(table->name, dims);
            GuardedArray<float> panel(dims * simd::kPanelRows, Edge::kEnd, 64);
            GuardedArray<float> x(dims);
            for (float& element : panel)
                element = static_cast<float>(random() % 2'001) / 1'000.0F - 1.0F;
            for (float& element : x)
                element = static_cast<float>(random() % 2'001) / 1'000.0F - 1.0F;
            GuardedArray<float> out(simd::kPanelRows);
            table->multiply(panel.data(), dims, x.data(), out.data());
            for (std::size_t row = 0; row < simd::kPanelRows; ++row) {
                double sum = 0;
                double absolute = 0;
                for (std::size_t d = 0; d < dims; ++d) {
                    const auto element = static_cast<double>(panel[d * simd::kPanelRows + row]);
                    sum += element * static_cast<double>(x[d]);
                    absolute += std::fabs(element * static_cast<double>(x[d]));
                }
                CAPTURE(row);
                REQUIRE(std::fabs(static_cast<double>(out[row]) - sum) <=
                        static_cast<double>(dims + 8) * kRoundoff * absolute);
            }
        }
    }
}

}  // namespace
}  // namespace vecdb::test
