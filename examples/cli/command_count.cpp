// vecdb count: the number of rows of a database that fulfil a condition.

#include "command.h"
#include "database_access.h"
#include "exit_code.h"
#include "output.h"
#include "row_options.h"

#include <vecdb/collection.h>
#include <vecdb/database.h>

#include <memory>
#include <optional>
#include <string>

namespace vecdb::cli {
namespace {

struct CountCommand {
    std::string directory;
    std::string collection;
    std::optional<std::string> where;
    std::string json_path;
};

void run_count(const CountCommand& command) {
    const Output output(command.json_path);
    const Filter filter = filter_of(command.where);
    const Database db = open_to_read(command.directory);
    const Collection collection = choose_collection(db, command.directory, command.collection);
    const std::size_t count = value_under_where(collection.count(filter));
    output.text(std::to_string(count) + '\n');
    output.finish({{"database", command.directory},
                   {"collection", collection.name()},
                   {"where", json_of(command.where)},
                   {"count", count}});
}

}  // namespace

void add_count(CLI::App& tool, Command& chosen) {
    auto options = std::make_shared<CountCommand>();
    CLI::App* command = tool.add_subcommand("count", "Count the rows of a database");
    command->add_option("DIR", options->directory, "The database")->required();
    add_collection_option(*command, options->collection);
    add_where_option(*command, options->where);
    add_json_option(*command, options->json_path);
    command->callback([options, &chosen] {
        chosen = [options] {
            run_count(*options);
        };
    });
}

}  // namespace vecdb::cli
