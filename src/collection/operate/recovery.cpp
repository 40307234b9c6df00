#include "collection/operate/recovery.h"

#include "check.h"
#include "collection/storage/replay.h"
#include "collection/storage/stored_partition.h"
#include "persist/log.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vecdb::collection {
namespace {

constexpr std::uint64_t kAbsent = std::numeric_limits<std::uint64_t>::max();

/// A collection, and which records of the log its partitions have.
struct Recovered {
    std::shared_ptr<CollectionState> state;
    std::vector<std::uint64_t> covered;  // as Replay's
};

/// Loads the partitions of one collection.
struct LoadPartitions {
    std::shared_ptr<persist::FileSet> files;
    std::shared_ptr<const KnownSegments> known;
    std::map<std::uint32_t, persist::StoredPartition> partitions;
    std::vector<VectorField> vectors;
    std::shared_ptr<const ScalarFields> scalars;
    Damaged damaged;

    Result<std::vector<LoadedPartition>> operator()() const {
        std::vector<LoadedPartition> loaded;
        for (const auto& [number, partition] : partitions) {
            VECDB_ASSIGN(auto each,
                         load_partition(*files, *known, partition, {vectors, scalars}, damaged));
            loaded.push_back(std::move(each));
        }
        return loaded;
    }
};

class Recovery {
  public:
    Recovery(const DatabaseState& state,
             Store& store,
             Verify verify,
             KnownSegments known,
             Damaged damaged)
        : state_(state),
          store_(store),
          verify_(verify),
          damaged_(damaged),
          known_(std::make_shared<const KnownSegments>(std::move(known))) {}

    Result<DatabaseState::Opened> run() {
        const Store::Found& found = store_.found();
        const persist::StoredPosition& position = found.catalogue.position();
        first_write_ = position.logs.empty() ? position.covered : position.logs.front().first - 1;
        const std::uint64_t last_write = found.log.end.sequence;
        opened_.at = found.at();
        report_.created = found.created;
        report_.clean = found.closed;
        report_.torn_bytes = found.log.torn_bytes;
        for (const auto& [id, collection] : found.catalogue.collections())
            VECDB_TRY(add(id, collection));
        for (const auto& [name, id] : found.catalogue.aliases())
            VECDB_TRY(add_alias(name, id));
        VECDB_TRY(store_.replay([&](std::uint64_t number, const persist::LogEntry& entry) {
            return replay(number, entry);
        }));
        VECDB_TRY(store_.finish_opening());
        VECDB_TRY(drop_unfinished());
        for (const auto& [id, recovered] : collections_)
            recovered.state->end_replay(last_write);
        return std::move(opened_);
    }

  private:
    Status add(std::uint64_t id, const persist::StoredCollection& stored);
    Status load(CollectionState& collection);
    Status add_name(const std::string& name, DatabaseState::Entry entry);
    Status add_alias(const std::string& name, std::uint64_t id);
    Status replay(std::uint64_t number, const persist::LogEntry& entry);
    Status replay_rows(std::uint64_t number, const persist::LoggedRows& rows);
    Status replay_removal(std::uint64_t number, const persist::LoggedRemoval& removal);
    Status drop_unfinished();

    const DatabaseState& state_;
    Store& store_;
    const Verify verify_;
    const Damaged damaged_;
    const std::shared_ptr<const KnownSegments> known_;
    DatabaseState::Opened opened_;
    OpenReport& report_ = opened_.report;
    std::map<std::uint64_t, Recovered> collections_;
    std::vector<std::uint64_t> unfinished_;
    std::uint64_t first_write_ = 0;  // that is replayed, less 1
};

/// Say which records the partitions of a collection have.
Result<std::vector<std::uint64_t>> covered_by(const persist::StoredCollection& stored) {
    // The partitions that a schema makes by itself have none before they are saved.
    const bool routed = stored.schema.rule.routing != Routing::kNone;
    std::vector<std::uint64_t> covered(routed ? stored.schema.rule.partitions : 1, 0);
    for (const auto& [number, partition] : stored.partitions) {
        if (number >= kMaxPartitions) {
            return Status(
                StatusCode::kCorruption,
                "collection '" + stored.name + "' has partition " + std::to_string(number));
        }
        if (number >= covered.size()) covered.resize(number + 1, kAbsent);
        covered[number] = partition.covered;
    }
    return covered;
}

Status Recovery::add(std::uint64_t id, const persist::StoredCollection& stored) {
    if (stored.building) {
        report_.dropped_collections.push_back(stored.name);
        unfinished_.push_back(id);
        return {};
    }
    Status valid = stored.schema.validate();
    if (valid.code() == StatusCode::kOutOfMemory) return valid;
    if (!valid.ok()) {
        return {StatusCode::kCorruption,
                "the schema of collection '" + stored.name + "' cannot be: " + valid.message()};
    }
    Recovered recovered;
    VECDB_ASSIGN(recovered.covered, covered_by(stored));
    const Store::Found& found = store_.found();
    const LoadPartitions loader{found.files,
                                known_,
                                stored.partitions,
                                stored.schema.vectors,
                                share_scalars(stored.schema),
                                damaged_};
    recovered.state =
        std::make_shared<CollectionState>(CollectionState::Identity{id, stored.name, stored.schema},
                                          state_.kernels,
                                          state_.services,
                                          loader,
                                          first_write_);
    if (verify_ == Verify::kFull || found.written.contains(id)) VECDB_TRY(load(*recovered.state));
    VECDB_TRY(add_name(stored.name, {recovered.state, false}));
    ++opened_.collections;
    collections_.emplace(id, std::move(recovered));
    return {};
}

/// Load the rows of a collection now.
Status Recovery::load(CollectionState& collection) {
    VECDB_TRY(collection.load());
    for (std::string& message : collection.damage())
        report_.damage.push_back(std::move(message));
    if (!collection.check_whole().ok()) store_.keep_log();
    return {};
}

Status Recovery::add_name(const std::string& name, DatabaseState::Entry entry) {
    if (opened_.names.emplace(name, std::move(entry)).second) return {};
    return {StatusCode::kCorruption, "the catalogue has two things named '" + name + "'"};
}

Status Recovery::add_alias(const std::string& name, std::uint64_t id) {
    const auto target = collections_.find(id);
    if (target == collections_.end()) {
        return {StatusCode::kCorruption,
                "alias '" + name + "' stands for a collection that is being built"};
    }
    return add_name(name, {target->second.state, true});
}

Status Recovery::replay(std::uint64_t number, const persist::LogEntry& entry) {
    ++report_.replayed_records;
    if (const auto* rows = std::get_if<persist::LoggedRows>(&entry)) {
        return replay_rows(number, *rows);
    }
    if (const auto* removal = std::get_if<persist::LoggedRemoval>(&entry)) {
        return replay_removal(number, *removal);
    }
    return {};  // names are part of the catalogue that was found
}

/// Say where a record stands that cannot be done.
Status at_record(std::uint64_t number, const Status& status) {
    if (status.ok() || status.code() == StatusCode::kOutOfMemory) return status;
    return {StatusCode::kCorruption,
            "record " + std::to_string(number) +
                " of the log cannot be done again: " + status.message()};
}

Status Recovery::replay_rows(std::uint64_t number, const persist::LoggedRows& rows) {
    const auto found = collections_.find(rows.collection);
    if (found == collections_.end()) return {};  // it was dropped
    const Recovered& to = found->second;
    const VectorField& field = to.state->field();
    const std::size_t expected = rows.ids.size() * vector_bytes(field.element_type, field.dim);
    if (rows.vectors.size() != expected) {
        return at_record(number,
                         {StatusCode::kCorruption,
                          "vectors of " + std::to_string(rows.vectors.size()) +
                              " bytes, expected " + std::to_string(expected)});
    }
    report_.replayed_rows += rows.ids.size();
    const MatrixView vectors =
        MatrixView::of(rows.vectors.data(), rows.ids.size(), field.dim, field.element_type);
    return at_record(number, to.state->replay_rows({number, to.covered}, rows, vectors));
}

Status Recovery::replay_removal(std::uint64_t number, const persist::LoggedRemoval& removal) {
    const auto found = collections_.find(removal.collection);
    if (found == collections_.end()) return {};
    return at_record(
        number, found->second.state->replay_removal({number, found->second.covered}, removal.ids));
}

/// Drop what rebuilds had begun.
Status Recovery::drop_unfinished() {
    if (store_.reads_only()) return {};
    for (const std::uint64_t id : unfinished_)
        VECDB_TRY(store_.write_changes({persist::DropCollection{id}}, [] {}));
    return {};
}

}  // namespace

Result<DatabaseState::Opened> recover(
    const DatabaseState& state, Store& store, Verify verify, KnownSegments known, Damaged damaged) {
    return Recovery(state, store, verify, std::move(known), damaged).run();
}

Result<DatabaseState::Opened> recover_beside_writer(const DatabaseState& state,
                                                    const Store& like,
                                                    const KnownSegments& known) {
    constexpr int kAttempts = 10;
    Status missing;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        VECDB_ASSIGN(const auto store, Store::open(like.directory(), like.options()));
        auto opened = recover(state, *store, like.options().verify, known);
        if (opened.status().code() != StatusCode::kNotFound) return opened;
        missing = std::move(opened).status();
    }
    return Status(StatusCode::kStale,
                  "files were replaced " + std::to_string(kAttempts) +
                      " times while they were read: " + missing.message());
}

}  // namespace vecdb::collection
