#pragma once

/// \file
/// Rows that are searched together, and the partitions that they are kept in.

#include <vecdb/export.h>
#include <vecdb/handles.h>
#include <vecdb/health.h>
#include <vecdb/retention.h>
#include <vecdb/status.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vecdb {

/// A part of a collection with a name, to be written and searched by itself: a tenant, a day, a
/// category. It does all that a collection does but have partitions of its own. Ids are unique in
/// the whole collection. Small partitions are cheap, up to 2^20 of them.
/// Threads: as WriteHandle.
class VECDB_EXPORT Partition : public WriteHandle {
  public:
    [[nodiscard]] const std::string& name() const noexcept;

  private:
    friend class Collection;
    using WriteHandle::WriteHandle;
};

/// A handle on a collection; copies share it. The handle stays on what it resolved to and keeps
/// its rows alive, also after Database::drop_collection.
///
/// A new collection has one partition, "default", unless the schema has a rule (Schema::rule);
/// then it has all of the rule's. Rows that are inserted here go where the rule says, or to
/// "default". Upserts move a row that stands in another partition; reads, searches, removals and
/// build_index are about all partitions.
/// Threads: as WriteHandle.
class VECDB_EXPORT Collection : public WriteHandle {
  public:
    [[nodiscard]] const std::string& name() const noexcept;

    /// Make an empty partition. Returns kInvalidArgument (name), kAlreadyExists,
    /// kFailedPrecondition (2^20 exist, or the schema has a rule).
    [[nodiscard]] Result<Partition> create_partition(std::string_view name);
    /// Resolve a name. Returns kNotFound.
    [[nodiscard]] Result<Partition> partition(std::string_view name) const;
    /// Forget a partition and its rows, all at once. Returns kNotFound, kFailedPrecondition (for
    /// "default", or the schema has a rule).
    [[nodiscard]] Status drop_partition(std::string_view name);
    /// List the names of all partitions in byte order.
    [[nodiscard]] std::vector<std::string> list_partitions() const;

    /// Tell what waits to be done and what failed. Looks at every segment.
    [[nodiscard]] Result<Health> health() const;

    /// Say for how long the past can be read. Returns kInvalidArgument naming value and limit.
    [[nodiscard]] Status set_retention(const Retention& retention);

  private:
    friend class Database;
    explicit Collection(std::shared_ptr<CollectionState> state) noexcept;
};

}  // namespace vecdb
