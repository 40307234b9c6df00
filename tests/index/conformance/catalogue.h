#pragma once

/// \file
/// Which indexes are checked, with which options, and what is expected of each. The one place to
/// enter what a new index promises; one that is not entered is checked as it describes itself.

#include "index/conformance/subject.h"

#include <vecdb/index_options.h>

#include <cstddef>
#include <string>
#include <vector>

namespace vecdb::test {

/// One choice of options for an index.
struct Variant {
    std::string name;  ///< "hnsw m=4".
    IndexOptions options;
    std::vector<Effort> efforts;
    bool is_default = false;  ///< The options that users get when they choose nothing.
    bool in_small =
        false;  ///< Takes other ways than the default through segments as small as ours.
    bool may_want_more_rows = false;
};

/// Register the library's own indexes and the test's, and return the variants of all registered.
[[nodiscard]] std::vector<Variant> all_variants();

}  // namespace vecdb::test
