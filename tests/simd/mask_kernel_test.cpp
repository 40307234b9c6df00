// The rows of a mask as numbers.

#include "simd/kernel_cases.h"
#include "support/catch.h"
#include "support/guarded_array.h"

#include <algorithm>

namespace vecdb::test {
namespace {

/// Fill words with bits of which one in `one_in` is set, whole runs of words without any between.
void fill(GuardedArray<std::uint64_t>& words, std::size_t one_in, Random& random) {
    for (std::uint64_t& word : words) {
        word = 0;
        if (random() % 3 == 0) continue;
        for (std::size_t bit = 0; bit < 64; ++bit)
            word |= std::uint64_t{random() % one_in == 0} << bit;
    }
}

TEST_CASE("list_rows lists the rows that a mask leaves, a complete list at a time",
          "[simd][quick]") {
    constexpr std::uint64_t kSeed = 20'261'121;
    INFO("seed " << kSeed);
    constexpr std::size_t kRows = 3'000;
    for (const simd::KernelTable* table : simd::available_tables()) {
        Random random(kSeed);
        for (const std::size_t one_in : {1U, 2U, 10U, 100U, 5'000U}) {
            for (int round = 0; round < 40; ++round) {
                const std::size_t last = random() % (kRows + 1);
                const std::size_t first = random() % (last + 1);
                GuardedArray<std::uint64_t> allowed((last + 63) / 64);
                GuardedArray<std::uint64_t> removed((last + 63) / 64);
                fill(allowed, one_in, random);
                fill(removed, 5, random);
                const simd::RowMask mask{round % 4 == 0 ? nullptr : allowed.data(),
                                         round % 3 == 0 ? nullptr : removed.data()};
                CAPTURE(table->name, one_in, first, last, round);
                std::vector<std::uint32_t> expected;
                for (std::size_t row = first; row < last; ++row) {
                    if ((mask.word(row / 64) >> (row % 64) & 1U) != 0)
                        expected.push_back(static_cast<std::uint32_t>(row));
                }
                std::vector<std::uint32_t> listed;
                for (std::size_t at = first; at < last;) {
                    GuardedArray<std::uint32_t> list(simd::kListRoom);
                    const std::size_t before = at;
                    const std::size_t n = table->list_rows(mask, at, last, list.data());
                    REQUIRE(n <= simd::kListRoom);
                    REQUIRE(at > before);
                    REQUIRE(at <= last);
                    REQUIRE((n >= simd::kListedRows || at == last));
                    listed.insert(listed.end(), list.begin(), list.begin() + n);
                }
                REQUIRE(listed == expected);
            }
        }
    }
}

}  // namespace
}  // namespace vecdb::test
