#pragma once

/// \file
/// A set of collections with one name space.

#include <vecdb/collection.h>
#include <vecdb/export.h>
#include <vecdb/schema.h>
#include <vecdb/status.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vecdb {

class DatabaseState;  // src/collection/database.cpp

/// A database in memory. Names are 1 to 255 bytes of UTF-8 without control characters and are never
/// file names.
///
/// Threads: internally synchronised; every method may run concurrently with every other.
class VECDB_EXPORT Database {
  public:
    /// Make an empty database that lives as long as it and the handles on its collections do.
    /// Returns the error of active_simd_level() when VECDB_SIMD cannot be served.
    [[nodiscard]] static Result<Database> in_memory();

    ~Database();
    Database(Database&&) noexcept;
    Database& operator=(Database&&) noexcept;
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// Make an empty collection.
    /// Returns kInvalidArgument (name or schema), kUnsupported (schema), kAlreadyExists,
    /// kFailedPrecondition (65,536 collections exist).
    [[nodiscard]] Result<Collection> create_collection(std::string_view name, const Schema& schema);

    /// Resolve a name. Cheap enough to be called per request. Returns kNotFound.
    [[nodiscard]] Result<Collection> collection(std::string_view name) const;

    /// Forget a collection. Handles on it go on working; its memory returns with the last of them.
    /// Returns kNotFound.
    [[nodiscard]] Status drop_collection(std::string_view name);

    /// List the names of all collections in byte order.
    [[nodiscard]] std::vector<std::string> list_collections() const;

  private:
    explicit Database(std::unique_ptr<DatabaseState> state) noexcept;

    std::unique_ptr<DatabaseState> state_;
};

}  // namespace vecdb
