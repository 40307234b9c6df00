#pragma once

/// \file
/// Options of the commands that ask a database for rows. All functions throw CommandError.

#include "exit_code.h"

#include <vecdb/collection.h>
#include <vecdb/filter.h>
#include <vecdb/schema.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

namespace vecdb::cli {

/// Add --collection to a command.
void add_collection_option(CLI::App& command, std::string& collection);
/// Add --where to a command.
void add_where_option(CLI::App& command, std::optional<std::string>& where);
/// Add --fields to a command; `none` says what happens without it.
void add_fields_option(CLI::App& command,
                       std::vector<std::string>& fields,
                       const std::string& none);

/// Return the value of a call with the filter of --where, whose fault it is if the library refuses
/// it as invalid.
template <class T>
[[nodiscard]] T value_under_where(Result<T> result) {
    if (result.status().code() == StatusCode::kInvalidArgument) {
        throw CommandError(ExitCode::kUsage, "--where: " + result.status().message());
    }
    return value_of(std::move(result), ExitCode::kInput);
}

/// Read --where; without it every row is allowed. Whether a collection has the fields is seen when
/// the filter is used: see value_under_where.
[[nodiscard]] Filter filter_of(const std::optional<std::string>& where);

/// Return the fields of a collection that --fields names, in its order.
[[nodiscard]] std::vector<ScalarField> choose_fields(const Collection& collection,
                                                     const std::vector<std::string>& names);

}  // namespace vecdb::cli
