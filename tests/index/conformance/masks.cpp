#include "index/conformance/masks.h"

#include "support/random_data.h"

#include <utility>

namespace vecdb::test {
namespace {

using Words = std::vector<std::uint64_t>;

/// Set each row's bit with the given probability, and all bits past the last row.
Words random_words(std::size_t rows, double part, std::uint64_t seed) {
    Words words(rows / 64 + 1, ~std::uint64_t{0});
    Random random(seed);
    std::bernoulli_distribution chosen(part);
    for (std::size_t i = 0; i < rows; ++i) {
        if (!chosen(random)) words[i / 64] &= ~(std::uint64_t{1} << (i % 64));
    }
    return words;
}

Words one_row(std::size_t rows) {
    Words words = random_words(rows, 0, 0);
    const std::size_t row = rows / 3;
    words[row / 64] |= std::uint64_t{1} << (row % 64);
    return words;
}

Mask make_mask(std::string name, std::size_t rows, Words allowed, Words tombstones) {
    Mask mask{std::move(name), std::move(allowed), std::move(tombstones), 0};
    for (std::size_t i = 0; i < rows; ++i)
        mask.allowed_rows += mask.filter().test(i) ? 1 : 0;
    return mask;
}

}  // namespace

std::vector<Mask> make_masks(std::size_t rows, std::uint64_t seed) {
    std::vector<Mask> masks;
    const auto add = [&](std::string name, Words allowed, Words tombstones) {
        masks.push_back(
            make_mask(std::move(name), rows, std::move(allowed), std::move(tombstones)));
    };
    add("none", {}, {});
    add("50 %", random_words(rows, 0.5, seed), {});
    add("10 %", random_words(rows, 0.1, seed + 1), {});
    add("1 %", random_words(rows, 0.01, seed + 2), {});
    add("one row", one_row(rows), {});
    add("no row", random_words(rows, 0, seed), {});
    add("tombstones", {}, random_words(rows, 0.2, seed + 3));
    add("both", random_words(rows, 0.5, seed + 4), random_words(rows, 0.2, seed + 5));
    return masks;
}

}  // namespace vecdb::test
