// Collections of halves, bfloat16, bytes and bits: the nearest rows by the exact distances.

#include "simd/typed_rows.h"
#include "support/catch.h"
#include "support/collections.h"

#include <vecdb/half.h>

#include <algorithm>
#include <cstring>
#include <map>

namespace vecdb::test {
namespace {

constexpr std::uint64_t kSeed = 20'240'621;
constexpr std::size_t kK = 7;

MatrixView view_of(ElementType type,
                   const std::vector<std::uint8_t>& bytes,
                   std::size_t rows,
                   std::size_t dim) {
    const void* first = bytes.data();
    switch (type) {
        case ElementType::kFloat16:
            return {static_cast<const Float16*>(first), rows, dim};
        case ElementType::kBFloat16:
            return {static_cast<const BFloat16*>(first), rows, dim};
        case ElementType::kInt8:
            return {static_cast<const std::int8_t*>(first), rows, dim};
        default:
            return MatrixView::bits(bytes.data(), rows, dim);
    }
}

/// Rows and queries of one type, packed.
struct Data {
    Data(ElementType element_type, std::size_t dimension, std::size_t count, std::uint64_t seed)
        : type(element_type),
          dim(dimension),
          rows(count),
          row_bytes(vector_bytes(type, dim)),
          bytes(rows * row_bytes) {
        Random random(seed);
        for (std::size_t r = 0; r < rows; ++r)
            draw_vector(type, dim, Bits::kUsual, random, bytes.data() + r * row_bytes);
    }
    [[nodiscard]] MatrixView view() const { return view_of(type, bytes, rows, dim); }
    [[nodiscard]] const std::uint8_t* row(std::size_t r) const {
        return bytes.data() + r * row_bytes;
    }

    ElementType type;
    std::size_t dim;
    std::size_t rows;
    std::size_t row_bytes;
    std::vector<std::uint8_t> bytes;
};

/// Check hits against the exact distances: each score is right, and no row left out is nearer.
std::string check_hits(const DistanceKernels& kernels,
                       const Data& data,
                       const void* query,
                       std::span<const Hit> hits,
                       const std::vector<Id>& allowed) {
    if (hits.size() != std::min(kK, allowed.size())) return sentence(hits.size(), " hits");
    const bool negated = kernels.value == Metric::kInnerProduct;
    std::map<Id, Reference> exact;
    for (const Id id : allowed) {
        exact[id] =
            exact_distance(kernels, query, data.row(static_cast<std::size_t>(id)), data.dim);
    }
    double worst = 0.0;
    for (const Hit& hit : hits) {
        const auto found = exact.find(hit.id);
        if (found == exact.end()) return sentence("id ", hit.id, " twice or not allowed");
        const float distance = negated ? -hit.score : hit.score;
        if (!accepts(found->second, distance)) {
            return sentence("id ", hit.id, ": ", distance, " for ", found->second.value);
        }
        worst = found->second.value + found->second.bound;
        exact.erase(found);
    }
    for (const auto& [id, reference] : exact) {
        if (reference.value + reference.bound < worst - 4 * reference.bound - 1e-6) {
            return sentence("id ", id, " is nearer and missing");
        }
    }
    return "";
}

Collection filled(const DistanceKernels& kernels, const Data& data) {
    Collection collection = make_collection(Schema::single(data.dim, kernels.value, kernels.type));
    collection.insert(sequential_ids(data.rows), data.view()).check();
    return collection;
}

TEST_CASE("the nearest rows of every element type are found", "[types]") {
    INFO("seed " << kSeed);
    for (const DistanceKernels& kernels : kTypedDistances) {
        for (const std::size_t dim : {1U, 13U, 64U, 100U}) {
            CAPTURE(kernels.metric, dim);
            const Data data(kernels.type, dim, 700, kSeed + dim);
            const Data queries(kernels.type, dim, 9, kSeed + 1);
            Collection collection = filled(kernels, data);
            const std::vector<Id> all = sequential_ids(data.rows);
            const std::vector<Id> some = {3, 5, 64, 99, 300, 301, 302, 303, 699};
            const SearchOptions options{.k = kK};
            const SearchOptions masked{.k = kK, .filter = Filter::allow_ids(some)};
            const SearchResult batch = collection.search(queries.view(), options).value();
            const SearchResult threads =
                collection.search(queries.view(), {.k = kK, .threads = 3}).value();
            for (std::size_t q = 0; q < queries.rows; ++q) {
                const MatrixView matrix = queries.view().slice(q, 1);
                const Hits found = [&] {
                    const SearchResult one = collection.search(matrix, options).value();
                    return Hits(one[0].begin(), one[0].end());
                }();
                REQUIRE(check_hits(kernels, data, queries.row(q), found, all) == "");
                REQUIRE(identical(batch[q], found));
                REQUIRE(identical(threads[q], found));
                const SearchResult few = collection.search(matrix, masked).value();
                REQUIRE(check_hits(kernels, data, queries.row(q), few[0], some) == "");
            }
        }
    }
}

TEST_CASE("rows of every element type come back as they were inserted", "[types]") {
    for (const DistanceKernels& kernels : kTypedDistances) {
        CAPTURE(kernels.metric);
        const Data data(kernels.type, 37, 300, kSeed);
        Collection collection = filled(kernels, data);
        CHECK(collection.remove(sequential_ids(100)).value() == 100);
        collection.upsert(sequential_ids(50), data.view().slice(250, 50)).check();
        const FetchedRows fetched = collection.get(std::vector<Id>{299, 20, 70}).value();
        CHECK(fetched.type == kernels.type);
        CHECK(fetched.found == std::vector<bool>{true, true, false});
        const std::size_t bytes = data.row_bytes;
        REQUIRE(fetched.bytes.size() == 3 * bytes);
        CHECK(std::memcmp(fetched.bytes.data(), data.row(299), bytes) == 0);
        CHECK(std::memcmp(fetched.bytes.data() + bytes, data.row(270), bytes) == 0);
        CHECK(fetched.row<float>(0).empty());
        CHECK(fetched.bits(0).size() == (kernels.type == ElementType::kBit ? bytes : 0));
        CHECK(fetched.row<std::int8_t>(1).size() ==
              (kernels.type == ElementType::kInt8 ? 37U : 0U));
        CHECK(fetched.row<Float16>(1).size() == (kernels.type == ElementType::kFloat16 ? 37U : 0U));
        CHECK(fetched.view().rows() == 3);
        CHECK(fetched.view().type() == kernels.type);
    }
}

/// Return the distance of two halves in units in the last place; of the same sign.
int ulps(std::uint16_t a, std::uint16_t b) {
    return std::abs(static_cast<int>(a) - static_cast<int>(b));
}

TEST_CASE("cosine of halves is of the vectors' directions, and their lengths come back",
          "[types]") {
    const ElementType type = GENERATE(ElementType::kFloat16, ElementType::kBFloat16);
    const std::size_t dim = GENERATE(2U, 33U);
    Random random(kSeed);
    std::vector<std::uint8_t> bytes(200 * dim * 2);
    std::vector<double> values(200 * dim);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double drawn = (unit_draw(random) - 0.5) * (i % 2 == 0 ? 3.0 : 100.0);
        const auto x = static_cast<float>(drawn + std::copysign(0.5, drawn));
        const std::uint16_t half =
            type == ElementType::kFloat16 ? to_float16(x).bits : to_bfloat16(x).bits;
        std::memcpy(bytes.data() + 2 * i, &half, 2);
        values[i] = element(type, bytes.data(), i);
    }
    const MatrixView rows = view_of(type, bytes, 200, dim);
    Collection collection = make_collection(Schema::single(dim, Metric::kCosine, type));
    collection.insert(sequential_ids(200), rows).check();
    const SearchResult found = collection.search(rows.slice(0, 5), {.k = 200}).value();
    const double tolerance = type == ElementType::kFloat16 ? 4e-3 : 3e-2;
    for (std::size_t q = 0; q < 5; ++q) {
        for (const Hit& hit : found[q]) {
            const double* a = values.data() + q * dim;
            const double* b = values.data() + static_cast<std::size_t>(hit.id) * dim;
            double dot = 0, aa = 0, bb = 0;
            for (std::size_t i = 0; i < dim; ++i) {
                dot += a[i] * b[i];
                aa += a[i] * a[i];
                bb += b[i] * b[i];
            }
            REQUIRE(std::abs(static_cast<double>(hit.score) - dot / std::sqrt(aa * bb)) <
                    tolerance);
        }
    }
    const FetchedRows fetched = collection.get(sequential_ids(200)).value();
    int worst = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        std::uint16_t before = 0;
        std::uint16_t after = 0;
        std::memcpy(&before, bytes.data() + 2 * i, 2);
        std::memcpy(&after, fetched.bytes.data() + 2 * i, 2);
        worst = std::max(worst, ulps(before, after));
    }
    CHECK(worst <= 2);
}

TEST_CASE("the largest halves come back finite under cosine", "[types]") {
    // The first elements of the unit row are rounded up, so that times the length they overflow.
    const Float16 most{0x7BFF};
    const std::vector<Float16> largest = {most, most, most, to_float16(65'344.0F)};
    Collection collection =
        make_collection(Schema::single(4, Metric::kCosine, ElementType::kFloat16));
    collection.insert(1, largest).check();
    for (const Float16 x : collection.get(1)->row<Float16>(0))
        CHECK((x.bits & 0x7FFFU) < 0x7C00U);
}

void check_refused(Collection& collection, MatrixView rows, const std::vector<std::string>& parts) {
    const Status insert = collection.insert(sequential_ids(rows.rows()), rows);
    CHECK(insert.code() == StatusCode::kInvalidArgument);
    CHECK(collection.search(rows).status().code() == StatusCode::kInvalidArgument);
    for (const std::string& part : parts)
        CHECK(names(insert, part));
    CHECK(collection.count() == 0);
}

TEST_CASE("halves that are no finite numbers are refused by row and column", "[types]") {
    for (const Metric metric : kAllMetrics) {
        Collection halves = make_collection(Schema::single(4, metric, ElementType::kFloat16));
        Collection bfloats = make_collection(Schema::single(4, metric, ElementType::kBFloat16));
        std::vector<Float16> rows(12, Float16{0x3C00});
        rows[9] = Float16{0x7C00};
        check_refused(halves, MatrixView(rows, 4), {"row 2", "column 1", "inf"});
        rows[9] = Float16{0xFE01};
        check_refused(halves, MatrixView(rows, 4), {"row 2", "column 1", "NaN"});
        std::vector<BFloat16> wide(12, BFloat16{0x3F80});
        wide[4] = BFloat16{0xFF80};
        check_refused(bfloats, MatrixView(wide, 4), {"row 1", "column 0", "-inf"});
    }
}

TEST_CASE("zero vectors of halves have no cosine", "[types]") {
    Collection collection =
        make_collection(Schema::single(4, Metric::kCosine, ElementType::kFloat16));
    const std::vector<Float16> rows(4, Float16{0x8000});
    check_refused(collection, MatrixView(rows, 4), {"row 0", "zero vector"});
}

TEST_CASE("bits past the last dimension are refused by row", "[types]") {
    Collection collection =
        make_collection(Schema::single(13, Metric::kHamming, ElementType::kBit));
    std::vector<std::uint8_t> rows = {0xFF, 0x1F, 0x00, 0x20};
    check_refused(collection, MatrixView::bits(rows.data(), 2, 13), {"row 1", "13", "32", "31"});
    rows[3] = 0x10;
    CHECK(collection.insert(sequential_ids(2), MatrixView::bits(rows.data(), 2, 13)).ok());
}

TEST_CASE("a query of another type than the field's is refused", "[types]") {
    Collection collection = make_collection(Schema::single(8, Metric::kL2, ElementType::kInt8));
    const std::vector<float> query(8, 1.0F);
    const Status status = collection.search(VectorView(query)).status();
    CHECK(status.code() == StatusCode::kInvalidArgument);
    CHECK(names(status, "float32"));
    CHECK(names(status, "int8"));
}

TEST_CASE("sealed rows of every element type answer as growing ones", "[types]") {
    for (const DistanceKernels& kernels : kTypedDistances) {
        CAPTURE(kernels.metric);
        const Data data(kernels.type, 50, 600, kSeed);
        Collection collection = filled(kernels, data);
        const MatrixView queries = data.view().slice(10, 6);
        const SearchResult before = collection.search(queries, {.k = kK}).value();
        collection.build_index().check();
        const SearchResult after = collection.search(queries, {.k = kK}).value();
        for (std::size_t q = 0; q < 6; ++q)
            CHECK(identical(before[q], after[q]));
        CHECK(std::memcmp(collection.get(599)->bytes.data(), data.row(599), data.row_bytes) == 0);
    }
}

}  // namespace
}  // namespace vecdb::test
