#include "csv_reader.h"

#include "exit_code.h"
#include "output.h"

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace vecdb::cli {
namespace {

constexpr int kEnd = std::filebuf::traits_type::eof();

}  // namespace

CsvReader::CsvReader(const std::string& path) : path_(path) {
    // Others can be read only once.
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
        throw CommandError(ExitCode::kInput, path + ": is not a regular file");
    }
    errno = 0;
    if (file_.open(path, std::ios::in | std::ios::binary) == nullptr) {
        throw CommandError(ExitCode::kInput,
                           path + ": cannot be opened: " + std::generic_category().message(errno));
    }
    skip_byte_order_mark();
}

void CsvReader::skip_byte_order_mark() {
    constexpr std::string_view kMark = "\xEF\xBB\xBF";
    char first[kMark.size()] = {};
    const std::streamsize size = file_.sgetn(first, kMark.size());
    if (std::string_view(first, static_cast<std::size_t>(size)) != kMark) file_.pubseekpos(0);
}

bool CsvReader::next(std::vector<CsvCell>& cells) {
    line_ = next_line_;
    if (peek() == kEnd) return false;
    std::size_t count = 0;
    do {
        if (count == cells.size()) cells.emplace_back();
        read_cell(cells[count++]);
    } while (take(','));
    cells.resize(count);
    end_record();
    return true;
}

void CsvReader::fail(const std::string& what) const {
    throw CommandError(ExitCode::kInput, path_ + ", line " + std::to_string(line_) + ": " + what);
}

bool CsvReader::take(char c) {
    if (peek() != std::filebuf::traits_type::to_int_type(c)) return false;
    file_.sbumpc();
    return true;
}

void CsvReader::append(std::string& text, int c) {
    if (text.size() == kMaxCellBytes) {
        fail("a cell has more than " + grouped(kMaxCellBytes) + " bytes; is a quote missing?");
    }
    text += std::filebuf::traits_type::to_char_type(c);
}

void CsvReader::read_cell(CsvCell& cell) {
    cell.text.clear();
    cell.quoted = take('"');
    if (cell.quoted) {
        read_quoted(cell.text);
    } else {
        read_plain(cell.text);
    }
}

void CsvReader::read_quoted(std::string& text) {
    for (;;) {
        const int c = file_.sbumpc();
        if (c == kEnd) fail("the file ends within a cell in quotes");
        if (c == '"' && !take('"')) return;
        if (c == '\n') ++next_line_;
        append(text, c);
    }
}

void CsvReader::read_plain(std::string& text) {
    for (int c = peek(); c != kEnd && c != ',' && c != '\n' && c != '\r'; c = peek()) {
        if (c == '"') fail("a quote within a cell that does not begin with one");
        append(text, c);
        file_.sbumpc();
    }
}

void CsvReader::end_record() {
    const bool carriage_return = take('\r');
    if (take('\n')) {
        ++next_line_;
        return;
    }
    if (carriage_return) fail("a carriage return without a line feed");
    if (peek() != kEnd) fail("text behind a cell in quotes");
}

}  // namespace vecdb::cli
