#include "vector_text.h"

#include "index_spec.h"
#include "scalar_text.h"

#include <vecdb/types.h>

namespace vecdb::cli {

std::string vector_text(const VectorField& field) {
    return grouped(field.dim) + ", " + std::string(to_string(field.metric)) + ", " +
           std::string(to_string(field.element_type));
}

Json vectors_json(const std::vector<VectorField>& fields) {
    Json all = Json::array();
    for (const VectorField& field : fields) {
        all.push_back({{"name", field.name},
                       {"dim", field.dim},
                       {"metric", to_string(field.metric)},
                       {"element_type", to_string(field.element_type)},
                       {"index", index_text(field.index)}});
    }
    return all;
}

std::string owner_text(const Collection& collection) {
    return "the collection '" + collection.name() + '\'';
}

std::string owner_text(const Collection& collection, const VectorField& field) {
    if (collection.schema().vectors.size() == 1) return owner_text(collection);
    return "field '" + shown(field.name) + "' of " + owner_text(collection);
}

}  // namespace vecdb::cli
