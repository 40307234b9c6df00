#pragma once

/// \file
/// The values of scalar fields in a CSV file.

#include "csv_reader.h"

#include <vecdb/columns.h>
#include <vecdb/schema.h>

#include <cstddef>
#include <string>
#include <vector>

namespace vecdb::cli {

/// The rows that a CSV file has the values of.
struct CsvRows {
    std::string owner;  ///< The file of their vectors, for errors.
    std::size_t count = 0;
};

/// Reads a CSV file whose header names and types scalar fields ("price:int64,brand:string?", `?`
/// for a nullable one) and which has a record for each row. A bool is true or false, in any case;
/// an int64 and a double are decimal, without spaces; an empty cell is null, in quotes the empty
/// string. Functions throw CommandError(kInput) naming file, line, field and value.
/// Threads: needs exclusive access.
class CsvColumns {
  public:
    /// Read the header.
    CsvColumns(const std::string& path, CsvRows rows);

    [[nodiscard]] const std::vector<ScalarField>& fields() const noexcept { return fields_; }

    /// Read the values of the next `count` rows, and with those of the last row make sure that
    /// nothing comes behind them. The views hold until the next call.
    [[nodiscard]] std::vector<ColumnView> read(std::size_t count);

  private:
    void read_header();
    void read_row();
    [[nodiscard]] Scalar value_of_cell(const ScalarField& field, const CsvCell& cell) const;

    std::string path_;
    CsvRows rows_;
    CsvReader reader_;
    std::vector<ScalarField> fields_;
    std::vector<CsvCell> cells_;
    std::vector<std::vector<Scalar>> values_;  // one of each field
    std::size_t done_ = 0;                     // rows that were read
};

/// Read a whole file, so that what is wrong in it is told before anything is written.
void check_columns(const std::string& path, const CsvRows& rows);

}  // namespace vecdb::cli
