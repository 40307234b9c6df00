#include "field_values.h"

#include "scalar_text.h"

#include <iterator>
#include <utility>

namespace vecdb::cli {

void FieldValues::append(std::vector<ScalarColumn> columns) {
    if (columns_.empty()) {
        columns_ = std::move(columns);
        return;
    }
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        columns_[i].values.insert(columns_[i].values.end(),
                                  std::make_move_iterator(columns[i].values.begin()),
                                  std::make_move_iterator(columns[i].values.end()));
    }
}

std::vector<std::string> FieldValues::header(std::vector<std::string> cells) const {
    for (const ScalarField& field : fields_)
        cells.push_back(shown(field.name));
    return cells;
}

std::vector<std::string> FieldValues::line(std::size_t row, std::vector<std::string> cells) const {
    for (std::size_t i = 0; i < fields_.size(); ++i)
        cells.push_back(value_text(fields_[i], columns_[i].values[row]));
    return cells;
}

Json FieldValues::to_json(std::size_t row) const {
    Json values = Json::object();
    for (std::size_t i = 0; i < fields_.size(); ++i)
        values[fields_[i].name] = value_json(fields_[i], columns_[i].values[row]);
    return values;
}

}  // namespace vecdb::cli
