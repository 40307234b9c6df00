#pragma once

/// \file
/// Values of all fields but the first vector field for rows of any schema, each following from its
/// row's id and a seed, and all values of a collection as text.

#include "support/random_data.h"

#include <vecdb/handles.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace vecdb::test {

/// One field of each type, some of whose rows are null.
inline std::vector<ScalarField> some_scalars() {
    return {{.name = "flag", .type = ScalarType::kBool, .nullable = true},
            {.name = "number", .type = ScalarType::kInt64, .fallback = std::int64_t{5}},
            {.name = "real", .type = ScalarType::kDouble, .nullable = true},
            {.name = "text", .type = ScalarType::kString, .nullable = true},
            {.name = "bytes", .type = ScalarType::kBytes, .nullable = true}};
}

inline Scalar scalar_of(const ScalarField& field, std::uint64_t seed) {
    if (field.nullable && seed % 5 == 0) return {};
    switch (field.type) {
        case ScalarType::kBool:
            return seed % 2 == 0;
        case ScalarType::kInt64:
            return static_cast<std::int64_t>(seed % 1'000) - 500;
        case ScalarType::kDouble:
            return static_cast<double>(seed % 1'000) / 8;
        default:
            return std::string(seed % 7, static_cast<char>('a' + seed % 3));
    }
}

/// Two more vector fields, of which one has an index.
inline std::vector<VectorField> further_vectors(const IndexOptions& index) {
    return {
        {.name = "other", .dim = 5, .metric = Metric::kInnerProduct, .index = index},
        {.name = "bits", .dim = 12, .metric = Metric::kHamming, .element_type = ElementType::kBit}};
}

/// The values of a batch, which it keeps.
class FieldRows {
  public:
    FieldRows(const Schema& schema, std::span<const Id> ids, std::uint64_t seed) {
        for (const ScalarField& field : schema.scalars) {
            std::vector<Scalar> values;
            for (const Id id : ids)
                values.push_back(
                    scalar_of(field, seed + static_cast<std::uint64_t>(id) * 7 + values_.size()));
            values_.push_back(std::move(values));
        }
        for (std::size_t i = 0; i < values_.size(); ++i)
            columns_.emplace_back(schema.scalars[i].name, std::span<const Scalar>(values_[i]));
        vectors_.reserve(schema.vectors.size());
        for (std::size_t i = 1; i < schema.vectors.size(); ++i) {
            const VectorField& field = schema.vectors[i];
            vectors_.push_back(vectors_of(field, ids, seed + i));
            columns_.emplace_back(
                field.name,
                MatrixView::of(vectors_.back().data(), ids.size(), field.dim, field.element_type));
        }
    }
    FieldRows(const FieldRows&) = delete;
    FieldRows& operator=(const FieldRows&) = delete;

    [[nodiscard]] std::span<const ColumnView> columns() const { return columns_; }

  private:
    /// Return small integers as floats, or bits, of which none is past the last dimension.
    static std::vector<std::byte> vectors_of(const VectorField& field,
                                             std::span<const Id> ids,
                                             std::uint64_t seed) {
        std::vector<std::byte> bytes;
        for (const Id id : ids) {
            Random random(seed + static_cast<std::uint64_t>(id) * 31);
            if (field.element_type == ElementType::kBit) {
                for (std::size_t bit = 0; bit < field.dim; bit += 8) {
                    const std::size_t used = std::min<std::size_t>(field.dim - bit, 8);
                    bytes.push_back(static_cast<std::byte>(random() % (std::size_t{1} << used)));
                }
                continue;
            }
            for (std::size_t i = 0; i < field.dim; ++i) {
                const float value = static_cast<float>(random() % 21) - 10.0F;
                const auto* first = reinterpret_cast<const std::byte*>(&value);
                bytes.insert(bytes.end(), first, first + sizeof(value));
            }
        }
        return bytes;
    }

    std::vector<std::vector<Scalar>> values_;
    std::vector<std::vector<std::byte>> vectors_;
    std::vector<ColumnView> columns_;
};

/// Return the names of all fields but the first vector field.
inline std::vector<std::string> field_names(const Schema& schema) {
    std::vector<std::string> names;
    for (const ScalarField& field : schema.scalars)
        names.push_back(field.name);
    for (std::size_t i = 1; i < schema.vectors.size(); ++i)
        names.push_back(schema.vectors[i].name);
    return names;
}

inline std::string to_text(const Scalar& value) {
    if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
    if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
    if (const auto* real = std::get_if<double>(&value)) return std::to_string(*real);
    if (const auto* text = std::get_if<std::string>(&value)) return '"' + *text + '"';
    return "null";
}

/// Return all values that were fetched, but the vectors of the first vector field.
inline std::string to_text(const FetchedRows& rows) {
    std::string text;
    for (const FetchedVectors& column : rows.vectors) {
        text += column.field + ':';
        for (const std::byte byte : column.bytes)
            text += ' ' + std::to_string(std::to_integer<int>(byte));
        text += '\n';
    }
    for (const ScalarColumn& column : rows.columns) {
        text += column.field + ':';
        for (const Scalar& value : column.values)
            text += ' ' + to_text(value);
        text += '\n';
    }
    return text;
}

}  // namespace vecdb::test
