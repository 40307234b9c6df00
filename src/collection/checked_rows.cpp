#include "collection/checked_rows.h"

#include "check.h"
#include "collection/vectors.h"
#include "persist/little_endian.h"

#include <algorithm>
#include <string>

namespace vecdb::collection {
namespace {

Status check_ids(std::span<const Id> ids, std::size_t vectors) {
    if (ids.size() != vectors) {
        return {StatusCode::kInvalidArgument,
                std::to_string(ids.size()) + " ids for " + std::to_string(vectors) + " vectors"};
    }
    if (ids.size() > kMaxBatchRows) {
        return {StatusCode::kInvalidArgument,
                "the batch has " + std::to_string(ids.size()) + " rows; at most " +
                    std::to_string(kMaxBatchRows)};
    }
    const auto negative = std::find_if(ids.begin(), ids.end(), [](Id id) { return id < 0; });
    if (negative == ids.end()) return {};
    return {StatusCode::kInvalidArgument,
            row_name(static_cast<std::size_t>(negative - ids.begin())) + " has id " +
                std::to_string(*negative) + "; ids are not negative"};
}

Status check_vectors(const Schema& schema, std::span<const MatrixView> vectors, std::size_t rows) {
    for (std::size_t number = 0; number < vectors.size(); ++number) {
        const VectorField& field = schema.vectors[number];
        if (vectors[number].rows() != rows) {
            return {StatusCode::kInvalidArgument,
                    "field '" + field.name + "' has " + std::to_string(vectors[number].rows()) +
                        " vectors for " + std::to_string(rows) + " rows"};
        }
        VECDB_TRY(in_field(schema.vectors, number, check_shape(field, vectors[number])));
    }
    return {};
}

/// Find the vectors of the further fields among columns; the others are appended to `scalars`.
Result<std::vector<MatrixView>> split(const Schema& schema,
                                      const RowsToWrite& given,
                                      std::vector<ColumnView>& scalars) {
    std::vector<MatrixView> vectors(schema.vectors.size());
    std::vector<bool> found(schema.vectors.size());
    vectors.front() = given.vectors;
    found.front() = true;
    for (const ColumnView& column : given.columns) {
        const auto field = std::find_if(
            schema.vectors.begin(), schema.vectors.end(), [&](const VectorField& each) {
                return each.name == column.field();
            });
        if (field == schema.vectors.end()) {
            scalars.push_back(column);
            continue;
        }
        const auto number = static_cast<std::size_t>(field - schema.vectors.begin());
        const std::string name = "field '" + field->name + "'";
        if (column.vectors() == nullptr)
            return Status(StatusCode::kInvalidArgument, name + " takes vectors, not scalar values");
        if (found[number]) return Status(StatusCode::kInvalidArgument, name + " is given twice");
        vectors[number] = *column.vectors();
        found[number] = true;
    }
    const auto missing = std::find(found.begin(), found.end(), false);
    if (missing == found.end()) return vectors;
    const auto number = static_cast<std::size_t>(missing - found.begin());
    return Status(
        StatusCode::kInvalidArgument,
        "field '" + schema.vectors[number].name + "' is not given; every row has a vector of it");
}

/// Return the bytes that the log has of one further field, with what fills them up.
std::size_t logged_bytes(const VectorField& field, std::size_t rows) {
    return persist::padded<std::size_t>(rows * vector_bytes(field.element_type, field.dim), 8);
}

}  // namespace

Result<CheckedRows> CheckedRows::from(const Schema& schema, const RowsToWrite& given) {
    const std::size_t rows = given.ids.size();
    VECDB_TRY(check_ids(given.ids, given.vectors.rows()));
    CheckedRows checked;
    checked.ids = given.ids;
    std::vector<ColumnView> scalars;
    if (rows == 0 && given.columns.empty()) return checked;
    VECDB_ASSIGN(checked.vectors, split(schema, given, scalars));
    if (rows != 0) VECDB_TRY(check_vectors(schema, checked.vectors, rows));
    VECDB_ASSIGN(checked.columns, ColumnBatch::from(schema.scalars, scalars, rows));
    return checked;
}

Result<CheckedRows> CheckedRows::decode(const Schema& schema,
                                        std::span<const Id> ids,
                                        MatrixView vectors,
                                        std::span<const std::byte> values) {
    VECDB_TRY(check_ids(ids, vectors.rows()));
    const std::span further(schema.vectors.data() + 1, schema.vectors.size() - 1);
    std::size_t bytes = 0;
    for (const VectorField& field : further)
        bytes += logged_bytes(field, ids.size());
    if (bytes > values.size())
        return Status(StatusCode::kCorruption, "has no vectors of the last fields");
    CheckedRows checked;
    checked.ids = ids;
    checked.vectors.push_back(vectors);
    std::size_t at = values.size() - bytes;
    VECDB_ASSIGN(checked.columns,
                 ColumnBatch::decode(schema.scalars, values.first(at), ids.size()));
    for (const VectorField& field : further) {
        checked.vectors.push_back(
            MatrixView::of(values.data() + at, ids.size(), field.dim, field.element_type));
        at += logged_bytes(field, ids.size());
    }
    VECDB_TRY(check_vectors(schema, checked.vectors, ids.size()));
    return checked;
}

std::vector<std::byte> CheckedRows::encode(const Schema& schema,
                                           std::span<const std::uint32_t> rows) const {
    std::vector<std::byte> values;
    if (!schema.scalars.empty()) columns.encode(schema.scalars, rows, values);
    for (std::size_t number = 1; number < vectors.size(); ++number) {
        const VectorField& field = schema.vectors[number];
        const std::size_t bytes = vector_bytes(field.element_type, field.dim);
        const std::size_t end = values.size() + logged_bytes(field, rows.size());
        values.reserve(end);
        for (const std::uint32_t row : rows) {
            const auto* vector =
                static_cast<const std::byte*>(vectors[number].slice(row, 1).data());
            values.insert(values.end(), vector, vector + bytes);
        }
        values.resize(end);
    }
    return values;
}

}  // namespace vecdb::collection
