// vecdb search: the rows of a file or of a database that are nearest to a query.

#include "command.h"
#include "exit_code.h"
#include "hits.h"
#include "import.h"
#include "inputs.h"
#include "output.h"
#include "row_options.h"
#include "search_command.h"

#include <vecdb/collection.h>
#include <vecdb/dataset_io.h>
#include <vecdb/simd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

namespace vecdb::cli {
namespace {

FloatMatrix read_query_row(const std::string& path, std::uint64_t row) {
    const DatasetReader reader = value_of(DatasetReader::open(path), ExitCode::kInput);
    const DatasetInfo& info = reader.info();
    if (row >= info.rows) {
        throw CommandError(ExitCode::kUsage,
                           "--query-row: " + std::to_string(row) + " is past the end, " + path +
                               " has " + std::to_string(info.rows) + " rows");
    }
    const auto dim = static_cast<std::size_t>(info.dim);
    FloatMatrix query{.rows = 1, .dim = dim, .values = std::vector<float>(dim)};
    check(reader.read_floats(row, 1, query.values), ExitCode::kInput);
    return query;
}

FloatMatrix read_query(const SearchCommand& options, std::size_t dim) {
    if (options.query_row) return read_query_row(options.path, *options.query_row);
    return read_queries(options.query_path, dim);
}

/// Refuse what is for databases only.
void check_options(const SearchCommand& command) {
    const char* wrong = nullptr;
    if (!command.collection.empty()) wrong = "--collection";
    if (command.where) wrong = "--where";
    if (!command.fields.empty()) wrong = "--fields";
    if (command.query_id) wrong = "--query-id";
    if (command.field) wrong = "--field";
    if (command.offset != 0) wrong = "--offset";
    if (command.score_threshold) wrong = "--score-threshold";
    if (!command.group_by.empty()) wrong = "--group-by";
    if (command.explain) wrong = "--explain";
    if (command.exact) wrong = "--exact";
    if (command.allow_partial) wrong = "--allow-partial";
    if (wrong == nullptr) return;
    throw CommandError(
        ExitCode::kUsage,
        std::string(wrong) + ": " + command.path + " is not the directory of a database");
}

void search_file(const SearchCommand& options) {
    check_options(options);
    const Output output(options.json_path);
    const SearchSettings& settings = options.settings;
    const DatasetInfo info = value_of(describe_dataset(options.path), ExitCode::kInput);
    const FloatMatrix queries = read_query(options, static_cast<std::size_t>(info.dim));
    const Allowed allowed =
        read_allowed(settings.allowed_path, static_cast<std::size_t>(info.rows));
    const Collection collection = import_file(options.path, settings.metric());

    const auto start = std::chrono::steady_clock::now();
    const SearchResult result = value_of(
        collection.search(
            queries.view(),
            {.k = settings.k, .filter = allowed.filter, .threads = settings.thread_count()}),
        ExitCode::kInput);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;

    print_hits(output, result, "row");
    output.finish({{"file", options.path},
                   {"rows", collection.count()},
                   {"dim", info.dim},
                   {"metric", settings.metric_name},
                   {"k", settings.k},
                   {"allowed", allowed.count},
                   {"threads", settings.thread_count()},
                   {"simd", value_of(active_simd_level(), ExitCode::kUnsupported)},
                   {"search_ms", took.count()},
                   {"queries", hits_to_json(result, "row")}});
}

/// Tell whether the path is a database's, or would be one if anything were there.
bool asks_database(const SearchCommand& options) {
    std::error_code error;
    const auto status = std::filesystem::status(options.path, error);
    if (std::filesystem::exists(status)) return std::filesystem::is_directory(status);
    return options.query_id || options.field || !options.collection.empty() || options.where ||
           !options.fields.empty();
}

}  // namespace

void add_search(CLI::App& tool, Command& chosen) {
    auto options = std::make_shared<SearchCommand>();
    CLI::App* command = tool.add_subcommand(
        "search", "Find the rows of a file or of a database nearest to a query");
    command
        ->add_option("FILE",
                     options->path,
                     "The vectors: .npy, .fvecs, .fbin, ..., or the directory of a database")
        ->required();
    CLI::Option_group* query = command->add_option_group("Query", "What to look for");
    query->add_option("--query-row", options->query_row, "Row N of FILE")->type_name("N");
    query->add_option("--query-id", options->query_id, "A row of the database")->type_name("ID");
    query->add_option("--query,--queries", options->query_path, "Every row of a file")
        ->type_name("Q.npy");
    query->require_option(1);
    add_collection_option(*command, options->collection);
    command
        ->add_option("--field",
                     options->field,
                     "In a database: the vector field that the query is compared with; the first")
        ->type_name("NAME");
    add_where_option(*command, options->where);
    add_fields_option(*command, options->fields, "none");
    command
        ->add_option("--offset",
                     options->offset,
                     "In a database: pass over so many of the nearest rows first")
        ->type_name("N");
    command
        ->add_option("--score-threshold",
                     options->score_threshold,
                     "In a database: leave out rows whose score is worse")
        ->type_name("SCORE");
    command
        ->add_option("--group-by",
                     options->group_by,
                     "In a database: only the nearest row of each value of a scalar field")
        ->type_name("FIELD");
    command->add_flag(
        "--explain",
        options->explain,
        "In a database: say what was done in each segment, why, and how long it took");
    command->add_flag("--exact", options->exact, "In a database: past the index");
    command->add_flag("--allow-partial",
                      options->allow_partial,
                      "In a database: search what is left of rows whose files are damaged");
    add_search_settings(*command, options->settings);
    add_json_option(*command, options->json_path);
    command->callback([options, command, &chosen] {
        options->metric_given = command->count("--metric") != 0;
        chosen = [options] {
            asks_database(*options) ? search_database(*options) : search_file(*options);
        };
    });
}

}  // namespace vecdb::cli
