#pragma once

/// \file
/// The scalar values of sealed segments in files. Bytes: persist/FORMAT.md.

#include "collection/storage/columns.h"
#include "persist/section_file.h"

#include <vecdb/schema.h>
#include <vecdb/status.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace vecdb::collection {

/// Write the cells of `rows` rows. Returns what the writer returns. Throws std::bad_alloc.
[[nodiscard]] Status save_columns(std::span<const Cells> columns,
                                  std::size_t rows,
                                  persist::SectionFileWriter& to);

/// View the cells of `rows` rows in a file, which they keep. Returns kCorruption, kIoError. Throws
/// std::bad_alloc.
[[nodiscard]] Result<std::vector<Cells>> load_columns(
    const std::shared_ptr<persist::SectionFile>& file,
    std::span<const ScalarField> fields,
    std::size_t rows);

/// What can be read of the values in a damaged file.
class RescuedColumns {
  public:
    /// Returns kCorruption (nothing of a field can be understood), kIoError. Throws std::bad_alloc.
    [[nodiscard]] static Result<RescuedColumns> read(const persist::SectionFile& file,
                                                     std::span<const ScalarField> fields,
                                                     std::size_t rows);

    /// Tell whether all values of a row are what was written.
    [[nodiscard]] bool is_good(std::size_t row) const;
    /// Copy the values of a row that is good. Throws std::bad_alloc.
    void copy(std::size_t row, std::span<const Cells> cells, std::size_t to) const;

  private:
    struct Parts;
    struct Column {
        std::shared_ptr<Parts> parts;
        Cells cells;
    };

    [[nodiscard]] static Result<Column> read(const persist::SectionFile& file,
                                             const ScalarField& field,
                                             std::size_t number);
    [[nodiscard]] static bool is_good(const Column& column, std::size_t row);

    std::vector<Column> columns_;
};

}  // namespace vecdb::collection
