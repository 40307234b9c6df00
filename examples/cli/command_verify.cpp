// vecdb verify and vecdb repair: whether a database is sound, and what can be done when it is not.

#include "command.h"
#include "database_access.h"
#include "exit_code.h"
#include "output.h"

#include <vecdb/database.h>
#include <vecdb/open_options.h>

#include <memory>
#include <string>

namespace vecdb::cli {
namespace {

struct DirectoryOptions {
    std::string directory;
    std::string json_path;
};

void run_verify(const DirectoryOptions& options) {
    const Output output(options.json_path);
    const VerifyReport report = value_of(Database::verify(options.directory), ExitCode::kInput);
    output.line("database", options.directory);
    output.line("read", counted(report.files, "file") + ", " + counted(report.bytes, "byte"));
    output.line("sound", report.sound() ? "yes" : "no");
    Json damage = Json::array();
    for (const Damage& each : report.damage) {
        output.line("damage",
                    each.file + (each.section.empty() ? "" : ", section " + each.section) +
                        ", offset " + std::to_string(each.offset) + ": " + each.message);
        damage.push_back({{"file", each.file},
                          {"section", each.section},
                          {"offset", each.offset},
                          {"message", each.message}});
    }
    output.finish({{"database", options.directory},
                   {"sound", report.sound()},
                   {"files", report.files},
                   {"bytes", report.bytes},
                   {"damage", damage}});
    if (!report.sound()) {
        throw CommandError(ExitCode::kNotSound,
                           options.directory + ": damaged in " +
                               counted(report.damage.size(), "place") +
                               "; `vecdb repair` saves what can be saved");
    }
}

void run_repair(const DirectoryOptions& options) {
    const Output output(options.json_path);
    const Result<RepairReport> result = Database::repair(options.directory);
    // Nothing of it could be read: the answer is no, and not that a file does not fit.
    if (result.status().code() == StatusCode::kCorruption) {
        throw CommandError(ExitCode::kNotSound, result.status().message());
    }
    const RepairReport report = value_of(result, ExitCode::kInput);
    output.line("database", options.directory);
    output.line("indexes", grouped(report.rebuilt_indexes) + " built again");
    output.line("saved", counted(report.saved_rows, "row") + " of damaged files");
    for (const std::string& file : report.set_aside)
        output.line("set aside", file);
    for (const std::string& lost : report.lost)
        output.line("lost", lost);
    output.finish({{"database", options.directory},
                   {"rebuilt_indexes", report.rebuilt_indexes},
                   {"saved_rows", report.saved_rows},
                   {"set_aside", report.set_aside},
                   {"lost", report.lost}});
    if (!report.lost.empty()) {
        throw CommandError(ExitCode::kNotSound,
                           options.directory + ": repaired, but for " +
                               counted(report.lost.size(), "thing") + " that could not be saved");
    }
}

void add(CLI::App& tool,
         Command& chosen,
         const std::string& name,
         const std::string& about,
         void (*run)(const DirectoryOptions&)) {
    auto options = std::make_shared<DirectoryOptions>();
    CLI::App* command = tool.add_subcommand(name, about);
    command->add_option("DIR", options->directory, "The database")->required();
    add_json_option(*command, options->json_path);
    command->callback([options, run, &chosen] {
        chosen = [options, run] {
            run(*options);
        };
    });
}

}  // namespace

void add_verify(CLI::App& tool, Command& chosen) {
    add(tool,
        chosen,
        "verify",
        "Check every byte of a database; code 1 when it is damaged",
        run_verify);
}

void add_repair(CLI::App& tool, Command& chosen) {
    add(tool,
        chosen,
        "repair",
        "Make a damaged database one that can be used; code 1 when something was lost",
        run_repair);
}

}  // namespace vecdb::cli
