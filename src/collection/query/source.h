#pragma once

/// \file
/// Which version and partitions of it a call reads.

#include "check.h"
#include "collection/collection_state.h"
#include "collection/query/scratch.h"
#include "collection/version.h"

#include <vecdb/search.h>
#include <vecdb/status.h>

#include <vector>

namespace vecdb::collection {

/// One version, and the partition that a call stays in, if not null.
struct Source {
    CollectionState::VersionPointer version;
    const PartitionInfo* partition;

    /// Call visit(const PartitionVersion&) for every partition that is read; none when the only one
    /// does not exist.
    template <class Visit>
    void for_each(Visit&& visit) const {
        if (partition == nullptr) {
            version->partitions.for_each(visit);
        } else if (const PartitionVersion* only = version->find(*partition)) {
            visit(*only);
        }
    }
};

/// Return what a call with `options` reads: `pinned` or, if it is null, the last version or that of
/// SearchOptions::as_of. Returns the errors of as_of and check_filter(), and kNotFound when the
/// partition was dropped.
[[nodiscard]] Result<Source> source_of(const CollectionState& state,
                                       const CollectionState::VersionPointer& pinned,
                                       const PartitionInfo* partition,
                                       const SearchOptions& options);

/// Check that the collection has the fields that a filter asks for. Returns kInvalidArgument.
[[nodiscard]] Status check_filter(const CollectionState& state, const Filter& filter);

/// Append the partitions that the options name, by ascending number. Returns the errors of
/// SearchOptions::partitions.
[[nodiscard]] Status find_named(const CollectionState& state,
                                const Source& source,
                                const SearchOptions& options,
                                std::vector<const PartitionVersion*>& out);

/// Call visit(const PartitionVersion&) for every partition that a search reads, by ascending
/// number. Returns the errors of SearchOptions::partitions and allow_partial.
template <class Visit>
[[nodiscard]] Status for_each_searched(const CollectionState& state,
                                       const Source& source,
                                       const SearchOptions& options,
                                       Visit&& visit) {
    Status whole;
    const auto visit_whole = [&](const PartitionVersion& partition) {
        if (partition.lost != nullptr && !options.allow_partial) {
            whole = check_whole(partition);
        } else {
            visit(partition);
        }
    };
    if (options.partitions.empty()) {
        source.for_each(visit_whole);
        return whole;
    }
    Scratch<const PartitionVersion*> named;
    VECDB_TRY(find_named(state, source, options, *named));
    for (const PartitionVersion* partition : *named)
        visit_whole(*partition);
    return whole;
}

}  // namespace vecdb::collection
