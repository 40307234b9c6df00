#pragma once

/// \file
/// From the options of a vector field to an index. The one place where indexes are known by name.

#include <vecdb/index.h>
#include <vecdb/schema.h>
#include <vecdb/status.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vecdb::index {

/// Make the index of `field`, not built yet. Returns kInvalidArgument when no index of that name is
/// registered, kUnsupported when it is one of the library's own that this build lacks, and what the
/// factory returns.
[[nodiscard]] Result<std::unique_ptr<Index>> make_index(const VectorField& field);

/// Return the name under which the index of these options is registered: "flat", "hnsw", "ivf", or
/// that of CustomOptions.
[[nodiscard]] std::string index_name(const IndexOptions& options);

/// Register one of the library's own: "flat", "hnsw" or "ivf". Registering it again replaces it.
void register_builtin_index(std::string_view name, IndexFactory factory);

/// Return the names of all registered indexes, sorted.
[[nodiscard]] std::vector<std::string> registered_indexes();

}  // namespace vecdb::index
