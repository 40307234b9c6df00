#include "collection/query/grouping.h"

#include "check.h"
#include "collection/storage/columns.h"

#include <vecdb/expression.h>

#include <utility>
#include <variant>

namespace vecdb::collection {

Status check_group_field(const std::vector<ScalarField>& fields, const std::string& name) {
    VECDB_ASSIGN(const std::vector<std::size_t> found, find_fields(fields, {&name, 1}));
    const ScalarType type = fields[found.front()].type;
    if (type == ScalarType::kBool || type == ScalarType::kInt64 || type == ScalarType::kString)
        return {};
    return {StatusCode::kInvalidArgument,
            "group_by names field '" + name + "' of type " + std::string(name_of(type)) +
                "; allowed are bool, int64 and string"};
}

void Groups::take(std::span<const Hit> hits, std::span<const Scalar> values) {
    for (std::size_t i = 0; i < hits.size(); ++i) {
        if (seen_.insert(values[i]).second) hits_.push_back(hits[i]);
    }
}

Filter Groups::others() const {
    const Field field(field_);
    std::vector<Scalar> values;
    values.reserve(seen_.size());
    bool without = false;  // Rows without a value are a group found.
    Expression others;
    for (const Scalar& value : seen_) {
        if (std::holds_alternative<std::monostate>(value)) {
            without = true;
        } else if (std::holds_alternative<bool>(value)) {
            others = others && field != value;  // lists are for other types
        } else {
            values.push_back(value);
        }
    }
    if (!values.empty()) others = others && field.not_in(values);
    // A row without a value is in no list, nor not in it.
    return Filter(without ? others && field.is_not_null() : others || field.is_null());
}

}  // namespace vecdb::collection
