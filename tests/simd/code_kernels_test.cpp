// The scores of code rows and blocks, on every level, against integers and double.

#include "simd/code_cases.h"
#include "support/catch.h"
#include "support/reservation.h"

#include <numeric>

namespace vecdb::test {
namespace {

constexpr std::uint64_t kSeed = 20'240'715;
constexpr Constants kUsual = {0.75F, 1.0F, 0.003F, -0.5F, 0.25F, 0.125F};

std::vector<std::uint32_t> first_rows(std::size_t count) {
    std::vector<std::uint32_t> list(count);
    std::iota(list.begin(), list.end(), 0U);
    return list;
}

PlainCodes make_codes(
    const RowLayout& layout, std::size_t rows, std::size_t dim, Levels kind, Random& random) {
    PlainCodes codes(rows, dim);
    fill(codes, layout, kind, random);
    return codes;
}

/// Rows with the raw sum of the codes, computed in integers, as score.
Pairs expected_raw(const PlainCodes& codes, int zero) {
    Pairs expected;
    for (std::size_t r = 0; r < codes.rows; ++r) {
        expected.rows.push_back(static_cast<std::uint32_t>(r));
        expected.distances.push_back(static_cast<float>(raw_of(codes, zero, r)));
    }
    return expected;
}

std::string check_raw_rows(const PlainCodes& codes, const RowLayout& layout, std::size_t stride) {
    const PackedRows packed(codes, layout, stride);
    const Pairs expected = expected_raw(codes, layout.zero());
    for (const simd::KernelTable* table : simd::available_tables()) {
        const Pairs got =
            run_rows(*table, layout, packed.query(kRawOnly), packed.rows(), first_rows(codes.rows));
        const std::string fault = difference(got, expected);
        if (!fault.empty()) {
            return sentence(
                table->name, " ", layout.name, ", dim ", codes.dim, ", ", stride, ": ", fault);
        }
    }
    return "";
}

std::string check_raw_blocks(const PlainCodes& codes, std::size_t groups) {
    const PackedBlocks packed(codes, groups);
    const Pairs expected = expected_raw(codes, 0);
    for (const simd::KernelTable* table : simd::available_tables()) {
        const Pairs got = run_blocks(*table, packed.query(kRawOnly), packed.blocks(), codes.rows);
        const std::string fault = difference(got, expected);
        if (!fault.empty()) {
            return sentence(table->name, " block4, dim ", codes.dim, ", ", groups, ": ", fault);
        }
    }
    return "";
}

/// Dimensions around every register and line: all to 130, odd ones to 300, some to 1,100.
std::vector<std::size_t> code_dims() {
    std::vector<std::size_t> dims;
    for (std::size_t dim = 1; dim <= 300; dim += dim < 130 ? 1 : 6)
        dims.push_back(dim);
    for (const std::size_t dim : usual_dims())
        dims.push_back(dim);
    return dims;
}

TEST_CASE("raw of a code row is the exact integer sum", "[simd][quick]") {
    INFO("seed " << kSeed);
    Random random(kSeed);
    for (const RowLayout& layout : kRowLayouts) {
        for (const std::size_t dim : code_dims()) {
            const std::size_t stride = layout.stride(dim);
            const PlainCodes codes = make_codes(layout, 19, dim, Levels::kRandom, random);
            REQUIRE(check_raw_rows(codes, layout, stride) == "");
            if (dim % 7 == 0) REQUIRE(check_raw_rows(codes, layout, stride + 64) == "");
        }
    }
}

TEST_CASE("raw of a code block is the exact integer sum", "[simd][quick]") {
    INFO("seed " << kSeed);
    Random random(kSeed);
    for (const std::size_t dim : code_dims()) {
        const PlainCodes codes = make_codes(kRowLayouts[0], 37, dim, Levels::kRandom, random);
        REQUIRE(check_raw_blocks(codes, (dim + 7) / 8) == "");
        if (dim % 7 == 0) REQUIRE(check_raw_blocks(codes, (dim + 7) / 8 + 3) == "");
    }
}

TEST_CASE("raw does not overflow where every product is extreme", "[simd][quick]") {
    Random random(kSeed);
    const Levels kind = GENERATE(Levels::kHighest, Levels::kLowest);
    for (const std::size_t dim : {44U, 88U, 112U, 120U, 240U, 500U, 1'100U, 8'000U}) {
        for (const RowLayout& layout : kRowLayouts) {
            const PlainCodes codes = make_codes(layout, 9, dim, kind, random);
            REQUIRE(check_raw_rows(codes, layout, layout.stride(dim)) == "");
        }
        const PlainCodes codes = make_codes(kRowLayouts[0], 33, dim, kind, random);
        REQUIRE(check_raw_blocks(codes, (dim + 7) / 8) == "");
    }
}

/// Compare kept scores of rows [0, count) with the reference in double.
std::string check_scores(const Pairs& got, const PlainCodes& codes, const Constants& q, int zero) {
    if (got.rows.size() != codes.rows) return sentence("kept ", got.rows.size());
    for (std::size_t r = 0; r < codes.rows; ++r) {
        double error = 0;
        const double expected = score_of(q, codes.factors[r], raw_of(codes, zero, r), error);
        if (got.rows[r] != r || !(std::abs(got.distances[r] - expected) <= error)) {
            return sentence("row ", r, ": ", got.distances[r], ", expected ", expected);
        }
    }
    return "";
}

TEST_CASE("code scores are the formula's up to rounding", "[simd][quick]") {
    INFO("seed " << kSeed);
    Random random(kSeed);
    for (const std::size_t dim : {1U, 30U, 56U, 88U, 100U, 113U, 200U, 784U}) {
        for (const RowLayout& layout : kRowLayouts) {
            PlainCodes codes = make_codes(layout, 67, dim, Levels::kRandom, random);
            draw_factors(codes, random);
            const PackedRows rows(codes, layout, layout.stride(dim));
            const PackedBlocks blocks(codes, (dim + 7) / 8);
            for (const simd::KernelTable* table : simd::available_tables()) {
                CAPTURE(table->name, layout.name, dim);
                const Pairs got =
                    run_rows(*table, layout, rows.query(kUsual), rows.rows(), first_rows(67));
                REQUIRE(check_scores(got, codes, kUsual, layout.zero()) == "");
                if (layout.bits != 4) continue;
                const Pairs block = run_blocks(*table, blocks.query(kUsual), blocks.blocks(), 67);
                REQUIRE(check_scores(block, codes, kUsual, 0) == "");
                REQUIRE(difference(block, got) == "");
            }
        }
    }
}

TEST_CASE("every half is converted exactly", "[simd][quick]") {
    constexpr std::size_t kStep = 31;
    for (const std::size_t which : {0U, 1U, 2U, 3U}) {
        PlainCodes codes(2 * 0x7C00U / kStep, 1);
        Constants q = {};
        (which == 0 ? q.w : which == 1 ? q.c : which == 2 ? q.e : q.t) = which == 0 ? 1.0F : -1.0F;
        Pairs expected;
        for (std::size_t r = 0; r < codes.rows; ++r) {
            const std::size_t number = r * kStep;
            const auto half =
                static_cast<std::uint16_t>(number % 0x7C00U + (number < 0x7C00U ? 0U : 0x8000U));
            codes.factors[r] = {0, 0, 0, 0};
            codes.factors[r][which] = half;
            expected.rows.push_back(static_cast<std::uint32_t>(r));
            expected.distances.push_back(static_cast<float>(half_value(half)) + 0.0F);
        }
        const PackedRows rows(codes, kRowLayouts[0], 64);
        const PackedBlocks blocks(codes, 1);
        for (const simd::KernelTable* table : simd::available_tables()) {
            CAPTURE(table->name, which);
            Pairs got = run_rows(
                *table, kRowLayouts[0], rows.query(q), rows.rows(), first_rows(codes.rows));
            for (float& score : got.distances)
                score += 0.0F;  // no sign on zeros
            REQUIRE(difference(got, expected) == "");
            got = run_blocks(*table, blocks.query(q), blocks.blocks(), codes.rows);
            for (float& score : got.distances)
                score += 0.0F;
            REQUIRE(difference(got, expected) == "");
        }
    }
}

/// Return a threshold that keeps all, one that keeps pair `i` and one just below it.
std::vector<float> thresholds_of(const Pairs& all, std::size_t i) {
    if (all.distances.empty()) return {kInfinity};
    const float score = all.distances[i % all.distances.size()];
    return {kInfinity, score, std::nextafter(score, -kInfinity)};
}

TEST_CASE("code rows are kept in the list's order, with one score wherever they stand",
          "[simd][quick]") {
    INFO("seed " << kSeed);
    Random random(kSeed);
    for (const RowLayout& layout : kRowLayouts) {
        for (const std::size_t stride : {64U, 128U, 192U, 448U}) {
            PlainCodes codes =
                make_codes(layout, 41, layout.most_dims(stride), Levels::kRandom, random);
            draw_factors(codes, random);
            const PackedRows packed(codes, layout, stride);
            const simd::CodeQuery query = packed.query(kUsual);
            for (const simd::KernelTable* table : simd::available_tables()) {
                Pairs alone;
                for (std::uint32_t r = 0; r < 41; ++r) {
                    const Pairs one = run_rows(*table, layout, query, packed.rows(), {r});
                    REQUIRE(one.rows == std::vector<std::uint32_t>{r});
                    alone.distances.push_back(one.distances[0]);
                }
                for (std::size_t count = 0; count <= 100; count += stride == 64 ? 1 : 7) {
                    std::vector<std::uint32_t> list(count);
                    Pairs all;
                    for (std::uint32_t& row : list) {
                        row = static_cast<std::uint32_t>(random() % 41);
                        all.rows.push_back(row);
                        all.distances.push_back(alone.distances[row]);
                    }
                    const std::size_t ahead = count % 3 * count % 40;
                    for (const float threshold : thresholds_of(all, count / 2)) {
                        CAPTURE(table->name, layout.name, stride, count, threshold, ahead);
                        const Pairs got =
                            run_rows(*table, layout, query, packed.rows(), list, threshold, ahead);
                        REQUIRE(difference(got, not_above(all, threshold)) == "");
                    }
                }
            }
        }
    }
}

/// Return what a scan of blocks has kept.
Pairs kept_by(const simd::BlockScan& scan) {
    Pairs pairs;
    pairs.rows.assign(scan.kept->rows, scan.kept->rows + scan.count);
    pairs.distances.assign(scan.kept->distances, scan.kept->distances + scan.count);
    return pairs;
}

TEST_CASE("a pair of queries gets from blocks what each alone does", "[simd][quick]") {
    INFO("seed " << kSeed);
    Random random(kSeed);
    for (const std::size_t dim : {1U, 8U, 30U, 56U, 100U, 113U, 200U, 784U}) {
        PlainCodes codes = make_codes(kRowLayouts[0], 100, dim, Levels::kRandom, random);
        draw_factors(codes, random);
        const PlainCodes other = make_codes(kRowLayouts[0], 1, dim, Levels::kRandom, random);
        const PackedBlocks packed(codes, (dim + 7) / 8);
        const PackedBlocks other_packed(other, (dim + 7) / 8);
        const simd::CodeQuery queries[2] = {packed.query(kUsual), other_packed.query(kRawOnly)};
        for (const simd::KernelTable* table : simd::available_tables()) {
            for (std::size_t count = 0; count <= 100; count += count % 32 < 2 ? 1 : 15) {
                Pairs all[2];
                for (std::size_t q = 0; q < 2; ++q)
                    all[q] = run_blocks(*table, queries[q], packed.blocks(), count);
                for (std::size_t which = 0; which < 3; ++which) {
                    CAPTURE(table->name, dim, count, which);
                    const float limits[2] = {
                        thresholds_of(all[0], count / 2)[count > 0 ? which : 0],
                        thresholds_of(all[1], count / 3)[count > 0 ? 2 - which : 0]};
                    const std::size_t room = (count + 31) / 32 * 32;
                    const simd::Kept kept[2] = {
                        {guarded_room<std::uint32_t, 3>(room), guarded_room<float, 3>(room)},
                        {guarded_room<std::uint32_t, 4>(room), guarded_room<float, 4>(room)}};
                    simd::BlockScan scans[2] = {{&queries[0], limits[0], &kept[0], 0},
                                                {&queries[1], limits[1], &kept[1], 0}};
                    table->codes.block4_pair(scans, packed.blocks(), count);
                    for (std::size_t q = 0; q < 2; ++q)
                        REQUIRE(difference(kept_by(scans[q]), not_above(all[q], limits[q])) == "");
                }
            }
        }
    }
}

TEST_CASE("code blocks keep rows in ascending order, with one score wherever they stand",
          "[simd][quick]") {
    INFO("seed " << kSeed);
    Random random(kSeed);
    const std::size_t groups = GENERATE(1U, 4U, 5U, 13U, 24U, 31U);
    PlainCodes codes = make_codes(kRowLayouts[0], 100, 8 * groups, Levels::kRandom, random);
    draw_factors(codes, random);
    for (std::size_t r = 50; r < 100; ++r) {  // again, in other places
        codes.factors[r] = codes.factors[r - 50];
        std::copy_n(&codes.levels[(r - 50) * codes.dim], codes.dim, &codes.levels[r * codes.dim]);
    }
    const PackedBlocks packed(codes, groups);
    const simd::CodeQuery query = packed.query(kUsual);
    for (const simd::KernelTable* table : simd::available_tables()) {
        const Pairs whole = run_blocks(*table, query, packed.blocks(), 100);
        REQUIRE(whole.rows == first_rows(100));
        for (std::size_t r = 50; r < 100; ++r)
            REQUIRE(same_bits(whole.distances[r], whole.distances[r - 50]));
        for (std::size_t count = 0; count <= 100; ++count) {
            Pairs all = whole;
            all.rows.resize(count);
            all.distances.resize(count);
            for (const float threshold : thresholds_of(all, count / 2)) {
                CAPTURE(table->name, groups, count, threshold);
                const Pairs got = run_blocks(*table, query, packed.blocks(), count, threshold);
                REQUIRE(difference(got, not_above(all, threshold)) == "");
            }
        }
    }
}

TEST_CASE("a code score that is not a number is kept as minus infinity", "[simd][quick]") {
    PlainCodes codes(37, 20);
    for (std::size_t r = 0; r < codes.rows; ++r)  // N is 1, 0 or -1
        codes.factors[r] = {static_cast<std::uint16_t>(r % 3 == 0   ? 0x3C00U
                                                       : r % 3 == 1 ? 0
                                                                    : 0xBC00U),
                            0,
                            0,
                            0};
    const PackedRows rows(codes, kRowLayouts[0], 64);
    const PackedBlocks blocks(codes, 3);
    const Constants infinite = {0.0F, kInfinity, 1.0F, 0.0F, 0.0F, 0.0F};
    Pairs all;
    for (std::size_t r = 0; r < codes.rows; ++r) {
        all.rows.push_back(static_cast<std::uint32_t>(r));
        all.distances.push_back(r % 3 == 0 ? kInfinity : -kInfinity);
    }
    for (const simd::KernelTable* table : simd::available_tables()) {
        for (const float threshold : {-kInfinity, 0.0F, kInfinity}) {
            CAPTURE(table->name, threshold);
            const Pairs expected = not_above(all, threshold);
            for (const RowLayout& layout : kRowLayouts) {
                const PackedRows packed(codes, layout, 64);
                const Pairs got = run_rows(*table,
                                           layout,
                                           packed.query(infinite),
                                           packed.rows(),
                                           first_rows(codes.rows),
                                           threshold);
                CHECK(difference(got, expected) == "");
            }
            const Pairs got =
                run_blocks(*table, blocks.query(infinite), blocks.blocks(), codes.rows, threshold);
            CHECK(difference(got, expected) == "");
        }
    }
}

TEST_CASE("offsets of code rows that do not fit 32 bits are right", "[simd][quick]") {
    constexpr std::size_t kStride = 4'096;
    constexpr std::uint32_t kRow = 1U << 21U;  // at 8 GiB
    const Reservation memory((kRow + 1) * kStride);
    if (memory.floats() == nullptr) {
        WARN("left out: the system gives no 8 GiB of address space");
        return;
    }
    auto* const base = reinterpret_cast<std::uint8_t*>(memory.floats());
    base[kRow * kStride] = 9;
    base[(kRow + 1) * kStride - 5] = 0xBC;  // s = -1
    for (const RowLayout& layout : kRowLayouts) {
        GuardedArray<std::int8_t> levels(10 * kStride, Edge::kEnd, 64);
        std::fill(levels.begin(), levels.end(), std::int8_t{0});
        levels[0] = 11;
        const simd::CodeQuery query = {levels.data(), 0, 0, 1, 0, 0, 0};
        const float expected = 11.0F * static_cast<float>(9 - layout.zero());
        for (const simd::KernelTable* table : simd::available_tables()) {
            CAPTURE(table->name, layout.name);
            const Pairs got =
                run_rows(*table, layout, query, {base, kStride}, {0, kRow}, kInfinity, 1);
            REQUIRE(got.distances.size() == 2);
            CHECK(got.distances[1] == expected);
        }
    }
}

}  // namespace
}  // namespace vecdb::test
