#include "check.h"
#include "collection/builtin_indexes.h"
#include "collection/database_state.h"
#include "collection/names.h"
#include "collection/operate/rebuild.h"
#include "simd/dispatch.h"

#include <vecdb/database.h>

#include <algorithm>
#include <string>
#include <utility>

namespace vecdb {
namespace {

Status no_such_collection(std::string_view name) {
    return {StatusCode::kNotFound, "no collection is named '" + std::string(name) + "'"};
}

}  // namespace

Status DatabaseState::check_free(std::string_view name) const {
    const auto found = names.find(name);
    if (found == names.end()) return {};
    const std::string what = found->second.alias ? "an alias" : "a collection";
    return {StatusCode::kAlreadyExists, what + " named '" + std::string(name) + "' exists"};
}

Result<std::shared_ptr<CollectionState>> DatabaseState::find_collection(
    std::string_view name) const {
    const auto found = names.find(name);
    if (found == names.end()) return no_such_collection(name);
    if (!found->second.alias) return found->second.collection;
    return Status(StatusCode::kInvalidArgument,
                  "'" + std::string(name) + "' is an alias of collection '" +
                      found->second.collection->name() + "'; a collection is needed");
}

Result<DatabaseState::Names::iterator> DatabaseState::find_alias(std::string_view name) {
    const auto found = names.find(name);
    if (found != names.end() && found->second.alias) return found;
    return Status(StatusCode::kNotFound, "no alias is named '" + std::string(name) + "'");
}

bool DatabaseState::has_alias(const CollectionState& collection) const noexcept {
    return find_alias_of(collection) != names.end();
}

DatabaseState::Names::const_iterator DatabaseState::find_alias_of(
    const CollectionState& collection) const noexcept {
    if (names.size() == collections) return names.end();
    return std::find_if(names.begin(), names.end(), [&](const auto& each) {
        return each.second.alias && each.second.collection.get() == &collection;
    });
}

Result<std::shared_ptr<CollectionState>> DatabaseState::create_collection(std::string_view name,
                                                                          const Schema& schema) {
    VECDB_TRY(collection::validate_name("collection name", name));
    VECDB_TRY(schema.validate());
    auto made = std::make_shared<CollectionState>(std::string(name), schema, kernels, services);
    const WriteLock lock(mutex);
    VECDB_TRY(check_free(name));
    if (collections >= kMaxCollections) {
        return Status(StatusCode::kFailedPrecondition,
                      "the database has " + std::to_string(kMaxCollections) +
                          " collections, which is the limit");
    }
    names.emplace(name, Entry{made, false});
    ++collections;
    return made;
}

Result<std::shared_ptr<CollectionState>> DatabaseState::take_collection(std::string_view name) {
    VECDB_ASSIGN(std::shared_ptr<CollectionState> taken, find_collection(name));
    const auto alias = find_alias_of(*taken);
    if (alias != names.end()) {
        return Status(StatusCode::kFailedPrecondition,
                      "collection '" + taken->name() + "' has alias '" + alias->first +
                          "'; move or drop the alias first");
    }
    names.erase(names.find(name));
    --collections;
    return taken;
}

Database::Database(std::shared_ptr<DatabaseState> state) noexcept : state_(std::move(state)) {}
Database::~Database() = default;
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;

Result<Database> Database::in_memory(const DatabaseOptions& options) {
    return guard([&]() -> Result<Database> {
        VECDB_TRY(options.validate());
        collection::register_builtin();
        VECDB_ASSIGN(const simd::KernelTable* kernels, simd::active_table());
        return Database(std::make_shared<DatabaseState>(*kernels, options));
    });
}

Result<Collection> Database::create_collection(std::string_view name, const Schema& schema) {
    return guard([&]() -> Result<Collection> {
        VECDB_ASSIGN(auto made, state_->create_collection(name, schema));
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
        VECDB_ASSIGN(dropped, state_->take_collection(name));
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

Result<RebuildReport> Database::rebuild(std::string_view alias,
                                        const RebuildSource& source,
                                        const RebuildOptions& options) {
    const collection::MakeHandle handle_of = [](std::shared_ptr<CollectionState> state) {
        return Collection(std::move(state));
    };
    const auto state = state_;  // this may go meanwhile
    return guard([&] { return collection::rebuild(*state, handle_of, alias, source, options); });
}

}  // namespace vecdb
