#include "output.h"

#include "exit_code.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <system_error>
#include <utility>

namespace vecdb::cli {
namespace {

constexpr std::size_t kLabelWidth = 12;

/// Count the characters of UTF-8.
std::size_t width_of(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
}

std::vector<std::size_t> column_widths(const std::vector<std::vector<std::string>>& rows) {
    constexpr std::size_t kGap = 2;
    std::vector<std::size_t> widths;
    for (const std::vector<std::string>& row : rows) {
        widths.resize(std::max(widths.size(), row.size()), kLabelWidth);
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], width_of(row[i]) + kGap);
    }
    return widths;
}

[[noreturn]] void fail_to_write(const std::string& path) {
    throw CommandError(ExitCode::kOther,
                       path + ": cannot be written: " + std::generic_category().message(errno));
}

}  // namespace

void add_json_option(CLI::App& command, std::string& json_path) {
    command.add_option("--json", json_path, "Write the answer as JSON; - is standard output")
        ->type_name("OUT");
}

Output::Output(std::string json_path) : json_path_(std::move(json_path)) {
    if (json_path_ != "-") check_writable(json_path_);
}

void Output::line(const std::string& label, const std::string& value) const {
    const std::size_t gap = label.size() < kLabelWidth ? kLabelWidth - label.size() : 1;
    text(label + std::string(gap, ' ') + value + '\n');
}

void Output::table(const std::vector<std::vector<std::string>>& rows) const {
    const std::vector<std::size_t> widths = column_widths(rows);
    for (const std::vector<std::string>& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            if (i + 1 < row.size()) line.append(widths[i] - width_of(row[i]), ' ');
        }
        text(line + '\n');
    }
}

void Output::text(const std::string& text) const {
    if (json_path_ != "-") std::cout << text;
}

void Output::finish(const Json& answer) const {
    const std::string document = answer.dump(2) + '\n';
    if (json_path_ == "-") {
        std::cout << document;
    } else {
        write_file(json_path_, document);
    }
    errno = 0;
    if (!std::cout.flush()) fail_to_write("standard output");
}

std::string csv_line(const std::vector<std::string>& cells) {
    std::string line;
    for (const std::string& cell : cells) {
        if (&cell != cells.data()) line += ',';
        if (cell.find_first_of(",\"\n") == std::string::npos) {
            line += cell;
            continue;
        }
        line += '"';
        for (const char c : cell)
            line += c == '"' ? std::string(2, c) : std::string(1, c);
        line += '"';
    }
    return line + '\n';
}

void check_writable(const std::string& path) {
    errno = 0;
    if (!path.empty() && !std::ofstream(path, std::ios::app)) fail_to_write(path);
}

void write_file(const std::string& path, const std::string& contents) {
    if (path.empty()) return;
    errno = 0;
    std::ofstream file(path, std::ios::trunc);
    file << contents;
    file.close();
    if (!file) fail_to_write(path);
}

std::string fixed(double value, int digits) {
    char buffer[400];  // the longest double in this form takes 309 digits before the point
    std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
    return buffer;
}

std::string grouped(std::uint64_t value) {
    std::string digits = std::to_string(value);
    for (std::size_t end = digits.size(); end > 3; end -= 3)
        digits.insert(end - 3, 1, ',');
    return digits;
}

std::string hexadecimal(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += kDigits[byte >> 4U];
        text += kDigits[byte & 15U];
    }
    return text;
}

std::string joined(const std::vector<std::string>& names) {
    std::string all;
    for (const std::string& name : names)
        all += (all.empty() ? "" : ", ") + name;
    return all.empty() ? "none" : all;
}

}  // namespace vecdb::cli
