#pragma once

/// \file
/// The tool's way to write an index: a name, then key=value, for example
/// `hnsw m=32 ef_construction=200 codes=sq8`. The library itself has no such strings.

#include <vecdb/index_options.h>

#include <string>
#include <utility>
#include <vector>

namespace vecdb::cli {

/// Words of the form key=value, in the order in which they stand; no key stands twice.
using KeyValues = std::vector<std::pair<std::string, std::string>>;

/// A text of the form `name key=value ...`, taken apart.
struct NamedValues {
    std::string name;
    KeyValues values;
};

/// Take apart. `option` stands for the command line's option in errors. Throws CommandError(kUsage)
/// for an empty text, a word that is not key=value, and a key that stands twice.
[[nodiscard]] NamedValues parse_named_values(const std::string& option, const std::string& text);

/// Read an index and its parameters: flat [codes], hnsw [m, ef_construction, alpha, codes], ivf
/// [nlist, codes, pq_dims]. `option` is as in parse_named_values(). Throws CommandError(kUsage)
/// naming what is wrong and what is allowed.
[[nodiscard]] IndexOptions parse_index(const std::string& option, const std::string& text);

/// Return the name of an index as parse_index() reads it.
[[nodiscard]] std::string index_name(const IndexOptions& options);

/// Write an index with all its parameters, as parse_index() reads it; `custom` and its name for a
/// program's own.
[[nodiscard]] std::string index_text(const IndexOptions& options);

/// Tell whether two indexes have the same parameters.
[[nodiscard]] bool same_index(const IndexOptions& left, const IndexOptions& right);

}  // namespace vecdb::cli
