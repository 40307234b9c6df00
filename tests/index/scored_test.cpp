#include "index/scored.h"

#include "support/catch.h"

#include <algorithm>
#include <limits>
#include <random>
#include <utility>
#include <vector>

namespace vecdb::index {
namespace {

std::vector<std::pair<float, std::uint32_t>> sorted(const std::vector<Scored>& scored,
                                                    std::size_t count) {
    std::vector<std::pair<float, std::uint32_t>> pairs;
    for (std::size_t i = 0; i < count; ++i)
        pairs.emplace_back(scored[i].score, scored[i].row);
    std::sort(pairs.begin(), pairs.end());
    return pairs;
}

TEST_CASE("the best scored come first and none is lost", "[index][scored]") {
    std::mt19937_64 random(11);
    for (const std::size_t size : {0U, 1U, 7U, 8U, 64U, 65U, 300U, 2'048U}) {
        for (const std::size_t count : {0U, 1U, 8U, 10U, 63U, 64U, 65U, 100U, 3'000U}) {
            std::vector<Scored> scored;
            for (std::size_t i = 0; i < size; ++i) {
                // Few values, of both signs: ties are many.
                const auto score = static_cast<float>(random() % 40) - 20.0F;
                scored.push_back({score, static_cast<std::uint32_t>(i)});
            }
            if (size > 3) {
                scored[0].score = std::numeric_limits<float>::infinity();
                scored[1].score = -std::numeric_limits<float>::infinity();
                scored[2].score = -0.0F;
            }
            std::shuffle(scored.begin(), scored.end(), random);
            const auto all = sorted(scored, size);
            bring_best_forward(scored, count);
            CAPTURE(size, count);
            REQUIRE(sorted(scored, size) == all);
            const std::size_t front = std::min(size, count);
            float worst = -std::numeric_limits<float>::infinity();
            for (std::size_t i = 0; i < front; ++i)
                worst = std::max(worst, scored[i].score);
            for (std::size_t i = front; i < size; ++i)
                REQUIRE(scored[i].score >= worst);
        }
    }
}

TEST_CASE("ascending bits order numbers as they are", "[index][scored]") {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const float numbers[] = {-kInfinity, -3.5F, -1e-40F, -0.0F, 0.0F, 1e-40F, 1.0F, kInfinity};
    for (std::size_t i = 1; i < std::size(numbers); ++i)
        CHECK(ascending_bits(numbers[i - 1]) < ascending_bits(numbers[i]));
}

}  // namespace
}  // namespace vecdb::index
