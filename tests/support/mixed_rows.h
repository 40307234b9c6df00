#pragma once

/// \file
/// A collection of every kind of segment: indexed, growing, in two partitions, with removed rows
/// and scalar values, some of them null.

#include "support/collections.h"
#include "support/random_data.h"

#include <vecdb/collection.h>
#include <vecdb/schema.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vecdb::test {

inline constexpr std::size_t kMixedDim = 12;
inline constexpr std::size_t kMixedRows = 3'000;

/// Return the value of field "group" that row `id` has: null, or one of few that are common and
/// many that are rare.
inline Scalar mixed_group(Id id) {
    if (id % 11 == 0) return {};
    return id % 3 == 0 ? std::int64_t{id % 40} : std::int64_t{id % 5};
}
/// The same as text, of field "label".
inline Scalar mixed_label(Id id) {
    const Scalar group = mixed_group(id);
    const auto* const number = std::get_if<std::int64_t>(&group);
    return number != nullptr ? Scalar("g" + std::to_string(*number)) : Scalar();
}

inline void insert_mixed(WriteHandle& into, const Matrix& rows, Id first, std::size_t count) {
    std::vector<Scalar> groups;
    std::vector<Scalar> labels;
    std::vector<Scalar> flags;
    const std::vector<Id> ids = sequential_ids(count, first);
    for (const Id id : ids) {
        groups.push_back(mixed_group(id));
        labels.push_back(mixed_label(id));
        flags.emplace_back(id % 2 == 0);
    }
    into.insert(ids,
                rows.view().slice(static_cast<std::size_t>(first), count),
                {{"group", groups}, {"label", labels}, {"flag", flags}})
        .check();
}

inline Collection make_mixed(Metric metric, const IndexOptions& index, const Matrix& rows) {
    Schema schema = Schema::single(kMixedDim, metric);
    schema.vectors[0].index = index;
    schema.segments.seal_rows = 0;
    schema.scalars = {{.name = "group", .type = ScalarType::kInt64, .nullable = true},
                      {.name = "label", .type = ScalarType::kString, .nullable = true},
                      {.name = "flag", .type = ScalarType::kBool},
                      {.name = "real", .type = ScalarType::kDouble, .fallback = 0.5}};
    Collection made = make_collection(schema);
    Partition other = made.create_partition("other").value();
    insert_mixed(made, rows, 0, 1'800);
    insert_mixed(other, rows, 1'800, 600);
    made.build_index().check();
    insert_mixed(made, rows, 2'400, 400);
    insert_mixed(other, rows, 2'800, 200);
    std::vector<Id> gone;
    for (Id id = 0; id < static_cast<Id>(kMixedRows); id += 9)
        gone.push_back(id);
    made.remove(gone).status().check();
    return made;
}

}  // namespace vecdb::test
