#include "collection/storage/columns.h"

#include "check.h"
#include "collection/utf8.h"
#include "persist/little_endian.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace vecdb::collection {
namespace {

Status bad_value(const ScalarField& field, std::size_t row, const std::string& what) {
    return {StatusCode::kInvalidArgument,
            "row " + std::to_string(row) + " of field '" + field.name + "' " + what};
}

/// Puts what a caller gave for one field into a column.
class ColumnReader {
  public:
    ColumnReader(const ScalarField& field, std::size_t rows, ColumnBatch::Column& to)
        : field_(field), to_(to) {
        if (has_texts(field.type)) {
            to_.texts.reserve(rows);
        } else {
            to_.numbers.reserve(rows);
        }
        if (field.nullable) to_.nulls.reserve(rows);
    }

    template <class T>
    Status read(std::span<const T> values) {
        for (const T& value : values)
            VECDB_TRY(read(value));
        return {};
    }
    Status read(const MatrixView& /*vectors*/) { return clash("a vector"); }
    /// Repeat one value for all rows.
    Status fill(const Scalar& value, std::size_t rows) {
        for (std::size_t row = 0; row < rows; ++row)
            VECDB_TRY(read(value));
        return {};
    }

  private:
    Status read(bool value) { return number(ScalarType::kBool, value ? 1U : 0U, "a bool"); }
    Status read(std::int64_t value) {
        return number(ScalarType::kInt64, static_cast<std::uint64_t>(value), "an int64");
    }
    Status read(double value) {
        if (std::isnan(value)) return bad_value(field_, row_, "is no number");
        return number(ScalarType::kDouble, std::bit_cast<std::uint64_t>(value), "a double");
    }
    Status read(const std::string& value) { return read(std::string_view(value)); }
    Status read(std::string_view value) {
        if (!has_texts(field_.type)) return clash("a text");
        if (value.size() > kMaxTextBytes) {
            return bad_value(field_,
                             row_,
                             "has " + std::to_string(value.size()) + " bytes; at most " +
                                 std::to_string(kMaxTextBytes));
        }
        const std::size_t good =
            field_.type == ScalarType::kString ? utf8_size(value) : value.size();
        if (good != value.size())
            return bad_value(field_, row_, "is not UTF-8 at byte " + std::to_string(good));
        to_.texts.push_back(value);
        return done(0);
    }
    Status read(const Scalar& value) {
        if (std::holds_alternative<std::monostate>(value)) return null();
        return std::visit(
            [&](const auto& each) -> Status {
                if constexpr (std::is_same_v<std::decay_t<decltype(each)>, std::monostate>) {
                    return null();
                } else {
                    return read(each);
                }
            },
            value);
    }

    Status null() {
        if (!field_.nullable) return bad_value(field_, row_, "is null; the field takes no nulls");
        if (has_texts(field_.type)) {
            to_.texts.emplace_back();
        } else {
            to_.numbers.push_back(0);
        }
        return done(1);
    }
    Status number(ScalarType type, std::uint64_t bits, const char* what) {
        if (field_.type != type) return clash(what);
        to_.numbers.push_back(bits);
        return done(0);
    }
    Status done(std::uint8_t null) {
        if (field_.nullable) to_.nulls.push_back(null);
        ++row_;
        return {};
    }
    [[nodiscard]] Status clash(const char* what) const {
        return bad_value(
            field_,
            row_,
            std::string("is ") + what + ", expected " + std::string(name_of(field_.type)));
    }

    const ScalarField& field_;
    ColumnBatch::Column& to_;
    std::size_t row_ = 0;
};

const ColumnView* find_given(std::span<const ColumnView> given, const ScalarField& field) {
    const auto found = std::find_if(given.begin(), given.end(), [&](const ColumnView& each) {
        return each.field() == field.name;
    });
    return found != given.end() ? &*found : nullptr;
}

/// Check that each column is one of a field, once, and as long as the batch.
Status check_given(const ScalarFields& fields,
                   std::span<const ColumnView> given,
                   std::size_t rows) {
    for (const ColumnView& column : given) {
        const std::string name(column.field());
        const bool known = std::any_of(
            fields.begin(), fields.end(), [&](const auto& field) { return field.name == name; });
        if (!known) return no_such_field(fields, name);
        if (column.size() != rows) {
            return {StatusCode::kInvalidArgument,
                    "field '" + name + "' has " + std::to_string(column.size()) + " values for " +
                        std::to_string(rows) + " rows"};
        }
        if (&column != find_given(given, {.name = name})) {
            return {StatusCode::kInvalidArgument, "field '" + name + "' is given twice"};
        }
    }
    return {};
}

/// Append bytes, and 0 bytes up to a multiple of 8.
void append_padded(std::span<const std::byte> bytes, std::vector<std::byte>& to) {
    to.insert(to.end(), bytes.begin(), bytes.end());
    to.resize(persist::padded<std::size_t>(to.size(), 8));
}

Status misfit(const ScalarField& field) {
    return {StatusCode::kCorruption, "has values of field '" + field.name + "' that cannot be"};
}

/// Takes columns out of bytes.
class ColumnDecoder {
  public:
    ColumnDecoder(std::span<const std::byte> bytes, std::size_t rows) : left_(bytes), rows_(rows) {}

    Status decode(const ScalarField& field, ColumnBatch::Column& to) {
        if (field.nullable) {
            const auto nulls = take(rows_);
            if (nulls.size() != rows_) return misfit(field);
            const auto* first = reinterpret_cast<const std::uint8_t*>(nulls.data());
            to.nulls.assign(first, first + rows_);
            const auto wrong = std::any_of(
                to.nulls.begin(), to.nulls.end(), [](std::uint8_t null) { return null > 1; });
            if (wrong) return misfit(field);
        }
        const auto words = take(rows_ * sizeof(std::uint64_t));
        if (words.size() != rows_ * sizeof(std::uint64_t)) return misfit(field);
        std::vector<std::uint64_t> numbers(rows_);
        if (rows_ != 0) std::memcpy(numbers.data(), words.data(), words.size());
        if (has_texts(field.type)) return decode_texts(field, numbers, to);
        to.numbers = std::move(numbers);
        for (const std::uint64_t number : to.numbers) {
            const bool good =
                (field.type != ScalarType::kBool || number <= 1) &&
                (field.type != ScalarType::kDouble || !std::isnan(std::bit_cast<double>(number)));
            if (!good) return misfit(field);
        }
        return {};
    }

    [[nodiscard]] bool at_end() const noexcept { return left_.empty(); }

  private:
    Status decode_texts(const ScalarField& field,
                        const std::vector<std::uint64_t>& ends,
                        ColumnBatch::Column& to) {
        const std::uint64_t size = ends.empty() ? 0 : ends.back();
        if (size > left_.size() || !std::is_sorted(ends.begin(), ends.end())) return misfit(field);
        const auto bytes = take(static_cast<std::size_t>(size));
        if (bytes.size() != size) return misfit(field);
        const auto* text = reinterpret_cast<const char*>(bytes.data());
        std::uint64_t begin = 0;
        for (const std::uint64_t end : ends) {
            if (end - begin > kMaxTextBytes) return misfit(field);
            to.texts.emplace_back(text + begin, static_cast<std::size_t>(end - begin));
            begin = end;
        }
        return {};
    }

    /// Take `count` bytes and the padding behind them; too few when there are no more.
    std::span<const std::byte> take(std::size_t count) {
        const std::size_t padded = persist::padded<std::size_t>(count, 8);
        if (padded > left_.size()) return {};
        const auto taken = left_.first(count);
        left_ = left_.subspan(padded);
        return taken;
    }

    std::span<const std::byte> left_;
    const std::size_t rows_;
};

void encode_column(const ScalarField& field,
                   const ColumnBatch::Column& column,
                   std::span<const std::uint32_t> rows,
                   std::vector<std::byte>& to) {
    if (field.nullable) {
        std::vector<std::uint8_t> nulls;
        nulls.reserve(rows.size());
        for (const std::uint32_t row : rows)
            nulls.push_back(column.nulls[row]);
        append_padded(std::as_bytes(std::span(nulls)), to);
    }
    std::vector<std::uint64_t> words;
    words.reserve(rows.size());
    if (!has_texts(field.type)) {
        for (const std::uint32_t row : rows)
            words.push_back(column.numbers[row]);
        return append_padded(std::as_bytes(std::span(words)), to);
    }
    std::uint64_t end = 0;
    for (const std::uint32_t row : rows)
        words.push_back(end += column.texts[row].size());
    append_padded(std::as_bytes(std::span(words)), to);
    to.reserve(to.size() + static_cast<std::size_t>(end));
    for (const std::uint32_t row : rows) {
        const auto bytes = std::as_bytes(std::span(column.texts[row]));
        to.insert(to.end(), bytes.begin(), bytes.end());
    }
    append_padded({}, to);
}

}  // namespace

std::string_view name_of(ScalarType type) noexcept {
    switch (type) {
        case ScalarType::kBool:
            return "bool";
        case ScalarType::kInt64:
            return "int64";
        case ScalarType::kDouble:
            return "double";
        case ScalarType::kString:
            return "string";
        case ScalarType::kBytes:
            return "bytes";
    }
    return "unknown";
}

Status no_such_field(std::span<const ScalarField> fields, const std::string& name) {
    constexpr std::size_t kShown = 20;
    std::string names = fields.empty() ? "there are none" : "there are ";
    for (std::size_t i = 0; i < std::min(fields.size(), kShown); ++i)
        names.append(i > 0 ? ", '" : "'").append(fields[i].name).append("'");
    if (fields.size() > kShown) names += " and " + std::to_string(fields.size() - kShown) + " more";
    return {StatusCode::kInvalidArgument, "no scalar field is named '" + name + "'; " + names};
}

Cells::Cells(const ScalarField& field, std::size_t rows, std::shared_ptr<Texts> known_texts)
    : type(field.type),
      values(rows * cell_bytes(field.type)),
      nulls(field.nullable ? rows : 0),
      texts(std::move(known_texts)) {}

Cells::Cells(const ScalarField& field,
             std::span<const std::byte> stored_values,
             std::span<const std::uint8_t> stored_nulls,
             std::shared_ptr<Texts> stored_texts) noexcept
    : type(field.type),
      values(const_cast<std::byte*>(stored_values.data()), stored_values.size()),
      nulls(const_cast<std::uint8_t*>(stored_nulls.data()), stored_nulls.size()),
      texts(std::move(stored_texts)) {}

Scalar Cells::value(std::size_t row) const {
    if (is_null(row)) return {};
    switch (type) {
        case ScalarType::kBool:
            return as<std::uint8_t>()[row] != 0;
        case ScalarType::kInt64:
            return as<std::int64_t>()[row];
        case ScalarType::kDouble:
            return as<double>()[row];
        default:
            return std::string(text(row));
    }
}

void Cells::copy(std::size_t to, const Cells& from, std::size_t row) const {
    const std::size_t bytes = cell_bytes(type);
    if (nulls.size() != 0) nulls[to] = from.nulls[row];
    if (!has_texts(type) || texts == from.texts || is_null(to)) {
        std::memcpy(values.data() + to * bytes, from.values.data() + row * bytes, bytes);
        return;
    }
    const std::string_view text = from.text(row);
    as<std::uint32_t>()[to] = type == ScalarType::kString ? texts->intern(text) : texts->add(text);
}

Result<ColumnBatch> ColumnBatch::from(const ScalarFields& fields,
                                      std::span<const ColumnView> given,
                                      std::size_t rows) {
    VECDB_TRY(check_given(fields, given, rows));
    ColumnBatch batch;
    batch.columns_.resize(fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const ScalarField& field = fields[i];
        ColumnReader reader(field, rows, batch.columns_[i]);
        if (const ColumnView* column = find_given(given, field)) {
            VECDB_TRY(std::visit([&](const auto& values) { return reader.read(values); },
                                 column->values()));
            continue;
        }
        const bool nothing = std::holds_alternative<std::monostate>(field.fallback);
        if (nothing && !field.nullable) {
            return Status(
                StatusCode::kInvalidArgument,
                "field '" + field.name + "' is not given; it takes no nulls and has no fallback");
        }
        VECDB_TRY(reader.fill(field.fallback, rows));
    }
    return batch;
}

Result<ColumnBatch> ColumnBatch::decode(const ScalarFields& fields,
                                        std::span<const std::byte> bytes,
                                        std::size_t rows) {
    ColumnBatch batch;
    batch.columns_.resize(fields.size());
    ColumnDecoder decoder(bytes, rows);
    for (std::size_t i = 0; i < fields.size(); ++i)
        VECDB_TRY(decoder.decode(fields[i], batch.columns_[i]));
    if (decoder.at_end()) return batch;
    return Status(StatusCode::kCorruption, "has values behind those of the last field");
}

void ColumnBatch::encode(const ScalarFields& fields,
                         std::span<const std::uint32_t> rows,
                         std::vector<std::byte>& to) const {
    for (std::size_t i = 0; i < fields.size(); ++i)
        encode_column(fields[i], columns_[i], rows, to);
}

void ColumnBatch::append(const ScalarFields& fields,
                         std::span<const Cells> cells,
                         std::size_t row) {
    columns_.resize(fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const Cells& from = cells[i];
        Column& to = columns_[i];
        const bool null = from.is_null(row);
        if (fields[i].nullable) to.nulls.push_back(null ? 1 : 0);
        switch (from.type) {
            case ScalarType::kBool:
                to.numbers.push_back(from.as<std::uint8_t>()[row]);
                break;
            case ScalarType::kInt64:
            case ScalarType::kDouble:
                to.numbers.push_back(from.as<std::uint64_t>()[row]);
                break;
            default:
                to.texts.push_back(null ? std::string_view() : from.text(row));
        }
    }
}

void ColumnBatch::store(std::size_t from, std::span<const Cells> cells, std::size_t to) const {
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const Column& column = columns_[i];
        const Cells& cell = cells[i];
        const bool null = !column.nulls.empty() && column.nulls[from] != 0;
        if (cell.nulls.size() != 0) cell.nulls[to] = null ? 1 : 0;
        switch (cell.type) {
            case ScalarType::kBool:
                cell.as<std::uint8_t>()[to] =
                    null ? 0 : static_cast<std::uint8_t>(column.numbers[from]);
                break;
            case ScalarType::kInt64:
            case ScalarType::kDouble:
                cell.as<std::uint64_t>()[to] = null ? 0 : column.numbers[from];
                break;
            case ScalarType::kString:
                cell.as<std::uint32_t>()[to] = null ? 0 : cell.texts->intern(column.texts[from]);
                break;
            case ScalarType::kBytes:
                cell.as<std::uint32_t>()[to] = null ? 0 : cell.texts->add(column.texts[from]);
                break;
        }
    }
}

bool ColumnBatch::same(std::size_t row, const ColumnBatch& other, std::size_t its) const {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const Column& a = columns_[i];
        const Column& b = other.columns_[i];
        const auto equal = [&](const auto& mine, const auto& theirs) {
            return mine.empty() || mine[row] == theirs[its];
        };
        if (!equal(a.nulls, b.nulls) || !equal(a.numbers, b.numbers) || !equal(a.texts, b.texts))
            return false;
    }
    return true;
}

Status check_value(const ScalarField& field, const Scalar& value) {
    ColumnBatch::Column column;
    return ColumnReader(field, 1, column).fill(value, 1);
}

Result<std::vector<std::size_t>> find_fields(const ScalarFields& fields,
                                             std::span<const std::string> names) {
    std::vector<std::size_t> found;
    for (const std::string& name : names) {
        const auto field = std::find_if(
            fields.begin(), fields.end(), [&](const auto& each) { return each.name == name; });
        if (field == fields.end()) {
            return no_such_field(fields, name);
        }
        found.push_back(static_cast<std::size_t>(field - fields.begin()));
    }
    return found;
}

}  // namespace vecdb::collection
