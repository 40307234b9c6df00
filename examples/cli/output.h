#pragma once

/// \file
/// Where a command's answer goes: text to standard output, and JSON where --json says.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace vecdb::cli {

/// Keys in the order they are written.
using Json = nlohmann::ordered_json;

/// Add --json to a command.
void add_json_option(CLI::App& command, std::string& json_path);

/// Write one answer in both forms.
/// Threads: needs exclusive access.
class Output {
  public:
    /// `json_path` is a file, "-" for standard output, or empty for no JSON. With "-" nothing else
    /// goes to standard output. Throws CommandError at once when the file cannot be written, not
    /// after an hour of work.
    explicit Output(std::string json_path);

    /// Write one line of text, label and value in columns.
    void line(const std::string& label, const std::string& value) const;
    /// Write rows of cells in columns, none narrower than the labels of line().
    void table(const std::vector<std::vector<std::string>>& rows) const;
    /// Write text as it is.
    void text(const std::string& text) const;
    /// Write the JSON and make sure that everything reached its place; throws CommandError.
    void finish(const Json& answer) const;

  private:
    std::string json_path_;
};

/// Return one line of a CSV file; cells that need it are quoted.
[[nodiscard]] std::string csv_line(const std::vector<std::string>& cells);

/// Throw CommandError at once when a file cannot be written, not after an hour of work. An empty
/// path is none.
void check_writable(const std::string& path);
/// Replace a file's contents; throws CommandError. An empty path is none.
void write_file(const std::string& path, const std::string& contents);

/// Return the value; null if there is none.
template <class T>
[[nodiscard]] Json json_of(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

/// Format with `digits` after the point.
[[nodiscard]] std::string fixed(double value, int digits);
/// Format with commas between thousands.
[[nodiscard]] std::string grouped(std::uint64_t value);
/// Write each byte as two lower-case digits.
[[nodiscard]] std::string hexadecimal(std::string_view bytes);
/// Join names with ", "; "none" for no names.
[[nodiscard]] std::string joined(const std::vector<std::string>& names);

}  // namespace vecdb::cli
