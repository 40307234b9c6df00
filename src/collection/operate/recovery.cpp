#include "collection/operate/recovery.h"

#include "check.h"
#include "collection/database_state.h"
#include "collection/storage/replay.h"
#include "collection/storage/stored_partition.h"
#include "persist/log.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vecdb::collection {
namespace {

constexpr std::uint64_t kAbsent = std::numeric_limits<std::uint64_t>::max();

/// A collection that was loaded, and which records of the log its partitions have.
struct Recovered {
    std::shared_ptr<CollectionState> state;
    std::vector<std::uint64_t> covered;  // as Replay's
};

class Recovery {
  public:
    explicit Recovery(DatabaseState& state)
        : state_(state), store_(*state.services->store), report_(state.report) {}

    Status run() {
        const Store::Found& found = store_.found();
        const persist::StoredPosition& position = found.catalogue.position();
        first_write_ = position.logs.empty() ? position.covered : position.logs.front().first - 1;
        const std::uint64_t last_write = found.log.end.sequence;
        report_.created = found.created;
        report_.clean = found.closed;
        report_.torn_bytes = found.log.torn_bytes;
        for (const auto& [id, collection] : found.catalogue.collections())
            VECDB_TRY(load(id, collection));
        for (const auto& [name, id] : found.catalogue.aliases())
            VECDB_TRY(add_alias(name, id));
        VECDB_TRY(store_.replay([&](std::uint64_t number, const persist::LogEntry& entry) {
            return replay(number, entry);
        }));
        VECDB_TRY(store_.finish_opening());
        VECDB_TRY(drop_unfinished());
        for (const auto& [id, recovered] : collections_)
            recovered.state->end_replay(last_write);
        return {};
    }

  private:
    Status load(std::uint64_t id, const persist::StoredCollection& stored);
    Status add_alias(const std::string& name, std::uint64_t id);
    Status replay(std::uint64_t number, const persist::LogEntry& entry);
    Status replay_rows(std::uint64_t number, const persist::LoggedRows& rows);
    Status replay_removal(std::uint64_t number, const persist::LoggedRemoval& removal);
    Status drop_unfinished();

    DatabaseState& state_;
    Store& store_;
    OpenReport& report_;
    std::map<std::uint64_t, Recovered> collections_;
    std::vector<std::uint64_t> unfinished_;
    std::uint64_t first_write_ = 0;  // that is replayed, less 1
};

/// Return what the partitions have that a schema makes by itself, if they were never saved:
/// nothing.
std::vector<std::uint64_t> covered_at_first(const Schema& schema) {
    const bool routed = schema.rule.routing != Routing::kNone;
    return std::vector<std::uint64_t>(routed ? schema.rule.partitions : 1, 0);
}

Status Recovery::load(std::uint64_t id, const persist::StoredCollection& stored) {
    if (stored.building) {
        report_.dropped_collections.push_back(stored.name);
        unfinished_.push_back(id);
        return {};
    }
    const Status valid = stored.schema.validate();
    if (valid.code() == StatusCode::kOutOfMemory) return valid;
    if (!valid.ok()) {
        return {StatusCode::kCorruption,
                "the schema of collection '" + stored.name + "' cannot be: " + valid.message()};
    }
    Recovered recovered;
    recovered.covered = covered_at_first(stored.schema);
    std::vector<LoadedPartition> partitions;
    for (const auto& [number, partition] : stored.partitions) {
        if (number >= kMaxPartitions) {
            return {StatusCode::kCorruption,
                    "collection '" + stored.name + "' has partition " + std::to_string(number)};
        }
        VECDB_ASSIGN(
            auto loaded,
            load_partition(store_, partition, stored.schema.vectors.front(), report_.damage));
        partitions.push_back(std::move(loaded));
        if (number >= recovered.covered.size()) recovered.covered.resize(number + 1, kAbsent);
        recovered.covered[number] = partition.covered;
    }
    recovered.state =
        std::make_shared<CollectionState>(CollectionState::Identity{id, stored.name, stored.schema},
                                          state_.kernels,
                                          state_.services,
                                          std::move(partitions),
                                          first_write_);
    VECDB_TRY(state_.add_loaded(stored.name, {recovered.state, false}));
    collections_.emplace(id, std::move(recovered));
    return {};
}

Status Recovery::add_alias(const std::string& name, std::uint64_t id) {
    const auto target = collections_.find(id);
    if (target == collections_.end()) {
        return {StatusCode::kCorruption,
                "alias '" + name + "' stands for a collection that is being built"};
    }
    return state_.add_loaded(name, {target->second.state, true});
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
    return at_record(
        number, to.state->replay_rows({number, to.covered}, rows.partition, rows.ids, vectors));
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

Status recover(DatabaseState& state) {
    return Recovery(state).run();
}

}  // namespace vecdb::collection
