#pragma once

/// \file
/// Scalar values for rows of any schema, each following from its row's id and a seed, and all
/// values of a collection as text.

#include <vecdb/handles.h>

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

/// The values of a batch, which it keeps.
class ScalarRows {
  public:
    ScalarRows(const Schema& schema, std::span<const Id> ids, std::uint64_t seed) {
        for (const ScalarField& field : schema.scalars) {
            std::vector<Scalar> values;
            for (const Id id : ids)
                values.push_back(
                    scalar_of(field, seed + static_cast<std::uint64_t>(id) * 7 + values_.size()));
            values_.push_back(std::move(values));
        }
        for (std::size_t i = 0; i < values_.size(); ++i)
            columns_.emplace_back(schema.scalars[i].name, std::span<const Scalar>(values_[i]));
    }
    ScalarRows(const ScalarRows&) = delete;
    ScalarRows& operator=(const ScalarRows&) = delete;

    [[nodiscard]] std::span<const ColumnView> columns() const { return columns_; }

  private:
    std::vector<std::vector<Scalar>> values_;
    std::vector<ColumnView> columns_;
};

inline std::vector<std::string> scalar_names(const Schema& schema) {
    std::vector<std::string> names;
    for (const ScalarField& field : schema.scalars)
        names.push_back(field.name);
    return names;
}

inline std::string to_text(const Scalar& value) {
    if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
    if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
    if (const auto* real = std::get_if<double>(&value)) return std::to_string(*real);
    if (const auto* text = std::get_if<std::string>(&value)) return '"' + *text + '"';
    return "null";
}

/// Return all values that were fetched.
inline std::string to_text(const std::vector<ScalarColumn>& columns) {
    std::string text;
    for (const ScalarColumn& column : columns) {
        text += column.field + ':';
        for (const Scalar& value : column.values)
            text += ' ' + to_text(value);
        text += '\n';
    }
    return text;
}

}  // namespace vecdb::test
