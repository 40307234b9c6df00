#include "compare/report.h"

#include <cstdio>
#include <utility>

namespace vecdb::bench {

Cell text(std::string key, std::string title, std::string value) {
    return {std::move(key), std::move(title), value, value};
}

Cell number(std::string key, std::string title, double value, int digits) {
    char shown[64];
    std::snprintf(shown, sizeof(shown), "%.*f", digits, value);
    return {std::move(key), std::move(title), shown, value};
}

Cell count(std::string key, std::string title, std::size_t value) {
    return {std::move(key), std::move(title), std::to_string(value), value};
}

Cell none(std::string key, std::string title) {
    return {std::move(key), std::move(title), "", nullptr};
}

nlohmann::ordered_json optional_json(const std::optional<double>& value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

void Report::about(std::string_view title, const std::string& value) {
    about_[std::string(title)] = value;
    std::printf("- %.*s: %s\n", static_cast<int>(title.size()), title.data(), value.c_str());
    std::fflush(stdout);
}

void Report::section(std::string_view key, std::string_view title) {
    current_ = key;
    sections_[current_] = nlohmann::ordered_json::array();
    std::printf("\n## %.*s\n\n", static_cast<int>(title.size()), title.data());
    std::fflush(stdout);
}

void Report::row(const std::vector<Cell>& cells) {
    nlohmann::ordered_json& rows = sections_[current_];
    std::string head;
    std::string rule;
    std::string line;
    nlohmann::ordered_json object;
    for (const Cell& cell : cells) {
        head += "| " + cell.title + ' ';
        rule += cell.value.is_string() ? "|---" : "|---:";
        line += "| " + cell.text + ' ';
        object[cell.key] = cell.value;
    }
    if (rows.empty()) std::printf("%s|\n%s|\n", head.c_str(), rule.c_str());
    std::printf("%s|\n", line.c_str());
    std::fflush(stdout);
    rows.push_back(std::move(object));
}

void Report::line(const std::string& text, const nlohmann::ordered_json& kept) {
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
    if (!kept.is_null()) sections_[current_].push_back(kept);
}

void Report::fault(const std::string& what) {
    faults_.push_back(what);
}

nlohmann::ordered_json Report::json() const {
    return {{"about", about_}, {"sections", sections_}, {"faults", faults_}};
}

}  // namespace vecdb::bench
