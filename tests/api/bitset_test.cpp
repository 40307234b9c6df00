#include "support/catch.h"
#include "support/random_data.h"

#include <vecdb/bitset.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace vecdb {
namespace {

constexpr std::size_t kSizes[] = {0, 1, 2, 63, 64, 65, 127, 128, 129, 1000};

Bitset random_bits(std::size_t size, std::uint64_t seed) {
    Bitset bits(size);
    test::Random random(seed);
    for (std::size_t i = 0; i < size; ++i)
        bits.set(i, random() % 2 == 0);
    return bits;
}

/// The bits of the last word past size() must be zero, whatever was done.
bool unused_bits_are_zero(const Bitset& bits) {
    const auto words = bits.words();
    if (words.size() != (bits.size() + 63) / 64) return false;
    return bits.size() % 64 == 0 || words.back() >> (bits.size() % 64) == 0;
}

TEST_CASE("a bitset starts with all bits alike") {
    for (const std::size_t size : kSizes) {
        CAPTURE(size);
        const Bitset zeros(size);
        const Bitset ones(size, true);
        CHECK(zeros.size() == size);
        CHECK(zeros.count() == 0);
        CHECK(ones.count() == size);
        CHECK(unused_bits_are_zero(zeros));
        CHECK(unused_bits_are_zero(ones));
    }
    CHECK(Bitset().size() == 0);
    CHECK(Bitset().count() == 0);
}

TEST_CASE("set and reset change one bit") {
    Bitset bits(130);
    for (const std::size_t i :
         {std::size_t{0}, std::size_t{63}, std::size_t{64}, std::size_t{129}}) {
        bits.set(i);
        CHECK(bits.test(i));
        CHECK(bits.count() == 1);
        bits.reset(i);
        CHECK_FALSE(bits.test(i));
        CHECK(bits.count() == 0);
    }
    bits.set(5, true);
    bits.set(5, false);
    CHECK(bits.count() == 0);
}

TEST_CASE("bit i is bit i % 64 of word i / 64") {
    Bitset bits(200);
    bits.set(0);
    bits.set(70);
    CHECK(bits.view().words()[0] == 1U);
    CHECK(bits.view().words()[1] == std::uint64_t{1} << 6U);
}

TEST_CASE("bits past the size answer false") {
    const Bitset ones(65, true);
    CHECK(ones.test(64));
    CHECK_FALSE(ones.test(65));
    CHECK_FALSE(ones.test(127));
    CHECK_FALSE(ones.test(1'000'000));
    CHECK_FALSE(ones.test(static_cast<std::size_t>(-1)));
}

TEST_CASE("resize keeps old bits and fills new ones") {
    for (const std::size_t from : kSizes) {
        for (const std::size_t to : kSizes) {
            for (const bool value : {false, true}) {
                CAPTURE(from, to, value);
                const Bitset before = random_bits(from, from + 1);
                Bitset after = before;
                after.resize(to, value);
                std::size_t wrong = after.size() == to && unused_bits_are_zero(after) ? 0 : 1;
                for (std::size_t i = 0; i < to; ++i) {
                    wrong += after.test(i) != (i < from ? before.test(i) : value) ? 1U : 0U;
                }
                CHECK(wrong == 0);
            }
        }
    }
}

TEST_CASE("shrinking forgets the bits that are cut off") {
    Bitset bits(100, true);
    bits.resize(10);
    bits.resize(100);
    CHECK(bits.count() == 10);
}

TEST_CASE("flip turns every bit over and nothing past them") {
    for (const std::size_t size : kSizes) {
        CAPTURE(size);
        const Bitset before = random_bits(size, 3);
        Bitset after = before;
        after.flip();
        CHECK(after.count() == size - before.count());
        CHECK(unused_bits_are_zero(after));
        after.flip();
        CHECK(after == before);
    }
}

TEST_CASE("and, or work bit by bit and take the other's missing bits as zero") {
    for (const std::size_t mine : kSizes) {
        for (const std::size_t theirs : kSizes) {
            CAPTURE(mine, theirs);
            const Bitset a = random_bits(mine, 11);
            const Bitset b = random_bits(theirs, 12);
            Bitset both = a;
            both &= b;
            Bitset either = a;
            either |= b;
            std::size_t wrong = 0;
            for (std::size_t i = 0; i < mine; ++i) {
                wrong += both.test(i) != (a.test(i) && b.test(i)) ? 1U : 0U;
                wrong += either.test(i) != (a.test(i) || b.test(i)) ? 1U : 0U;
            }
            CHECK(wrong == 0);
            CHECK(both.size() == mine);
            CHECK(either.size() == mine);
            CHECK(unused_bits_are_zero(both));
            CHECK(unused_bits_are_zero(either));
        }
    }
}

TEST_CASE("equality compares size and bits") {
    CHECK(Bitset(64) == Bitset(64));
    CHECK_FALSE(Bitset(64) == Bitset(63));
    CHECK_FALSE(Bitset(64) == Bitset(64, true));
}

TEST_CASE("a view sees the bits of its owner") {
    const Bitset bits = random_bits(777, 5);
    const BitsetView view = bits;
    CHECK(view.size() == 777);
    CHECK_FALSE(view.empty());
    CHECK(view.count() == bits.count());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < 900; ++i)
        wrong += view.test(i) != bits.test(i) ? 1U : 0U;
    CHECK(wrong == 0);
    CHECK(BitsetView().empty());
    CHECK(BitsetView().count() == 0);
    CHECK_FALSE(BitsetView().test(0));
}

TEST_CASE("a view of words counts within its size") {
    const std::vector<std::uint64_t> words = {~std::uint64_t{0}, 1};
    const BitsetView view(words.data(), 65);
    CHECK(view.count() == 65);
    CHECK(view.words().size() == 2);
}

TEST_CASE("a temporary bitset does not become a view") {
    CHECK(std::is_convertible_v<Bitset&, BitsetView>);
    CHECK_FALSE(std::is_convertible_v<Bitset&&, BitsetView>);
}

TEST_CASE("a bitset moved from has no bits") {
    Bitset bits(100, true);
    const Bitset taken = std::move(bits);
    CHECK(taken.count() == 100);
    CHECK_FALSE(bits.test(0));   // NOLINT(bugprone-use-after-move): that is what is tested
    CHECK(bits.view().empty());  // NOLINT(bugprone-use-after-move)
}

}  // namespace
}  // namespace vecdb
