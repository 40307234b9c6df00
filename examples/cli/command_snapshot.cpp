// vecdb snapshot and vecdb restore: copies of a database.

#include "command.h"
#include "database_access.h"
#include "exit_code.h"
#include "output.h"

#include <vecdb/database.h>

#include <chrono>
#include <memory>
#include <string>

namespace vecdb::cli {
namespace {

struct CopyOptions {
    std::string from;
    std::string to;
    std::string json_path;
};

void copy_open(const CopyOptions& options) {
    Database db = open_to_write(options.from);
    check_write(db.snapshot_to(options.to));
    check_write(db.close());
}

void copy_closed(const CopyOptions& options) {
    check(Database::restore(options.from, options.to), ExitCode::kInput);
}

void run(const CopyOptions& options, void (*copy)(const CopyOptions&)) {
    const Output output(options.json_path);
    const auto start = std::chrono::steady_clock::now();
    copy(options);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    const DirectorySize size = size_of(options.to);
    output.line("from", options.from);
    output.line("to", options.to);
    output.line("files", grouped(size.files) + ", " + counted(size.bytes, "byte"));
    output.line("took", fixed(took.count(), 3) + " s");
    output.finish({{"from", options.from},
                   {"to", options.to},
                   {"files", size.files},
                   {"bytes", size.bytes},
                   {"seconds", took.count()}});
}

/// Names of a command and of its two directories.
struct Words {
    const char* name;
    const char* about;
    const char* from;
    const char* from_about;
    const char* to;
    const char* to_about;
};

void add(CLI::App& tool, Command& chosen, const Words& words, void (*copy)(const CopyOptions&)) {
    auto options = std::make_shared<CopyOptions>();
    CLI::App* command = tool.add_subcommand(words.name, words.about);
    command->add_option(words.from, options->from, words.from_about)->required();
    command->add_option(words.to, options->to, words.to_about)->required();
    add_json_option(*command, options->json_path);
    command->callback([options, copy, &chosen] {
        chosen = [options, copy] {
            run(*options, copy);
        };
    });
}

}  // namespace

void add_snapshot(CLI::App& tool, Command& chosen) {
    add(tool,
        chosen,
        {.name = "snapshot",
         .about = "Copy a database that nobody writes to; files are linked where that is possible",
         .from = "DIR",
         .from_about = "The database",
         .to = "TO",
         .to_about = "The copy: not there, or empty"},
        copy_open);
}

void add_restore(CLI::App& tool, Command& chosen) {
    add(tool,
        chosen,
        {.name = "restore",
         .about = "Make a database of a snapshot, after every byte of that was checked",
         .from = "FROM",
         .from_about = "The snapshot",
         .to = "DIR",
         .to_about = "The database: not there, or empty"},
        copy_closed);
}

}  // namespace vecdb::cli
