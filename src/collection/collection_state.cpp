#include "collection/collection_state.h"

#include "check.h"
#include "collection/storage/live_rows.h"
#include "collection/vectors.h"
#include "index/registry.h"

#include <algorithm>
#include <new>
#include <string>
#include <utility>

namespace vecdb {

using collection::GrowingSegment;
using collection::PartitionDirectory;
using collection::PartitionInfo;
using collection::PartitionVersion;
using collection::Place;
using collection::SegmentVersion;
using collection::Version;
using collection::VersionEdit;

namespace {

constexpr const char* kDefaultPartition = "default";

/// Dead rows are squeezed out when they are more than this and than half the live rows.
constexpr std::size_t kMinDeadRows = 1'024;

/// Return the state of a partition without rows.
std::shared_ptr<PartitionVersion> empty_partition(CollectionState::PartitionPointer info,
                                                  std::shared_ptr<const GrowingSegment> growing) {
    auto partition = std::make_shared<PartitionVersion>();
    partition->info = std::move(info);
    partition->sealed = std::make_shared<collection::SealedList>();
    partition->growing = SegmentVersion::of(std::move(growing), 0);
    return partition;
}

/// Return a partition that was loaded, with all rows of its growing segment.
std::shared_ptr<PartitionVersion> loaded_partition(CollectionState::PartitionPointer info,
                                                   std::span<const VectorField> fields,
                                                   collection::LoadedPartition& loaded,
                                                   std::uint64_t sequence) {
    auto partition = std::make_shared<PartitionVersion>();
    partition->info = std::move(info);
    partition->sealed = std::make_shared<collection::SealedList>(std::move(loaded.sealed));
    partition->growing = SegmentVersion::of(loaded.growing, loaded.growing_rows);
    collection::extend_codes(fields, partition->growing);
    partition->sequence = sequence;
    if (!loaded.lost.empty())
        partition->lost = std::make_shared<std::vector<std::string>>(std::move(loaded.lost));
    return partition;
}

/// Find the live row of `id` in a partition, which is null when it does not exist.
std::optional<Place> find_in(const PartitionVersion* partition, Id id) {
    if (partition == nullptr) return std::nullopt;
    const std::size_t segments = partition->segment_count();
    for (std::size_t i = 0; i < segments; ++i) {
        // Ids asked for are mostly those that came last.
        const std::size_t s = segments - 1 - i;
        if (const auto row = partition->segment(s).find(id)) {
            return Place{partition->info->number, static_cast<std::uint32_t>(s), *row};
        }
    }
    return std::nullopt;
}

Status no_such_partition(std::string_view name) {
    return {StatusCode::kNotFound, "no partition is named '" + std::string(name) + "'"};
}

}  // namespace

CollectionState::CollectionState(Identity identity,
                                 const simd::KernelTable& kernels,
                                 std::shared_ptr<collection::Services> services)
    : CollectionState(std::move(identity), kernels, std::move(services), nullptr, 0) {
    writer_.assert_held();  // nobody else knows of it yet
    install({}, 0);
    loaded_ = true;
}

CollectionState::CollectionState(Identity identity,
                                 const simd::KernelTable& kernels,
                                 std::shared_ptr<collection::Services> services,
                                 Loader loader,
                                 std::uint64_t sequence)
    : id_(identity.id),
      name_(std::move(identity.name)),
      schema_(std::move(identity.schema)),
      scalars_(collection::share_scalars(schema_)),
      format_(fields().format()),
      index_name_(index::index_name(field().index)),
      kernels_(kernels),
      services_(std::move(services)),
      saved_sequence_(sequence),
      loader_(std::move(loader)) {
    Version nothing;
    nothing.sequence = sequence;
    version_ = VersionEdit(nothing).finish(0);
}

// Loading -----------------------------------------------------------------------------------------

/// Make the partitions that were loaded, and those that the schema makes by itself and that are not
/// among them, which are empty.
void CollectionState::install(std::vector<collection::LoadedPartition> partitions,
                              std::uint64_t sequence) {
    Version nothing;
    nothing.sequence = sequence;
    VersionEdit edit(nothing);
    const WriteLock lock(map_);
    const WriteLock naming(naming_);
    partitions_.clear();  // of a call that failed
    names_.clear();
    damage_.clear();
    rescued_.clear();
    rescued_rows_ = 0;
    for (collection::LoadedPartition& loaded : partitions) {
        WriterSide made = make_partition(loaded.name, loaded.number);
        made.growing = loaded.growing;
        note_damage(loaded);
        // What was rescued is to be saved.
        const std::uint64_t saved = saved_sequence_ + (loaded.rescued.empty() ? 0U : 1U);
        edit.set(loaded.number, loaded_partition(made.info, schema_.vectors, loaded, saved));
        names_.emplace(made.info->name, made.info);
        if (loaded.number >= partitions_.size()) partitions_.resize(loaded.number + 1);
        partitions_[loaded.number] = std::move(made);
    }
    const bool routed = schema_.rule.routing != Routing::kNone;
    const std::size_t count = routed ? schema_.rule.partitions : 1;
    if (partitions_.size() < count) partitions_.resize(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        if (partitions_[i].info != nullptr) continue;
        WriterSide made = make_partition(routed ? std::to_string(i) : kDefaultPartition, i);
        edit.set(i, empty_partition(made.info, made.growing));
        names_.emplace(made.info->name, made.info);
        partitions_[i] = std::move(made);
    }
    free_numbers_.clear();
    for (std::size_t i = partitions_.size(); i > count; --i) {
        if (partitions_[i - 1].info == nullptr)
            free_numbers_.push_back(static_cast<std::uint32_t>(i - 1));
    }
    VersionPointer next = edit.finish(0);
    if (!routed && partitions_.size() > 1) {
        directory_ = make_directory(*next, 0);
        directory_since_ = sequence;
    }
    publish(std::move(next));
}

/// Keep what a partition had to be loaded without.
void CollectionState::note_damage(const collection::LoadedPartition& loaded) {
    for (const std::string& lost : loaded.lost)
        damage_.push_back("rows are missing: " + lost);
    for (const auto* indexes : {&loaded.without, &loaded.unserved}) {
        for (const std::string& index : *indexes)
            damage_.push_back("an index is not used: " + index);
    }
    rescued_.insert(rescued_.end(), loaded.rescued.begin(), loaded.rescued.end());
    rescued_rows_ += loaded.rescued_rows;
    if (!loaded.lost.empty()) has_lost_ = true;
}

Status CollectionState::load() {
    if (loaded_) return {};
    const Lock lock(loading_);
    if (loaded_) return {};
    VECDB_ASSIGN(auto partitions, loader_());
    {
        const Lock writer(writer_);
        install(std::move(partitions), version()->sequence);
    }
    loader_ = nullptr;
    loaded_ = true;
    if (replayed_) schedule_all();
    return {};
}

std::vector<std::string> CollectionState::damage() const {
    const Lock writer(writer_);
    return damage_;
}

Status CollectionState::check_whole() const {
    if (!has_lost_) return {};
    Status whole;
    version()->partitions.for_each([&](const PartitionVersion& partition) {
        if (whole.ok()) whole = collection::check_whole(partition);
    });
    if (whole.ok()) return {};
    return {whole.code(),
            "collection '" + name_ + "' takes no writes before it is repaired: " + whole.message()};
}

void CollectionState::collect_segments(collection::KnownSegments& known) const {
    version()->partitions.for_each([&](const PartitionVersion& partition) {
        for (const auto& segment : *partition.sealed)
            known[segment->sealed->files.rows] = segment->sealed;
    });
}

collection::Store& CollectionState::store() const noexcept {
    static collection::Store memory;
    return dropped_ ? memory : *services_->store;
}

// Partitions ----------------------------------------------------------------------------------

CollectionState::WriterSide CollectionState::make_partition(std::string name,
                                                            std::uint32_t number) const {
    return {.info = std::make_shared<PartitionInfo>(PartitionInfo{std::move(name), number}),
            .growing = std::make_shared<GrowingSegment>(format_),
            .seal_rows = first_seal_rows()};
}

Status CollectionState::check_unruled(const char* what) const {
    if (schema_.rule.routing == Routing::kNone) return {};
    return {StatusCode::kFailedPrecondition,
            std::string(what) + " a partition: the rule of collection '" + name_ +
                "' makes its partitions"};
}

Result<CollectionState::PartitionPointer> CollectionState::create_partition(std::string_view name) {
    VECDB_TRY(collection::validate_name("partition name", name));
    VECDB_TRY(check_unruled("cannot create"));
    const Lock writer(writer_);
    VECDB_TRY(check_writable());
    const auto current = version();
    if (partition(name).ok()) {
        return Status(StatusCode::kAlreadyExists,
                      "a partition named '" + std::string(name) + "' exists");
    }
    if (free_numbers_.empty() && partitions_.size() == kMaxPartitions) {
        return Status(StatusCode::kFailedPrecondition,
                      "collection '" + name_ + "' has " + std::to_string(kMaxPartitions) +
                          " partitions, which is the limit");
    }
    const bool reused = !free_numbers_.empty();
    const auto number =
        reused ? free_numbers_.back() : static_cast<std::uint32_t>(partitions_.size());
    WriterSide made = make_partition(std::string(name), number);
    VersionEdit edit(*current);
    edit.set(number, empty_partition(made.info, made.growing));
    VersionPointer next = edit.finish(1);
    std::unique_ptr<PartitionDirectory> directory;
    if (partitions_.size() == 1) directory = make_directory(*current, 0);
    if (partitions_.size() == partitions_.capacity()) partitions_.reserve(2 * partitions_.size());
    PartitionPointer info = made.info;
    decltype(names_) entry;
    entry.emplace(info->name, info);
    {
        const WriteLock naming(naming_);
        names_.reserve(names_.size() + 1);
    }
    history_.add(next);

    const auto see = [&]() noexcept {
        writer_.assert_held();
        const WriteLock lock(map_);
        const WriteLock naming(naming_);
        names_.insert(entry.extract(entry.begin()));
        if (directory != nullptr) {
            directory_ = std::move(directory);
            directory_since_ = current->sequence;
        }
        if (reused) {
            free_numbers_.pop_back();
            partitions_[number] = std::move(made);
        } else {
            partitions_.push_back(std::move(made));
        }
        publish(std::move(next));
    };
    const persist::StoredPartition stored{.number = number, .name = info->name};
    VECDB_TRY(store().write_changes({persist::SetPartition{id_, stored}}, see));
    return info;
}

Result<CollectionState::PartitionPointer> CollectionState::partition(std::string_view name) const {
    const ReadLock lock(naming_);
    const auto found = names_.find(name);
    if (found == names_.end()) return no_such_partition(name);
    return found->second;
}

Result<const PartitionVersion*> CollectionState::partition_at(const Version& version,
                                                              std::string_view name) const {
    const PartitionVersion* partition = nullptr;
    {
        const ReadLock lock(naming_);
        const auto found = names_.find(name);
        if (found != names_.end()) partition = version.find(*found->second);
    }
    if (partition != nullptr) return partition;
    // An older version may have one of that name that was dropped since.
    version.partitions.for_each([&](const PartitionVersion& each) {
        if (each.info->name == name) partition = &each;
    });
    if (partition == nullptr) return no_such_partition(name);
    return partition;
}

Status CollectionState::drop_partition(std::string_view name) {
    VECDB_TRY(check_unruled("cannot drop"));
    if (name == kDefaultPartition) {
        return {StatusCode::kFailedPrecondition,
                "partition 'default' cannot be dropped; remove its rows instead"};
    }
    const Lock writer(writer_);
    VECDB_TRY(check_writable());
    const auto current = version();
    VECDB_ASSIGN(const PartitionPointer info, partition(name));
    VersionEdit edit(*current);
    edit.set(info->number, nullptr);
    VersionPointer next = edit.finish(1);
    free_numbers_.reserve(partitions_.size());
    history_.add(next);

    WriterSide dropped;  // its rows are let go after the locks
    const auto see = [&]() noexcept {
        writer_.assert_held();
        const WriteLock lock(map_);
        const WriteLock naming(naming_);
        names_.erase(names_.find(name));
        std::swap(dropped, partitions_[info->number]);
        free_numbers_.push_back(info->number);
        publish(std::move(next));
    };
    return store().write_changes({persist::DropPartition{id_, info->number}}, see);
}

// Ids -------------------------------------------------------------------------------------------

std::optional<Place> CollectionState::find(const Version& version,
                                           const PartitionInfo* only,
                                           Id id,
                                           const collection::Replay* replay) const {
    if (only != nullptr) return find_in(version.find(*only), id);
    const auto find_at = [&](std::uint32_t number) -> std::optional<Place> {
        if (replay != nullptr && !replay->takes_part(number)) return std::nullopt;
        return find_in(version.partitions.get(number), id);
    };
    if (schema_.rule.routing == Routing::kIdModulo) return find_at(routed(id));
    if (directory_ == nullptr) return find_at(0);
    std::optional<Place> place;
    directory_->find(id, [&](std::uint32_t number) {
        place = find_at(number);
        return place.has_value();
    });
    return place;
}

std::optional<Place> CollectionState::find_in_past(const Version& version,
                                                   const PartitionInfo* only,
                                                   Id id) const {
    std::optional<Place> place = find(version, only, id);
    if (place || only != nullptr || directory_ == nullptr) return place;
    // The directory may not know where ids were that were gone when it was made.
    if (version.sequence >= directory_since_) return place;
    version.partitions.for_each([&](const PartitionVersion& partition) {
        if (!place) place = find_in(&partition, id);
    });
    return place;
}

std::unique_ptr<PartitionDirectory> CollectionState::make_directory(const Version& version,
                                                                    std::size_t more) const {
    const std::size_t ids = version.live_rows + more;
    auto directory = std::make_unique<PartitionDirectory>(ids + ids / 8);
    version.partitions.for_each([&](const PartitionVersion& partition) {
        for (std::size_t s = 0; s < partition.segment_count(); ++s) {
            partition.segment(s).for_each_live(
                [&](Id id) { directory->enter(id, partition.info->number); });
        }
    });
    return directory;
}

// Versions --------------------------------------------------------------------------------------

void CollectionState::publish(VersionPointer version) noexcept {
    const Lock lock(publishing_);
    version_.swap(version);  // the old one is let go after the lock
}

Status CollectionState::hold_writers(
    const std::function<Result<std::string>(const VersionPointer&)>& body) {
    const Lock writer(writer_);
    VECDB_ASSIGN(successor_, body(version()));
    return {};
}

Status CollectionState::check_writable() const {
    VECDB_TRY(check_whole());
    if (successor_.empty()) return store().check_writable();
    return {StatusCode::kFailedPrecondition,
            "collection '" + name_ + "' was replaced by '" + successor_ +
                "' and takes no more writes; resolve the alias again"};
}

void CollectionState::set_retention(const Retention& retention) {
    const Lock writer(writer_);
    history_.set(retention, version());
}

void CollectionState::compact_if_hollow(std::uint32_t number) {
    const auto current = version();
    const PartitionVersion* partition = current->partitions.get(number);
    if (partition == nullptr || partition->info.get() == frozen_) return;
    const std::size_t live = partition->growing.live_rows;
    const std::size_t dead = partition->growing.rows - live;
    if (dead <= kMinDeadRows || dead <= live / 2) return;
    try {
        VersionEdit edit(*current);
        auto growing = copy_growing(number, 0, edit);
        VersionPointer next = edit.finish(0);
        history_.add(next);
        publish_growing(number, std::move(growing), std::move(next));
    } catch (const std::bad_alloc&) {
        // The write itself succeeded; space returns when memory allows.
    }
}

/// See to the partitions that a published edit changed.
void CollectionState::tidy(const VersionEdit& done) {
    for (const auto& each : done.changed()) {
        compact_if_hollow(each.first);
        schedule(each.first);
    }
}

/// Copy the live rows from row `first` on into a growing segment of their own, put it into the edit
/// and return it.
std::shared_ptr<GrowingSegment> CollectionState::copy_growing(std::uint32_t number,
                                                              std::size_t first,
                                                              VersionEdit& edit) const {
    SegmentVersion& old = edit.change(number).growing;
    auto growing = std::make_shared<GrowingSegment>(old.growing->store().format());
    std::size_t live = 0;
    for (std::size_t b = first / old.rows_per_block; b < old.block_count(); ++b) {
        const std::size_t count = std::min(old.rows_per_block, old.rows - b * old.rows_per_block);
        const std::size_t begin = std::max(first, b * old.rows_per_block) % old.rows_per_block;
        growing->store().reserve(std::min(live + count - begin, old.live_rows), live);
        live = collection::append_live(old, b, begin, growing->store(), live);
    }
    growing->reserve_ids(live, 0);
    for (std::size_t row = 0; row < live; ++row)
        growing->enter(static_cast<std::uint32_t>(row));
    old = SegmentVersion::of(growing, live);
    collection::extend_codes(schema_.vectors, old);
    return growing;
}

/// Publish a version with a growing segment that copy_growing() made.
void CollectionState::publish_growing(std::uint32_t number,
                                      std::shared_ptr<GrowingSegment> growing,
                                      VersionPointer version) noexcept {
    const WriteLock lock(map_);
    partitions_[number].growing.swap(growing);
    publish(std::move(version));
}

Result<std::size_t> CollectionState::find_vector(std::string_view name) const {
    return collection::find_vector_field(schema_.vectors, name);
}

// Reading ---------------------------------------------------------------------------------------

/// Check that no id that was not found may be among rows that are missing.
Status CollectionState::check_found(const Version& version,
                                    const PartitionInfo* only,
                                    const std::vector<bool>& found) const {
    if (std::find(found.begin(), found.end(), false) == found.end()) return {};
    Status whole;
    version.partitions.for_each([&](const PartitionVersion& partition) {
        const bool meant = only == nullptr || only == partition.info.get();
        if (meant && whole.ok()) whole = collection::check_whole(partition);
    });
    return whole;
}

Result<CollectionState::FoundPlaces> CollectionState::places(const PartitionInfo* only,
                                                             const VersionPointer& pinned,
                                                             std::span<const Id> ids) const {
    FoundPlaces found;
    found.rows.resize(ids.size());
    const ReadLock lock(map_);
    found.version = pinned != nullptr ? pinned : version();
    VECDB_TRY(collection::check_exists(*found.version, only));
    for (std::size_t i = 0; i < ids.size(); ++i) {
        found.rows[i] = pinned != nullptr ? find_in_past(*found.version, only, ids[i])
                                          : find(*found.version, only, ids[i]);
    }
    return found;
}

Result<std::vector<ScalarColumn>> CollectionState::values(
    const FoundPlaces& found, std::span<const std::string> names) const {
    VECDB_ASSIGN(const auto wanted, collection::find_fields(schema_.scalars, names));
    std::vector<ScalarColumn> columns;
    for (const std::string& name : names)
        columns.push_back({name, std::vector<Scalar>(found.rows.size())});
    for (std::size_t i = 0; i < found.rows.size(); ++i) {
        if (!found.rows[i]) continue;
        const FoundRow row = found.row(i);
        for (std::size_t field = 0; field < wanted.size(); ++field)
            columns[field].values[i] = row.block.cells[wanted[field]].value(row.offset);
    }
    return columns;
}

FetchedVectors CollectionState::vectors(const FoundPlaces& found, std::size_t number) const {
    const VectorField& field = this->field(number);
    const std::size_t bytes = vector_bytes(field.element_type, field.dim);
    FetchedVectors fetched{.field = field.name,
                           .dim = field.dim,
                           .type = field.element_type,
                           .bytes = std::vector<std::byte>(found.rows.size() * bytes)};
    for (std::size_t i = 0; i < found.rows.size(); ++i) {
        if (!found.rows[i]) continue;
        const collection::SegmentVersion& segment = found.segment(i);
        const std::size_t position = segment.position(found.rows[i]->row, number);
        collection::restore_row(kernels_,
                                field,
                                segment.vector(position, number),
                                segment.norm(position, number),
                                fetched.bytes.data() + i * bytes);
    }
    return fetched;
}

Result<FetchedRows> CollectionState::get(const PartitionInfo* only,
                                         const VersionPointer& pinned,
                                         std::span<const Id> ids,
                                         std::span<const std::string> names) const {
    std::vector<std::string> scalars;
    std::vector<std::size_t> further;
    for (const std::string& name : names) {
        const auto number = find_vector(name);
        if (!number.ok() || name.empty()) {
            scalars.push_back(name);
        } else {
            further.push_back(*number);
        }
    }
    VECDB_TRY(collection::find_fields(schema_.scalars, scalars).status());
    VECDB_ASSIGN(const FoundPlaces found, places(only, pinned, ids));
    FetchedRows fetched;
    for (const auto& row : found.rows)
        fetched.found.push_back(row.has_value());
    if (has_lost_) VECDB_TRY(check_found(*found.version, only, fetched.found));
    static_cast<FetchedVectors&>(fetched) = vectors(found, 0);
    for (const std::size_t number : further)
        fetched.vectors.push_back(vectors(found, number));
    VECDB_ASSIGN(fetched.columns, values(found, scalars));
    return fetched;
}

}  // namespace vecdb
