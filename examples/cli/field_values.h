#pragma once

/// \file
/// The values of scalar fields that are shown beside rows.

#include "output.h"

#include <vecdb/columns.h>
#include <vecdb/schema.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace vecdb::cli {

/// The values of some scalar fields, row by row; by default of no fields, for any rows.
/// Threads: const methods may run concurrently.
class FieldValues {
  public:
    FieldValues() = default;
    explicit FieldValues(std::vector<ScalarField> fields) : fields_(std::move(fields)) {}

    /// Add rows: a column for each field, in their order.
    void append(std::vector<ScalarColumn> columns);

    /// Tell whether there are no fields.
    [[nodiscard]] bool empty() const noexcept { return fields_.empty(); }
    /// Return the cells that are given, and behind them the names of the fields.
    [[nodiscard]] std::vector<std::string> header(std::vector<std::string> cells) const;
    /// Return the cells that are given, and behind them the values of a row, for people.
    [[nodiscard]] std::vector<std::string> line(std::size_t row,
                                                std::vector<std::string> cells) const;
    /// Return the values of a row without loss, by name.
    [[nodiscard]] Json to_json(std::size_t row) const;

  private:
    std::vector<ScalarField> fields_;
    std::vector<ScalarColumn> columns_;
};

}  // namespace vecdb::cli
