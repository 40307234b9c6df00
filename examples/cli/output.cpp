#include "output.h"

#include "exit_code.h"

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <system_error>
#include <utility>

namespace vecdb::cli {
namespace {

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
    if (json_path_.empty() || json_path_ == "-") return;
    errno = 0;
    if (!std::ofstream(json_path_, std::ios::app)) fail_to_write(json_path_);
}

void Output::line(const std::string& label, const std::string& value) const {
    constexpr std::size_t kLabelWidth = 12;
    const std::size_t gap = label.size() < kLabelWidth ? kLabelWidth - label.size() : 1;
    text(label + std::string(gap, ' ') + value + '\n');
}

void Output::text(const std::string& text) const {
    if (json_path_ != "-") std::cout << text;
}

void Output::finish(const Json& answer) const {
    const std::string document = answer.dump(2) + '\n';
    errno = 0;
    if (json_path_ == "-") {
        std::cout << document;
    } else if (!json_path_.empty()) {
        std::ofstream file(json_path_, std::ios::trunc);
        file << document;
        file.close();
        if (!file) fail_to_write(json_path_);
    }
    if (!std::cout.flush()) fail_to_write("standard output");
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

std::string joined(const std::vector<std::string>& names) {
    std::string all;
    for (const std::string& name : names)
        all += (all.empty() ? "" : ", ") + name;
    return all.empty() ? "none" : all;
}

}  // namespace vecdb::cli
