#pragma once

/// \file
/// The commands of the tool. Each function adds one to the command line; when it is chosen, it
/// leaves in `chosen` what is to run. Running it throws CommandError.

#include <functional>

#include <CLI/CLI.hpp>

namespace vecdb::cli {

using Command = std::function<void()>;

void add_describe(CLI::App& tool, Command& chosen);
void add_search(CLI::App& tool, Command& chosen);
void add_query(CLI::App& tool, Command& chosen);
void add_count(CLI::App& tool, Command& chosen);
void add_info(CLI::App& tool, Command& chosen);
void add_bench(CLI::App& tool, Command& chosen);
void add_import(CLI::App& tool, Command& chosen);
void add_verify(CLI::App& tool, Command& chosen);
void add_repair(CLI::App& tool, Command& chosen);
void add_snapshot(CLI::App& tool, Command& chosen);
void add_restore(CLI::App& tool, Command& chosen);
void add_compact(CLI::App& tool, Command& chosen);

}  // namespace vecdb::cli
