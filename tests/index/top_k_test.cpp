#include "index/top_k.h"

#include "support/catch.h"

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

using vecdb::Hit;
using vecdb::index::nearer;
using vecdb::index::TopK;

TEST_CASE("top-k keeps what sorting everything would keep", "[index][top_k]") {
    std::mt19937_64 random(7);
    for (const std::size_t k : {1U, 2U, 3U, 10U, 64U, 500U}) {
        for (const std::size_t n : {0U, 1U, 9U, 10U, 11U, 499U, 2'000U}) {
            std::vector<Hit> all;
            for (std::size_t i = 0; i < n; ++i) {
                all.push_back({static_cast<vecdb::Id>(random() % 1'000'000),
                               static_cast<float>(random() % 50)});
            }
            std::vector<Hit> slots(k);
            TopK best(slots);
            for (const Hit& hit : all)
                best.offer(hit.score, hit.id);
            const auto kept = best.sort();

            std::sort(all.begin(), all.end(), nearer);
            all.resize(std::min(k, n));
            CAPTURE(k, n);
            REQUIRE(std::vector<Hit>(kept.begin(), kept.end()) == all);
        }
    }
}

TEST_CASE("top-k's threshold is infinite until k hits are there, then the farthest kept",
          "[index][top_k]") {
    std::vector<Hit> slots(2);
    TopK best(slots);
    REQUIRE(best.threshold() == std::numeric_limits<float>::infinity());
    best.offer(5.0F, 1);
    REQUIRE(best.threshold() == std::numeric_limits<float>::infinity());
    best.offer(3.0F, 2);
    REQUIRE(best.threshold() == 5.0F);
    best.offer(5.0F, 0);  // a tie with a smaller id displaces
    REQUIRE(best.threshold() == 5.0F);
    best.offer(5.0F, 7);  // a tie with a larger id does not
    const auto kept = best.sort();
    REQUIRE(kept[0] == Hit{2, 3.0F});
    REQUIRE(kept[1] == Hit{0, 5.0F});
}

TEST_CASE("merging top-ks equals one top-k over all", "[index][top_k]") {
    std::mt19937_64 random(11);
    std::vector<Hit> a(5);
    std::vector<Hit> b(5);
    std::vector<Hit> c(5);
    TopK first(a);
    TopK second(b);
    TopK whole(c);
    for (int i = 0; i < 100; ++i) {
        const Hit hit{i, static_cast<float>(random() % 20)};
        (i % 2 == 0 ? first : second).offer(hit.score, hit.id);
        whole.offer(hit.score, hit.id);
    }
    first.merge(second);
    const auto merged = first.sort();
    const auto expected = whole.sort();
    REQUIRE(std::equal(merged.begin(), merged.end(), expected.begin(), expected.end()));
}
