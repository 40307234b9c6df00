#pragma once

/// \file
/// What a run found: Markdown tables as it goes, one JSON object at its end.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace vecdb::bench {

/// One entry of a row: what the table shows, and what the file keeps.
struct Cell {
    std::string key;    ///< In the JSON.
    std::string title;  ///< Head of the column.
    std::string text;
    nlohmann::ordered_json value;
};

[[nodiscard]] Cell text(std::string key, std::string title, std::string value);
/// Show `digits` places after the point; the JSON keeps all.
[[nodiscard]] Cell number(std::string key, std::string title, double value, int digits);
[[nodiscard]] Cell count(std::string key, std::string title, std::size_t value);
/// Show nothing; the JSON has null.
[[nodiscard]] Cell none(std::string key, std::string title);

/// Return the value, or null.
[[nodiscard]] nlohmann::ordered_json optional_json(const std::optional<double>& value);

/// Collect and print.
class Report {
  public:
    /// State something about the whole run.
    void about(std::string_view title, const std::string& value);
    /// Begin a section; its first row makes the table's head.
    void section(std::string_view key, std::string_view title);
    /// Print a row at once; all rows of a section have the same columns.
    void row(const std::vector<Cell>& cells);
    /// Print a line of text in the section, and keep what it says in the JSON if there is more.
    void line(const std::string& text, const nlohmann::ordered_json& kept = nullptr);
    /// Record that answers were wrong: the run fails, and says so at its end.
    void fault(const std::string& what);

    [[nodiscard]] bool ok() const noexcept { return faults_.empty(); }
    [[nodiscard]] const std::vector<std::string>& faults() const noexcept { return faults_; }
    [[nodiscard]] nlohmann::ordered_json json() const;

  private:
    nlohmann::ordered_json about_ = nlohmann::ordered_json::object();
    nlohmann::ordered_json sections_ = nlohmann::ordered_json::object();
    std::string current_;
    std::vector<std::string> faults_;
};

}  // namespace vecdb::bench
