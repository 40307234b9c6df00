#pragma once

/// \file
/// The answers of a search, as they are written.

#include "field_values.h"
#include "output.h"

#include <vecdb/search.h>

#include <string>

namespace vecdb::cli {

/// Write hits in columns; `what` stands for their ids: "row" or "id". `values` are those of all
/// hits, query by query.
void print_hits(const Output& output,
                const SearchResult& result,
                const std::string& what,
                const FieldValues& values = {});

/// Return the hits of every query; with `values` each has "fields".
[[nodiscard]] Json hits_to_json(const SearchResult& result,
                                const std::string& what,
                                const FieldValues& values = {});

}  // namespace vecdb::cli
