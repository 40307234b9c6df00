#pragma once

/// \file
/// The makers of single engines.

#include "compare/engine.h"

#include <vecdb/collection.h>
#include <vecdb/index_options.h>

#include <memory>
#include <string>
#include <vector>

namespace vecdb::bench {

/// Make vecdb with an index, through its public API. build() seals the rows with `build_threads`
/// threads; without it they are compared one by one.
[[nodiscard]] std::unique_ptr<Engine> make_vecdb(const std::string& name,
                                                 const IndexOptions& index,
                                                 std::size_t build_threads = 1);

/// The same as rows that come while they are searched are served: segments are sealed and merged in
/// the background, and build() waits for that.
[[nodiscard]] std::unique_ptr<Engine> make_streaming_vecdb(const std::string& name,
                                                           const IndexOptions& index);

/// Wait until nothing is to be done for a collection in the background. Throws what failed there.
void rest(const Collection& rows);

/// List the rivals' modules that were built, by name: "faiss", "hnswlib".
[[nodiscard]] std::vector<std::string> built_rivals();

/// Load a rival's module and make an index from parameters that it knows. Throws
/// std::runtime_error.
[[nodiscard]] std::unique_ptr<Engine> make_rival(const std::string& name,
                                                 const std::string& module,
                                                 const std::string& parameters);

}  // namespace vecdb::bench
