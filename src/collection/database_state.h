#pragma once

/// \file
/// What stands behind a Database.

#include "collection/collection_state.h"
#include "collection/names.h"
#include "collection/operate/services.h"
#include "mutex.h"
#include "simd/kernel_table.h"

#include <vecdb/database_options.h>
#include <vecdb/schema.h>
#include <vecdb/status.h>
#include <vecdb/types.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

namespace vecdb {

/// The collections and their aliases, in one name space.
/// Threads: internally synchronised by `mutex`.
class DatabaseState {
  public:
    DatabaseState(const simd::KernelTable& table, const DatabaseOptions& options)
        : kernels(table), services(std::make_shared<collection::Services>(options)) {}

    /// What a name stands for.
    struct Entry {
        std::shared_ptr<CollectionState> collection;
        bool alias = false;
    };
    using Names = std::unordered_map<std::string, Entry, collection::NameHash, std::equal_to<>>;

    /// Check that `name` may be given to something new.
    Status check_free(std::string_view name) const VECDB_REQUIRES_SHARED(mutex);
    /// Find a collection by its own name.
    Result<std::shared_ptr<CollectionState>> find_collection(std::string_view name) const
        VECDB_REQUIRES_SHARED(mutex);
    /// Find an alias.
    Result<Names::iterator> find_alias(std::string_view name) VECDB_REQUIRES(mutex);
    /// Tell whether an alias stands for a collection.
    [[nodiscard]] bool has_alias(const CollectionState& collection) const noexcept
        VECDB_REQUIRES_SHARED(mutex);
    /// Find an alias that stands for a collection, or names.end().
    [[nodiscard]] Names::const_iterator find_alias_of(
        const CollectionState& collection) const noexcept VECDB_REQUIRES_SHARED(mutex);
    /// As Database::create_collection.
    Result<std::shared_ptr<CollectionState>> create_collection(std::string_view name,
                                                               const Schema& schema)
        VECDB_EXCLUDES(mutex);
    /// Take a collection without alias from the names and return it, to be let go without the lock.
    Result<std::shared_ptr<CollectionState>> take_collection(std::string_view name)
        VECDB_REQUIRES(mutex);

    const simd::KernelTable& kernels;
    const std::shared_ptr<collection::Services> services;  // shared with the collections
    mutable SharedMutex mutex;
    Names names VECDB_GUARDED_BY(mutex);
    std::size_t collections VECDB_GUARDED_BY(mutex) = 0;                    // of the names
    std::set<std::string, std::less<>> rebuilding VECDB_GUARDED_BY(mutex);  // aliases
};

}  // namespace vecdb
