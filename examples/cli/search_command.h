#pragma once

/// \file
/// What `vecdb search` is asked.

#include "inputs.h"

#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vecdb::cli {

/// The options of the command; some are for files of vectors only, some for databases only.
struct SearchCommand {
    std::string path;
    std::string query_path;
    std::optional<std::uint64_t> query_row;  // file
    std::optional<Id> query_id;              // database
    std::optional<std::string> field;        // database
    std::string collection;                  // database
    std::optional<std::string> where;        // database
    std::vector<std::string> fields;         // database
    std::size_t offset = 0;                  // database
    std::optional<float> score_threshold;    // database
    std::string group_by;                    // database
    bool explain = false;                    // database
    bool exact = false;                      // database
    bool allow_partial = false;              // database
    bool metric_given = false;               // file
    SearchSettings settings;
    std::string json_path;
};

/// Search a collection of the database in the directory command.path. Throws CommandError.
void search_database(const SearchCommand& command);

}  // namespace vecdb::cli
