#include "collection/database_state.h"

#include "check.h"
#include "collection/operate/checkpoint.h"
#include "collection/operate/recovery.h"

#include <algorithm>
#include <utility>

namespace vecdb {
namespace {

/// Make an entry of the names, to be put in where nothing may fail.
DatabaseState::Names::node_type make_node(std::string_view name, DatabaseState::Entry entry) {
    DatabaseState::Names one;
    one.emplace(name, std::move(entry));
    return one.extract(one.begin());
}

}  // namespace

DatabaseState::DatabaseState(const simd::KernelTable& table,
                             const DatabaseOptions& options,
                             std::shared_ptr<collection::Store> store)
    : kernels(table), services(std::make_shared<collection::Services>(options, std::move(store))) {}

DatabaseState::~DatabaseState() {
    store().set_on_full({});
    services->background.forget(this);
}

void DatabaseState::begin_checkpoints() {
    store().set_on_full([this] {
        const auto job = [this](const CancelToken& /*cancel*/) {
            // A failure is that of the store, which tells every writer.
            (void)guard([&] { return collection::checkpoint(*this); });
        };
        try {
            services->background.post(this, job);
        } catch (...) {
            // Memory or a thread is missing; the log gets longer.
        }
    });
}

// Looking -----------------------------------------------------------------------------------------

Status DatabaseState::check_free(std::string_view name) const {
    const auto found = names.find(name);
    if (found == names.end()) return {};
    const std::string what = found->second.alias ? "an alias" : "a collection";
    return {StatusCode::kAlreadyExists, what + " named '" + std::string(name) + "' exists"};
}

Result<std::shared_ptr<CollectionState>> DatabaseState::find_collection(
    std::string_view name) const {
    const auto found = names.find(name);
    if (found == names.end()) {
        return Status(StatusCode::kNotFound, "no collection is named '" + std::string(name) + "'");
    }
    if (!found->second.alias) return found->second.collection;
    return Status(StatusCode::kInvalidArgument,
                  "'" + std::string(name) + "' is an alias of collection '" +
                      found->second.collection->name() + "'; a collection is needed");
}

Result<std::shared_ptr<CollectionState>> DatabaseState::find_alias(std::string_view name) const {
    const auto found = names.find(name);
    if (found != names.end() && found->second.alias) return found->second.collection;
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

std::vector<std::shared_ptr<CollectionState>> DatabaseState::collections_now() const {
    const ReadLock lock(mutex);
    std::vector<std::shared_ptr<CollectionState>> all;
    all.reserve(collections);
    for (const auto& [name, entry] : names) {
        if (!entry.alias) all.push_back(entry.collection);
    }
    return all;
}

// Changing ----------------------------------------------------------------------------------------

/// Make room for one name, so that putting it in cannot fail.
void DatabaseState::reserve_name() {
    const WriteLock lock(mutex);
    names.reserve(names.size() + 1);
}

DatabaseState::Names DatabaseState::replace_names(Opened opened) {
    const WriteLock lock(mutex);
    names.swap(opened.names);
    collections = opened.collections;
    return std::move(opened.names);
}

Result<bool> DatabaseState::refresh() {
    if (!store().durable() || !store().reads_only()) {
        return Status(StatusCode::kFailedPrecondition,
                      "only a database that was opened to be read only is refreshed");
    }
    const Lock change(changing);
    {
        VECDB_ASSIGN(const auto files,
                     collection::Store::open(store().directory(), store().options()));
        if (files->found().at() == read_until) return false;
    }
    collection::KnownSegments known;
    for (const auto& each : collections_now())
        each->collect_segments(known);
    VECDB_ASSIGN(Opened opened, collection::recover_beside_writer(*this, store(), known));
    read_until = opened.at;
    const Names before = replace_names(std::move(opened));  // let go without the lock
    return true;
}

Result<std::shared_ptr<CollectionState>> DatabaseState::create_collection(std::string_view name,
                                                                          const Schema& schema,
                                                                          bool building) {
    VECDB_TRY(collection::validate_name("collection name", name));
    VECDB_TRY(schema.validate());
    VECDB_TRY(store().check_writable());
    const Lock change(changing);
    {
        const ReadLock lock(mutex);
        VECDB_TRY(check_free(name));
        if (collections >= kMaxCollections) {
            return Status(StatusCode::kFailedPrecondition,
                          "the database has " + std::to_string(kMaxCollections) +
                              " collections, which is the limit");
        }
    }
    const std::uint64_t id = store().take_collection_id();
    auto made = std::make_shared<CollectionState>(
        CollectionState::Identity{id, std::string(name), schema}, kernels, services);
    auto node = make_node(name, {made, false});
    reserve_name();
    VECDB_TRY(store().write_changes(
        {persist::SetCollection{id, std::string(name), building, schema}}, [&]() noexcept {
            const WriteLock lock(mutex);
            names.insert(std::move(node));
            ++collections;
        }));
    return made;
}

Result<std::shared_ptr<CollectionState>> DatabaseState::take_collection(
    std::string_view name, const CollectionState* only) {
    const Lock change(changing);
    std::shared_ptr<CollectionState> taken;
    {
        const ReadLock lock(mutex);
        VECDB_ASSIGN(taken, find_collection(name));
        if (only != nullptr && taken.get() != only) {
            return Status(StatusCode::kNotFound,
                          "another collection is named '" + std::string(name) + "' now");
        }
        const auto alias = find_alias_of(*taken);
        if (alias != names.end()) {
            return Status(StatusCode::kFailedPrecondition,
                          "collection '" + taken->name() + "' has alias '" + alias->first +
                              "'; move or drop the alias first");
        }
    }
    const auto forget = [&]() noexcept {
        const WriteLock lock(mutex);
        names.erase(names.find(name));
        --collections;
        taken->set_dropped();
    };
    const Status dropped = store().write_changes({persist::DropCollection{taken->id()}}, forget);
    if (dropped.ok()) return taken;
    // What a rebuild began goes even when nothing can be written any more: the next open drops it.
    if (only != nullptr && !store().check_writable().ok()) forget();
    return dropped;
}

Status DatabaseState::create_alias(std::string_view alias, std::string_view collection) {
    VECDB_TRY(collection::validate_name("alias", alias));
    const Lock change(changing);
    std::shared_ptr<CollectionState> target;
    {
        const ReadLock lock(mutex);
        VECDB_TRY(check_free(alias));
        VECDB_ASSIGN(target, find_collection(collection));
        if (names.size() - collections >= kMaxCollections) {
            return {StatusCode::kFailedPrecondition,
                    "the database has " + std::to_string(kMaxCollections) +
                        " aliases, which is the limit"};
        }
    }
    const std::uint64_t id = target->id();
    auto node = make_node(alias, {std::move(target), true});
    reserve_name();
    return store().write_changes({persist::SetAlias{std::string(alias), id}}, [&]() noexcept {
        const WriteLock lock(mutex);
        names.insert(std::move(node));
    });
}

Status DatabaseState::move_alias(std::string_view alias, std::string_view collection) {
    const Lock change(changing);
    std::shared_ptr<CollectionState> target;  // then the old one, let go after the locks
    {
        const ReadLock lock(mutex);
        VECDB_TRY(find_alias(alias).status());
        VECDB_ASSIGN(target, find_collection(collection));
    }
    const std::uint64_t id = target->id();
    return store().write_changes({persist::SetAlias{std::string(alias), id}}, [&]() noexcept {
        const WriteLock lock(mutex);
        names.find(alias)->second.collection.swap(target);
    });
}

Status DatabaseState::drop_alias(std::string_view alias) {
    const Lock change(changing);
    std::shared_ptr<CollectionState> target;  // let go after the locks
    {
        const ReadLock lock(mutex);
        VECDB_ASSIGN(target, find_alias(alias));
    }
    return store().write_changes({persist::DropAlias{std::string(alias)}}, [&]() noexcept {
        const WriteLock lock(mutex);
        names.erase(names.find(alias));
    });
}

Result<DatabaseState::Switched> DatabaseState::switch_alias(
    std::string_view alias,
    const std::shared_ptr<CollectionState>& from,
    const std::shared_ptr<CollectionState>& to,
    bool keep) {
    const Lock change(changing);
    bool drop = false;
    {
        const ReadLock lock(mutex);
        const auto stands_for = find_alias(alias);
        if (!stands_for.ok() || *stands_for != from) {
            return Status(
                StatusCode::kFailedPrecondition,
                "alias '" + std::string(alias) + "' was moved or dropped while it was rebuilt");
        }
        const auto made = names.find(to->name());
        if (made == names.end() || made->second.collection != to) {
            return Status(StatusCode::kFailedPrecondition,
                          "collection '" + to->name() + "' was dropped while it was built");
        }
        const auto old = names.find(from->name());
        const bool named = old != names.end() && old->second.collection == from;
        const auto other = std::find_if(names.begin(), names.end(), [&](const auto& each) {
            return each.second.alias && each.second.collection == from && each.first != alias;
        });
        drop = !keep && named && other == names.end();
    }
    std::vector<persist::Change> changes = {
        persist::SetCollection{to->id(), to->name(), false, to->schema()},
        persist::SetAlias{std::string(alias), to->id()}};
    if (drop) changes.emplace_back(persist::DropCollection{from->id()});
    Switched switched;
    VECDB_TRY(store().write_changes(std::move(changes), [&]() noexcept {
        const WriteLock lock(mutex);
        names.find(alias)->second.collection = to;
        if (!drop) return;
        const auto old = names.find(from->name());
        switched.dropped.swap(old->second.collection);
        from->set_dropped();
        names.erase(old);
        --collections;
    }));
    return switched;
}

}  // namespace vecdb
