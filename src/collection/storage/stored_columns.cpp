#include "collection/storage/stored_columns.h"

#include "check.h"
#include "collection/storage/stored_items.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

namespace vecdb::collection {
namespace {

/// The sections of one scalar field.
struct ColumnNames {
    explicit ColumnNames(std::size_t field)
        : values("scalar " + std::to_string(field) + " values"),
          nulls("scalar " + std::to_string(field) + " nulls"),
          ends("scalar " + std::to_string(field) + " ends"),
          bytes("scalar " + std::to_string(field) + " bytes") {}

    std::string values, nulls, ends, bytes;
};

Status save_texts(const Texts& texts, const ColumnNames& names, persist::SectionFileWriter& to) {
    std::vector<std::uint64_t> ends;
    ends.reserve(texts.size());
    std::uint64_t end = 0;
    for (std::uint32_t i = 0; i < texts.size(); ++i)
        ends.push_back(end += texts[i].size());
    VECDB_TRY(to.write(names.ends, std::as_bytes(std::span(ends))));
    VECDB_TRY(to.begin(names.bytes));
    for (std::uint32_t i = 0; i < texts.size(); ++i)
        VECDB_TRY(to.append(std::as_bytes(std::span(texts[i]))));
    return {};
}

Status save_cells(const Cells& cells,
                  std::size_t field,
                  std::size_t rows,
                  persist::SectionFileWriter& to) {
    const ColumnNames names(field);
    VECDB_TRY(to.write(names.values, {cells.values.data(), rows * cell_bytes(cells.type)}));
    if (cells.nulls.size() != 0)
        VECDB_TRY(to.write(names.nulls, std::as_bytes(std::span(cells.nulls.data(), rows))));
    return cells.texts != nullptr ? save_texts(*cells.texts, names, to) : Status();
}

/// Tell whether texts are ascending, no two alike.
bool are_ordered(const Texts& texts) {
    for (std::uint32_t i = 1; i < texts.size(); ++i) {
        if (!(texts[i - 1] < texts[i])) return false;
    }
    return true;
}

/// View the texts of a field.
Result<std::shared_ptr<Texts>> load_texts(const std::shared_ptr<persist::SectionFile>& file,
                                          const ScalarField& field,
                                          const ColumnNames& names) {
    VECDB_ASSIGN(const auto ends_bytes, file->read(names.ends));
    VECDB_ASSIGN(const auto bytes, file->read(names.bytes));
    const std::span ends(reinterpret_cast<const std::uint64_t*>(ends_bytes.data()),
                         ends_bytes.size() / sizeof(std::uint64_t));
    const bool fits = ends_bytes.size() % sizeof(std::uint64_t) == 0 &&
                      ends.size() <= kMaxRowsPerSegment &&
                      std::is_sorted(ends.begin(), ends.end()) &&
                      (ends.empty() ? 0 : ends.back()) == bytes.size();
    if (!fits) return corrupt(*file, "has texts of field '" + field.name + "' that cannot be");
    auto texts = std::make_shared<Texts>(ends, bytes, file);
    if (field.type == ScalarType::kString && !are_ordered(*texts))
        return corrupt(*file, "has texts of field '" + field.name + "' out of order");
    return texts;
}

/// Tell whether the value of a row can be.
bool can_be(const Cells& cells, std::size_t row) {
    if (cells.nulls.size() != 0 && cells.nulls[row] > 1) return false;
    if (cells.is_null(row)) {
        const std::byte* cell = cells.values.data() + row * cell_bytes(cells.type);
        return std::all_of(cell, cell + cell_bytes(cells.type), [](std::byte byte) {
            return byte == std::byte{0};
        });
    }
    switch (cells.type) {
        case ScalarType::kBool:
            return cells.as<std::uint8_t>()[row] <= 1;
        case ScalarType::kInt64:
            return true;
        case ScalarType::kDouble:
            return !std::isnan(cells.as<double>()[row]);
        default:
            return cells.as<std::uint32_t>()[row] < cells.texts->size();
    }
}

/// View the values of one field.
Result<Cells> load_cells(const std::shared_ptr<persist::SectionFile>& file,
                         const ScalarField& field,
                         std::size_t number,
                         std::size_t rows) {
    const ColumnNames names(number);
    VECDB_ASSIGN(const auto values,
                 read_items<std::byte>(*file, names.values, rows * cell_bytes(field.type)));
    std::span<const std::uint8_t> nulls;
    if (field.nullable) {
        VECDB_ASSIGN(nulls, read_items<std::uint8_t>(*file, names.nulls, rows));
    }
    std::shared_ptr<Texts> texts;
    if (has_texts(field.type)) {
        VECDB_ASSIGN(texts, load_texts(file, field, names));
    }
    Cells cells(field, values, nulls, std::move(texts));
    for (std::size_t row = 0; row < rows; ++row) {
        if (can_be(cells, row)) continue;
        return corrupt(*file,
                       "has a value of field '" + field.name + "' in row " + std::to_string(row) +
                           " that cannot be");
    }
    return cells;
}

}  // namespace

Status save_columns(std::span<const Cells> columns,
                    std::size_t rows,
                    persist::SectionFileWriter& to) {
    for (std::size_t i = 0; i < columns.size(); ++i)
        VECDB_TRY(save_cells(columns[i], i, rows, to));
    return {};
}

Result<std::vector<Cells>> load_columns(const std::shared_ptr<persist::SectionFile>& file,
                                        std::span<const ScalarField> fields,
                                        std::size_t rows) {
    std::vector<Cells> cells;
    cells.reserve(fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
        VECDB_ASSIGN(Cells each, load_cells(file, fields[i], i, rows));
        cells.push_back(std::move(each));
    }
    return cells;
}

// Rescue ------------------------------------------------------------------------------------------

struct RescuedColumns::Parts {
    persist::SectionFile::Rescued values, nulls, ends, bytes;

    [[nodiscard]] std::span<const std::uint64_t> text_ends() const noexcept {
        return {reinterpret_cast<const std::uint64_t*>(ends.bytes.data()),
                ends.bytes.size() / sizeof(std::uint64_t)};
    }
    /// Tell whether text `number`, of those that there are, is what was written.
    [[nodiscard]] bool has_text(std::uint32_t number) const {
        const std::uint32_t before = number == 0 ? 0 : number - 1;
        if (!ends.is_good(before * sizeof(std::uint64_t),
                          (number - before + 1) * sizeof(std::uint64_t)))
            return false;
        const std::uint64_t begin = number == 0 ? 0 : text_ends()[before];
        const std::uint64_t end = text_ends()[number];
        return begin <= end && end <= bytes.bytes.size() && bytes.is_good(begin, end - begin);
    }
};

Result<RescuedColumns::Column> RescuedColumns::read(const persist::SectionFile& file,
                                                    const ScalarField& field,
                                                    std::size_t number) {
    const ColumnNames names(number);
    auto parts = std::make_shared<Parts>();
    VECDB_ASSIGN(parts->values, file.rescue(names.values));
    if (field.nullable) {
        VECDB_ASSIGN(parts->nulls, file.rescue(names.nulls));
    }
    std::shared_ptr<Texts> texts;
    if (has_texts(field.type)) {
        VECDB_ASSIGN(parts->ends, file.rescue(names.ends));
        VECDB_ASSIGN(parts->bytes, file.rescue(names.bytes));
        texts = std::make_shared<Texts>(parts->text_ends(), parts->bytes.bytes, parts);
    }
    const std::span nulls(reinterpret_cast<const std::uint8_t*>(parts->nulls.bytes.data()),
                          parts->nulls.bytes.size());
    Cells cells(field, parts->values.bytes, nulls, std::move(texts));
    return Column{std::move(parts), std::move(cells)};
}

Result<RescuedColumns> RescuedColumns::read(const persist::SectionFile& file,
                                            std::span<const ScalarField> fields,
                                            std::size_t rows) {
    RescuedColumns rescued;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        VECDB_ASSIGN(Column column, read(file, fields[i], i));
        const Cells& cells = column.cells;
        if (cells.values.size() != rows * cell_bytes(cells.type) ||
            cells.nulls.size() != (fields[i].nullable ? rows : 0))
            return corrupt(file, "has values of field '" + fields[i].name + "' of other rows");
        rescued.columns_.push_back(std::move(column));
    }
    return rescued;
}

bool RescuedColumns::is_good(const Column& column, std::size_t row) {
    const Cells& cells = column.cells;
    const std::size_t bytes = cell_bytes(cells.type);
    if (!column.parts->values.is_good(row * bytes, bytes)) return false;
    if (cells.nulls.size() != 0 && !column.parts->nulls.is_good(row, 1)) return false;
    if (!can_be(cells, row)) return false;
    return cells.is_null(row) || !has_texts(cells.type) ||
           column.parts->has_text(cells.as<std::uint32_t>()[row]);
}

bool RescuedColumns::is_good(std::size_t row) const {
    return std::all_of(columns_.begin(), columns_.end(), [&](const Column& column) {
        return is_good(column, row);
    });
}

void RescuedColumns::copy(std::size_t row, std::span<const Cells> cells, std::size_t to) const {
    for (std::size_t i = 0; i < cells.size(); ++i)
        cells[i].copy(to, columns_[i].cells, row);
}

}  // namespace vecdb::collection
