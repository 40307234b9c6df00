#include "collection/operate/snapshot.h"

#include "check.h"
#include "collection/database_state.h"
#include "collection/operate/checkpoint.h"
#include "persist/copy.h"
#include "persist/file_set.h"
#include "persist/manifest.h"

#include <memory>
#include <utility>
#include <vector>

namespace vecdb::collection {

namespace {

/// Make an empty directory to copy files to.
Status make_empty(Storage& storage, const std::string& directory) {
    VECDB_TRY(storage.make_directory(directory));
    VECDB_ASSIGN(const auto names, storage.list(directory));
    if (names.empty()) return {};
    return {StatusCode::kAlreadyExists,
            '"' + directory + "\": has " + std::to_string(names.size()) + " files, expected none"};
}

}  // namespace

Status snapshot(DatabaseState& state, const std::string& directory) {
    Store& store = *state.services->store;
    if (!store.durable()) {
        return {StatusCode::kFailedPrecondition, "a database in memory has no snapshots"};
    }
    VECDB_TRY(store.check_writable());
    for (const auto& each : state.collections_now())
        VECDB_TRY(each->check_whole());
    Storage& storage = *store.options().storage;
    VECDB_TRY(make_empty(storage, directory));
    HeldCollections held;
    const Lock committing(store.committing());
    VECDB_TRY(checkpoint(state, store, held));
    // All is in files now: what is in the log came later.
    persist::Catalogue catalogue = store.committed();
    persist::StoredPosition position = catalogue.position();
    position.logs.clear();
    const std::uint64_t covered = position.covered;
    VECDB_TRY(catalogue.apply(std::move(position)));
    return persist::copy_database(
        storage,
        store.directory(),
        directory,
        {.database = store.database(), .catalogue = catalogue, .closed_log = {0, covered}});
}

Status restore(const std::string& from, const std::string& directory, const OpenOptions& options) {
    OpenOptions reading = options;
    reading.mode = OpenMode::kReadOnly;
    VECDB_ASSIGN(const auto store, Store::open(from, reading));
    const Store::Found& found = store->found();
    for (const auto& [number, about] : found.files->files()) {
        VECDB_ASSIGN(const auto file, found.files->open(number));
        VECDB_TRY(file->verify());
    }
    VECDB_TRY(make_empty(*options.storage, directory));
    return persist::copy_database(*options.storage,
                                  from,
                                  directory,
                                  {.database = store->database(),
                                   .catalogue = found.committed.catalogue,
                                   .closed_log = found.log.end});
}

}  // namespace vecdb::collection
