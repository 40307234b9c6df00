#pragma once

/// \file
/// What stands behind a Database.

#include "collection/collection_state.h"
#include "collection/names.h"
#include "collection/operate/services.h"
#include "mutex.h"
#include "simd/kernel_table.h"

#include <vecdb/database_options.h>
#include <vecdb/open_options.h>
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
#include <vector>

namespace vecdb {

/// The collections and their aliases, in one name space.
///
/// Names change one after the other: whoever changes them holds `changing` while it looks, logs and
/// lets the change be seen. Readers wait for the last step only.
/// Threads: internally synchronised by `mutex`. Of the locks that Store names, `changing` comes
/// before the store's, `mutex` after it.
class DatabaseState {
  public:
    DatabaseState(const simd::KernelTable& table,
                  const DatabaseOptions& options,
                  std::shared_ptr<collection::Store> store);
    ~DatabaseState();
    DatabaseState(const DatabaseState&) = delete;
    DatabaseState& operator=(const DatabaseState&) = delete;

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
    /// Find what an alias stands for.
    Result<std::shared_ptr<CollectionState>> find_alias(std::string_view name) const
        VECDB_REQUIRES_SHARED(mutex);
    /// Tell whether an alias stands for a collection.
    [[nodiscard]] bool has_alias(const CollectionState& collection) const noexcept
        VECDB_REQUIRES_SHARED(mutex);
    /// Find an alias that stands for a collection, or names.end().
    [[nodiscard]] Names::const_iterator find_alias_of(
        const CollectionState& collection) const noexcept VECDB_REQUIRES_SHARED(mutex);

    /// As Database::create_collection; `building` says that a rebuild makes it: it is gone when the
    /// database is opened again before that ends.
    Result<std::shared_ptr<CollectionState>> create_collection(std::string_view name,
                                                               const Schema& schema,
                                                               bool building)
        VECDB_EXCLUDES(changing, mutex);
    /// Take a collection without alias from the names and return it, to be let go without the lock;
    /// only if it is `only`, unless that is null. Errors as of Database::drop_collection.
    Result<std::shared_ptr<CollectionState>> take_collection(std::string_view name,
                                                             const CollectionState* only = nullptr)
        VECDB_EXCLUDES(changing, mutex);
    /// As Database's.
    Status create_alias(std::string_view alias, std::string_view collection)
        VECDB_EXCLUDES(changing, mutex);
    Status move_alias(std::string_view alias, std::string_view collection)
        VECDB_EXCLUDES(changing, mutex);
    Status drop_alias(std::string_view alias) VECDB_EXCLUDES(changing, mutex);

    /// What switch_alias() did with the collection that an alias stood for.
    struct Switched {
        /// The old one if it was dropped, to be let go without the lock.
        std::shared_ptr<CollectionState> dropped;
    };
    /// Let `alias`, which must stand for `from`, stand for `to`, which a rebuild made; unless
    /// `keep`, drop `from` if no other alias stands for it. All at once. Returns
    /// kFailedPrecondition (one of them was moved or dropped), kIoError.
    Result<Switched> switch_alias(std::string_view alias,
                                  const std::shared_ptr<CollectionState>& from,
                                  const std::shared_ptr<CollectionState>& to,
                                  bool keep) VECDB_EXCLUDES(changing, mutex);

    /// What was found in files.
    struct Opened {
        Names names;
        std::size_t collections = 0;
        OpenReport report;
        collection::Store::FoundAt at;
    };
    /// Let names be those that were found; returns what they were before, to be let go.
    [[nodiscard]] Names replace_names(Opened opened) VECDB_EXCLUDES(mutex);
    /// As Database::refresh.
    Result<bool> refresh() VECDB_EXCLUDES(changing, mutex);
    /// Return all collections, each once.
    [[nodiscard]] std::vector<std::shared_ptr<CollectionState>> collections_now() const
        VECDB_EXCLUDES(mutex);
    /// Let the background make a checkpoint whenever the log is long.
    void begin_checkpoints();

    const simd::KernelTable& kernels;
    const std::shared_ptr<collection::Services> services;  // shared with the collections
    OpenReport report;                                     // constant once the database is open
    Mutex changing;                                        // see above
    /// How far the writer had come, of a database that is read only.
    collection::Store::FoundAt read_until VECDB_GUARDED_BY(changing);
    mutable SharedMutex mutex;
    Names names VECDB_GUARDED_BY(mutex);
    std::size_t collections VECDB_GUARDED_BY(mutex) = 0;                    // of the names
    std::set<std::string, std::less<>> rebuilding VECDB_GUARDED_BY(mutex);  // aliases

  private:
    [[nodiscard]] collection::Store& store() const noexcept { return *services->store; }
    void reserve_name() VECDB_EXCLUDES(mutex);
};

}  // namespace vecdb
