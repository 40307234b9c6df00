// Conversions of the 16-bit element types.

#include "simd/typed_rows.h"
#include "support/catch.h"

#include <vecdb/half.h>

#include <bit>
#include <cmath>
#include <limits>

namespace vecdb::test {
namespace {

/// Convert every pattern to float and back, and what lies between neighbours.
template <class Half, class ValueOf, class Round>
std::size_t count_wrong(std::uint16_t infinity, ValueOf&& value_of, Round&& round) {
    std::size_t wrong = 0;
    for (std::uint32_t bits = 0; bits < 65'536; ++bits) {
        const auto pattern = static_cast<std::uint16_t>(bits);
        const double value = value_of(pattern);
        const float widened = to_float(Half{pattern});
        if (std::isnan(value)) {
            wrong += std::isnan(widened) && std::isnan(to_float(round(widened))) ? 0U : 1U;
            continue;
        }
        wrong += static_cast<double>(widened) == value ? 0U : 1U;
        wrong += round(widened).bits == pattern ? 0U : 1U;
        const bool last = (pattern & 0x7FFFU) + 1U >= infinity;
        if (last) continue;
        // Half way to the next: to the even one; a little beside it: to the nearer one.
        const double next = value_of(static_cast<std::uint16_t>(pattern + 1));
        const auto middle = static_cast<float>((value + next) / 2);
        const auto towards = static_cast<float>(next);
        const std::uint16_t even = pattern % 2 == 0 ? pattern : pattern + 1;
        wrong += round(middle).bits == even ? 0U : 1U;
        wrong += round(std::nextafter(middle, widened)).bits == pattern ? 0U : 1U;
        wrong += round(std::nextafter(middle, towards)).bits == pattern + 1 ? 0U : 1U;
    }
    return wrong;
}

TEST_CASE("halves convert exactly and round to the nearest, ties to even", "[half]") {
    CHECK(count_wrong<Float16>(0x7C00, half_value, [](float x) { return to_float16(x); }) == 0);
    CHECK(to_float16(65'504.0F).bits == 0x7BFF);
    CHECK(to_float16(65'519.0F).bits == 0x7BFF);
    CHECK(to_float16(65'520.0F).bits == 0x7C00);
    CHECK(to_float16(-1e30F).bits == 0xFC00);
    CHECK(to_float16(1e-30F).bits == 0);
    CHECK(to_float16(-1e-30F).bits == 0x8000);
}

TEST_CASE("bfloat16 converts exactly and rounds to the nearest, ties to even", "[half]") {
    CHECK(count_wrong<BFloat16>(0x7F80, bfloat_value, [](float x) { return to_bfloat16(x); }) == 0);
    CHECK(to_bfloat16(std::numeric_limits<float>::max()).bits == 0x7F80);
    const float odd = std::bit_cast<float>(0x7F800001U);  // NaN whose upper half is an infinity
    CHECK(std::isnan(to_float(to_bfloat16(odd))));
}

static_assert(to_float(Float16{0x3C00}) == 1.0F && to_float16(0.5F).bits == 0x3800);
static_assert(to_float(BFloat16{0x3F80}) == 1.0F && to_bfloat16(-2.0F).bits == 0xC000);

}  // namespace
}  // namespace vecdb::test
