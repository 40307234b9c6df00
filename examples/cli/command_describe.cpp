// vecdb describe: what a file of vectors or of integers holds, or which file of a database it is.

#include "command.h"
#include "database_file.h"
#include "exit_code.h"
#include "output.h"

#include <vecdb/dataset_io.h>

#include <memory>
#include <optional>
#include <string>

namespace vecdb::cli {
namespace {

struct DescribeOptions {
    std::string path;
    std::string json_path;
};

void show_database_file(const Output& output, const std::string& path, const DatabaseFile& file) {
    output.line("file", path);
    output.line("format", "file of a database");
    output.line("kind", file.kind_name());
    output.line("number", std::to_string(file.number));
    output.line("database", file.database);
    output.line("version",
                std::to_string(file.version) + ", to be read by " +
                    std::to_string(file.reader_version) + " or later");
    output.line("bytes", grouped(file.bytes));
    output.finish({{"file", path},
                   {"format", "vecdb"},
                   {"kind", file.kind_name()},
                   {"number", file.number},
                   {"database", file.database},
                   {"version", file.version},
                   {"reader_version", file.reader_version},
                   {"file_bytes", file.bytes}});
}

void run_describe(const DescribeOptions& options) {
    const Output output(options.json_path);
    if (const std::optional<DatabaseFile> file = read_database_file(options.path)) {
        show_database_file(output, options.path, *file);
        return;
    }
    const DatasetInfo info = value_of(describe_dataset(options.path), ExitCode::kInput);
    const std::string format(to_string(info.format));
    const std::string item(to_string(info.item));

    output.line("file", options.path);
    output.line("format", format);
    output.line("items", item);
    output.line("rows", grouped(info.rows));
    output.line("dimension", grouped(info.dim) + (info.one_dimensional ? " (one axis)" : ""));
    output.line("bytes", grouped(info.file_bytes));
    output.finish({{"file", options.path},
                   {"format", format},
                   {"item", item},
                   {"rows", info.rows},
                   {"dim", info.dim},
                   {"one_dimensional", info.one_dimensional},
                   {"file_bytes", info.file_bytes}});
}

}  // namespace

void add_describe(CLI::App& tool, Command& chosen) {
    auto options = std::make_shared<DescribeOptions>();
    CLI::App* command = tool.add_subcommand("describe", "Check a file and show what it holds");
    command
        ->add_option("FILE",
                     options->path,
                     ".npy, .fvecs, .ivecs, .bvecs, .fbin, .ibin, ..., or a file of a database")
        ->required();
    add_json_option(*command, options->json_path);
    command->callback([options, &chosen] {
        chosen = [options] {
            run_describe(*options);
        };
    });
}

}  // namespace vecdb::cli
