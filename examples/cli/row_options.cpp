#include "row_options.h"

#include "fields.h"

namespace vecdb::cli {

void add_collection_option(CLI::App& command, std::string& collection) {
    command.add_option("--collection", collection, "Of the database, or an alias; the only one")
        ->type_name("NAME");
}

void add_where_option(CLI::App& command, std::optional<std::string>& where) {
    command
        .add_option(
            "--where", where, "Of a database: rows whose fields fulfil this, as 'price < 50'")
        ->type_name("EXPRESSION");
}

void add_fields_option(CLI::App& command,
                       std::vector<std::string>& fields,
                       const std::string& none) {
    command.add_option("--fields", fields, "Of a database: fields to show of each row; " + none)
        ->type_name("A,B,C")
        ->delimiter(',')
        ->allow_extra_args(false);
}

Filter filter_of(const std::optional<std::string>& where) {
    return where ? value_under_where(Filter::parse(*where)) : Filter();
}

std::vector<ScalarField> choose_fields(const Collection& collection,
                                       const std::vector<std::string>& names) {
    std::vector<ScalarField> chosen;
    for (const std::string& name : names) {
        const std::vector<ScalarField>& scalars = collection.schema().scalars;
        const ScalarField* field = find_field(scalars, name);
        if (field == nullptr) {
            throw CommandError(ExitCode::kUsage,
                               "--fields: " + no_field_text(collection, scalars, name));
        }
        chosen.push_back(*field);
    }
    return chosen;
}

}  // namespace vecdb::cli
