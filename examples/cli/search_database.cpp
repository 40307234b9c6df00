#include "database_access.h"
#include "exit_code.h"
#include "field_values.h"
#include "fields.h"
#include "hits.h"
#include "output.h"
#include "row_options.h"
#include "search_command.h"
#include "vector_file.h"
#include "vector_text.h"

#include <vecdb/collection.h>
#include <vecdb/database.h>
#include <vecdb/simd.h>

#include <chrono>
#include <string>
#include <vector>

namespace vecdb::cli {
namespace {

void check_options(const SearchCommand& command) {
    if (command.query_row) {
        throw CommandError(
            ExitCode::kUsage,
            "--query-row: " + command.path + " is a database; --query-id names one of its vectors");
    }
    if (command.metric_given) {
        throw CommandError(
            ExitCode::kUsage,
            "--metric: " + command.path + " is a database, its collections have one");
    }
}

/// Return the vector field that --field names, the first without it.
const VectorField& choose_vectors(const Collection& collection, const SearchCommand& command) {
    const std::vector<VectorField>& fields = collection.schema().vectors;
    if (!command.field) return fields[0];
    const VectorField* field = find_field(fields, *command.field);
    if (field != nullptr) return *field;
    throw CommandError(ExitCode::kUsage,
                       "--field: " + no_field_text(collection, fields, *command.field));
}

SearchOptions options_of(const SearchCommand& command, const VectorField& field) {
    SearchOptions options{.k = command.settings.k,
                          .offset = command.offset,
                          .score_threshold = command.score_threshold,
                          .group_by = command.group_by,
                          .field = field.name,
                          .threads = command.settings.thread_count(),
                          .exact = command.exact,
                          .allow_partial = command.allow_partial};
    options.filter = filter_of(command.where);
    if (command.settings.allowed_path.empty()) return options;
    const auto mask = value_of(read_mask(command.settings.allowed_path), ExitCode::kInput);
    Bitset bits(mask.size());
    for (std::size_t id = 0; id < mask.size(); ++id)
        bits.set(id, mask[id] != 0);
    const Filter allowed = Filter::allow(bits);
    options.filter = command.where ? options.filter && allowed : allowed;
    return options;
}

SearchResult search_by_id(const Collection& collection, Id id, const SearchOptions& options) {
    const FetchedRows row = value_of(collection.get(id, {&options.field, 1}), ExitCode::kInput);
    if (!row.found[0]) {
        throw CommandError(
            ExitCode::kUsage,
            "--query-id: " + owner_text(collection) + " has no row " + std::to_string(id));
    }
    return value_of(collection.search(row.vectors[0].view(), options), ExitCode::kInput);
}

SearchResult search_by_file(const Collection& collection,
                            const VectorField& field,
                            const std::string& path,
                            const SearchOptions& options) {
    VectorFile file(path, field.element_type);
    file.expect(field.dim, owner_text(collection, field), true);
    if (file.rows() == 0) throw CommandError(ExitCode::kInput, path + ": no queries in the file");
    const MatrixView queries = file.read(0, file.rows());
    Result<SearchResult> result = collection.search(queries, options);
    if (result.status().code() == StatusCode::kInvalidArgument) {
        throw CommandError(ExitCode::kInput, path + ": " + result.status().message());
    }
    return value_of(std::move(result), ExitCode::kInput);
}

/// Refuse to group by what is no field, before any query is read.
void check_group(const Collection& collection, const std::string& field) {
    const std::vector<ScalarField>& fields = collection.schema().scalars;
    if (field.empty() || find_field(fields, field) != nullptr) return;
    throw CommandError(ExitCode::kUsage, "--group-by: " + no_field_text(collection, fields, field));
}

/// Fetch values of all hits. The rows of a database that is only read stay as they are.
FieldValues fetch_values(const Collection& collection,
                         const SearchResult& result,
                         const std::vector<ScalarField>& fields) {
    FieldValues values(fields);
    if (fields.empty()) return values;
    for (std::size_t query = 0; query < result.queries(); ++query) {
        std::vector<Id> ids;
        for (const Hit& hit : result[query])
            ids.push_back(hit.id);
        values.append(value_of(collection.get(ids, names_of(fields)), ExitCode::kInput).columns);
    }
    return values;
}

}  // namespace

void search_database(const SearchCommand& command) {
    check_options(command);
    const Output output(command.json_path);
    const Database db = open_to_read(command.path);
    const Collection collection = choose_collection(db, command.path, command.collection);
    const VectorField& field = choose_vectors(collection, command);
    SearchOptions options = options_of(command, field);
    const std::vector<ScalarField> fields = choose_fields(collection, command.fields);
    check_group(collection, command.group_by);
    // Counting under a filter needs all rows, also with --allow-partial.
    const std::size_t allowed = options.filter.allows_all()
                                    ? collection.count()
                                    : value_under_where(collection.count(options.filter));
    SearchReport report;
    if (command.explain) {
        // One that does not remember the rows counted.
        options.filter = options_of(command, field).filter;
        options.report = &report;
    }

    const auto start = std::chrono::steady_clock::now();
    const SearchResult result =
        command.query_id ? search_by_id(collection, *command.query_id, options)
                         : search_by_file(collection, field, command.query_path, options);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;

    const FieldValues values = fetch_values(collection, result, fields);
    print_hits(output, result, "id", values);
    if (command.explain) output.text('\n' + report.to_text());
    Json answer = {{"database", command.path},
                   {"collection", collection.name()},
                   {"rows", collection.count()},
                   {"field", field.name},
                   {"dim", field.dim},
                   {"metric", to_string(field.metric)},
                   {"k", options.k},
                   {"where", json_of(command.where)},
                   {"allowed", allowed},
                   {"threads", options.threads},
                   {"simd", value_of(active_simd_level(), ExitCode::kUnsupported)},
                   {"search_ms", took.count()},
                   {"queries", hits_to_json(result, "id", values)}};
    if (command.explain) answer["explain"] = Json::parse(report.to_json());
    output.finish(answer);
}

}  // namespace vecdb::cli
