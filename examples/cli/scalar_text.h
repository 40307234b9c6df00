#pragma once

/// \file
/// Scalar fields and their values, as they are written and read.

#include "output.h"

#include <vecdb/scalar.h>
#include <vecdb/schema.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vecdb::cli {

/// Return "bool", "int64", "double", "string" or "bytes".
[[nodiscard]] std::string type_name(ScalarType type);
/// Return the type that has a name, if there is one.
[[nodiscard]] std::optional<ScalarType> type_named(std::string_view name);

/// Return name and type as in the header of a CSV file: "price:int64", "brand:string?" if the
/// field is nullable.
[[nodiscard]] std::string field_text(const ScalarField& field);

/// Join the texts of fields with ", ".
[[nodiscard]] std::string fields_text(const std::vector<ScalarField>& fields);
/// Return name, type and nullable of each field, and its fallback if it has one.
[[nodiscard]] Json fields_json(const std::vector<ScalarField>& fields);

/// Return a value for people: control characters escaped, long texts cut, bytes in hexadecimal.
[[nodiscard]] std::string value_text(const ScalarField& field, const Scalar& value);

/// Return a text for people: control characters escaped, cut if it is long.
[[nodiscard]] std::string shown(std::string_view text);

/// Return a value without loss. JSON has neither bytes nor infinity: bytes are a string of
/// hexadecimal digits, the others "infinity" and "-infinity".
[[nodiscard]] Json value_json(const ScalarField& field, const Scalar& value);

}  // namespace vecdb::cli
