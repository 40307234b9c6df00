#pragma once

/// \file
/// Scalar values and vectors of a second field in sequences of random calls: those of a row follow
/// from its vector.

#include "support/random_data.h"

#include <vecdb/columns.h>
#include <vecdb/schema.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace vecdb::test {

inline std::vector<ScalarField> model_fields() {
    return {{.name = "number", .type = ScalarType::kInt64},
            {.name = "real", .type = ScalarType::kDouble, .nullable = true},
            {.name = "word", .type = ScalarType::kString, .nullable = true},
            {.name = "odd", .type = ScalarType::kBool},
            {.name = "bytes", .type = ScalarType::kBytes, .nullable = true}};
}

/// Return the values of a row, whose elements are whole numbers.
inline std::vector<Scalar> values_of(std::span<const float> row) {
    const auto number = static_cast<std::int64_t>(std::accumulate(row.begin(), row.end(), 0.0F));
    const auto first = static_cast<std::int64_t>(row[0]);
    std::vector<Scalar> values(5);
    values[0] = number;
    if (number % 3 != 0) values[1] = static_cast<double>(first) / 4;
    if (first != 2) values[2] = "w" + std::string(static_cast<std::size_t>(first), 'x');
    values[3] = number % 2 != 0;
    if (number % 4 == 0) values[4] = std::to_string(number);
    return values;
}

/// The second vector field: its distances are those of the first, as whole numbers add up to the
/// same in any order.
inline constexpr const char* kMirror = "mirror";

/// Return every row backwards.
inline Matrix mirrored(const Matrix& rows) {
    Matrix mirror = rows;
    for (std::size_t i = 0; i < rows.rows; ++i)
        std::reverse(mirror.row(i).begin(), mirror.row(i).end());
    return mirror;
}

/// The values of a batch, which it keeps.
class BatchValues {
  public:
    /// \param rows  any number; the first `count` are the batch's
    BatchValues(const Matrix& rows, std::size_t count)
        : values_(model_fields().size()), mirror_(mirrored(rows)) {
        for (std::size_t i = 0; i < count; ++i) {
            const std::vector<Scalar> row = values_of(rows.row(i));
            for (std::size_t field = 0; field < row.size(); ++field)
                values_[field].push_back(row[field]);
        }
        static const std::vector<ScalarField> fields = model_fields();
        for (std::size_t field = 0; field < fields.size(); ++field)
            columns_.emplace_back(fields[field].name, std::span<const Scalar>(values_[field]));
        columns_.emplace_back(kMirror, mirror_.view().slice(0, count));
    }
    BatchValues(const BatchValues&) = delete;
    BatchValues& operator=(const BatchValues&) = delete;

    [[nodiscard]] std::span<const ColumnView> columns() const { return columns_; }

  private:
    std::vector<std::vector<Scalar>> values_;
    Matrix mirror_;
    std::vector<ColumnView> columns_;
};

}  // namespace vecdb::test
