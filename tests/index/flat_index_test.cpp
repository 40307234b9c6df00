#include "index/flat_index.h"

#include "index/exact.h"
#include "simd/dispatch.h"
#include "support/catch.h"
#include "support/collections.h"
#include "support/segments.h"

#include <vecdb/dataset_io.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <vector>

using vecdb::Codes;
using vecdb::Hit;
using vecdb::Index;
using vecdb::IndexRows;
using vecdb::IndexSearch;
using vecdb::Metric;
using vecdb::RowFilter;
using vecdb::SearchCounters;
using vecdb::TopK;
using vecdb::VectorField;
using vecdb::test::Segment;
namespace simd = vecdb::simd;

namespace {

constexpr Metric kMetrics[] = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine};

std::unique_ptr<Index> built(const IndexRows& rows, Codes codes = Codes::kDefault) {
    REQUIRE(simd::active_table().ok());
    const VectorField field{
        .dim = rows.dim, .metric = rows.metric, .index = vecdb::FlatOptions{.codes = codes}};
    auto index = vecdb::index::make_flat_index(field).value();
    const auto order = index->build(rows, {.threads = 1, .seed = 1});
    REQUIRE(order.ok());
    REQUIRE(order->empty());
    REQUIRE(index->validate(rows).ok());
    return index;
}

/// Own which rows are allowed.
struct Mask {
    std::vector<std::uint64_t> words;
    std::size_t allowed = 0;

    /// Allow about `part` of the rows, at random; 1 or more: all, without a mask.
    Mask(std::size_t rows, double part, std::uint64_t seed) : allowed(rows) {
        if (part >= 1) return;
        words.resize((rows + 63) / 64, std::uint64_t{0});
        allowed = 0;
        vecdb::test::Random random(seed);
        std::uniform_real_distribution<double> uniform;
        for (std::size_t i = 0; i < rows; ++i) {
            if (uniform(random) >= part) continue;
            words[i / 64] |= std::uint64_t{1} << (i % 64);
            ++allowed;
        }
        if (rows % 64 != 0) words.back() |= ~std::uint64_t{0} << (rows % 64);  // must not matter
    }
    [[nodiscard]] RowFilter filter() const {
        return {.allowed = words.empty() ? nullptr : words.data()};
    }
    [[nodiscard]] IndexSearch search(SearchCounters* counters = nullptr) const {
        return {.filter = filter(), .allowed_rows = allowed, .counters = counters};
    }
};

std::vector<Hit> expected(const IndexRows& rows,
                          const float* query,
                          const Mask& mask,
                          std::size_t k) {
    std::vector<Hit> slots(k);
    TopK best(slots);
    vecdb::index::scan_allowed(rows, query, mask.filter(), best);
    const auto hits = best.sort();
    return {hits.begin(), hits.end()};
}

std::vector<Hit> found(const Index& index,
                       const IndexRows& rows,
                       const float* query,
                       const Mask& mask,
                       std::size_t k,
                       SearchCounters* counters = nullptr) {
    std::vector<Hit> slots(k);
    TopK best(slots);
    const void* const queries[1] = {query};
    index.search(rows, queries, mask.search(counters), {&best, 1});
    const auto hits = best.sort();
    return {hits.begin(), hits.end()};
}

/// Require that a cursor brings the allowed rows in their order, page by page.
void require_ranked(const Index& index,
                    const IndexRows& rows,
                    const float* query,
                    const Mask& mask,
                    std::size_t page) {
    const auto cursor = index.cursor(rows, query, mask.search());
    std::vector<Hit> hits;
    for (std::size_t before = 1; before != hits.size();) {
        before = hits.size();
        cursor->next(page, hits);
        REQUIRE(hits.size() <= before + page);
    }
    REQUIRE(vecdb::test::identical(
        hits, expected(rows, query, mask, std::max<std::size_t>(mask.allowed, 1))));
}

/// Require equal answers for some of the rows, and points beside them, as queries.
void require_exact(const Index& index,
                   const Segment& segment,
                   std::initializer_list<std::size_t> ks) {
    const IndexRows rows = segment.view();
    const auto noise = vecdb::test::normal_rows(4, rows.dim, 77);
    for (const double part : {1.0, 0.5, 0.1, 0.01, 0.001}) {
        const Mask mask(rows.count, part, 5);
        for (std::size_t q = 0; q < 4; ++q) {
            std::vector<float> query(rows.dim);
            for (std::size_t d = 0; d < rows.dim; ++d) {
                query[d] = segment.matrix().row(q * 31 % rows.count)[d];
                if (q % 2 == 1) query[d] += 0.1F * std::fabs(query[d]) * noise.row(q)[d];
            }
            vecdb::test::Matrix one(1, rows.dim);
            one.values = query;
            const Segment unit(std::move(one), rows.metric);
            const float* const at = unit.matrix().row(0).data();
            for (const std::size_t k : ks) {
                CAPTURE(part, q, k, static_cast<int>(rows.metric));
                REQUIRE(vecdb::test::identical(found(index, rows, at, mask, k),
                                               expected(rows, at, mask, k)));
            }
            if (q < 2) require_ranked(index, rows, at, mask, q == 0 ? 7 : 500);
        }
    }
}

}  // namespace

TEST_CASE("a flat index answers as a scan of the floats, bit for bit", "[index][flat]") {
    const std::size_t dim = GENERATE(1U, 30U, 100U);
    for (auto& data : vecdb::test::hard_data(9'000, dim, 3)) {
        const Metric metric = kMetrics[(data.name.size() + dim) % 3];
        CAPTURE(data.name, dim);
        const Segment segment(std::move(data.rows), metric);
        require_exact(*built(segment.view()), segment, {1, 10, 700});
    }
}

TEST_CASE("a flat index of long rows answers as a scan", "[index][flat]") {
    const Metric metric = GENERATE(Metric::kL2, Metric::kInnerProduct, Metric::kCosine);
    const Segment wide(vecdb::test::flat_spectrum_rows(3'000, 260, 0.95, 3), metric);
    require_exact(*built(wide.view()), wide, {1, 10});
    const Segment flat(vecdb::test::normal_rows(3'000, 260, 3), metric);
    require_exact(*built(flat.view()), flat, {10, 4'000});
}

TEST_CASE("a flat index answers with every number of rows and hits", "[index][flat]") {
    const std::size_t count = GENERATE(1U, 2U, 31U, 32U, 65U, 200U, 2'048U, 2'049U, 7'001U);
    const Metric metric = GENERATE(Metric::kL2, Metric::kCosine);
    const Segment segment(vecdb::test::integer_rows(count, 12, 2, 3), metric);
    require_exact(*built(segment.view()), segment, {1, 2, 100, 16'384});
}

TEST_CASE("a flat index answers on every level as that level scans", "[index][flat]") {
    const std::string before = simd::active_table().value()->name;
    for (const simd::KernelTable* table : simd::available_tables()) {
        REQUIRE(simd::choose_table(table->name).ok());
        for (const Metric metric : kMetrics) {
            CAPTURE(table->name);
            const Segment segment(vecdb::test::normal_rows(5'000, 40, 3), metric);
            require_exact(*built(segment.view()), segment, {10});
            const Segment twins(vecdb::test::integer_rows(5'000, 9, 1, 3), metric);
            require_exact(*built(twins.view()), twins, {10});
        }
    }
    REQUIRE(simd::choose_table(before).ok());
}

TEST_CASE("codes spare nearly all comparisons of ordinary rows", "[index][flat]") {
    const Metric metric = GENERATE(Metric::kL2, Metric::kInnerProduct, Metric::kCosine);
    const std::size_t dim = GENERATE(100U, 300U);
    const Segment segment(dim == 100 ? vecdb::test::normal_rows(25'000, dim, 3)
                                     : vecdb::test::flat_spectrum_rows(12'000, dim, 0.97, 3),
                          metric);
    const IndexRows rows = segment.view();
    const auto index = built(rows);
    for (const double part : {1.0, 0.1}) {
        const Mask mask(rows.count, part, 5);
        SearchCounters counters;
        (void)found(*index, rows, segment.matrix().row(5).data(), mask, 10, &counters);
        CAPTURE(part, dim, static_cast<int>(metric), counters.distances);
        REQUIRE(counters.rescored <= counters.distances / 9);
        REQUIRE(counters.distances == mask.allowed);
    }
}

TEST_CASE("where codes tell nothing apart the scan goes on with the floats", "[index][flat]") {
    // Three tight clusters: every row of one has the same code, as far as bounds can tell.
    const Metric metric = GENERATE(Metric::kL2, Metric::kCosine);
    const Segment segment(vecdb::test::clustered_rows(150'000, 8, 3, 100.0F, 1e-4F, 3), metric);
    const IndexRows rows = segment.view();
    const auto index = built(rows);
    for (const double part : {1.0, 0.24}) {
        const Mask mask(rows.count, part, 5);
        SearchCounters counters;
        (void)found(*index, rows, segment.matrix().row(5).data(), mask, 10, &counters);
        CAPTURE(part, counters.rescored, counters.distances);
        REQUIRE(counters.distances == mask.allowed);
        REQUIRE(counters.rescored >= mask.allowed / 2);
    }
    require_exact(*index, segment, {10});
}

TEST_CASE("when codes are given up no row that waits to be compared is forgotten",
          "[index][flat]") {
    // Codes do not tell the rows of the tight cluster apart, and so many hits are wanted that they
    // are given up late, with thousands of rows waiting.
    constexpr std::size_t kDim = 128;
    auto all = vecdb::test::clustered_rows(60'000, kDim, 1, 100.0F, 1e-4F, 3);
    const auto spread = vecdb::test::normal_rows(all.rows / 20, kDim, 9);
    for (std::size_t r = 0; r < spread.rows; ++r) {
        for (std::size_t d = 0; d < kDim; ++d)
            all.values[20 * r * kDim + d] = 100.0F * spread.row(r)[d];
    }
    const Segment segment(std::move(all), Metric::kL2);
    const IndexRows rows = segment.view();
    const auto index = built(rows);
    const Mask mask(rows.count, 1.0, 5);
    const float* const query = segment.matrix().row(1).data();
    for (const std::size_t k : {9'500U, 10'000U, 10'500U, 11'000U}) {
        CAPTURE(k);
        CHECK(vecdb::test::identical(found(*index, rows, query, mask, k),
                                     expected(rows, query, mask, k)));
    }
}

TEST_CASE("a flat index takes hits that were there before", "[index][flat]") {
    const Segment segment(vecdb::test::normal_rows(6'000, 50, 3), Metric::kL2);
    const IndexRows rows = segment.view();
    const auto index = built(rows);
    const float* const query = segment.matrix().row(9).data();
    std::vector<Hit> a(20);
    std::vector<Hit> b(20);
    TopK with_codes(a);
    TopK plain(b);
    for (TopK* best : {&with_codes, &plain}) {
        for (int i = 0; i < 15; ++i)
            best->offer(30.0F + static_cast<float>(i), 1'000'000 + i);
    }
    const void* const queries[1] = {query};
    index->search(rows, queries, {.allowed_rows = rows.count}, {&with_codes, 1});
    vecdb::index::scan_allowed(rows, query, {}, plain);
    REQUIRE(vecdb::test::identical(with_codes.sort(), plain.sort()));
}

TEST_CASE("many queries at once get the answers of one at a time", "[index][flat]") {
    const Codes codes = GENERATE(Codes::kNone, Codes::kSq4);
    const std::size_t count = GENERATE(2U, 23U, 131U);
    const bool apart = GENERATE(false, true);
    const Segment segment(vecdb::test::normal_rows(3'000, 33, 3), Metric::kInnerProduct);
    const IndexRows rows = segment.view();
    const auto index = built(rows, codes);
    const auto queries = vecdb::test::normal_rows(2 * count, 33, 4);
    std::vector<const void*> pointers;
    std::vector<Hit> slots(count * 7);
    std::vector<TopK> best;
    for (std::size_t q = 0; q < count; ++q) {
        pointers.push_back(queries.row(apart ? 2 * q : q).data());
        best.emplace_back(std::span(slots).subspan(q * 7, 7));
    }
    const Mask mask(rows.count, 0.6, 5);
    index->search(rows, pointers, mask.search(), best);
    for (std::size_t q = 0; q < count; ++q) {
        CAPTURE(q, apart);
        const auto wanted = expected(rows, static_cast<const float*>(pointers[q]), mask, 7);
        REQUIRE(vecdb::test::identical(best[q].sort(), wanted));
    }
}

TEST_CASE("of many queries at once those that codes cannot serve leave for the floats",
          "[index][flat]") {
    // Odd queries are in a tight cluster, whose rows codes cannot tell apart, even ones are not.
    constexpr std::size_t kCount = 150;
    constexpr std::size_t kDim = 8;
    auto rows_of_all = vecdb::test::clustered_rows(40'000, kDim, 1, 100.0F, 1e-4F, 3);
    const auto spread = vecdb::test::normal_rows(20'000, kDim, 9);
    for (std::size_t r = 0; r < spread.rows; ++r) {
        for (std::size_t d = 0; d < kDim; ++d)
            rows_of_all.values[2 * r * kDim + d] = 100.0F * spread.row(r)[d];
    }
    const Segment segment(std::move(rows_of_all), Metric::kL2);
    const IndexRows rows = segment.view();
    const auto index = built(rows);
    std::vector<const void*> pointers;
    std::vector<Hit> slots(kCount * 10);
    for (std::size_t q = 0; q < kCount; ++q)
        pointers.push_back(segment.matrix().row(q).data());
    for (const double part : {1.0, 0.5}) {
        const Mask mask(rows.count, part, 5);
        std::vector<TopK> best;
        for (std::size_t q = 0; q < kCount; ++q)
            best.emplace_back(std::span(slots).subspan(q * 10, 10));
        SearchCounters counters;
        index->search(rows, pointers, mask.search(&counters), best);
        CAPTURE(part, counters.rescored);
        CHECK(counters.distances == kCount * rows.count);
        CHECK(counters.rescored > kCount / 2 * rows.count / 10);
        CHECK(counters.rescored < (kCount / 2 + kCount / 8) * rows.count);
        for (std::size_t q = 0; q < kCount; ++q) {
            CAPTURE(q);
            const auto wanted = expected(rows, static_cast<const float*>(pointers[q]), mask, 10);
            REQUIRE(vecdb::test::identical(best[q].sort(), wanted));
        }
    }
}

TEST_CASE("a range search by codes finds what a scan finds", "[index][flat]") {
    for (auto& data : vecdb::test::hard_data(3'000, 24, 3)) {
        for (const Metric metric : kMetrics) {
            const Segment segment(data.rows, metric);
            const IndexRows rows = segment.view();
            const auto index = built(rows);
            const float* const query = segment.matrix().row(3).data();
            const Mask mask(rows.count, 0.7, 5);
            const auto near = expected(rows, query, mask, 50);
            for (const std::size_t at : {std::size_t{0}, std::size_t{10}, near.size() - 1}) {
                std::vector<Hit> hits;
                std::vector<Hit> wanted;
                index->range_search(rows, query, near[at].score, mask.search(), hits);
                vecdb::index::scan_range(rows, query, near[at].score, mask.filter(), wanted);
                std::sort(hits.begin(), hits.end(), vecdb::nearer);
                std::sort(wanted.begin(), wanted.end(), vecdb::nearer);
                CAPTURE(data.name, at, static_cast<int>(metric));
                REQUIRE(vecdb::test::identical(hits, wanted));
            }
        }
    }
}

TEST_CASE("a saved flat index loads as it was", "[index][flat]") {
    const std::size_t dim = GENERATE(20U, 260U);
    const Codes codes = GENERATE(Codes::kNone, Codes::kSq4);
    const Segment segment(vecdb::test::flat_spectrum_rows(1'000, dim, 0.9, 3), Metric::kL2);
    const IndexRows rows = segment.view();
    const auto index = built(rows, codes);
    vecdb::test::MemorySections sections;
    REQUIRE(index->save(sections).ok());
    const VectorField field{.dim = dim, .index = vecdb::FlatOptions{.codes = codes}};
    auto loaded = vecdb::index::make_flat_index(field).value();
    REQUIRE(loaded->load(sections, rows).ok());
    REQUIRE(loaded->validate(rows).ok());
    REQUIRE(loaded->memory_bytes() == index->memory_bytes());
    require_exact(*loaded, segment, {10});
    SearchCounters before;
    SearchCounters after;
    const Mask all(rows.count, 1.0, 5);
    (void)found(*index, rows, segment.matrix().row(5).data(), all, 10, &before);
    (void)found(*loaded, rows, segment.matrix().row(5).data(), all, 10, &after);
    REQUIRE(before.rescored == after.rescored);

    for (const auto& [name, bytes] : sections.sections) {
        auto shorter = sections;
        shorter.sections[name].pop_back();
        CAPTURE(name);
        auto refused = vecdb::index::make_flat_index(field).value();
        REQUIRE(refused->load(shorter, rows).code() == vecdb::StatusCode::kCorruption);
    }
    const Segment other(vecdb::test::normal_rows(999, dim, 3), Metric::kL2);
    auto refused = vecdb::index::make_flat_index(field).value();
    REQUIRE(refused->load(sections, other.view()).code() == vecdb::StatusCode::kCorruption);
    REQUIRE(index->validate(other.view()).code() == vecdb::StatusCode::kCorruption);
}

TEST_CASE("a flat index without codes grows, one with codes does not", "[index][flat]") {
    const Segment segment(vecdb::test::normal_rows(500, 8, 3), Metric::kL2);
    IndexRows half = segment.view();
    half.count = 250;
    const auto plain = built(half, Codes::kNone);
    REQUIRE(plain->capabilities().growable);
    REQUIRE(plain->add(segment.view(), 250, {}).ok());
    REQUIRE(plain->validate(segment.view()).ok());
    require_exact(*plain, segment, {10});
    const auto coded = built(half);
    REQUIRE_FALSE(coded->capabilities().growable);
    REQUIRE(coded->add(segment.view(), 250, {}).code() == vecdb::StatusCode::kUnsupported);
}

TEST_CASE("flat codes for other elements than floats are refused", "[index][flat]") {
    VectorField field{.dim = 8, .element_type = vecdb::ElementType::kInt8};
    REQUIRE(vecdb::index::make_flat_index(field).ok());
    field.index = vecdb::FlatOptions{.codes = Codes::kSq4};
    REQUIRE(vecdb::index::make_flat_index(field).status().code() ==
            vecdb::StatusCode::kUnsupported);
}

TEST_CASE("a flat index answers exactly over the shipped words", "[index][flat]") {
    const Metric metric = GENERATE(Metric::kL2, Metric::kInnerProduct, Metric::kCosine);
    const auto words = vecdb::read_floats(VECDB_EXAMPLES_DATA "/words.npy").value();
    vecdb::test::Matrix rows(words.rows, words.dim);
    rows.values = words.values;
    const Segment segment(std::move(rows), metric);
    const auto index = built(segment.view());
    require_exact(*index, segment, {1, 10, 100});
    std::size_t compared = 0;
    const Mask all(segment.view().count, 1.0, 5);
    for (std::size_t q = 0; q < 100; ++q) {
        SearchCounters counters;
        const float* const query = segment.matrix().row(q * 97).data();
        REQUIRE(vecdb::test::identical(found(*index, segment.view(), query, all, 10, &counters),
                                       expected(segment.view(), query, all, 10)));
        compared += counters.rescored;
    }
    CAPTURE(static_cast<int>(metric), compared / 100);
    REQUIRE(compared / 100 <= 500);
}
