#pragma once

/// \file
/// Rows that are asked for by their values, without a vector.

#include <vecdb/columns.h>
#include <vecdb/export.h>
#include <vecdb/filter.h>
#include <vecdb/search.h>
#include <vecdb/status.h>
#include <vecdb/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace vecdb {

/// Which rows are wanted, and what of them.
struct QueryOptions {
    /// Which rows; all by default. Keep and reuse a filter: see Filter.
    Filter filter = {};
    /// Rows wanted at most, 0 to 2^24.
    std::size_t limit = 100;
    /// Only rows with larger ids: the last id of one answer leads to the next one. In a Pin the
    /// answers together have every row once, whatever is written meanwhile.
    std::optional<Id> after = {};
    /// Scalar fields whose values are wanted.
    std::vector<std::string> fields = {};
    /// As SearchOptions has them.
    std::vector<std::string> partitions = {};
    bool allow_partial = false;
    std::optional<Moment> as_of = {};

    /// Returns kInvalidArgument naming the field, its value and its limit.
    [[nodiscard]] VECDB_EXPORT Status validate() const;
};

/// Rows by ascending id, and the values of the fields asked for, in that order.
struct QueriedRows {
    std::vector<Id> ids;
    std::vector<ScalarColumn> columns;
};

}  // namespace vecdb
