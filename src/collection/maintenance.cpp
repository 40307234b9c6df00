#include "check.h"
#include "collection/builtin_indexes.h"
#include "collection/collection_state.h"
#include "collection/progress.h"
#include "collection/storage/merge_policy.h"
#include "collection/storage/seal.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <utility>

namespace vecdb {

using collection::BuiltOn;
using collection::PartitionInfo;
using collection::PartitionVersion;
using collection::Seal;
using collection::SealedList;
using collection::SealSources;
using collection::SegmentVersion;
using collection::Version;
using collection::VersionEdit;

namespace {

std::vector<std::size_t> all_segments(const PartitionVersion& partition) {
    std::vector<std::size_t> segments(partition.segment_count());
    std::iota(segments.begin(), segments.end(), std::size_t{0});
    return segments;
}

/// How often somebody who waits looks whether to go on.
constexpr std::chrono::milliseconds kCheckEvery{10};

/// Writes after a failure in the background before it tries again.
constexpr std::uint64_t kRetryAfter = 1'000;

/// Tell whether a segment is among those that became one.
bool is_source(const SealSources& sources, const SegmentVersion& segment) {
    return std::any_of(sources.begin(), sources.end(), [&](const SegmentVersion* source) {
        return source->numbering == segment.numbering;
    });
}

/// Tell whether a failure only says that the rows are too few for the index: they are searched
/// exactly then.
bool leaves_rows_as_they_are(const Status& status) {
    return status.code() == StatusCode::kFailedPrecondition;
}

void add_segment(const SegmentVersion& segment, Health& health) {
    health.live_rows += segment.live_rows;
    health.removed_rows += segment.rows - segment.live_rows;
    health.removed_bytes += segment.tombstones_bytes();
    if (segment.growing != nullptr) {
        health.growing_rows += segment.live_rows;
        health.id_bytes += segment.growing->ids_memory_bytes();
        health.row_bytes += segment.growing->store().memory_bytes(segment.rows);
        if (segment.codes != nullptr) health.index_bytes += segment.codes->memory_bytes;
    } else {
        health.id_bytes += segment.sealed->map.memory_bytes();
        health.row_bytes += segment.sealed->store.memory_bytes(segment.rows);
        for (const collection::FieldOrder& order : segment.sealed->orders)
            health.row_bytes += order.memory_bytes();
        health.mapped_bytes += segment.sealed->mapped_bytes();
        health.index_bytes += segment.sealed->index_bytes();
        for (const auto& index : segment.sealed->indexes)
            health.unreachable_rows += index != nullptr ? index->unreachable_rows() : 0;
    }
}

/// Tell whether a sealed segment has a vector field without the index that it should have.
bool misses_index(const SegmentVersion& segment, std::span<const VectorField> fields) {
    for (std::size_t number = 0; number < fields.size(); ++number) {
        if (segment.index(number) == nullptr && !collection::is_scanned(fields[number]))
            return true;
    }
    return false;
}

/// Return the partitions that have rows or had some; if `only` is not null, no other.
std::vector<CollectionState::PartitionPointer> used_partitions(const Version& version,
                                                               const PartitionInfo* only) {
    std::vector<CollectionState::PartitionPointer> partitions;
    version.partitions.for_each([&](const PartitionVersion& partition) {
        const bool unused = partition.sealed->empty() && partition.growing.rows == 0;
        const bool meant = only == nullptr || only == partition.info.get();
        if (!unused && meant) partitions.push_back(partition.info);
    });
    return partitions;
}

/// Tell whether a failure in one of several partitions is none of the whole: it has too few rows,
/// or was dropped.
bool is_passed_over(const Status& status) {
    return leaves_rows_as_they_are(status) || status.code() == StatusCode::kNotFound;
}

}  // namespace

/// The time in which segments are rewritten by one thread, a caller's or that of the background;
/// callers have precedence. Between freeze() and thaw() rows of the growing segment of one
/// partition keep their numbers, so that removals can be found again.
class CollectionState::Rewriting {
  public:
    /// A caller's, who means one partition or, if `only` is null, all: waits until the background
    /// has finished another partition, or has given way, or until `control` ends it.
    Rewriting(CollectionState& state, const PartitionInfo* only, const Control& control)
        : state_(state) {
        const Lock writer(state_.writer_);
        ++state_.rewriters_waiting_;
        while (state_.background_cancel_ && control.check().ok()) {
            const bool in_the_way = only == nullptr || only == state_.frozen_;
            if (in_the_way) state_.background_cancel_->cancel();
            state_.rewritten_.wait_for(state_.writer_, kCheckEvery);
        }
        --state_.rewriters_waiting_;
        begun_ = !state_.background_cancel_ && !std::exchange(state_.rewriting_, true);
    }
    /// The background's, ended by `cancel`.
    Rewriting(CollectionState& state, const CancelToken& cancel) : state_(state) {
        const Lock writer(state_.writer_);
        begun_ = state_.rewriters_waiting_ == 0 && !std::exchange(state_.rewriting_, true);
        if (begun_) state_.background_cancel_ = cancel;
    }
    ~Rewriting() {
        if (!begun_) return;
        {
            const Lock writer(state_.writer_);
            state_.rewriting_ = false;
            state_.background_cancel_.reset();
            state_.post_maintenance();
        }
        state_.rewritten_.notify_all();
    }
    Rewriting(const Rewriting&) = delete;
    Rewriting& operator=(const Rewriting&) = delete;

    /// Tell whether no other is under way.
    [[nodiscard]] bool begun() const noexcept { return begun_; }

  private:
    CollectionState& state_;
    bool begun_ = false;
};

class CollectionState::Freeze {
  public:
    Freeze(CollectionState& state, const PartitionInfo& info) : state_(state), info_(info) {
        const Lock writer(state_.writer_);
        state_.frozen_ = &info_;
        version_ = state_.version();
        last_write_ = state_.store().last_write();
    }
    ~Freeze() {
        version_.reset();
        const Lock writer(state_.writer_);
        state_.frozen_ = nullptr;
        state_.compact_if_hollow(info_.number);
    }
    Freeze(const Freeze&) = delete;
    Freeze& operator=(const Freeze&) = delete;

    [[nodiscard]] const Version& version() const noexcept { return *version_; }
    /// Return the number of the last write that it may have.
    [[nodiscard]] std::uint64_t last_write() const noexcept { return last_write_; }

  private:
    CollectionState& state_;
    const PartitionInfo& info_;
    VersionPointer version_;
    std::uint64_t last_write_ = 0;
};

/// Make one sealed segment of those that are chosen of a partition. Returns whether there were any.
template <class Choose>
Result<bool> CollectionState::rewrite(const PartitionInfo& info,
                                      Choose choose,
                                      BuiltOn base,
                                      const BuildOptions& options) {
    const Freeze freeze(*this, info);
    VECDB_TRY(collection::check_exists(freeze.version(), &info));
    const PartitionVersion& frozen = *freeze.version().find(info);
    SealSources sources;
    for (const std::size_t s : choose(frozen))
        sources.push_back(&frozen.segment(s));
    if (sources.empty()) return false;
    // The largest comes first; the growing one stays the last.
    std::stable_sort(sources.begin(), sources.end(), [&](const auto* a, const auto* b) {
        return a != &frozen.growing && (b == &frozen.growing || a->live_rows > b->live_rows);
    });
    // Growing rows wait until they are enough for the index; sealed ones have to be rewritten.
    const bool waits = is_source(sources, frozen.growing);
    const auto too_few = waits ? collection::TooFew::kFail : collection::TooFew::kNoIndex;
    VECDB_ASSIGN(Seal seal, collection::seal(sources, fields(), base, too_few, options));
    collection::Store& store = this->store();
    collection::PartitionSaver saver(store);
    if (store.saves_segments() && seal.segment != nullptr) {
        VECDB_ASSIGN(seal.segment->files, saver.save_segment(*seal.segment, fields()));
        VECDB_TRY(place_rows(sources, store, saver, seal));
    }
    const Lock committing(store.committing());
    const Lock writer(writer_);
    VECDB_TRY(adopt(info, sources, seal, freeze.last_write(), store, saver));
    return true;
}

/// Leave the rows of a segment that was saved in memory, or use them in their file when those of
/// all segments would take more than they may.
Status CollectionState::place_rows(const SealSources& sources,
                                   const collection::Store& store,
                                   collection::PartitionSaver& saver,
                                   Seal& seal) const {
    const std::uint64_t bytes = seal.segment->store.memory_bytes(seal.segment->rows);
    const std::uint64_t budget = store.options().map ? store.options().memory_budget : 0;
    std::uint64_t others = *services_->sealed_bytes;
    for (const SegmentVersion* source : sources) {
        if (source->sealed != nullptr) others -= source->sealed->charge.bytes();
    }
    if (budget != 0 && others + bytes > budget) {
        VECDB_ASSIGN(seal.segment, saver.map_segment(*seal.segment, fields()));
    } else {
        seal.segment->charge = collection::MemoryCharge(services_->sealed_bytes, bytes);
    }
    return {};
}

/// Publish the sealed segment in place of its sources, which have all writes up to number
/// `frozen_at`. Rows that were added meanwhile are the growing segment's; rows that were removed
/// are removed here too.
Status CollectionState::adopt(const PartitionInfo& info,
                              const SealSources& sources,
                              const Seal& seal,
                              std::uint64_t frozen_at,
                              collection::Store& store,
                              collection::PartitionSaver& saver) {
    const auto current = version();
    VECDB_TRY(collection::check_exists(*current, &info));
    VersionEdit edit(*current);
    PartitionVersion& next = edit.change(info.number);
    SealedList sealed;
    std::copy_if(next.sealed->begin(),
                 next.sealed->end(),
                 std::back_inserter(sealed),
                 [&](const auto& segment) { return !is_source(sources, *segment); });
    if (seal.segment != nullptr) {
        auto segment = SegmentVersion::of(seal.segment);
        const auto gone = collection::removed_since(sources, next, seal);
        segment->remove(gone);
        if (segment->live_rows > 0) sealed.push_back(std::move(segment));
    }
    next.sealed = std::make_shared<SealedList>(std::move(sealed));
    std::shared_ptr<collection::GrowingSegment> growing;
    std::optional<std::uint64_t> grown_until;
    if (is_source(sources, next.growing)) {
        growing = copy_growing(info.number, sources.back()->rows, edit);
        grown_until = frozen_at;
    }
    const bool saves = store.saves_segments();
    if (saves) VECDB_TRY(prepare_adopted(next, grown_until, store, saver));
    VersionPointer published = edit.finish(0);
    history_.add(published);
    // From here on nothing but the commit can fail.
    if (saves) VECDB_TRY(store.commit(id_, saver.take_changes()));
    if (growing != nullptr) {
        publish_growing(info.number, std::move(growing), std::move(published));
    } else {
        publish(std::move(published));
    }
    return {};
}

/// Save what the files must say of a partition whose segments were replaced: all sealed segments
/// with what was removed until now. If growing rows up to a write became part of a segment, the log
/// has those that came later. The others, and those that a checkpoint saved meanwhile, stay where
/// they are: loaded together with the segment they take precedence.
Status CollectionState::prepare_adopted(const PartitionVersion& partition,
                                        std::optional<std::uint64_t> grown_until,
                                        const collection::Store& store,
                                        collection::PartitionSaver& saver) const {
    const auto before = store.stored(id_, partition.info->number);
    persist::StoredPartition stored{.number = partition.info->number, .name = partition.info->name};
    if (before) stored.covered = before->covered;
    if (grown_until && *grown_until >= stored.covered) {
        stored.covered = *grown_until;
    } else if (before) {
        stored.growing_rows = before->growing_rows;
        stored.growing = before->growing;
    }
    VECDB_TRY(saver.save_sealed(partition, fields(), before ? &*before : nullptr, stored));
    return saver.prepare({persist::SetPartition{id_, std::move(stored)}});
}

// By the caller -----------------------------------------------------------------------------------

Status CollectionState::build_index(const PartitionInfo* only, const BuildOptions& options) {
    return rewrite_partitions(
        only, options, [&](const PartitionInfo& info, const BuildOptions& part) {
            return rewrite(info, all_segments, BuiltOn::kNothing, part).status();
        });
}

Result<std::size_t> CollectionState::build_missing(const BuildOptions& options) {
    std::size_t built = 0;
    if (collection::are_scanned(schema_.vectors)) return built;
    const auto choose = [&](const PartitionVersion& partition) {
        std::vector<std::size_t> segments;
        for (std::size_t s = 0; s < partition.sealed->size(); ++s) {
            if (misses_index(partition.segment(s), schema_.vectors)) segments.push_back(s);
        }
        return segments;
    };
    VECDB_TRY(rewrite_partitions(
        nullptr, options, [&](const PartitionInfo& info, const BuildOptions& part) -> Status {
            VECDB_ASSIGN(const bool done, rewrite(info, choose, BuiltOn::kNothing, part));
            if (done && choose(*version()->find(info)).empty()) ++built;
            return {};
        }));
    return built;
}

Status CollectionState::flush(const PartitionInfo* only, const BuildOptions& options) {
    constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();
    VECDB_TRY(rewrite_partitions(
        only, options, [&](const PartitionInfo& info, const BuildOptions& part) -> Status {
            // Growing rows once: writers may add more of them all the time.
            std::size_t seal_rows = collection::are_scanned(schema_.vectors) ? kNever : 1;
            const auto choose = [&](const PartitionVersion& partition) {
                return collection::next_rewrite(
                    partition, schema_.segments, schema_.vectors, seal_rows);
            };
            double begin = 0.0;
            for (bool more = true; more; seal_rows = kNever, begin = 1.0) {
                const BuildOptions rest{.threads = part.threads,
                                        .control = collection::part_of(part.control, begin, 1.0)};
                auto done = rewrite(info, choose, BuiltOn::kFirstSource, rest);
                if (leaves_rows_as_they_are(done.status()) && seal_rows != kNever) continue;
                VECDB_ASSIGN(more, std::move(done));
            }
            return {};
        }));
    const Lock writer(writer_);
    return std::exchange(background_error_, Status());
}

/// Check that segments may be rewritten as `options` say.
Status CollectionState::check_buildable(const BuildOptions& options) const {
    VECDB_TRY(options.validate());
    VECDB_TRY(options.control.check());
    VECDB_TRY(check_whole());
    return store().check_writable();
}

/// Call one(info, options) for `only` or for every partition that has rows or had some. When
/// several have rows, those with too few for the index are passed over.
template <class One>
Status CollectionState::rewrite_partitions(const PartitionInfo* only,
                                           const BuildOptions& options,
                                           One one) {
    VECDB_TRY(check_buildable(options));
    const Rewriting rewriting(*this, only, options.control);
    if (!rewriting.begun()) {
        VECDB_TRY(options.control.check());
        return {StatusCode::kFailedPrecondition,
                "an index of collection '" + name_ + "' is being built; 1 build at a time"};
    }
    options.control.report(0.0);
    const collection::CallThreads threads(*services_, options.threads);
    const VersionPointer begin = version();
    VECDB_TRY(collection::check_exists(*begin, only));
    const std::vector<PartitionPointer> partitions = used_partitions(*begin, only);
    const double all = std::max(static_cast<double>(begin->live_rows), 1.0);
    double done = 0.0;
    for (const PartitionPointer& info : partitions) {
        const auto rows = static_cast<double>(begin->find(*info)->live_rows);
        const double after = partitions.size() == 1 ? 1.0 : std::min(done + rows / all, 1.0);
        const BuildOptions part{.threads = threads.count(),
                                .control = collection::part_of(options.control, done, after)};
        Status built = one(*info, part);
        if (!built.ok() && (partitions.size() == 1 || !is_passed_over(built))) return built;
        done = after;
    }
    options.control.report(1.0);
    return store().check_writable();  // which is none of what is passed over
}

// In the background -------------------------------------------------------------------------------

/// Note what is to be done in a partition, if anything, and see that it is done.
void CollectionState::schedule(std::uint32_t number) noexcept {
    if (schema_.segments.seal_rows == 0) return;
    const VersionPointer current = version();
    const PartitionVersion* partition = current->partitions.get(number);
    if (partition == nullptr) return;
    try {
        const WriterSide& side = partitions_[number];
        if (current->sequence < side.not_before) return;
        if (collection::next_rewrite(*partition, schema_.segments, schema_.vectors, side.seal_rows)
                .empty())
            return;
        pending_.insert(number);
        post_maintenance();
    } catch (...) {
        // Memory or a thread is missing. The next write tries again.
    }
}

void CollectionState::end_replay(std::uint64_t last) {
    const Lock loading(loading_);
    {
        const Lock writer(writer_);
        auto next = std::make_shared<Version>(*version());
        next->sequence = last;
        publish(std::move(next));
    }
    replayed_ = true;
    if (loaded_) schedule_all();
}

void CollectionState::schedule_all() {
    const Lock writer(writer_);
    if (!check_writable().ok()) return;
    for (std::uint32_t number = 0; number < partitions_.size(); ++number)
        schedule(number);
}

/// Ask the background for maintain(), if there is something to do and nobody is at it.
void CollectionState::post_maintenance() noexcept {
    if (closing_ || posted_ || rewriting_ || pending_.empty()) return;
    try {
        services_->background.post(this, [this](const CancelToken& cancel) { maintain(cancel); });
        posted_ = true;
    } catch (...) {
        // As in schedule().
    }
}

/// Do one rewrite of those that are pending; the next is posted behind what other collections have
/// to do.
void CollectionState::maintain(const CancelToken& cancel) noexcept {
    {
        const Lock writer(writer_);
        posted_ = false;
    }
    if (!store().check_writable().ok() || !check_whole().ok()) return;
    const Rewriting rewriting(*this, cancel);
    if (!rewriting.begun()) return;
    const Pending next = take_pending();
    if (next.info == nullptr) return;
    const auto choose = [&](const PartitionVersion& partition) {
        return collection::next_rewrite(
            partition, schema_.segments, schema_.vectors, next.seal_rows);
    };
    BuildOptions options{.threads = 1};
    options.control.cancel = cancel;
    auto done = guard([&] { return rewrite(*next.info, choose, BuiltOn::kFirstSource, options); });
    const Lock writer(writer_);
    note_maintained(next.info->number, std::move(done).status());
}

/// Take the next partition with something to do; without info when there is none.
CollectionState::Pending CollectionState::take_pending() {
    const Lock writer(writer_);
    while (!pending_.empty()) {
        auto next = pending_.upper_bound(last_taken_);
        if (next == pending_.end()) next = pending_.begin();
        last_taken_ = *next;
        pending_.erase(next);
        const WriterSide& side = partitions_[last_taken_];
        if (side.info != nullptr) return {side.info, side.seal_rows};
    }
    return {};
}

/// Draw the conclusions from what came of a rewrite in the background.
void CollectionState::note_maintained(std::uint32_t number, Status done) noexcept {
    WriterSide& side = partitions_[number];
    if (done.ok()) {
        side.seal_rows = first_seal_rows();
    } else if (leaves_rows_as_they_are(done) && side.info != nullptr) {
        // Growing rows are tried again when there are twice as many.
        const auto current = version();
        const PartitionVersion* partition = current->partitions.get(number);
        side.seal_rows = std::max(side.seal_rows, 2 * partition->growing.live_rows);
    } else if (done.code() != StatusCode::kCancelled && done.code() != StatusCode::kNotFound) {
        side.not_before = version()->sequence + kRetryAfter;
        if (background_error_.ok()) background_error_ = std::move(done);
    }
    schedule(number);
}

/// Tell whether a partition has more growing rows than it should, and the background is about to
/// seal them.
bool CollectionState::is_flooded(std::uint32_t number) const {
    const VersionPointer current = version();
    const PartitionVersion* partition = current->partitions.get(number);
    if (partition == nullptr) return false;
    if (partition->growing.live_rows < schema_.segments.max_growing_rows) return false;
    const bool sealing = background_cancel_.has_value() && frozen_ == partition->info.get();
    return sealing || pending_.contains(number);
}

void CollectionState::give_way(const PartitionInfo* only, std::span<const Id> ids) {
    if (schema_.segments.max_growing_rows == 0) return;
    const bool routed_by_id = only == nullptr && schema_.rule.routing != Routing::kNone;
    const Id first = 0;
    const Lock writer(writer_);
    for (const Id id : routed_by_id ? ids : std::span(&first, 1)) {
        const std::uint32_t elsewhere = routed_by_id ? routed(id) : 0;
        const std::uint32_t number = only != nullptr ? only->number : elsewhere;
        while (is_flooded(number))
            rewritten_.wait_for(writer_, kCheckEvery);
    }
}

std::size_t CollectionState::first_seal_rows() const noexcept {
    return collection::are_scanned(schema_.vectors) ? std::numeric_limits<std::size_t>::max()
                                                    : schema_.segments.seal_rows;
}

CollectionState::~CollectionState() {
    {
        const Lock writer(writer_);
        closing_ = true;
    }
    services_->background.forget(this);
}

// Health ------------------------------------------------------------------------------------------

Health CollectionState::health() const {
    Health health;
    {
        const Lock writer(writer_);
        health.pending_partitions = pending_.size();
        health.rewriting = rewriting_;
        health.background_error = background_error_;
    }
    const ReadLock lock(map_);  // growing segments change under it
    if (directory_ != nullptr) health.id_bytes += directory_->memory_bytes();
    version()->partitions.for_each([&](const PartitionVersion& partition) {
        health.sealed_segments += partition.sealed->size();
        if (partition.lost != nullptr) health.damaged_segments += partition.lost->size();
        for (std::size_t s = 0; s < partition.segment_count(); ++s)
            add_segment(partition.segment(s), health);
    });
    return health;
}

}  // namespace vecdb
