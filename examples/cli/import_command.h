#pragma once

/// \file
/// What `vecdb import` is asked, and the schema that it asks for. All functions throw CommandError.

#include <vecdb/collection.h>
#include <vecdb/dataset_io.h>
#include <vecdb/schema.h>
#include <vecdb/types.h>

#include <cstddef>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

namespace vecdb::cli {

struct ImportCommand {
    std::string path;
    std::string directory;
    std::string collection;
    std::string metric = "l2";
    std::string type;
    std::string index = "flat";
    std::optional<std::size_t> seal_rows;
    Id first_id = 0;
    std::string ids_path;
    std::string columns_path;
    bool upsert = false;
    std::size_t batch = 10'000;
    std::string sync = "each";
    bool no_index = false;
    std::size_t build_threads = 1;
    std::string json_path;
    // Whether the option stands on the command line.
    bool metric_given = false;
    bool index_given = false;
};

/// Add the options that say what a new collection is like.
void add_schema_options(CLI::App& command, ImportCommand& options);

/// Make the schema of a new collection, with the scalar fields that the header of --columns names;
/// checks the options before anything is made.
[[nodiscard]] Schema schema_of(const ImportCommand& options, const DatasetInfo& info);

/// Refuse options, and columns, that ask for another schema than that of a collection that is
/// there.
void check_same(const ImportCommand& options, const Schema& asked, const Collection& collection);

}  // namespace vecdb::cli
