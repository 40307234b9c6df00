#pragma once

/// \file
/// The answers of a search, as they are written.

#include "output.h"

#include <vecdb/search.h>

#include <string>

namespace vecdb::cli {

/// Write hits in columns; `what` stands for their ids: "row" or "id".
void print_hits(const Output& output, const SearchResult& result, const std::string& what);

/// Return the hits of every query.
[[nodiscard]] Json hits_to_json(const SearchResult& result, const std::string& what);

}  // namespace vecdb::cli
