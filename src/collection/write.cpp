#include "check.h"
#include "collection/checked_rows.h"
#include "collection/collection_state.h"
#include "collection/query/segment_targets.h"
#include "collection/query/source.h"
#include "collection/vectors.h"
#include "index/parallel.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>
#include <string>
#include <utility>

namespace vecdb {

using collection::CheckedRows;
using collection::PartitionInfo;
using collection::PartitionVersion;
using collection::Place;
using collection::SegmentVersion;
using collection::Version;
using collection::VersionEdit;

namespace {

/// Bytes of vectors that are worth a thread of their own.
constexpr std::size_t kThreadWork = std::size_t{4} << 20U;

bool strictly_ascending(std::span<const Id> ids) {
    return std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<>()) == ids.end();
}

/// Append the places of the live rows of a partition that a filter allows.
void append_allowed(const PartitionVersion& partition,
                    const Filter& filter,
                    std::vector<Place>& places) {
    std::vector<collection::SegmentTarget> targets;
    collection::find_targets(partition, 0, {.filter = filter}, targets);
    for (const collection::SegmentTarget& target : targets) {
        std::uint32_t segment = 0;
        while (&partition.segment(segment) != target.segment)
            ++segment;
        target.for_each_row([&](std::size_t row) {
            places.push_back({partition.info->number, segment, static_cast<std::uint32_t>(row)});
        });
    }
}

}  // namespace

/// One batch on its way from the caller to a version, step by step; whatever fails, nothing has
/// changed. Threads: the caller holds the writer lock.
class CollectionState::Write {
  public:
    /// \param replay  null: it is no replay
    Write(CollectionState& state,
          const CheckedRows& batch,
          Mode mode,
          const collection::Replay* replay = nullptr)
        : state_(state),
          batch_(batch),
          ids_(batch.ids),
          mode_(mode),
          replay_(replay),
          current_(state.version()),
          edit_(*current_) {}

    /// Choose the rows and find those that they replace.
    Status begin() {
        VECDB_TRY(choose_rows());
        return find_replaced();
    }
    Status route(const PartitionInfo* only);
    Status route_replayed(std::uint32_t partition);
    /// Store the rows where they were routed, and publish them.
    Status finish(std::span<const WriterSide> partitions) {
        VECDB_TRY(reserve(partitions));
        VECDB_TRY(fill());
        return publish();
    }

    /// After finish(): what it changed.
    [[nodiscard]] const VersionEdit& edit() const noexcept { return edit_; }

  private:
    /// Rows that go to one partition: rows_[begin, end).
    struct Group {
        std::uint32_t partition;
        std::size_t begin, end;
        collection::GrowingSegment* growing;
        std::size_t first;  ///< Row of `growing` for the first of them.

        [[nodiscard]] std::size_t size() const noexcept { return end - begin; }
        [[nodiscard]] std::size_t rows() const noexcept { return first + size(); }
    };

    Status choose_rows();
    Status find_replaced();
    Status reserve(std::span<const WriterSide> partitions);
    Status fill() const;
    Status publish();
    Status fill_group(const Group& group) const;
    Status fill_vectors(const collection::RowStore& store,
                        std::size_t first,
                        std::span<const std::uint32_t> rows,
                        std::size_t number) const;
    Status check_superseded() const;
    void see(VersionPointer next) noexcept;

    CollectionState& state_;
    const CheckedRows& batch_;
    const std::span<const Id> ids_;
    const Mode mode_;
    const collection::Replay* const replay_;
    const VersionPointer current_;
    VersionEdit edit_;
    std::vector<std::uint32_t> rows_;        // of the batch, to be stored
    std::vector<std::uint32_t> superseded_;  // by later ones of the batch, to be checked only
    std::vector<Place> replaced_;
    std::vector<Group> groups_;                                  // by ascending partition
    std::unique_ptr<collection::PartitionDirectory> directory_;  // null: that of the state has room
};

/// Choose the rows of the batch to store, in their order: all, or under upsert the last of each id.
Status CollectionState::Write::choose_rows() {
    rows_.resize(ids_.size());
    std::iota(rows_.begin(), rows_.end(), 0U);
    if (strictly_ascending(ids_)) return {};
    std::sort(rows_.begin(), rows_.end(), [&](std::uint32_t a, std::uint32_t b) {
        return ids_[a] != ids_[b] ? ids_[a] < ids_[b] : a < b;
    });
    std::vector<std::uint32_t> last;
    last.reserve(rows_.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        const bool repeated = i + 1 < rows_.size() && ids_[rows_[i]] == ids_[rows_[i + 1]];
        if (repeated && mode_ == Mode::kInsert) {
            return {StatusCode::kAlreadyExists,
                    "id " + std::to_string(ids_[rows_[i]]) + " stands in " +
                        collection::row_name(rows_[i]) + " and in " +
                        collection::row_name(rows_[i + 1]) + " of the batch"};
        }
        (repeated ? superseded_ : last).push_back(rows_[i]);
    }
    std::sort(last.begin(), last.end());
    rows_ = std::move(last);
    return {};
}

/// Find the stored rows whose ids the batch has: refused by insert, replaced by upsert.
Status CollectionState::Write::find_replaced() {
    const ReadLock lock(state_.map_);
    for (const std::uint32_t i : rows_) {
        const auto place = state_.find(*current_, nullptr, ids_[i], replay_);
        if (!place) continue;
        if (mode_ == Mode::kInsert) {
            std::string where;
            if (current_->partitions.size() > 1) {
                where = ", in partition '" +
                        current_->partitions.get(place->partition)->info->name + "'";
            }
            return {StatusCode::kAlreadyExists,
                    "id " + std::to_string(ids_[i]) + " of " + collection::row_name(i) +
                        " exists in the collection" + where};
        }
        replaced_.push_back(*place);
    }
    return {};
}

/// Group the rows by partition.
Status CollectionState::Write::route(const PartitionInfo* only) {
    if (state_.schema_.rule.routing == Routing::kNone) {
        groups_.push_back({only != nullptr ? only->number : 0U, 0, rows_.size(), nullptr, 0});
        return {};
    }
    const auto partition = [&](std::uint32_t row) {
        return state_.routed(ids_[row]);
    };
    const auto stray = std::find_if(rows_.begin(), rows_.end(), [&](std::uint32_t row) {
        return only != nullptr && partition(row) != only->number;
    });
    if (stray != rows_.end()) {
        return {StatusCode::kInvalidArgument,
                collection::row_name(*stray) + " has id " + std::to_string(ids_[*stray]) +
                    ", which the rule of collection '" + state_.name_ + "' sends to partition '" +
                    std::to_string(partition(*stray)) + "', not to '" + only->name + "'"};
    }
    std::stable_sort(rows_.begin(), rows_.end(), [&](std::uint32_t a, std::uint32_t b) {
        return partition(a) < partition(b);
    });
    for (std::size_t begin = 0; begin < rows_.size();) {
        const std::uint32_t number = partition(rows_[begin]);
        const auto next =
            std::partition_point(rows_.begin() + static_cast<std::ptrdiff_t>(begin),
                                 rows_.end(),
                                 [&](std::uint32_t row) { return partition(row) == number; });
        const auto end = static_cast<std::size_t>(next - rows_.begin());
        groups_.push_back({number, begin, end, nullptr, 0});
        begin = end;
    }
    return {};
}

/// Group the rows of a replay that go to partitions that take part in it.
Status CollectionState::Write::route_replayed(std::uint32_t partition) {
    const bool by_rule = partition == persist::kByRule;
    if (by_rule != (state_.schema_.rule.routing != Routing::kNone)) {
        return {StatusCode::kCorruption,
                "rows of collection '" + state_.name_ + "' were not logged after its rule"};
    }
    std::erase_if(rows_, [&](std::uint32_t row) {
        return !replay_->takes_part(by_rule ? state_.routed(ids_[row]) : partition);
    });
    if (by_rule) return route(nullptr);
    if (!rows_.empty()) groups_.push_back({partition, 0, rows_.size(), nullptr, 0});
    return {};
}

/// Make room for rows and ids wherever they go.
Status CollectionState::Write::reserve(std::span<const WriterSide> partitions) {
    for (Group& group : groups_) {
        group.growing = partitions[group.partition].growing.get();
        group.first = current_->partitions.get(group.partition)->growing.rows;
        if (group.rows() > kMaxRowsPerSegment) {
            return {StatusCode::kFailedPrecondition,
                    "the partition would have " + std::to_string(group.rows()) +
                        " rows without an index; at most " + std::to_string(kMaxRowsPerSegment)};
        }
    }
    {
        const ReadLock lock(state_.map_);
        const bool full =
            state_.directory_ != nullptr && !state_.directory_->has_room(rows_.size());
        if (full) directory_ = state_.make_directory(*current_, rows_.size());
    }
    const WriteLock lock(state_.map_);
    for (const Group& group : groups_) {
        group.growing->store().reserve(group.rows(), group.first);
        const auto known = std::count_if(
            rows_.begin() + static_cast<std::ptrdiff_t>(group.begin),
            rows_.begin() + static_cast<std::ptrdiff_t>(group.end),
            [&](std::uint32_t row) { return group.growing->last(ids_[row]).has_value(); });
        group.growing->reserve_ids(group.size(), static_cast<std::size_t>(known));
    }
    return {};
}

/// Check the vectors that later ones of the batch replace.
Status CollectionState::Write::check_superseded() const {
    if (superseded_.empty()) return {};
    for (std::size_t number = 0; number < batch_.vectors.size(); ++number) {
        const VectorField& field = state_.field(number);
        std::vector<std::byte> copy(vector_bytes(field.element_type, field.dim));
        float norm = 0.0F;
        for (const std::uint32_t row : superseded_) {
            std::memcpy(copy.data(), batch_.vectors[number].slice(row, 1).data(), copy.size());
            VECDB_TRY(collection::in_field(
                state_.schema_.vectors,
                number,
                collection::finish_rows(
                    state_.kernels_, field, {copy.data(), 1, &norm}, {&row, 1})));
        }
    }
    return {};
}

/// Write the rows behind the published ones, where no reader looks.
Status CollectionState::Write::fill() const {
    VECDB_TRY(check_superseded());
    if (groups_.empty()) return {};
    if (groups_.size() == 1) return fill_group(groups_.front());
    std::vector<Status> results(groups_.size());
    const std::size_t work =
        rows_.size() * groups_.front().growing->store().format().vectors_bytes();
    const collection::CallThreads threads(*state_.services_,
                                          std::min(groups_.size(), work / kThreadWork + 1));
    index::parallel_for(groups_.size(), threads.count(), [&](std::size_t group, std::size_t) {
        results[group] = fill_group(groups_[group]);
    });
    for (Status& result : results)
        VECDB_TRY(std::move(result));
    return {};
}

Status CollectionState::Write::fill_group(const Group& group) const {
    const collection::RowStore& store = group.growing->store();
    std::size_t row = group.first;
    for (std::size_t done = group.begin; done < group.end;) {
        const std::size_t count = std::min(store.run(row), group.end - done);
        const auto rows = std::span(rows_).subspan(done, count);
        for (std::size_t number = 0; number < batch_.vectors.size(); ++number)
            VECDB_TRY(fill_vectors(store, row, rows, number));
        for (std::size_t i = 0; i < count; ++i) {
            store.id(row + i) = ids_[rows[i]];
            batch_.columns.store(rows[i], store.cells(row + i), store.offset(row + i));
        }
        row += count;
        done += count;
    }
    return {};
}

/// Write the vectors that rows of the batch have in one field to the store, from its row `first` on
/// in one piece, and finish them.
Status CollectionState::Write::fill_vectors(const collection::RowStore& store,
                                            std::size_t first,
                                            std::span<const std::uint32_t> rows,
                                            std::size_t number) const {
    const VectorField& field = state_.field(number);
    const MatrixView& from = batch_.vectors[number];
    const std::size_t bytes = vector_bytes(field.element_type, field.dim);
    std::byte* const to = store.vector(first, number);
    for (std::size_t i = 0; i < rows.size(); ++i)
        std::memcpy(to + i * bytes, from.slice(rows[i], 1).data(), bytes);
    return collection::in_field(
        state_.schema_.vectors,
        number,
        collection::finish_rows(
            state_.kernels_, field, {to, rows.size(), &store.norm(first, number)}, rows));
}

/// Log the rows and make them seen. May throw std::bad_alloc and then changes nothing.
Status CollectionState::Write::publish() {
    for (const Group& group : groups_) {
        SegmentVersion& growing = edit_.change(group.partition).growing;
        growing.blocks = group.growing->store().blocks();
        growing.live_rows += group.size();
        growing.rows = group.rows();
        growing.memory_bytes = group.growing->memory_bytes(group.rows());
        if (growing.codes != nullptr) growing.memory_bytes += growing.codes->memory_bytes;
        collection::extend_codes(state_.schema_.vectors, growing);
    }
    edit_.remove(std::move(replaced_));
    VersionPointer next =
        edit_.finish(replay_ != nullptr ? replay_->record - current_->sequence : 1);
    state_.history_.add(next);
    if (replay_ != nullptr) {
        see(std::move(next));
        return {};
    }
    const bool by_rule = state_.schema_.rule.routing != Routing::kNone;
    collection::Store& store = state_.store();
    std::vector<std::byte> values;
    if (store.durable()) values = batch_.encode(state_.schema_, rows_);
    return store.write_rows({.collection = state_.id_,
                             .partition = by_rule ? persist::kByRule : groups_.front().partition,
                             .ids = ids_,
                             .vectors = batch_.vectors.front(),
                             .rows = rows_,
                             .values = values},
                            [&]() noexcept { see(std::move(next)); });
}

/// Enter the ids and publish the version with them.
void CollectionState::Write::see(VersionPointer next) noexcept {
    const WriteLock lock(state_.map_);
    if (directory_ != nullptr) {
        directory_.swap(state_.directory_);
        state_.directory_since_ = current_->sequence;
    }
    for (const Group& group : groups_) {
        for (std::size_t row = group.first; row < group.rows(); ++row) {
            group.growing->enter(static_cast<std::uint32_t>(row));
            if (state_.directory_ == nullptr) continue;
            state_.directory_->enter(group.growing->store().id(row), group.partition);
        }
    }
    state_.publish(std::move(next));
}

Status CollectionState::write(const PartitionInfo* only,
                              const collection::RowsToWrite& rows,
                              Mode mode) {
    VECDB_ASSIGN(const CheckedRows batch, CheckedRows::from(schema_, rows));
    const Lock writer(writer_);
    VECDB_TRY(check_writable());
    VECDB_TRY(collection::check_exists(*version(), only));
    if (batch.ids.empty()) return {};
    Write write(*this, batch, mode);
    VECDB_TRY(write.begin());
    VECDB_TRY(write.route(only));
    VECDB_TRY(write.finish(partitions_));
    tidy(write.edit());
    return {};
}

Status CollectionState::replay_rows(const collection::Replay& replay,
                                    const persist::LoggedRows& rows,
                                    MatrixView vectors) {
    VECDB_ASSIGN(const CheckedRows batch,
                 CheckedRows::decode(schema_, rows.ids, vectors, rows.values));
    const Lock writer(writer_);
    Write write(*this, batch, Mode::kUpsert, &replay);
    VECDB_TRY(write.begin());
    VECDB_TRY(write.route_replayed(rows.partition));
    VECDB_TRY(write.finish(partitions_));
    for (const auto& each : write.edit().changed())
        compact_if_hollow(each.first);
    return {};
}

Status CollectionState::replay_removal(const collection::Replay& replay, std::span<const Id> ids) {
    const Lock writer(writer_);
    const auto current = version();
    return remove_places(*current, find_all(*current, nullptr, ids, &replay), &replay).status();
}

Result<std::size_t> CollectionState::remove(const PartitionInfo* only, std::span<const Id> ids) {
    const Lock writer(writer_);
    VECDB_TRY(check_writable());
    const auto current = version();
    VECDB_TRY(collection::check_exists(*current, only));
    return remove_places(*current, find_all(*current, only, ids, nullptr));
}

/// Find the live rows of ids, each once.
std::vector<Place> CollectionState::find_all(const Version& current,
                                             const PartitionInfo* only,
                                             std::span<const Id> ids,
                                             const collection::Replay* replay) const {
    std::vector<Place> places;
    {
        const ReadLock lock(map_);
        for (const Id id : ids) {
            if (const auto place = find(current, only, id, replay)) places.push_back(*place);
        }
    }
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    return places;
}

Result<std::size_t> CollectionState::remove(const PartitionInfo* only, const Filter& filter) {
    VECDB_TRY(collection::check_filter(*this, filter));
    // Most rows are tested here, without the lock.
    std::vector<Place> places;
    const auto find = [&](const Version& version) {
        places.clear();
        if (only == nullptr) {
            version.partitions.for_each([&](const PartitionVersion& partition) {
                append_allowed(partition, filter, places);
            });
        } else if (const PartitionVersion* partition = version.find(*only)) {
            append_allowed(*partition, filter, places);
        }
    };
    find(*version());
    const Lock writer(writer_);
    VECDB_TRY(check_writable());
    const auto current = version();
    VECDB_TRY(collection::check_exists(*current, only));
    find(*current);
    return remove_places(*current, std::move(places));
}

/// Remove live rows, each named once.
Result<std::size_t> CollectionState::remove_places(const Version& current,
                                                   std::vector<Place> places,
                                                   const collection::Replay* replay) {
    if (places.empty()) return std::size_t{0};
    std::vector<Id> ids;
    if (store().durable() && replay == nullptr) {
        ids.reserve(places.size());
        for (const Place& place : places) {
            ids.push_back(
                current.partitions.get(place.partition)->segment(place.segment).id(place.row));
        }
    }
    const std::size_t count = places.size();
    VersionEdit edit(current);
    edit.remove(std::move(places));
    VersionPointer next = edit.finish(replay != nullptr ? replay->record - current.sequence : 1);
    history_.add(next);
    const auto see = [&]() noexcept {
        publish(std::move(next));
    };
    if (replay != nullptr) {
        see();
        return count;
    }
    VECDB_TRY(store().write_removal(id_, ids, see));
    tidy(edit);
    return count;
}

}  // namespace vecdb
