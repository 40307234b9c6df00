#pragma once

/// \file
/// The nearest row of each value of a scalar field.

#include <vecdb/filter.h>
#include <vecdb/schema.h>
#include <vecdb/search.h>
#include <vecdb/status.h>

#include <cstddef>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

namespace vecdb::collection {

/// Check that a schema has a field that rows can be grouped by. Returns kInvalidArgument.
[[nodiscard]] Status check_group_field(const std::vector<ScalarField>& fields,
                                       const std::string& name);

/// Groups found so far, each by its nearest row. A search that is to find k groups goes in rounds:
/// it looks for several times k rows, and if these have not brought k groups, for rows of others.
/// Whatever round brings a group brings its nearest row first.
/// Threads: single-threaded.
class Groups {
  public:
    explicit Groups(std::string field) : field_(std::move(field)) {}

    /// Take the hits of one round, nearest first, and their values of the field. Throws
    /// std::bad_alloc.
    void take(std::span<const Hit> hits, std::span<const Scalar> values);

    [[nodiscard]] std::size_t size() const noexcept { return hits_.size(); }
    /// Return the nearest row of each group, in the order found.
    [[nodiscard]] Hits& hits() noexcept { return hits_; }
    /// Return a filter for the rows of all other groups.
    [[nodiscard]] Filter others() const;

  private:
    std::string field_;
    Hits hits_;
    std::unordered_set<Scalar> seen_;
};

}  // namespace vecdb::collection
