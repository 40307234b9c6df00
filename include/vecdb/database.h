#pragma once

/// \file
/// A set of collections with one name space.

#include <vecdb/collection.h>
#include <vecdb/database_options.h>
#include <vecdb/export.h>
#include <vecdb/rebuild.h>
#include <vecdb/schema.h>
#include <vecdb/status.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vecdb {

class DatabaseState;  // src/collection/database.cpp

/// A second name of a collection.
struct Alias {
    std::string name;
    std::string collection;

    friend bool operator==(const Alias&, const Alias&) = default;
};

/// A database in memory. Collections and aliases share one name space. Names are 1 to 255 bytes of
/// UTF-8 without control characters and are never file names.
///
/// An alias stands for a collection until it is moved to another one, at once: whoever resolves it
/// gets the old one or the new one. So readers ask for the alias at every request while the
/// collection behind it is replaced. An alias of an alias there is not.
///
/// Threads: internally synchronised; every method may run concurrently with every other.
class VECDB_EXPORT Database {
  public:
    /// Make an empty database that lives as long as it and the handles on its collections do.
    /// Returns kInvalidArgument (options), and the error of active_simd_level() when VECDB_SIMD
    /// cannot be served.
    [[nodiscard]] static Result<Database> in_memory(const DatabaseOptions& options = {});

    ~Database();
    Database(Database&&) noexcept;
    Database& operator=(Database&&) noexcept;
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// Make an empty collection.
    /// Returns kInvalidArgument (name or schema), kUnsupported (schema), kAlreadyExists (a
    /// collection or an alias), kFailedPrecondition (65,536 collections exist).
    [[nodiscard]] Result<Collection> create_collection(std::string_view name, const Schema& schema);

    /// Resolve the name of a collection or an alias. Cheap enough to be called per request. Returns
    /// kNotFound.
    [[nodiscard]] Result<Collection> collection(std::string_view name) const;

    /// Forget a collection. Handles on it go on working; its memory returns with the last of them.
    /// Returns kNotFound, kInvalidArgument (the name is an alias), kFailedPrecondition (an alias
    /// stands for it).
    [[nodiscard]] Status drop_collection(std::string_view name);

    /// List the names of all collections in byte order.
    [[nodiscard]] std::vector<std::string> list_collections() const;

    /// Give a collection a second name. Returns kInvalidArgument (name, `collection` is an alias),
    /// kAlreadyExists (a collection or an alias), kNotFound (the collection), kFailedPrecondition
    /// (65,536 aliases exist).
    [[nodiscard]] Status create_alias(std::string_view alias, std::string_view collection);
    /// Let an alias stand for another collection from now on; handles stay on what they resolved
    /// to. Returns kNotFound (either), kInvalidArgument (`collection` is an alias).
    [[nodiscard]] Status move_alias(std::string_view alias, std::string_view collection);
    /// Forget an alias, not its collection. Returns kNotFound.
    [[nodiscard]] Status drop_alias(std::string_view alias);
    /// List all aliases, by name in byte order.
    [[nodiscard]] std::vector<Alias> list_aliases() const;

    /// Replace the rows behind an alias while it serves: check the number of rows of `source`
    /// against the live collection's; write them into a new collection, which is in the database
    /// from then on; build its index; check its number of rows and its recall; search it, to warm
    /// it up; let the alias stand for it, at once; drop the old one. Handles on the old collection
    /// go on reading, and its memory returns with the last of them.
    ///
    /// If anything fails the alias stands for the old collection as before, the new one is dropped
    /// and options.alert is called. Returns kInvalidArgument (options, schema), kNotFound (no such
    /// alias), kFailedPrecondition (a guard, with both numbers; another rebuild of the alias is
    /// under way; rows were written to the old collection meanwhile, without carry_over; the alias
    /// was moved meanwhile), kAlreadyExists (the name of the new collection; an id that comes
    /// twice), what the source returns, kCancelled, kDeadlineExceeded, and what insert and
    /// build_index return.
    [[nodiscard]] Result<RebuildReport> rebuild(std::string_view alias,
                                                const RebuildSource& source,
                                                const RebuildOptions& options = {});

  private:
    explicit Database(std::shared_ptr<DatabaseState> state) noexcept;

    std::shared_ptr<DatabaseState> state_;
};

}  // namespace vecdb
