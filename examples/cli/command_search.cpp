// vecdb search: the rows of a file that are nearest to a query.

#include "command.h"
#include "exit_code.h"
#include "import.h"
#include "inputs.h"
#include "output.h"

#include <vecdb/collection.h>
#include <vecdb/dataset_io.h>
#include <vecdb/simd.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace vecdb::cli {
namespace {

struct CommandOptions {
    std::string path;
    std::string query_path;
    std::optional<std::uint64_t> query_row;
    SearchSettings settings;
    std::string json_path;
};

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

FloatMatrix read_query(const CommandOptions& options, std::size_t dim) {
    if (options.query_row) return read_query_row(options.path, *options.query_row);
    return read_queries(options.query_path, dim);
}

void print_hits(const Output& output, const SearchResult& result) {
    for (std::size_t query = 0; query < result.queries(); ++query) {
        if (result.queries() > 1) output.text("query " + std::to_string(query) + '\n');
        output.line("row", "score");
        for (const Hit& hit : result[query]) {
            output.line(std::to_string(hit.id), fixed(static_cast<double>(hit.score), 6));
        }
    }
}

Json hits_to_json(const SearchResult& result) {
    Json queries = Json::array();
    for (std::size_t query = 0; query < result.queries(); ++query) {
        Json hits = Json::array();
        for (const Hit& hit : result[query])
            hits.push_back({{"row", hit.id}, {"score", hit.score}});
        queries.push_back({{"query", query}, {"hits", hits}});
    }
    return queries;
}

void run_search(const CommandOptions& options) {
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

    print_hits(output, result);
    output.finish({{"file", options.path},
                   {"rows", collection.count()},
                   {"dim", info.dim},
                   {"metric", settings.metric_name},
                   {"k", settings.k},
                   {"allowed", allowed.count},
                   {"threads", settings.thread_count()},
                   {"simd", value_of(active_simd_level(), ExitCode::kUnsupported)},
                   {"search_ms", took.count()},
                   {"queries", hits_to_json(result)}});
}

}  // namespace

void add_search(CLI::App& tool, Command& chosen) {
    auto options = std::make_shared<CommandOptions>();
    CLI::App* command = tool.add_subcommand("search", "Find the rows of a file nearest to a query");
    command->add_option("FILE", options->path, "The vectors: .npy, .fvecs, .fbin, ...")->required();
    CLI::Option_group* query = command->add_option_group("Query", "What to look for");
    query->add_option("--query-row", options->query_row, "Row N of FILE")->type_name("N");
    query->add_option("--query", options->query_path, "Every row of a file")->type_name("Q.npy");
    query->require_option(1);
    add_search_settings(*command, options->settings);
    add_json_option(*command, options->json_path);
    command->callback([options, &chosen] {
        chosen = [options] {
            run_search(*options);
        };
    });
}

}  // namespace vecdb::cli
