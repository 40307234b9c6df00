#include "check.h"
#include "collection/builtin_indexes.h"
#include "collection/collection_state.h"
#include "collection/names.h"
#include "mutex.h"
#include "simd/dispatch.h"

#include <vecdb/database.h>

#include <algorithm>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>

namespace vecdb {
namespace {

Status no_such_collection(std::string_view name) {
    return {StatusCode::kNotFound, "no collection is named '" + std::string(name) + "'"};
}

}  // namespace

/// The collections and their aliases, in one name space.
/// Threads: internally synchronised by `mutex`.
class DatabaseState {
  public:
    explicit DatabaseState(const simd::KernelTable& table)
        : kernels(table), background(std::make_shared<collection::Background>()) {}

    /// What a name stands for.
    struct Entry {
        std::shared_ptr<CollectionState> collection;
        bool alias = false;
    };
    using Names = std::unordered_map<std::string, Entry, collection::NameHash, std::equal_to<>>;

    /// Check that `name` may be given to something new.
    Status check_free(std::string_view name) const VECDB_REQUIRES_SHARED(mutex) {
        const auto found = names.find(name);
        if (found == names.end()) return {};
        const std::string what = found->second.alias ? "an alias" : "a collection";
        return {StatusCode::kAlreadyExists, what + " named '" + std::string(name) + "' exists"};
    }
    /// Find a collection by its own name.
    Result<std::shared_ptr<CollectionState>> find_collection(std::string_view name) const
        VECDB_REQUIRES_SHARED(mutex) {
        const auto found = names.find(name);
        if (found == names.end()) return no_such_collection(name);
        if (!found->second.alias) return found->second.collection;
        return Status(StatusCode::kInvalidArgument,
                      "'" + std::string(name) + "' is an alias of collection '" +
                          found->second.collection->name() + "'; a collection is needed");
    }
    /// Find an alias.
    Result<Names::iterator> find_alias(std::string_view name) VECDB_REQUIRES(mutex) {
        const auto found = names.find(name);
        if (found != names.end() && found->second.alias) return found;
        return Status(StatusCode::kNotFound, "no alias is named '" + std::string(name) + "'");
    }

    /// Check that no alias stands for a collection.
    Status check_no_alias(const CollectionState& collection) const VECDB_REQUIRES_SHARED(mutex) {
        if (names.size() == collections) return {};
        for (const auto& [alias, entry] : names) {
            if (!entry.alias || entry.collection.get() != &collection) continue;
            return {StatusCode::kFailedPrecondition,
                    "collection '" + collection.name() + "' has alias '" + alias +
                        "'; move or drop the alias first"};
        }
        return {};
    }

    const simd::KernelTable& kernels;
    const std::shared_ptr<collection::Background> background;  // outlived by collections
    mutable SharedMutex mutex;
    Names names VECDB_GUARDED_BY(mutex);
    std::size_t collections VECDB_GUARDED_BY(mutex) = 0;  // of the names
};

Database::Database(std::unique_ptr<DatabaseState> state) noexcept : state_(std::move(state)) {}
Database::~Database() = default;
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;

Result<Database> Database::in_memory() {
    return guard([]() -> Result<Database> {
        collection::register_builtin();
        VECDB_ASSIGN(const simd::KernelTable* kernels, simd::active_table());
        return Database(std::make_unique<DatabaseState>(*kernels));
    });
}

Result<Collection> Database::create_collection(std::string_view name, const Schema& schema) {
    return guard([&]() -> Result<Collection> {
        VECDB_TRY(collection::validate_name("collection name", name));
        VECDB_TRY(schema.validate());
        auto made = std::make_shared<CollectionState>(
            std::string(name), schema, state_->kernels, state_->background);
        const WriteLock lock(state_->mutex);
        VECDB_TRY(state_->check_free(name));
        if (state_->collections >= kMaxCollections) {
            return Status(StatusCode::kFailedPrecondition,
                          "the database has " + std::to_string(kMaxCollections) +
                              " collections, which is the limit");
        }
        state_->names.emplace(name, DatabaseState::Entry{made, false});
        ++state_->collections;
        return Collection(std::move(made));
    });
}

Result<Collection> Database::collection(std::string_view name) const {
    return guard([&]() -> Result<Collection> {
        const ReadLock lock(state_->mutex);
        const auto found = state_->names.find(name);
        if (found == state_->names.end()) return no_such_collection(name);
        return Collection(found->second.collection);
    });
}

Status Database::drop_collection(std::string_view name) {
    return guard([&]() -> Status {
        std::shared_ptr<CollectionState> dropped;  // its rows are freed after the lock
        const WriteLock lock(state_->mutex);
        VECDB_ASSIGN(dropped, state_->find_collection(name));
        VECDB_TRY(state_->check_no_alias(*dropped));
        state_->names.erase(state_->names.find(name));
        --state_->collections;
        return {};
    });
}

std::vector<std::string> Database::list_collections() const {
    std::vector<std::string> names;
    const ReadLock lock(state_->mutex);
    for (const auto& [name, entry] : state_->names) {
        if (!entry.alias) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

Status Database::create_alias(std::string_view alias, std::string_view collection) {
    return guard([&]() -> Status {
        VECDB_TRY(collection::validate_name("alias", alias));
        const WriteLock lock(state_->mutex);
        VECDB_TRY(state_->check_free(alias));
        VECDB_ASSIGN(auto target, state_->find_collection(collection));
        if (state_->names.size() - state_->collections >= kMaxCollections) {
            return {StatusCode::kFailedPrecondition,
                    "the database has " + std::to_string(kMaxCollections) +
                        " aliases, which is the limit"};
        }
        state_->names.emplace(alias, DatabaseState::Entry{std::move(target), true});
        return {};
    });
}

Status Database::move_alias(std::string_view alias, std::string_view collection) {
    return guard([&]() -> Status {
        std::shared_ptr<CollectionState> target;  // then the old one, let go after the lock
        const WriteLock lock(state_->mutex);
        VECDB_ASSIGN(const auto entry, state_->find_alias(alias));
        VECDB_ASSIGN(target, state_->find_collection(collection));
        entry->second.collection.swap(target);
        return {};
    });
}

Status Database::drop_alias(std::string_view alias) {
    return guard([&]() -> Status {
        const WriteLock lock(state_->mutex);
        VECDB_ASSIGN(const auto entry, state_->find_alias(alias));
        state_->names.erase(entry);
        return {};
    });
}

std::vector<Alias> Database::list_aliases() const {
    std::vector<Alias> aliases;
    const ReadLock lock(state_->mutex);
    for (const auto& [name, entry] : state_->names) {
        if (entry.alias) aliases.push_back({name, entry.collection->name()});
    }
    std::sort(aliases.begin(), aliases.end(), [](const Alias& a, const Alias& b) {
        return a.name < b.name;
    });
    return aliases;
}

}  // namespace vecdb
