#pragma once

/// \file
/// Reading CSV files, after RFC 4180.

#include <cstddef>
#include <fstream>
#include <string>
#include <vector>

namespace vecdb::cli {

/// Bytes of one cell at most.
inline constexpr std::size_t kMaxCellBytes = std::size_t{1} << 20U;

struct CsvCell {
    std::string text;
    bool quoted = false;
};

/// Reads the records of a CSV file one after the other. Cells are separated by commas, records by
/// CRLF or LF; a cell in quotes may hold all of these, and a quote written twice. A byte order mark
/// at the beginning is passed over. Functions throw CommandError(kInput) naming file and line.
/// Threads: needs exclusive access.
class CsvReader {
  public:
    explicit CsvReader(const std::string& path);

    /// Read the next record into `cells`; false when there is none.
    [[nodiscard]] bool next(std::vector<CsvCell>& cells);

    /// Return the line, from 1, in which the record begins that next() read last.
    [[nodiscard]] std::size_t line() const noexcept { return line_; }

    /// Throw CommandError(kInput): the file, the line of the last record, and `what`.
    [[noreturn]] void fail(const std::string& what) const;

  private:
    void skip_byte_order_mark();
    [[nodiscard]] int peek() { return file_.sgetc(); }
    /// Go past the next byte if it is `c`.
    [[nodiscard]] bool take(char c);
    void append(std::string& text, int c);
    void read_cell(CsvCell& cell);
    void read_quoted(std::string& text);
    void read_plain(std::string& text);
    void end_record();

    std::string path_;
    std::filebuf file_;
    std::size_t line_ = 0;
    std::size_t next_line_ = 1;
};

}  // namespace vecdb::cli
