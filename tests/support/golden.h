#pragma once

/// \file
/// The writes that made the databases of tests/data. They never change: a later format has its own
/// files, and may have more writes.

#include "support/random_data.h"

#include <vecdb/database.h>
#include <vecdb/half.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace vecdb::test {

inline constexpr std::size_t kGoldenDim = 8;

/// Elements from -3 to 3: every instruction set computes the same distances.
inline float golden_element(std::size_t row, std::size_t column) {
    return static_cast<float>((row * 3 + column * column * 5 + row / 7 * column) % 7) - 3.0F;
}

/// Insert rows first, first + 1, ... of a collection of any element type.
inline void insert_golden(WriteHandle& into, std::size_t first, std::size_t count) {
    const VectorField& field = into.schema().vectors.front();
    const std::vector<Id> ids = sequential_ids(count, static_cast<Id>(first));
    const auto insert_as = [&](auto convert) {
        std::vector<decltype(convert(0.0F))> elements;
        for (std::size_t row = first; row < first + count; ++row) {
            for (std::size_t column = 0; column < field.dim; ++column) {
                // Of length 2 under cosine, so that nothing is rounded.
                const float value = golden_element(row, column);
                const bool unit = field.metric == Metric::kCosine;
                elements.push_back(convert(unit ? std::copysign(1.0F, value) : value));
            }
        }
        into.insert(ids, MatrixView(elements, field.dim)).check();
    };
    switch (field.element_type) {
        case ElementType::kFloat16:
            return insert_as([](float value) { return to_float16(value); });
        case ElementType::kBFloat16:
            return insert_as([](float value) { return to_bfloat16(value); });
        case ElementType::kInt8:
            return insert_as([](float value) { return static_cast<std::int8_t>(value); });
        case ElementType::kBit: {
            std::vector<std::uint8_t> bytes;
            for (std::size_t row = first; row < first + count; ++row)
                bytes.push_back(static_cast<std::uint8_t>(row * 37));
            return into.insert(ids, MatrixView::bits(bytes.data(), count, 8)).check();
        }
        default:
            return insert_as([](float value) { return value; });
    }
}

/// Return the schemas of format 1: every index, metric, element type and rule that it knows.
inline std::vector<std::pair<std::string, Schema>> golden_schemas() {
    std::vector<std::pair<std::string, Schema>> schemas;
    const auto add = [&](std::string name, Schema schema, const IndexOptions& index) {
        schema.vectors[0].index = index;
        schema.segments.seal_rows = 0;
        schemas.emplace_back(std::move(name), std::move(schema));
    };
    add("flat", Schema::single(kGoldenDim), FlatOptions{});
    add("flat codes", Schema::single(kGoldenDim), FlatOptions{.codes = Codes::kSq4});
    add("graph", Schema::single(kGoldenDim), HnswOptions{.m = 3, .ef_construction = 16});
    add("graph codes",
        Schema::single(kGoldenDim),
        HnswOptions{.m = 3, .ef_construction = 16, .codes = Codes::kSq8});
    add("lists", Schema::single(kGoldenDim), IvfOptions{.nlist = 3});
    add("product", Schema::single(kGoldenDim), IvfOptions{.nlist = 2, .codes = Codes::kPq4});
    add("inner product", Schema::single(kGoldenDim, Metric::kInnerProduct), FlatOptions{});
    Schema cosine = Schema::single(4, Metric::kCosine);
    cosine.vectors[0].zero_vector = ZeroVector::kFar;
    add("cosine", cosine, FlatOptions{});
    const auto typed = [](Metric metric, ElementType type) {
        return Schema::single(kGoldenDim, metric, type);
    };
    add("half", typed(Metric::kL2, ElementType::kFloat16), FlatOptions{});
    add("brain", typed(Metric::kL2, ElementType::kBFloat16), FlatOptions{});
    add("int8", typed(Metric::kL2, ElementType::kInt8), FlatOptions{});
    add("hamming", typed(Metric::kHamming, ElementType::kBit), FlatOptions{});
    add("jaccard", typed(Metric::kJaccard, ElementType::kBit), FlatOptions{});
    Schema ruled = Schema::single(kGoldenDim);
    ruled.rule = {Routing::kIdModulo, 3};
    add("ruled", ruled, FlatOptions{});
    return schemas;
}

/// What is in a golden database when it was last saved: sealed, growing and removed rows.
inline void write_golden(Database& database) {
    for (const auto& [name, schema] : golden_schemas()) {
        Collection collection = database.create_collection(name, schema).value();
        insert_golden(collection, 0, 24);
        collection.build_index().check();
        insert_golden(collection, 100, 3);
        collection.remove(std::vector<Id>{3, 7, 101}).status().check();
    }
    Collection flat = database.collection("flat").value();
    Partition part = flat.create_partition("größer").value();
    insert_golden(part, 200, 4);
    database.create_alias("live", "graph").check();
    database.create_collection("empty", Schema::single(2)).status().check();
}

/// What was written after that and is in the log.
inline void go_on_golden(Database& database) {
    Collection flat = database.collection("flat").value();
    insert_golden(flat, 300, 5);
    flat.remove(std::vector<Id>{4, 200, 301}).status().check();
    flat.create_partition("second").status().check();
    Partition second = flat.partition("second").value();
    insert_golden(second, 400, 2);
    const std::vector<float> twos(kGoldenDim, 2);
    flat.upsert(Id{5}, twos).check();
    flat.create_partition("third").status().check();
    flat.drop_partition("third").check();
    Collection ruled = database.collection("ruled").value();
    insert_golden(ruled, 300, 5);
    database.move_alias("live", "lists").check();
    database.create_alias("other", "flat").check();
    database.create_alias("gone", "flat").check();
    database.drop_alias("gone").check();
    database.create_collection("new", Schema::single(3, Metric::kCosine)).status().check();
    database.drop_collection("empty").check();
}

}  // namespace vecdb::test
