// Growing rows are compared by codes first. Answers are those of comparing all floats.

#include "support/catch.h"
#include "support/collections.h"
#include "support/random_data.h"

#include <vecdb/collection.h>
#include <vecdb/database.h>

#include <cmath>
#include <string>
#include <vector>

namespace vecdb {
namespace {

using test::Matrix;

constexpr std::size_t kDim = 1'024;  // 2,048 rows a block

Schema coded_schema(Metric metric) {
    Schema schema = Schema::single(kDim, metric);
    schema.segments.seal_rows = 0;
    return schema;
}

std::size_t code_bytes(const Collection& collection) {
    return collection.health().value().index_bytes;
}

/// Compare searches with and without codes; returns what differs first, or nothing.
std::string differs(const ReadHandle& rows, const Matrix& queries, SearchOptions options) {
    for (std::size_t q = 0; q < queries.rows; ++q) {
        const VectorView query(queries.row(q));
        options.exact = false;
        const Hits hits = rows.search(query, options).value();
        options.exact = true;
        if (!test::identical(hits, rows.search(query, options).value())) {
            return "query " + std::to_string(q) + ", k " + std::to_string(options.k);
        }
    }
    return {};
}

void append(Collection& collection, const Matrix& rows, std::size_t first, std::size_t end) {
    const std::vector<Id> ids = test::sequential_ids(end - first, static_cast<Id>(first));
    collection.insert(ids, MatrixView(rows.row(first).data(), end - first, kDim)).check();
}

}  // namespace

TEST_CASE("growing rows are found by their codes as they are by their floats") {
    const Metric metric = GENERATE(Metric::kL2, Metric::kInnerProduct, Metric::kCosine);
    Collection collection = test::make_collection(coded_schema(metric));
    const Matrix rows = test::normal_rows(5'000, kDim, 1);
    const Matrix queries = test::normal_rows(5, kDim, 2);
    std::size_t done = 0;
    for (const std::size_t end : {511U, 512U, 513U, 1'030U, 2'047U, 2'049U, 4'096U, 5'000U}) {
        append(collection, rows, done, end);
        done = end;
        CAPTURE(metric, end);
        CHECK((code_bytes(collection) > 0) == (end >= 512));
        CHECK(differs(collection, queries, {.k = 1}).empty());
        CHECK(differs(collection, queries, {.k = 100}).empty());
    }
}

TEST_CASE("codes know nothing of removed rows, filters and later rows") {
    Collection collection = test::make_collection(coded_schema(Metric::kL2));
    const Matrix rows = test::normal_rows(3'000, kDim, 3);
    const Matrix queries = test::normal_rows(5, kDim, 4);
    append(collection, rows, 0, 1'500);
    const Pin pin = collection.pin();
    const Hits before = pin.search(queries.row(0), {.k = 20}).value();
    append(collection, rows, 1'500, 3'000);
    for (const Hit& hit : before)
        CHECK(collection.remove(hit.id).value() == 1);
    CHECK(differs(collection, queries, {.k = 20}).empty());
    CHECK(test::identical(before, pin.search(queries.row(0), {.k = 20}).value()));

    Bitset most(3'000);
    Bitset few(3'000);
    for (std::size_t i = 0; i < 3'000; ++i) {
        most.set(i, i % 3 != 0);
        few.set(i, i % 100 == 0);
    }
    CHECK(differs(collection, queries, {.k = 20, .filter = Filter::allow(most)}).empty());
    CHECK(differs(collection, queries, {.k = 40, .filter = Filter::allow(few)}).empty());
}

TEST_CASE("growing rows that no code can tell apart, or none can stand for, are found too") {
    Collection collection = test::make_collection(coded_schema(Metric::kL2));
    Matrix rows = test::normal_rows(2'048, kDim, 5);
    for (std::size_t row = 0; row < 512; ++row) {
        for (std::size_t d = 0; d < kDim; ++d) {
            rows.values[row * kDim + d] = 1.0F;                           // all the same
            rows.values[(512 + row) * kDim + d] *= std::ldexp(1.0F, 55);  // beyond codes
        }
    }
    append(collection, rows, 0, 2'048);
    CHECK(differs(collection, test::normal_rows(5, kDim, 6), {.k = 600}).empty());
}

TEST_CASE("codes of growing rows go when rows are sealed or written again") {
    Collection collection = test::make_collection(coded_schema(Metric::kL2));
    const Matrix rows = test::normal_rows(4'000, kDim, 7);
    append(collection, rows, 0, 4'000);
    const std::size_t full = code_bytes(collection);
    CHECK(full > 3'500 * kDim / 2);
    CHECK(collection.remove(test::sequential_ids(3'000)).value() == 3'000);  // compacted
    CHECK(collection.health().value().removed_rows == 0);
    CHECK(code_bytes(collection) < full / 3);
    CHECK(code_bytes(collection) > 0);
    CHECK(differs(collection, test::normal_rows(3, kDim, 8), {.k = 10}).empty());

    Schema plain = coded_schema(Metric::kL2);
    plain.vectors[0].index = FlatOptions{.codes = Codes::kNone};
    Collection without = test::make_collection(plain);
    append(without, rows, 0, 1'000);
    CHECK(code_bytes(without) == 0);
}

}  // namespace vecdb
