#pragma once

/// \file
/// Vector fields, as they are written.

#include "output.h"

#include <vecdb/collection.h>
#include <vecdb/schema.h>

#include <string>
#include <vector>

namespace vecdb::cli {

/// Return dimension, metric and element type, for people: "1,024, cosine, float32".
[[nodiscard]] std::string vector_text(const VectorField& field);

/// Return name, dimension, metric, element type and index of each field.
[[nodiscard]] Json vectors_json(const std::vector<VectorField>& fields);

/// Name who has what in errors: "the collection 'C'".
[[nodiscard]] std::string owner_text(const Collection& collection);
/// The same of what a vector field has: "field 'F' of the collection 'C'" if there are several.
[[nodiscard]] std::string owner_text(const Collection& collection, const VectorField& field);

}  // namespace vecdb::cli
