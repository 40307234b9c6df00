#include "collection/query/source.h"

#include "check.h"
#include "collection/query/filter_state.h"

#include <algorithm>
#include <string>
#include <utility>

namespace vecdb::collection {

Result<Source> source_of(const CollectionState& state,
                         const CollectionState::VersionPointer& pinned,
                         const PartitionInfo* partition,
                         const SearchOptions& options) {
    Source source{pinned, partition};
    if (options.as_of) {
        if (pinned != nullptr) {
            return Status(StatusCode::kInvalidArgument, "as_of is set in a search of a pin");
        }
        VECDB_ASSIGN(source.version, state.version_at(*options.as_of));
    } else if (pinned == nullptr) {
        source.version = state.version();
    }
    VECDB_TRY(check_exists(*source.version, partition));
    VECDB_TRY(check_filter(state, options.filter));
    return source;
}

Status check_filter(const CollectionState& state, const Filter& filter) {
    return filter.allows_all() ? Status() : filter.state()->check(state.fields().scalars);
}

Status find_named(const CollectionState& state,
                  const Source& source,
                  const SearchOptions& options,
                  std::vector<const PartitionVersion*>& out) {
    if (source.partition != nullptr) {
        return {StatusCode::kInvalidArgument,
                "partitions names '" + options.partitions.front() + "' in a search of partition '" +
                    source.partition->name + "'; it must be empty"};
    }
    for (const std::string& name : options.partitions) {
        VECDB_ASSIGN(const PartitionVersion* partition, state.partition_at(*source.version, name));
        out.push_back(partition);
    }
    std::sort(out.begin(), out.end(), [](const auto* a, const auto* b) {
        return a->info->number < b->info->number;
    });
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return {};
}

}  // namespace vecdb::collection
