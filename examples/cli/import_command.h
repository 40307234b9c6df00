#pragma once

/// \file
/// What `vecdb import` is asked, and the schema that it asks for. All functions throw CommandError.

#include <vecdb/collection.h>
#include <vecdb/index_options.h>
#include <vecdb/schema.h>
#include <vecdb/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

namespace vecdb::cli {

struct ImportCommand {
    std::string path;
    std::string directory;
    std::string collection;
    std::optional<std::string> field;
    std::optional<std::string> metric;
    std::optional<std::string> type;
    std::optional<std::string> index;
    std::vector<std::pair<std::string, std::string>> vectors;  // SPEC and file
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
};

/// What is asked of a vector field, and the file of its vectors. What is not given is as in a new
/// VectorField; the element type is then that of the file's items, bit under hamming and jaccard.
struct FieldRequest {
    std::string path;
    bool further = false;  ///< Asked for by --vectors; the first has options of its own.
    std::optional<std::string> name = {};
    std::optional<Metric> metric = {};
    std::optional<ElementType> type = {};
    std::optional<IndexOptions> index = {};
};

/// What is asked of a collection, and the size of the files.
struct ImportPlan {
    std::vector<FieldRequest> fields;  ///< That of FILE first, then those of --vectors.
    std::size_t rows = 0;              ///< Of every file.
    Schema schema = {};                ///< Of a new collection.

    /// Return what is asked of a vector field by its number in `vectors`, all those of a
    /// collection; null for nothing.
    [[nodiscard]] const FieldRequest* request_of(const std::vector<VectorField>& vectors,
                                                 std::size_t number) const;
};

/// Add the options that say what a new collection is like.
void add_schema_options(CLI::App& command, ImportCommand& options);

/// Read the options and the heads of the files, and make the schema of a new collection, with the
/// scalar fields that the header of --columns names; checks them before anything is made.
[[nodiscard]] ImportPlan plan_of(const ImportCommand& options);

/// Refuse options, and columns, that ask for another schema than that of a collection that is
/// there, and a vector field of it that has no vectors.
void check_same(const ImportCommand& options, const ImportPlan& plan, const Collection& collection);

}  // namespace vecdb::cli
