#pragma once

/// \file
/// Fields by name, scalar ones and those of vectors.

#include "output.h"
#include "scalar_text.h"
#include "vector_text.h"

#include <vecdb/collection.h>
#include <vecdb/schema.h>

#include <string>
#include <type_traits>
#include <vector>

namespace vecdb::cli {

/// Return the names of fields.
template <class Field>
[[nodiscard]] std::vector<std::string> names_of(const std::vector<Field>& fields) {
    std::vector<std::string> names;
    names.reserve(fields.size());
    for (const Field& field : fields)
        names.push_back(field.name);
    return names;
}

/// Return the field that has a name; null if there is none.
template <class Field>
[[nodiscard]] const Field* find_field(const std::vector<Field>& fields, const std::string& name) {
    for (const Field& field : fields) {
        if (field.name == name) return &field;
    }
    return nullptr;
}

/// Say that a collection, whose fields of that kind are `fields`, has no such one.
template <class Field>
[[nodiscard]] std::string no_field_text(const Collection& collection,
                                        const std::vector<Field>& fields,
                                        const std::string& name) {
    const std::string kind = std::is_same_v<Field, VectorField> ? "vector" : "scalar";
    return owner_text(collection) + " has no " + kind + " field '" + shown(name) +
           "'; there are: " + joined(names_of(fields));
}

}  // namespace vecdb::cli
