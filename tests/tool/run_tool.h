#pragma once

/// \file
/// Running the vecdb tool and small files to run it on.

#include "support/temp_directory.h"

#include <vecdb/dataset_io.h>

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace vecdb::test {

/// What a run of the tool left.
struct ToolRun {
    int exit_code = -1;
    std::string out;
    std::string err;

    [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(out); }
    /// Tell whether `err` is one line "vecdb: ..." that holds every one of `parts`.
    [[nodiscard]] bool says(const std::vector<std::string>& parts) const;
};

/// How to run the tool.
struct ToolSetting {
    /// VECDB_SIMD; empty leaves it as it is.
    std::string simd = {};
    /// Standard error is a terminal.
    bool terminal = false;
};

/// Run the tool and wait for its end.
[[nodiscard]] ToolRun run_tool(const std::vector<std::string>& arguments,
                               const ToolSetting& setting = {});

/// Files that the tests read: `base.npy` holds five points (i, 0), i = 0..4; `queries.npy` holds
/// (0.2, 0) and (3.9, 0).
class ToolFiles {
  public:
    ToolFiles();

    [[nodiscard]] std::string operator()(const std::string& name) const {
        return (directory_ / name).string();
    }
    template <Item T>
    std::string write(const std::string& name, const std::vector<T>& items, std::size_t dim) const {
        write_dataset((*this)(name), ItemsView(items.data(), items.size() / dim, dim)).check();
        return (*this)(name);
    }
    /// Write one byte a row.
    [[nodiscard]] std::string mask(const std::string& name,
                                   const std::vector<std::uint8_t>& rows) const {
        write_dataset((*this)(name), ItemsView::column(rows)).check();
        return (*this)(name);
    }

  private:
    TempDirectory directory_;  // first: the files below are written into it

  public:
    std::string base;
    std::string queries;
};

}  // namespace vecdb::test
