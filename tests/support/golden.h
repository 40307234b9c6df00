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
#include <span>
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

// Fields beside the first vector field -----------------------------------------------------------

inline std::vector<ScalarField> golden_scalars() {
    return {{.name = "flag", .type = ScalarType::kBool, .nullable = true},
            {.name = "number", .type = ScalarType::kInt64, .fallback = std::int64_t{5}},
            {.name = "real", .type = ScalarType::kDouble, .nullable = true},
            {.name = "text", .type = ScalarType::kString, .fallback = "größer"},
            {.name = "bytes", .type = ScalarType::kBytes, .nullable = true}};
}

/// Return collections of further fields: "scalars", "vectors", whose three vector fields have
/// orders of their own, and "both".
inline std::vector<std::pair<std::string, Schema>> golden_field_schemas() {
    Schema scalars = Schema::single(kGoldenDim);
    scalars.segments.seal_rows = 0;
    Schema vectors = scalars;
    scalars.scalars = golden_scalars();
    vectors.vectors[0].index = HnswOptions{.m = 3, .ef_construction = 16};
    vectors.vectors.push_back({.name = "lists",
                               .dim = 6,
                               .metric = Metric::kInnerProduct,
                               .index = IvfOptions{.nlist = 3}});
    vectors.vectors.push_back(
        {.name = "graph", .dim = 5, .index = HnswOptions{.m = 3, .ef_construction = 16}});
    vectors.vectors.push_back(
        {.name = "bits", .dim = 8, .metric = Metric::kHamming, .element_type = ElementType::kBit});
    Schema both = vectors;
    both.scalars = scalars.scalars;
    both.rule = {Routing::kIdModulo, 2};
    return {{"scalars", scalars}, {"vectors", vectors}, {"both", both}};
}

inline Scalar golden_value(const ScalarField& field, std::size_t row) {
    if (field.nullable && row % 3 == 0) return {};
    switch (field.type) {
        case ScalarType::kBool:
            return row % 2 == 0;
        case ScalarType::kInt64:
            return static_cast<std::int64_t>(row * row) - 100;
        case ScalarType::kDouble:
            return static_cast<double>(row) / 4;
        default:
            return std::string(row % 5, static_cast<char>('a' + row % 4));
    }
}

/// Upsert rows first, first + 1, ... with all their fields.
inline void upsert_golden_fields(WriteHandle& into, std::size_t first, std::size_t count) {
    const Schema& schema = into.schema();
    std::vector<std::vector<Scalar>> scalars;
    std::vector<std::vector<float>> floats;
    std::vector<std::uint8_t> bits;
    std::vector<ColumnView> columns;
    scalars.reserve(schema.scalars.size());
    floats.reserve(schema.vectors.size());
    for (const ScalarField& field : schema.scalars) {
        std::vector<Scalar>& values = scalars.emplace_back();
        for (std::size_t row = first; row < first + count; ++row)
            values.push_back(golden_value(field, row));
        columns.emplace_back(field.name, std::span<const Scalar>(values));
    }
    for (std::size_t row = first; row < first + count; ++row)
        bits.push_back(static_cast<std::uint8_t>(row * 37));
    for (std::size_t number = 0; number < schema.vectors.size(); ++number) {
        const VectorField& field = schema.vectors[number];
        if (field.element_type == ElementType::kBit) {
            columns.emplace_back(field.name, MatrixView::bits(bits.data(), count, field.dim));
            continue;
        }
        std::vector<float>& elements = floats.emplace_back();
        for (std::size_t row = first; row < first + count; ++row) {
            for (std::size_t column = 0; column < field.dim; ++column)
                elements.push_back(golden_element(row + 5 * number, column));
        }
        if (number > 0) columns.emplace_back(field.name, MatrixView(elements, field.dim));
    }
    into.upsert(sequential_ids(count, static_cast<Id>(first)),
                MatrixView(floats[0], kGoldenDim),
                columns)
        .check();
}

/// What is in a golden database of further fields when it was last saved.
inline void write_golden_fields(Database& database) {
    for (const auto& [name, schema] : golden_field_schemas()) {
        Collection collection = database.create_collection(name, schema).value();
        upsert_golden_fields(collection, 0, 24);
        collection.build_index().check();
        upsert_golden_fields(collection, 100, 3);
        collection.remove(std::vector<Id>{3, 7, 101}).status().check();
    }
}

/// What was written after that and is in the log.
inline void go_on_golden_fields(Database& database) {
    for (const auto& each : golden_field_schemas()) {
        Collection collection = database.collection(each.first).value();
        upsert_golden_fields(collection, 300, 5);
        collection.remove(std::vector<Id>{4, 301}).status().check();
        upsert_golden_fields(collection, 5, 2);
    }
}

/// A kind of golden database.
struct GoldenSet {
    const char* folder;  ///< In tests/data.
    std::vector<std::pair<std::string, Schema>> (*schemas)();
    void (*write)(Database&);
    void (*go_on)(Database&);
};

/// The first have been there since the format is; further fields came later, in the same format.
inline constexpr GoldenSet kGoldenSets[] = {
    {"format-1", golden_schemas, write_golden, go_on_golden},
    {"format-1-fields", golden_field_schemas, write_golden_fields, go_on_golden_fields}};

}  // namespace vecdb::test
