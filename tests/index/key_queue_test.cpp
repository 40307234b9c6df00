#include "index/key_queue.h"

#include "support/catch.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <vector>

namespace vecdb::index {
namespace {

/// Return different keys in random order: close together, far apart, ascending or descending.
std::vector<std::uint64_t> different_keys(std::size_t count, std::uint64_t kind) {
    std::mt19937_64 random(kind);
    std::set<std::uint64_t> keys;
    while (keys.size() < count)
        keys.insert(kind == 0 ? keys.size() : random());
    std::vector<std::uint64_t> all(keys.begin(), keys.end());
    if (kind < 2) std::shuffle(all.begin(), all.end(), random);
    if (kind == 3) std::reverse(all.begin(), all.end());
    return all;
}

std::uint64_t take(KeyQueue& queue) {
    const std::uint64_t key = queue.front();
    queue.pop();
    return key;
}

TEST_CASE("keys come back smallest first, whatever their order", "[index][queue]") {
    for (const std::size_t count : {0U, 1U, 31U, 256U, 257U, 1'000U, 30'000U}) {
        for (const std::uint64_t kind : {0U, 1U, 2U, 3U}) {
            CAPTURE(count, kind);
            std::vector<std::uint64_t> keys = different_keys(count, kind);
            KeyQueue queue(keys);
            std::sort(keys.begin(), keys.end());
            std::vector<std::uint64_t> taken;
            while (!queue.empty()) {
                REQUIRE(queue.size() == count - taken.size());
                taken.push_back(take(queue));
            }
            REQUIRE(taken == keys);
        }
    }
}

TEST_CASE("keys pushed between others come back in their places", "[index][queue]") {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        std::mt19937_64 random(seed);
        KeyQueue queue;
        std::set<std::uint64_t> expected;
        for (std::size_t step = 0; step < 30'000; ++step) {
            // More are pushed than taken at first, and then the other way round.
            const bool push = expected.empty() || random() % 100 < (step < 15'000 ? 70U : 30U);
            if (push) {
                // Among the smallest, or anywhere; the largest there can be, too.
                const std::uint64_t base =
                    random() % 3 == 0 && !expected.empty() ? *expected.begin() : 0;
                std::uint64_t key = base + random() % (base != 0 ? 1'000U : ~std::uint64_t{0});
                if (step == 7'000) key = std::numeric_limits<std::uint64_t>::max() - 1;
                if (expected.insert(key).second) queue.push(key);
            } else {
                REQUIRE(take(queue) == *expected.begin());
                expected.erase(expected.begin());
            }
            REQUIRE(queue.size() == expected.size());
        }
        while (!expected.empty()) {
            REQUIRE(take(queue) == *expected.begin());
            expected.erase(expected.begin());
        }
        CHECK(queue.empty());
    }
}

TEST_CASE("all keys of a queue can be taken out at once", "[index][queue]") {
    std::vector<std::uint64_t> keys = different_keys(5'000, 1);
    KeyQueue queue(keys);
    std::sort(keys.begin(), keys.end());
    for (std::size_t i = 0; i < 700; ++i)
        (void)take(queue);
    std::vector<std::uint64_t> rest = queue.release();
    std::sort(rest.begin(), rest.end());
    CHECK(std::equal(keys.begin() + 700, keys.end(), rest.begin(), rest.end()));
    CHECK(queue.empty());
    queue.push(5);
    CHECK(take(queue) == 5);
}

}  // namespace
}  // namespace vecdb::index
