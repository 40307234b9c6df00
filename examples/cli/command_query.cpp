// vecdb query: rows of a database by their values, without a vector.

#include "command.h"
#include "database_access.h"
#include "exit_code.h"
#include "field_values.h"
#include "fields.h"
#include "output.h"
#include "row_options.h"

#include <vecdb/collection.h>
#include <vecdb/database.h>
#include <vecdb/query.h>

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vecdb::cli {
namespace {

struct QueryCommand {
    std::string directory;
    std::string collection;
    std::optional<std::string> where;
    std::vector<std::string> fields;
    std::size_t limit = 100;
    std::optional<Id> after;
    std::string json_path;
};

void print(const Output& output,
           const QueryCommand& command,
           const std::vector<Id>& ids,
           const FieldValues& values) {
    std::vector<std::vector<std::string>> rows = {values.header({"id"})};
    for (std::size_t i = 0; i < ids.size(); ++i)
        rows.push_back(values.line(i, {std::to_string(ids[i])}));
    output.table(rows);
    if (ids.size() == command.limit) {
        output.text("--limit reached; --after " + std::to_string(ids.back()) + " goes on\n");
    }
}

Json to_json(const std::vector<Id>& ids, const FieldValues& values) {
    Json rows = Json::array();
    for (std::size_t i = 0; i < ids.size(); ++i)
        rows.push_back({{"id", ids[i]}, {"fields", values.to_json(i)}});
    return rows;
}

void run_query(const QueryCommand& command) {
    const Output output(command.json_path);
    QueryOptions options{
        .filter = filter_of(command.where), .limit = command.limit, .after = command.after};
    const Database db = open_to_read(command.directory);
    const Collection collection = choose_collection(db, command.directory, command.collection);
    const std::vector<ScalarField> fields = command.fields.empty()
                                                ? collection.schema().scalars
                                                : choose_fields(collection, command.fields);
    options.fields = names_of(fields);

    QueriedRows rows = value_under_where(collection.query(options));
    FieldValues values(fields);
    values.append(std::move(rows.columns));
    print(output, command, rows.ids, values);
    output.finish({{"database", command.directory},
                   {"collection", collection.name()},
                   {"where", json_of(command.where)},
                   {"limit", command.limit},
                   {"after", json_of(command.after)},
                   {"rows", to_json(rows.ids, values)}});
}

}  // namespace

void add_query(CLI::App& tool, Command& chosen) {
    constexpr std::size_t kMaxLimit = std::size_t{1} << 24U;  // of QueryOptions
    auto options = std::make_shared<QueryCommand>();
    CLI::App* command =
        tool.add_subcommand("query", "Show rows of a database by ascending id, without a vector");
    command->add_option("DIR", options->directory, "The database")->required();
    add_collection_option(*command, options->collection);
    add_where_option(*command, options->where);
    add_fields_option(*command, options->fields, "all");
    command->add_option("--limit", options->limit, "Rows wanted at most")
        ->check(CLI::Range(std::size_t{1}, kMaxLimit))
        ->capture_default_str();
    command->add_option("--after", options->after, "Only rows with larger ids")
        ->check(CLI::Range(Id{0}, std::numeric_limits<Id>::max()))
        ->type_name("ID");
    add_json_option(*command, options->json_path);
    command->callback([options, &chosen] {
        chosen = [options] {
            run_query(*options);
        };
    });
}

}  // namespace vecdb::cli
