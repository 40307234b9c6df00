#pragma once

/// \file
/// Which index serves a vector field, and its parameters at build time.

#include <vecdb/export.h>
#include <vecdb/status.h>

#include <cstddef>
#include <map>
#include <string>
#include <variant>

namespace vecdb {

/// Compare the query with every allowed row: exact, nothing to build.
struct FlatOptions {
    [[nodiscard]] VECDB_EXPORT Status validate() const;
};

/// Walk a graph of near neighbours. Not served by this version.
struct HnswOptions {
    /// Neighbours kept per node and level, 2 to 512. More: better recall, more memory, slower
    /// build.
    std::size_t m = 32;
    /// Candidates considered while building, m to 65,536. More: better graph, slower build.
    std::size_t ef_construction = 200;
    [[nodiscard]] VECDB_EXPORT Status validate() const;
};

/// Search only the lists whose centroids are nearest. Not served by this version.
struct IvfOptions {
    /// Number of lists, 1 to 2^24; 0 chooses by the number of rows when the index is built.
    std::size_t nlist = 0;
    [[nodiscard]] VECDB_EXPORT Status validate() const;
};

/// Use an index that the program registered under `name`. Not served by this version.
struct CustomOptions {
    std::string name;
    std::map<std::string, std::string> parameters;
    [[nodiscard]] VECDB_EXPORT Status validate() const;
};

/// The choice of index for one vector field.
using IndexOptions = std::variant<FlatOptions, HnswOptions, IvfOptions, CustomOptions>;

/// Check the parameters of whichever index is chosen.
/// Returns kInvalidArgument naming parameter, value and limit.
[[nodiscard]] VECDB_EXPORT Status validate(const IndexOptions& options);

}  // namespace vecdb
