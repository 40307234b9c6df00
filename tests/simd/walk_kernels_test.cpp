// The steps of a graph walk: which rows are new, and the sorted array of keys.

#include "simd/kernel_cases.h"
#include "support/catch.h"
#include "support/guarded_array.h"

#include <algorithm>

namespace vecdb::test {
namespace {

constexpr std::uint64_t kSeed = 20'240'801;
constexpr std::uint64_t kMaxKey = std::numeric_limits<std::uint64_t>::max();

TEST_CASE("visit answers each row once, in the order of the list", "[simd][quick]") {
    INFO("seed " << kSeed);
    constexpr std::size_t kRows = 1'000;
    constexpr std::size_t kStride = 128;
    const std::vector<std::uint8_t> bytes(kRows * kStride);
    const simd::CodeRows rows = {bytes.data(), kStride};
    for (const simd::KernelTable* table : simd::available_tables()) {
        Random random(kSeed);
        GuardedArray<std::uint64_t> visited((kRows + 63) / 64);
        std::fill(visited.begin(), visited.end(), std::uint64_t{0});
        std::vector<bool> seen(kRows);
        for (std::size_t count = 0; count <= 100; ++count) {
            CAPTURE(table->name, count);
            if (count % 30 == 29) {
                std::fill(visited.begin(), visited.end(), std::uint64_t{0});
                std::fill(seen.begin(), seen.end(), false);
            }
            GuardedArray<std::uint32_t> list(count);
            std::vector<std::uint32_t> expected;
            for (std::uint32_t& row : list) {
                // Some from a narrow range: the same words, and marked rows more than once.
                do
                    row = static_cast<std::uint32_t>(random() % (count % 2 == 0 ? kRows : 150));
                while (std::find(expected.begin(), expected.end(), row) != expected.end());
                if (!seen[row]) expected.push_back(row);
            }
            for (const std::uint32_t row : expected)
                seen[row] = true;
            GuardedArray<std::uint32_t> fresh((count + 15) / 16 * 16);
            const std::size_t n = table->walk.visit(
                list.data(), count, visited.data(), rows, count % 3, fresh.data());
            REQUIRE(std::vector<std::uint32_t>(fresh.begin(), fresh.begin() + n) == expected);
            bool same = true;
            for (std::size_t row = 0; row < kRows; ++row)
                same = same && (visited[row / 64] >> (row % 64) & 1U) == (seen[row] ? 1U : 0U);
            REQUIRE(same);
        }
    }
}

/// Keys with room before them, as the kernel asks for, and a forbidden page behind.
class Keys {
  public:
    explicit Keys(std::size_t size) : memory_(size + 8, Edge::kEnd, 64) {
        std::fill(memory_.begin(), memory_.end(), kMaxKey);
    }
    [[nodiscard]] std::uint64_t* data() { return memory_.data() + 8; }

  private:
    GuardedArray<std::uint64_t> memory_;
};

/// Insert `count` keys below `limit` one after the other and compare with a plain sorted vector.
std::string check_insertions(const simd::KernelTable& table,
                             std::size_t size,
                             std::size_t count,
                             std::uint64_t limit) {
    Random random(kSeed + size);
    Keys keys(size);
    std::vector<std::uint64_t> model(size, kMaxKey);
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t key = limit == kMaxKey ? random() : random() % limit;
        const auto at = std::upper_bound(model.begin(), model.end(), key);
        const auto place = static_cast<std::size_t>(at - model.begin());
        model.insert(at, key);
        model.pop_back();
        if (i % 5 == 0) std::fill(keys.data() - 8, keys.data(), random());  // not kept by anybody
        const std::size_t got = table.walk.insert(keys.data(), size, key);
        if (got != place) return sentence("key ", i, ": place ", got, ", expected ", place);
        if (!std::equal(model.begin(), model.end(), keys.data())) {
            return sentence("key ", i, ": other keys than expected");
        }
    }
    return "";
}

TEST_CASE("insert keeps the smallest keys sorted and tells the place", "[simd][quick]") {
    INFO("seed " << kSeed);
    for (const simd::KernelTable* table : simd::available_tables()) {
        for (const std::size_t size : {0U, 8U, 16U, 24U, 64U, 136U, 512U}) {
            CAPTURE(table->name, size);
            CHECK(check_insertions(*table, size, 2 * size + 20, kMaxKey) == "");
            CHECK(check_insertions(*table, size, size + 20, 50) == "");  // equal ones, and 0
        }
    }
}

TEST_CASE("insert takes keys of both ends of their range", "[simd][quick]") {
    for (const simd::KernelTable* table : simd::available_tables()) {
        CAPTURE(table->name);
        Keys keys(8);
        CHECK(table->walk.insert(keys.data(), 8, kMaxKey) == 8);
        CHECK(table->walk.insert(keys.data(), 8, std::uint64_t{1} << 63U) == 0);
        CHECK(table->walk.insert(keys.data(), 8, kMaxKey >> 1U) == 0);
        CHECK(table->walk.insert(keys.data(), 8, kMaxKey - 1) == 2);
        CHECK(table->walk.insert(keys.data(), 8, 0) == 0);
        CHECK(table->walk.insert(keys.data(), 8, 0) == 1);
        const std::vector<std::uint64_t> expected = {
            0, 0, kMaxKey >> 1U, std::uint64_t{1} << 63U, kMaxKey - 1, kMaxKey, kMaxKey, kMaxKey};
        CHECK(std::equal(expected.begin(), expected.end(), keys.data()));
    }
}

}  // namespace
}  // namespace vecdb::test
