// The sums of blocks of product codes, on every level, against integers.

#include "simd/code_cases.h"
#include "support/catch.h"

#include <numeric>

namespace vecdb::test {
namespace {

constexpr std::uint64_t kSeed = 20'241'121;
constexpr std::uint32_t kAll = 0xFFFF;

/// How large the entries of tables are.
enum class Entries {
    kRandom,
    kHighest,  ///< As large as the sums allow.
};

/// Words of rows and tables of a query, as numbers and packed by the words of code_kernels.h in
/// memory that ends at a forbidden page.
class Product {
  public:
    Product(std::size_t rows, std::size_t codebooks, Entries kind, Random& random)
        : codebooks_(codebooks),
          groups_((codebooks + 3) / 4),
          words_(rows * codebooks),
          tables_(groups_ * 64, Edge::kEnd, 64),
          blocks_((rows + 31) / 32 * groups_ * 64, Edge::kEnd, 64) {
        std::fill(tables_.begin(), tables_.end(), std::uint8_t{0});
        // Rows and codebooks that do not exist have words too: they must not count.
        for (std::uint8_t& byte : blocks_)
            byte = static_cast<std::uint8_t>(random());
        const std::size_t highest = std::min<std::size_t>(255, 65'535 / codebooks);
        for (std::size_t i = 0; i < codebooks * 16; ++i) {
            tables_[i] = static_cast<std::uint8_t>(
                kind == Entries::kHighest ? highest : random() % (highest + 1));
        }
        for (std::size_t row = 0; row < rows; ++row) {
            for (std::size_t m = 0; m < codebooks; ++m)
                put(row, m, static_cast<unsigned>(random() % 16));
        }
    }

    /// Make row `to` equal to row `from`.
    void copy_row(std::size_t from, std::size_t to) {
        for (std::size_t m = 0; m < codebooks_; ++m)
            put(to, m, words_[from * codebooks_ + m]);
    }

    /// Return the sum of a row, computed in 64 bits.
    [[nodiscard]] std::uint64_t sum(std::size_t row) const {
        std::uint64_t sum = 0;
        for (std::size_t m = 0; m < codebooks_; ++m)
            sum += tables_[16 * m + words_[row * codebooks_ + m]];
        return sum;
    }

    /// Return what is kept of rows [0, count), by the numbers.
    [[nodiscard]] Pairs expected(std::size_t count, std::uint32_t limit) const {
        Pairs pairs;
        for (std::size_t row = 0; row < count; ++row) {
            if (sum(row) > limit) continue;
            pairs.rows.push_back(static_cast<std::uint32_t>(row));
            pairs.distances.push_back(static_cast<float>(sum(row)));
        }
        return pairs;
    }

    /// Return what a kernel keeps. There is room for `count` rows and no more.
    [[nodiscard]] Pairs run(const simd::KernelTable& table,
                            std::size_t count,
                            std::uint32_t limit) const {
        return keep_codes(count, 1, [&](const simd::Kept& kept) {
            return table.codes.product4(
                tables_.data(), {blocks_.data(), groups_}, count, limit, kept);
        });
    }

    /// Compare all levels; returns the first difference.
    [[nodiscard]] std::string check(std::size_t count, std::uint32_t limit) const {
        const Pairs wanted = expected(count, limit);
        for (const simd::KernelTable* table : simd::available_tables()) {
            const std::string fault = difference(run(*table, count, limit), wanted);
            if (fault.empty()) continue;
            return sentence(table->name,
                            ", ",
                            codebooks_,
                            " codebooks, ",
                            count,
                            " rows, ",
                            limit,
                            ": ",
                            fault);
        }
        return "";
    }

  private:
    void put(std::size_t row, std::size_t m, unsigned word) {
        words_[row * codebooks_ + m] = static_cast<std::uint8_t>(word);
        const std::size_t at = row / 32 * groups_ * 64 + m / 4 * 64 + m % 4 * 16 + row % 32 % 16;
        const unsigned byte = blocks_[at];
        blocks_[at] = static_cast<std::uint8_t>(row % 32 < 16 ? (byte & 0xF0U) | word
                                                              : (byte & 0x0FU) | word << 4U);
    }

    std::size_t codebooks_;
    std::size_t groups_;
    std::vector<std::uint8_t> words_;
    GuardedArray<std::uint8_t> tables_;
    GuardedArray<std::uint8_t> blocks_;
};

TEST_CASE("sums of product codes are exact on every level", "[simd][quick]") {
    INFO("seed " << kSeed);
    Random random(kSeed);
    for (std::size_t codebooks = 1; codebooks <= 300; codebooks += codebooks < 40 ? 1 : 13) {
        const Product product(70, codebooks, Entries::kRandom, random);
        REQUIRE(product.check(70, kAll) == "");
    }
}

TEST_CASE("sums of product codes reach 65,535 without overflow", "[simd][quick]") {
    Random random(kSeed);
    for (const std::size_t codebooks : {1U, 4U, 255U, 257U, 4'369U, 13'107U}) {
        const Product product(33, codebooks, Entries::kHighest, random);
        CAPTURE(product.sum(0));
        REQUIRE(product.sum(0) <= 65'535);
        REQUIRE(product.check(33, kAll) == "");
        REQUIRE(product.check(33, 65'534) == "");
        REQUIRE(product.check(33, ~0U) == "");
    }
    CHECK(Product(1, 257, Entries::kHighest, random).sum(0) == 65'535);
}

TEST_CASE("product codes are kept in ascending order up to the limit, wherever they stand",
          "[simd][quick]") {
    INFO("seed " << kSeed);
    Random random(kSeed);
    const std::size_t codebooks = GENERATE(2U, 7U, 25U, 50U);
    Product product(130, codebooks, Entries::kRandom, random);
    for (std::size_t row = 65; row < 130; ++row)
        product.copy_row(row - 65, row);
    for (std::size_t count = 0; count <= 130; ++count) {
        const auto at_row = static_cast<std::uint32_t>(product.sum(count / 2));
        for (const std::uint32_t limit : {kAll, 0U, at_row, at_row - (at_row > 0 ? 1U : 0U)})
            REQUIRE(product.check(count, limit) == "");
    }
}

}  // namespace
}  // namespace vecdb::test
