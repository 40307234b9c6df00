#include "csv_columns.h"

#include "database_access.h"
#include "exit_code.h"
#include "progress_bar.h"
#include "scalar_text.h"

#include <vecdb/expression.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>
#include <utility>

namespace vecdb::cli {
namespace {

bool equals_in_any_case(const std::string& text, std::string_view lower) {
    return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
}

/// Read a bool; returns what is wrong with the text, nothing if it is one.
const char* read_value(const std::string& text, bool& value) {
    value = equals_in_any_case(text, "true");
    return value || equals_in_any_case(text, "false") ? "" : "is no ";
}

/// The same for a number.
template <class Number>
const char* read_value(const std::string& text, Number& value) {
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc::invalid_argument || rest != end || value != value) return "is no ";
    return error == std::errc() ? "" : "is past the range of ";
}

bool is_utf8(const std::string& text) {
    const auto is_ascii = [](char c) {
        return static_cast<unsigned char>(c) < 0x80;
    };
    if (std::all_of(text.begin(), text.end(), is_ascii)) return true;
    return (field("text") == text).status().ok();  // the library's own check
}

ScalarField read_field(const CsvReader& reader, const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) {
        reader.fail("'" + shown(text) +
                    "' is a name without a type; a header is as price:int64,brand:string?");
    }
    ScalarField field{.name = text.substr(0, colon), .nullable = text.ends_with('?')};
    std::string type = text.substr(colon + 1);
    if (field.nullable) type.pop_back();
    const std::optional<ScalarType> known = type_named(type);
    if (!known) {
        reader.fail("field '" + shown(field.name) + "' has type '" + shown(type) +
                    "'; there are bool, int64, double and string");
    }
    if (known == ScalarType::kBytes) {
        reader.fail("field '" + shown(field.name) + "' is bytes, which a CSV file cannot hold");
    }
    field.type = *known;
    return field;
}

}  // namespace

CsvColumns::CsvColumns(const std::string& path, CsvRows rows)
    : path_(path), rows_(std::move(rows)), reader_(path) {
    read_header();
}

void CsvColumns::read_header() {
    if (!reader_.next(cells_)) reader_.fail("no header, as price:int64,brand:string?");
    for (const CsvCell& cell : cells_) {
        ScalarField field = read_field(reader_, cell.text);
        for (const ScalarField& other : fields_) {
            if (other.name == field.name) reader_.fail("two fields '" + shown(field.name) + "'");
        }
        fields_.push_back(std::move(field));
    }
    values_.resize(fields_.size());
}

std::vector<ColumnView> CsvColumns::read(std::size_t count) {
    for (std::vector<Scalar>& column : values_)
        column.clear();
    for (std::size_t i = 0; i < count; ++i)
        read_row();
    if (done_ == rows_.count && reader_.next(cells_)) {
        reader_.fail("more records than the " + std::to_string(rows_.count) + " rows of " +
                     rows_.owner);
    }
    std::vector<ColumnView> views;
    for (std::size_t i = 0; i < fields_.size(); ++i)
        views.emplace_back(fields_[i].name, values_[i]);
    return views;
}

void CsvColumns::read_row() {
    if (!reader_.next(cells_)) {
        throw CommandError(ExitCode::kInput,
                           path_ + ": has " + std::to_string(done_) + " records, expected " +
                               std::to_string(rows_.count) + ", one for each row of " +
                               rows_.owner);
    }
    if (cells_.size() != fields_.size()) {
        reader_.fail("has " + counted(cells_.size(), "cell") + ", the header " +
                     std::to_string(fields_.size()));
    }
    for (std::size_t i = 0; i < fields_.size(); ++i)
        values_[i].push_back(value_of_cell(fields_[i], cells_[i]));
    ++done_;
}

Scalar CsvColumns::value_of_cell(const ScalarField& field, const CsvCell& cell) const {
    const auto fail = [&](const std::string& what) {
        reader_.fail("field '" + shown(field.name) + "': '" + shown(cell.text) + "' " + what);
    };
    const auto parsed = [&](auto value) -> Scalar {
        const std::string wrong = read_value(cell.text, value);
        if (!wrong.empty()) fail(wrong + type_name(field.type));
        return value;
    };
    if (cell.text.empty() && !cell.quoted) {
        if (!field.nullable) fail("is null, which the field does not take");
        return {};
    }
    switch (field.type) {
        case ScalarType::kBool:
            return parsed(false);
        case ScalarType::kInt64:
            return parsed(std::int64_t{0});
        case ScalarType::kDouble:
            return parsed(0.0);
        default:
            if (!is_utf8(cell.text)) fail("is not UTF-8");
            return cell.text;
    }
}

void check_columns(const std::string& path, const CsvRows& rows) {
    constexpr std::size_t kBatchRows = 10'000;
    CsvColumns columns(path, rows);
    ProgressBar progress("checking " + path, rows.count, "rows");
    std::size_t done = 0;
    do {
        const std::size_t count = std::min(kBatchRows, rows.count - done);
        (void)columns.read(count);
        done += count;
        progress.advance(count);
    } while (done < rows.count);
}

}  // namespace vecdb::cli
