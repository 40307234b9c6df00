// vecdb compact: indexes over all rows, without those that were removed.

#include "command.h"
#include "database_access.h"
#include "exit_code.h"
#include "import.h"
#include "output.h"

#include <vecdb/collection.h>
#include <vecdb/database.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace vecdb::cli {
namespace {

struct CompactOptions {
    std::string directory;
    std::string collection;
    bool flush = false;
    std::size_t build_threads = 1;
    std::size_t keep_seconds = 60;
    std::string json_path;
};

std::vector<Collection> chosen_of(const Database& db, const CompactOptions& options) {
    std::vector<Collection> all;
    if (!options.collection.empty()) {
        all.push_back(choose_collection(db, options.directory, options.collection));
        return all;
    }
    for (const std::string& name : db.list_collections())
        all.push_back(value_of(db.collection(name), ExitCode::kInput));
    return all;
}

Json compact(const Output& output, Collection& collection, const CompactOptions& options) {
    const auto start = std::chrono::steady_clock::now();
    const Health before = value_of(collection.health(), ExitCode::kInput);
    if (options.flush) {
        check_write(collection.flush({.threads = options.build_threads}));
    } else {
        build_index(collection, options.build_threads);
    }
    const Health after = value_of(collection.health(), ExitCode::kInput);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    output.line("collection",
                collection.name() + ", " + counted(after.live_rows, "row") + ", segments " +
                    grouped(before.sealed_segments) + " -> " + grouped(after.sealed_segments) +
                    ", removed rows " + grouped(before.removed_rows) + " -> " +
                    grouped(after.removed_rows) + ", " + fixed(took.count(), 3) + " s");
    return {{"name", collection.name()},
            {"rows", after.live_rows},
            {"segments_before", before.sealed_segments},
            {"segments", after.sealed_segments},
            {"removed_before", before.removed_rows},
            {"removed", after.removed_rows},
            {"seconds", took.count()}};
}

void run_compact(const CompactOptions& options) {
    const Output output(options.json_path);
    const DirectorySize before = size_of(options.directory);
    Database db = value_of(Database::open(options.directory,
                                          {.mode = OpenMode::kOpen,
                                           .keep_replaced = std::chrono::seconds(
                                               static_cast<std::int64_t>(options.keep_seconds))}),
                           ExitCode::kInput);
    output.line("database", options.directory);
    Json collections = Json::array();
    for (Collection& collection : chosen_of(db, options))
        collections.push_back(compact(output, collection, options));
    check_write(db.checkpoint());
    check_write(db.close());
    const DirectorySize after = size_of(options.directory);
    output.line("files",
                counted(before.bytes, "byte") + " -> " + grouped(after.bytes) + " in " +
                    counted(after.files, "file"));
    output.finish({{"database", options.directory},
                   {"collections", collections},
                   {"bytes_before", before.bytes},
                   {"bytes", after.bytes},
                   {"files", after.files}});
}

}  // namespace

void add_compact(CLI::App& tool, Command& chosen) {
    constexpr std::size_t kDay = 86'400;
    auto options = std::make_shared<CompactOptions>();
    CLI::App* command = tool.add_subcommand(
        "compact", "Build the indexes of a database anew, without removed rows, and save all");
    command->add_option("DIR", options->directory, "The database")->required();
    command->add_option("--collection", options->collection, "This one only")->type_name("NAME");
    command->add_flag(
        "--flush", options->flush, "Index only what is not yet indexed, which is faster");
    command->add_option("--build-threads", options->build_threads, "0: as many as the machine has")
        ->check(CLI::Range(std::size_t{0}, kMaxThreads))
        ->capture_default_str();
    command
        ->add_option("--keep-replaced",
                     options->keep_seconds,
                     "Seconds that replaced files stay for readers in other processes")
        ->check(CLI::Range(std::size_t{0}, kDay))
        ->capture_default_str();
    add_json_option(*command, options->json_path);
    command->callback([options, &chosen] {
        chosen = [options] {
            run_compact(*options);
        };
    });
}

}  // namespace vecdb::cli
