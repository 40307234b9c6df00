#include "collection/operate/checkpoint.h"

#include "check.h"
#include "collection/database_state.h"
#include "collection/storage/stored_partition.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

namespace vecdb::collection {

using persist::Catalogue;
using persist::Change;
using persist::FileKind;
using persist::StoredPartition;

namespace {

/// A shared file is written anew when less than one part in so many of it is used.
constexpr std::uint64_t kLeastUsed = 2;
/// So many shared files may be of one size.
constexpr std::size_t kFreeFiles = 4;

/// A collection at the moment of the checkpoint.
struct Captured {
    CollectionState* collection;
    CollectionState::VersionPointer version;
};

/// Find the shared files that are to be written anew: those of which little is used, and small ones
/// that are many. Each that stays is larger than all smaller ones together, so that they are few
/// and what is in them is not written often.
std::set<std::uint64_t> find_outworn(const Catalogue& catalogue) {
    struct Shared {
        std::uint64_t used;
        std::uint64_t number;
        bool hollow;
    };
    std::vector<Shared> files;
    for (const auto& [number, file] : catalogue.files()) {
        if (file.kind != FileKind::kGrowing) continue;
        const std::uint64_t used = catalogue.used_bytes(number);
        files.push_back({used, number, used < file.stamp.bytes / kLeastUsed});
    }
    std::sort(files.begin(), files.end(), [](const Shared& a, const Shared& b) {
        return a.used < b.used;
    });
    std::set<std::uint64_t> outworn;
    std::uint64_t smaller = 0;
    for (const Shared& file : files) {
        const bool one_of_many = files.size() > kFreeFiles && file.used <= smaller;
        if (file.hollow || one_of_many) outworn.insert(file.number);
        smaller += file.used;
    }
    return outworn;
}

bool uses_any(const StoredPartition& partition, const std::set<std::uint64_t>& files) {
    if (files.empty()) return false;
    if (files.contains(partition.growing.file)) return true;
    for (const persist::StoredSegment& segment : partition.segments) {
        if (files.contains(segment.removed.file)) return true;
    }
    return false;
}

/// Forget what is in files that are to go, so that it is written again.
void forget(StoredPartition& partition, const std::set<std::uint64_t>& files) {
    std::erase_if(partition.segments, [&](const persist::StoredSegment& segment) {
        return files.contains(segment.removed.file);
    });
}

/// Saves the partitions of captured collections that changed since they were saved last.
class Checkpoint {
  public:
    /// \param committed  what is in files; outlives this
    Checkpoint(Store& store, const Catalogue& committed, std::uint64_t cut)
        : saver_(store), committed_(committed), cut_(cut), outworn_(find_outworn(committed)) {}

    /// Save one.
    Status save(const Captured& captured);
    /// Return what is to be committed.
    Result<std::vector<Change>> finish();
    /// Note that it was.
    void committed() noexcept { saver_.committed(); }

  private:
    Status save_partition(const CollectionState& collection,
                          const PartitionVersion& partition,
                          const StoredPartition* before);

    PartitionSaver saver_;
    const Catalogue& committed_;
    const std::uint64_t cut_;
    const std::set<std::uint64_t> outworn_;
    std::vector<Change> changes_;
};

Status Checkpoint::save(const Captured& captured) {
    const CollectionState& collection = *captured.collection;
    Status result;
    captured.version->partitions.for_each([&](const PartitionVersion& partition) {
        if (!result.ok()) return;
        const StoredPartition* before = committed_.find(collection.id(), partition.info->number);
        const bool changed = partition.sequence > collection.saved_sequence();
        if (changed || (before != nullptr && uses_any(*before, outworn_)))
            result = save_partition(collection, partition, before);
    });
    return result;
}

Status Checkpoint::save_partition(const CollectionState& collection,
                                  const PartitionVersion& partition,
                                  const StoredPartition* before) {
    StoredPartition known = before != nullptr ? *before : StoredPartition();
    forget(known, outworn_);
    StoredPartition stored{
        .number = partition.info->number, .name = partition.info->name, .covered = cut_};
    VECDB_TRY(saver_.save_sealed(partition, collection.fields(), &known, stored));
    VECDB_TRY(saver_.save_growing(partition, stored));
    changes_.emplace_back(persist::SetPartition{collection.id(), std::move(stored)});
    return {};
}

Result<std::vector<Change>> Checkpoint::finish() {
    VECDB_TRY(saver_.prepare(std::move(changes_)));
    return saver_.take_changes();
}

}  // namespace

Status checkpoint(DatabaseState& state) {
    Store& store = *state.services->store;
    if (!store.durable()) {
        return {StatusCode::kFailedPrecondition, "a database in memory has no checkpoints"};
    }
    HeldCollections held;
    const Lock committing(store.committing());
    return checkpoint(state, store, held);
}

Status checkpoint(DatabaseState& state, Store& store, HeldCollections& held) {
    std::vector<Captured> captured;
    VECDB_ASSIGN(const std::uint64_t cut, store.cut([&] {
        held = state.collections_now();
        for (const auto& collection : held) {
            // What was not loaded has not changed; of what lost rows the files stay as they are.
            if (collection->loaded() && collection->check_whole().ok())
                captured.push_back({collection.get(), collection->version()});
        }
    }));
    Checkpoint checkpoint(store, store.committed(), cut);
    for (const Captured& each : captured)
        VECDB_TRY(checkpoint.save(each));
    VECDB_ASSIGN(std::vector<Change> changes, checkpoint.finish());
    VECDB_TRY(store.commit_cut(std::move(changes)));
    checkpoint.committed();
    for (const Captured& each : captured)
        each.collection->set_saved_sequence(each.version->sequence);
    return {};
}

}  // namespace vecdb::collection
