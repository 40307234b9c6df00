// vecdb info: what this build is and what it finds on this machine, or what a database holds.

#include "command.h"
#include "database_info.h"
#include "exit_code.h"
#include "output.h"

#include <vecdb/simd.h>
#include <vecdb/version.h>

#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace vecdb::cli {
namespace {

struct InfoOptions {
    bool system = false;
    std::string directory;
    std::string json_path;
};

std::string compiler() {
#if defined(__clang__)
    return std::string("clang ") + __clang_version__;
#elif defined(__GNUC__)
    return std::string("g++ ") + __VERSION__;
#else
    return "unknown";
#endif
}

std::vector<std::string> strings(const std::vector<std::string_view>& views) {
    return {views.begin(), views.end()};
}

void run_system(const InfoOptions& options) {
    const Output output(options.json_path);
    const std::string active(value_of(active_simd_level(), ExitCode::kUnsupported));
    const auto available = strings(available_simd_levels());
    const auto compiled = strings(compiled_simd_levels());
    const unsigned threads = std::thread::hardware_concurrency();

    output.line("vecdb", std::string(version()));
    output.line("compiler", compiler());
    output.line(
        "SIMD",
        active + " (available: " + joined(available) + "; compiled: " + joined(compiled) + ")");
    output.line("threads", std::to_string(threads));
    output.line("BLAS", "none; the library uses none");
    output.line("CUDA", "not built");
    output.finish({{"version", version()},
                   {"compiler", compiler()},
                   {"simd", active},
                   {"simd_available", available},
                   {"simd_compiled", compiled},
                   {"threads", threads},
                   {"blas", nullptr},
                   {"cuda", false}});
}

}  // namespace

void add_info(CLI::App& tool, Command& chosen) {
    auto options = std::make_shared<InfoOptions>();
    CLI::App* command =
        tool.add_subcommand("info", "Show the build and the machine, or a database");
    CLI::Option_group* what = command->add_option_group("What", "One of");
    what->add_option(
        "DIR", options->directory, "A database: its collections and how it was closed");
    what->add_flag("--system", options->system, "Version, compiler, SIMD levels, threads");
    what->require_option(1);
    add_json_option(*command, options->json_path);
    command->callback([options, &chosen] {
        chosen = [options] {
            if (options->system) return run_system(*options);
            show_database(Output(options->json_path), options->directory);
        };
    });
}

}  // namespace vecdb::cli
