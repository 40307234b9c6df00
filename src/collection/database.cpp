#include "check.h"
#include "collection/builtin_indexes.h"
#include "collection/database_state.h"
#include "collection/operate/checkpoint.h"
#include "collection/operate/rebuild.h"
#include "collection/operate/recovery.h"
#include "collection/operate/snapshot.h"
#include "collection/operate/verify.h"
#include "simd/dispatch.h"

#include <vecdb/database.h>

#include <algorithm>
#include <string>
#include <utility>

namespace vecdb {
namespace {

Result<std::shared_ptr<DatabaseState>> make_state(const DatabaseOptions& options,
                                                  std::shared_ptr<collection::Store> store) {
    collection::register_builtin();
    VECDB_ASSIGN(const simd::KernelTable* kernels, simd::active_table());
    return std::make_shared<DatabaseState>(*kernels, options, std::move(store));
}

/// Return options that name their storage.
OpenOptions with_storage(const OpenOptions& options) {
    OpenOptions chosen = options;
    if (chosen.storage == nullptr)
        chosen.storage = std::shared_ptr<Storage>(std::shared_ptr<Storage>(), &posix_storage());
    return chosen;
}

Result<std::shared_ptr<DatabaseState>> open(std::string_view directory,
                                            const OpenOptions& options) {
    VECDB_ASSIGN(auto store, collection::Store::open(std::string(directory), options));
    VECDB_ASSIGN(auto state, make_state(options.run, store));
    const bool reads = options.mode == OpenMode::kReadOnly;
    VECDB_ASSIGN(auto opened,
                 reads ? collection::recover_beside_writer(*state, *store, {})
                       : collection::recover(*state, *store, options.verify, {}));
    state->report = std::move(opened.report);
    {
        const Lock change(state->changing);
        state->read_until = opened.at;
    }
    (void)state->replace_names(std::move(opened));
    if (reads) return state;
    if (options.sync == SyncMode::kOff) {
        // What another mode logged must be saved: without a log there is none to go on with.
        if (state->report.replayed_records != 0) VECDB_TRY(collection::checkpoint(*state));
    } else if (options.checkpoint_bytes != 0) {
        state->begin_checkpoints();
    }
    return state;
}

}  // namespace

Database::Database(std::shared_ptr<DatabaseState> state) noexcept : state_(std::move(state)) {}
Database::~Database() = default;
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;

Result<Database> Database::in_memory(const DatabaseOptions& options) {
    return guard([&]() -> Result<Database> {
        VECDB_TRY(options.validate());
        VECDB_ASSIGN(auto state, make_state(options, std::make_shared<collection::Store>()));
        return Database(std::move(state));
    });
}

Result<Database> Database::open(std::string_view directory, const OpenOptions& options) {
    return guard([&]() -> Result<Database> {
        VECDB_TRY(options.validate());
        VECDB_ASSIGN(auto state, vecdb::open(directory, with_storage(options)));
        return Database(std::move(state));
    });
}

Status Database::checkpoint() {
    const auto state = state_;  // this may go meanwhile
    return guard([&] { return collection::checkpoint(*state); });
}

Status Database::close() {
    return guard([&]() -> Status {
        collection::Store& store = *state_->services->store;
        const bool unsaved =
            store.durable() && !store.saves_segments() && store.check_writable().ok();
        Status saved = unsaved ? collection::checkpoint(*state_) : Status();
        Status closed = store.close();
        return saved.ok() ? closed : saved;
    });
}

Result<bool> Database::refresh() {
    const auto state = state_;  // this may go meanwhile
    return guard([&] { return state->refresh(); });
}

Status Database::snapshot_to(std::string_view directory) {
    const auto state = state_;
    return guard([&] { return collection::snapshot(*state, std::string(directory)); });
}

Status Database::restore(std::string_view snapshot,
                         std::string_view directory,
                         const OpenOptions& options) {
    return guard([&]() -> Status {
        VECDB_TRY(options.validate());
        return collection::restore(
            std::string(snapshot), std::string(directory), with_storage(options));
    });
}

Result<VerifyReport> Database::verify(std::string_view directory, const OpenOptions& options) {
    return guard([&]() -> Result<VerifyReport> {
        VECDB_TRY(options.validate());
        return collection::verify(std::string(directory), with_storage(options));
    });
}

Result<RepairReport> Database::repair(std::string_view directory, const OpenOptions& options) {
    return guard([&]() -> Result<RepairReport> {
        VECDB_TRY(options.validate());
        return collection::repair(std::string(directory), with_storage(options));
    });
}

const OpenReport& Database::open_report() const noexcept {
    return state_->report;
}

Result<Collection> Database::create_collection(std::string_view name, const Schema& schema) {
    return guard([&]() -> Result<Collection> {
        VECDB_ASSIGN(auto made, state_->create_collection(name, schema, false));
        return Collection(std::move(made));
    });
}

Result<Collection> Database::collection(std::string_view name) const {
    return guard([&]() -> Result<Collection> {
        std::shared_ptr<CollectionState> collection;
        {
            const ReadLock lock(state_->mutex);
            const auto found = state_->names.find(name);
            if (found == state_->names.end()) {
                return Status(StatusCode::kNotFound,
                              "no collection is named '" + std::string(name) + "'");
            }
            collection = found->second.collection;
        }
        if (!collection->loaded()) VECDB_TRY(collection->load());
        return Collection(std::move(collection));
    });
}

Status Database::drop_collection(std::string_view name) {
    return guard([&] { return state_->take_collection(name).status(); });
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
    return guard([&] { return state_->create_alias(alias, collection); });
}

Status Database::move_alias(std::string_view alias, std::string_view collection) {
    return guard([&] { return state_->move_alias(alias, collection); });
}

Status Database::drop_alias(std::string_view alias) {
    return guard([&] { return state_->drop_alias(alias); });
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
