#include "persist/catalogue.h"

#include "check.h"
#include "persist/schema_archive.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace vecdb::persist {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kMostName = 255;
/// Numbers stay below this, so that the next ones can always be counted.
constexpr std::uint64_t kMostNumber = std::uint64_t{1} << 62U;

Status misfit(const std::string& what) {
    return {StatusCode::kCorruption, "the catalogue " + what};
}

std::string collection_text(std::uint64_t id) {
    return "collection " + std::to_string(id);
}

void write_range(ArchiveWriter& to, const StoredRange& range) {
    to.number(range.file);
    to.number(range.offset);
    to.number(range.bytes);
}

StoredRange read_range(ArchiveReader& from) {
    StoredRange range;
    range.file = from.number<std::uint64_t>();
    range.offset = from.number<std::uint64_t>();
    range.bytes = from.number<std::uint64_t>();
    return range;
}

void write_segment(ArchiveWriter& to, const StoredSegment& segment) {
    to.number(segment.rows_file);
    to.number(segment.index_file);
    to.number(segment.rows);
    to.number(segment.removed_rows);
    write_range(to, segment.removed);
}

StoredSegment read_segment(ArchiveReader& from) {
    StoredSegment segment;
    segment.rows_file = from.number<std::uint64_t>();
    segment.index_file = from.number<std::uint64_t>();
    segment.rows = from.number<std::uint64_t>();
    segment.removed_rows = from.number<std::uint64_t>();
    segment.removed = read_range(from);
    return segment;
}

struct Writer {
    ArchiveWriter& to;

    void operator()(const SetCollection& change) const {
        to.number(change.id);
        to.text(change.name);
        to.number(change.building);
        write_schema(to, change.schema);
    }
    void operator()(const DropCollection& change) const { to.number(change.id); }
    void operator()(const SetPartition& change) const {
        to.number(change.collection);
        const StoredPartition& partition = change.partition;
        to.number(partition.number);
        to.text(partition.name);
        to.number(partition.covered);
        to.list(partition.segments, [&](const auto& segment) { write_segment(to, segment); });
        to.number(partition.growing_rows);
        write_range(to, partition.growing);
    }
    void operator()(const DropPartition& change) const {
        to.number(change.collection);
        to.number(change.number);
    }
    void operator()(const SetAlias& change) const {
        to.text(change.name);
        to.number(change.collection);
    }
    void operator()(const DropAlias& change) const { to.text(change.name); }
    void operator()(const AddFile& change) const {
        to.number(change.number);
        to.number(change.file.kind);
        to.number(change.file.stamp.bytes);
        to.number(change.file.stamp.checksum);
    }
    void operator()(const DropFile& change) const { to.number(change.number); }
    void operator()(const StoredPosition& position) const {
        to.number(position.next_file);
        to.number(position.next_collection);
        to.number(position.covered);
        to.list(position.logs, [&](const StoredLog& log) {
            to.number(log.file);
            to.number(log.first);
            to.number(log.bytes);
        });
    }
};

void read(ArchiveReader& from, SetCollection& change) {
    change.id = from.number<std::uint64_t>();
    change.name = from.text(kMostName);
    change.building = from.choice<bool>(2);
    change.schema = read_schema(from);
}

void read(ArchiveReader& from, DropCollection& change) {
    change.id = from.number<std::uint64_t>();
}

void read(ArchiveReader& from, SetPartition& change) {
    change.collection = from.number<std::uint64_t>();
    StoredPartition& partition = change.partition;
    partition.number = from.number<std::uint32_t>();
    partition.name = from.text(kMostName);
    partition.covered = from.number<std::uint64_t>();
    constexpr std::size_t kSegmentBytes = 7 * sizeof(std::uint64_t);
    from.list(kSegmentBytes, [&] { partition.segments.push_back(read_segment(from)); });
    partition.growing_rows = from.number<std::uint64_t>();
    partition.growing = read_range(from);
}

void read(ArchiveReader& from, DropPartition& change) {
    change.collection = from.number<std::uint64_t>();
    change.number = from.number<std::uint32_t>();
}

void read(ArchiveReader& from, SetAlias& change) {
    change.name = from.text(kMostName);
    change.collection = from.number<std::uint64_t>();
}

void read(ArchiveReader& from, DropAlias& change) {
    change.name = from.text(kMostName);
}

void read(ArchiveReader& from, AddFile& change) {
    change.number = from.number<std::uint64_t>();
    const auto kind = from.number<std::uint32_t>();
    if (kind < static_cast<std::uint32_t>(FileKind::kRows) ||
        kind > static_cast<std::uint32_t>(FileKind::kGrowing))
        return from.fail("a file of kind " + std::to_string(kind));
    change.file.kind = static_cast<FileKind>(kind);
    change.file.stamp.bytes = from.number<std::uint64_t>();
    change.file.stamp.checksum = from.number<std::uint64_t>();
}

void read(ArchiveReader& from, DropFile& change) {
    change.number = from.number<std::uint64_t>();
}

void read(ArchiveReader& from, StoredPosition& position) {
    position.next_file = from.number<std::uint64_t>();
    position.next_collection = from.number<std::uint64_t>();
    position.covered = from.number<std::uint64_t>();
    constexpr std::size_t kLogBytes = 3 * sizeof(std::uint64_t);
    from.list(kLogBytes, [&] {
        StoredLog& log = position.logs.emplace_back();
        log.file = from.number<std::uint64_t>();
        log.first = from.number<std::uint64_t>();
        log.bytes = from.number<std::uint64_t>();
    });
}

/// Read the alternative of Change that has the number `kind`.
template <std::size_t kIndex = 0>
Change read_change(ArchiveReader& from, std::size_t kind) {
    if constexpr (kIndex < std::variant_size_v<Change>) {
        if (kind != kIndex) return read_change<kIndex + 1>(from, kind);
        std::variant_alternative_t<kIndex, Change> change;
        read(from, change);
        return change;
    } else {
        from.fail("a change of kind " + std::to_string(kind));
        return Change();
    }
}

}  // namespace

/// Applies one change to a catalogue.
struct Applied {
    Catalogue& to;

    Status operator()(const SetCollection& change) const {
        auto& collection = to.collections_[change.id];
        collection.name = change.name;
        collection.building = change.building;
        collection.schema = change.schema;
        return {};
    }
    Status operator()(const DropCollection& change) const {
        const bool aliased = std::any_of(to.aliases_.begin(), to.aliases_.end(), [&](auto& alias) {
            return alias.second == change.id;
        });
        if (aliased) return misfit("drops " + collection_text(change.id) + ", which has an alias");
        const auto found = to.collections_.find(change.id);
        if (found == to.collections_.end())
            return misfit("drops " + collection_text(change.id) + ", which is not there");
        for (const auto& [number, partition] : found->second.partitions)
            to.end_use(partition);
        to.collections_.erase(found);
        return {};
    }
    Status operator()(const SetPartition& change) const {
        const auto found = to.collections_.find(change.collection);
        if (found == to.collections_.end()) {
            return misfit("has a partition of " + collection_text(change.collection) +
                          ", which is not there");
        }
        StoredPartition& partition = found->second.partitions[change.partition.number];
        to.begin_use(change.partition);
        to.end_use(partition);
        partition = change.partition;
        return {};
    }
    Status operator()(const DropPartition& change) const {
        const StoredPartition* partition = to.find(change.collection, change.number);
        if (partition != nullptr) {
            to.end_use(*partition);
            to.collections_.at(change.collection).partitions.erase(change.number);
            return {};
        }
        return misfit("drops partition " + std::to_string(change.number) + " of " +
                      collection_text(change.collection) + ", which is not there");
    }
    Status operator()(const SetAlias& change) const {
        if (to.collections_.find(change.collection) == to.collections_.end()) {
            return misfit("has an alias of " + collection_text(change.collection) +
                          ", which is not there");
        }
        to.aliases_[change.name] = change.collection;
        return {};
    }
    Status operator()(const DropAlias& change) const {
        if (to.aliases_.erase(change.name) != 0) return {};
        return misfit("drops alias '" + change.name + "', which is not there");
    }
    Status operator()(const AddFile& change) const {
        if (change.number != 0 && to.files_.emplace(change.number, change.file).second) return {};
        return misfit("adds file " + std::to_string(change.number) + ", which is there or none");
    }
    Status operator()(const DropFile& change) const {
        if (to.files_.erase(change.number) != 0) return {};
        return misfit("drops file " + std::to_string(change.number) + ", which is not there");
    }
    Status operator()(const StoredPosition& position) const {
        const StoredPosition& old = to.position_;
        const bool forward = position.next_file >= old.next_file &&
                             position.next_collection >= old.next_collection &&
                             position.covered >= old.covered;
        if (!forward) return misfit("goes back in its numbers");
        for (std::size_t i = 0; i < position.logs.size(); ++i) {
            const StoredLog& log = position.logs[i];
            const bool last = i + 1 == position.logs.size();
            if (log.file == 0 || log.first == 0 || (log.bytes == 0) != last ||
                (!last && position.logs[i + 1].first < log.first))
                return misfit("has a log that cannot be");
        }
        to.position_ = position;
        return {};
    }
};

/// Call use(file, bytes) for all that a partition names; bytes is 0 for whole files.
template <class Use>
void Catalogue::for_each_file(const StoredPartition& partition, Use&& use) {
    for (const StoredSegment& segment : partition.segments) {
        use(segment.rows_file, 0);
        use(segment.index_file, 0);
        use(segment.removed.file, segment.removed.bytes);
    }
    use(partition.growing.file, partition.growing.bytes);
}

void Catalogue::begin_use(const StoredPartition& partition) {
    for_each_file(partition, [&](std::uint64_t file, std::uint64_t bytes) {
        if (file == 0) return;
        FileUse& use = uses_[file];
        ++use.names;
        use.bytes += bytes;
    });
}

void Catalogue::end_use(const StoredPartition& partition) noexcept {
    for_each_file(partition, [&](std::uint64_t file, std::uint64_t bytes) {
        const auto use = uses_.find(file);
        if (use == uses_.end()) return;
        use->second.bytes -= bytes;
        if (--use->second.names == 0) uses_.erase(use);
    });
}

const StoredPartition* Catalogue::find(std::uint64_t collection,
                                       std::uint32_t number) const noexcept {
    const auto found = collections_.find(collection);
    if (found == collections_.end()) return nullptr;
    const auto partition = found->second.partitions.find(number);
    return partition != found->second.partitions.end() ? &partition->second : nullptr;
}

std::vector<std::uint64_t> Catalogue::unused() const {
    std::vector<std::uint64_t> files;
    for (const auto& [number, file] : files_) {
        if (uses_.find(number) == uses_.end()) files.push_back(number);
    }
    return files;
}

std::uint64_t Catalogue::used_bytes(std::uint64_t file) const {
    const auto use = uses_.find(file);
    return use != uses_.end() ? use->second.bytes : 0;
}

Status Catalogue::apply(const Change& change) {
    return std::visit(Applied{*this}, change);
}

Status Catalogue::check_file(std::uint64_t file, FileKind kind) const {
    if (file == 0) return {};
    const auto found = files_.find(file);
    if (found != files_.end() && found->second.kind == kind) return {};
    return misfit("names file " + std::to_string(file) + ", which is not there or of another kind");
}

Status Catalogue::check_range(const StoredRange& range) const {
    VECDB_TRY(check_file(range.file, FileKind::kGrowing));
    const std::uint64_t bytes = range.file != 0 ? files_.at(range.file).stamp.bytes : 0;
    if (range.offset <= bytes && range.bytes <= bytes - range.offset) return {};
    return misfit("names bytes " + std::to_string(range.offset) + " to " +
                  std::to_string(range.offset + range.bytes) + " of file " +
                  std::to_string(range.file) + ", which has " + std::to_string(bytes));
}

Status Catalogue::check_partition(const StoredPartition& partition) const {
    for (const StoredSegment& segment : partition.segments) {
        if (segment.rows_file == 0 || segment.removed_rows > segment.rows)
            return misfit("has a segment that is none in partition '" + partition.name + "'");
        VECDB_TRY(check_file(segment.rows_file, FileKind::kRows));
        VECDB_TRY(check_file(segment.index_file, FileKind::kIndex));
        VECDB_TRY(check_range(segment.removed));
    }
    return check_range(partition.growing);
}

Status Catalogue::check_names() const {
    std::set<std::string_view> names;
    for (const auto& [id, collection] : collections_) {
        if (id >= position_.next_collection || !names.insert(collection.name).second)
            return misfit("has " + collection_text(id) + " or its name twice");
    }
    for (const auto& [name, id] : aliases_) {
        if (names.find(name) != names.end())
            return misfit("has an alias and a collection named '" + name + "'");
    }
    return {};
}

Status Catalogue::check_numbers() const {
    const StoredPosition& position = position_;
    const bool counted = position.next_file < kMostNumber &&
                         position.next_collection < kMostNumber && position.covered < kMostNumber &&
                         (position.logs.empty() || position.logs.back().first < kMostNumber);
    return counted ? Status() : misfit("has numbers that nothing was counted to");
}

Status Catalogue::check_covered(std::uint64_t last) const {
    std::uint64_t most = position_.covered;
    for (const auto& [id, collection] : collections_) {
        for (const auto& [number, partition] : collection.partitions)
            most = std::max(most, partition.covered);
    }
    if (most <= last) return {};
    return misfit("has write " + std::to_string(most) + "; the last one is " +
                  std::to_string(last));
}

Status Catalogue::validate() const {
    VECDB_TRY(check_numbers());
    VECDB_TRY(check_names());
    for (const StoredLog& log : position_.logs) {
        if (log.file >= position_.next_file)
            return misfit("has log " + std::to_string(log.file) + " ahead of its turn");
    }
    for (const auto& [id, collection] : collections_) {
        for (const auto& [number, partition] : collection.partitions)
            VECDB_TRY(check_partition(partition));
    }
    if (files_.empty() || files_.rbegin()->first < position_.next_file) return {};
    return misfit("has file " + std::to_string(files_.rbegin()->first) + " ahead of its turn");
}

std::vector<Change> Catalogue::all() const {
    std::vector<Change> changes;
    for (const auto& [number, file] : files_)
        changes.emplace_back(AddFile{number, file});
    for (const auto& [id, collection] : collections_) {
        changes.emplace_back(
            SetCollection{id, collection.name, collection.building, collection.schema});
        for (const auto& [number, partition] : collection.partitions)
            changes.emplace_back(SetPartition{id, partition});
    }
    for (const auto& [name, id] : aliases_)
        changes.emplace_back(SetAlias{name, id});
    changes.emplace_back(position_);
    return changes;
}

void write_changes(ArchiveWriter& to, std::span<const Change> changes) {
    to.number(kVersion);
    to.list(changes, [&](const Change& change) {
        to.number(static_cast<std::uint8_t>(change.index()));
        std::visit(Writer{to}, change);
    });
}

Status read_changes(ArchiveReader& from, const std::function<Status(const Change&)>& show) {
    const auto version = from.number<std::uint32_t>();
    if (from.ok() && version != kVersion)
        from.fail("changes of version " + std::to_string(version));
    constexpr std::size_t kLeast = 1 + 4;
    Status shown;
    from.list(kLeast, [&] {
        if (!shown.ok()) return;
        const Change change = read_change(from, from.number<std::uint8_t>());
        if (from.ok()) shown = show(change);
    });
    return shown.ok() ? from.status() : shown;
}

}  // namespace vecdb::persist
