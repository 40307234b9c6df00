// The vecdb tool: look into files of vectors, search them, keep them in databases, and measure the
// library.

#include "command.h"
#include "exit_code.h"

#include <vecdb/simd.h>
#include <vecdb/version.h>

#include <iostream>
#include <new>
#include <string>

namespace {

using vecdb::cli::CommandError;
using vecdb::cli::ExitCode;

constexpr const char* kFooter =
    "Exit codes:\n"
    "  0  success\n"
    "  1  the command ran and the answer is no: an answer breaks a promise of the library, a\n"
    "     database is damaged, not all of it could be repaired\n"
    "  2  the command line is wrong\n"
    "  3  an input file or a database is missing, malformed, or does not fit the others\n"
    "  4  not supported by this version, build or machine, VECDB_SIMD included\n"
    "  5  anything else: output cannot be written, another writer has the database open, memory "
    "is\n"
    "     short, a defect\n\n"
    "Environment:\n"
    "  VECDB_SIMD  force an instruction set that `vecdb info --system` lists as available";

int fail(ExitCode code, const std::string& message) {
    // CLI11 breaks some of its messages; an error is one line.
    std::string line = message;
    for (char& c : line) {
        if (c == '\n' || c == '\r') c = ' ';
    }
    line.erase(line.find_last_not_of(' ') + 1);
    std::cerr << "vecdb: " << line << '\n';
    return static_cast<int>(code);
}

int run(const vecdb::cli::Command& command) {
    try {
        const auto level = vecdb::active_simd_level();
        if (!level) return fail(ExitCode::kUnsupported, level.status().message());
        command();
        return static_cast<int>(ExitCode::kOk);
    } catch (const CommandError& error) {
        return fail(error.code(), error.what());
    } catch (const std::bad_alloc&) {
        return fail(ExitCode::kOther, "out of memory");
    } catch (const std::exception& error) {
        return fail(ExitCode::kOther, error.what());
    }
}

int run_tool(int argc, char** argv) {
    CLI::App tool(
        "vecdb: look into files of vectors and databases, search them, and measure the library",
        "vecdb");
    tool.set_version_flag("--version", std::string(vecdb::version()));
    tool.footer(kFooter);
    tool.require_subcommand(1);

    vecdb::cli::Command chosen;
    vecdb::cli::add_describe(tool, chosen);
    vecdb::cli::add_search(tool, chosen);
    vecdb::cli::add_query(tool, chosen);
    vecdb::cli::add_count(tool, chosen);
    vecdb::cli::add_info(tool, chosen);
    vecdb::cli::add_bench(tool, chosen);
    vecdb::cli::add_import(tool, chosen);
    vecdb::cli::add_compact(tool, chosen);
    vecdb::cli::add_verify(tool, chosen);
    vecdb::cli::add_repair(tool, chosen);
    vecdb::cli::add_snapshot(tool, chosen);
    vecdb::cli::add_restore(tool, chosen);
    try {
        tool.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return tool.exit(error);  // --help and --version
        return fail(ExitCode::kUsage, error.what());
    }
    return run(chosen);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run_tool(argc, argv);
    } catch (const std::exception& error) {
        return fail(ExitCode::kOther, error.what());
    }
}
