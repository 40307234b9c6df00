#include "collection/storage/stored_partition.h"

#include "check.h"
#include "collection/storage/stored_items.h"
#include "collection/storage/stored_segment.h"
#include "persist/little_endian.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <numeric>
#include <utility>

namespace vecdb::collection {

using persist::FileKind;
using persist::StoredPartition;
using persist::StoredRange;
using persist::StoredSegment;

namespace {

/// The section in which many partitions have their ranges.
constexpr std::string_view kShared = "shared";

/// Return the bits of the removed rows of a sealed segment, which has some.
std::span<const std::byte> removed_bits(const SegmentVersion& segment) {
    const std::uint64_t* bits = segment.tombstones->whole(segment.rows, segment.chunk_rows());
    VECDB_ASSERT(bits != nullptr);
    return std::as_bytes(std::span(bits, (segment.rows + 63) / 64));
}

/// Return what is known of a segment in files that has lost no row since; null: nothing.
const StoredSegment* find_unchanged(const StoredPartition* partition,
                                    const SegmentFiles& files,
                                    std::uint64_t removed) {
    if (partition == nullptr) return nullptr;
    for (const StoredSegment& segment : partition->segments) {
        if (segment.rows_file == files.rows && segment.removed_rows == removed) return &segment;
    }
    return nullptr;
}

}  // namespace

// Saving ------------------------------------------------------------------------------------------

PartitionSaver::~PartitionSaver() {
    for (const SealedSegment* segment : saved_)
        segment->files = {};
    shared_.writer.reset();
    for (const persist::FileName& file : begun_)
        store_.discard_file(file.kind, file.number);
}

Result<SegmentFiles> PartitionSaver::save_segment(const SealedSegment& segment,
                                                  const RowFields& fields) {
    SegmentFiles files;
    const auto save = [&](FileKind kind, std::uint64_t& number, auto&& write) -> Status {
        VECDB_ASSIGN(const Store::NewFile file, store_.create_file(kind));
        begun_.push_back({kind, file.number});
        VECDB_TRY(write(*file.writer));
        VECDB_ASSIGN(const persist::FileStamp stamp, file.writer->finish());
        changes_.emplace_back(persist::AddFile{file.number, {kind, stamp}});
        number = file.number;
        return {};
    };
    VECDB_TRY(save(FileKind::kRows, files.rows, [&](persist::SectionFileWriter& to) {
        return save_rows(segment, fields, to);
    }));
    if (!segment.has_index()) return files;
    const Status saved = save(FileKind::kIndex, files.index, [&](persist::SectionFileWriter& to) {
        return save_indexes(segment, to);
    });
    // A custom index may be one that is made again each time.
    if (!saved.ok() && saved.code() != StatusCode::kUnsupported) return saved;
    return files;
}

Result<std::shared_ptr<SealedSegment>> PartitionSaver::map_segment(SealedSegment& segment,
                                                                   const RowFields& fields) {
    for (const persist::Change& change : changes_) {
        const auto* added = std::get_if<persist::AddFile>(&change);
        if (added == nullptr || added->number != segment.files.rows) continue;
        VECDB_ASSIGN(const auto file, store_.open_file(added->number, added->file));
        VECDB_ASSIGN(auto mapped, load_rows(file, fields));
        mapped->indexes = std::move(segment.indexes);
        mapped->files = segment.files;
        return mapped;
    }
    return Status(StatusCode::kInternal, "a segment is to be mapped that was not saved");
}

Status PartitionSaver::save_sealed(const PartitionVersion& partition,
                                   const RowFields& fields,
                                   const StoredPartition* before,
                                   StoredPartition& to) {
    for (const auto& segment : *partition.sealed) {
        SegmentFiles& files = segment->sealed->files;
        if (files.rows == 0) {
            saved_.push_back(segment->sealed.get());
            VECDB_ASSIGN(files, save_segment(*segment->sealed, fields));
        }
        StoredSegment stored{.rows_file = files.rows,
                             .index_file = files.index,
                             .rows = segment->rows,
                             .removed_rows = segment->rows - segment->live_rows};
        const StoredSegment* same = find_unchanged(before, files, stored.removed_rows);
        if (same != nullptr) {
            stored.removed = same->removed;
        } else if (stored.removed_rows != 0) {
            VECDB_TRY(begin_range(stored.removed));
            VECDB_TRY(append(removed_bits(*segment), stored.removed));
        }
        to.segments.push_back(stored);
    }
    return {};
}

namespace {

/// Return the `bytes` bytes at item(row) of each row, one after the other.
template <class Item>
std::vector<std::byte> gather(std::span<const std::uint32_t> rows, std::size_t bytes, Item item) {
    std::vector<std::byte> gathered(rows.size() * bytes);
    std::byte* at = gathered.data();
    for (const std::uint32_t row : rows) {
        std::memcpy(at, item(row), bytes);
        at += bytes;
    }
    return gathered;
}

/// Return the scalar values of rows.
std::vector<std::byte> growing_scalars(const SegmentVersion& growing,
                                       std::span<const std::uint32_t> rows) {
    const ScalarFields& fields = *growing.store().format().scalars;
    ColumnBatch batch;
    for (const std::uint32_t row : rows) {
        const RowBlock& block = *(*growing.blocks)[row / growing.rows_per_block];
        batch.append(fields, block.cells, row % growing.rows_per_block);
    }
    std::vector<std::uint32_t> all(rows.size());
    std::iota(all.begin(), all.end(), 0U);
    std::vector<std::byte> scalars;
    batch.encode(fields, all, scalars);
    return scalars;
}

}  // namespace

Status PartitionSaver::save_growing(const PartitionVersion& partition, StoredPartition& to) {
    const SegmentVersion& growing = partition.growing;
    to.growing_rows = growing.live_rows;
    if (growing.live_rows == 0) return {};
    std::vector<std::uint32_t> rows;
    rows.reserve(growing.live_rows);
    growing.for_each_row(nullptr,
                         [&](std::size_t row) { rows.push_back(static_cast<std::uint32_t>(row)); });
    VECDB_TRY(begin_range(to.growing));
    // Column by column, so that numbers are aligned.
    VECDB_TRY(
        append(gather(rows, sizeof(Id), [&](auto row) { return &growing.id(row); }), to.growing));
    VECDB_TRY(append_vectors(growing, rows, 0, to.growing));
    const RowFormat& format = growing.store().format();
    if (format.scalars != nullptr)
        VECDB_TRY(append_aligned(growing_scalars(growing, rows), to.growing));
    for (std::size_t field = 1; field < format.vector_fields(); ++field)
        VECDB_TRY(append_vectors(growing, rows, field, to.growing));
    return {};
}

/// Append the norms and vectors that rows have in a field.
Status PartitionSaver::append_vectors(const SegmentVersion& growing,
                                      std::span<const std::uint32_t> rows,
                                      std::size_t field,
                                      StoredRange& range) {
    const auto norm = [&](auto row) {
        return &growing.norm(row, field);
    };
    const auto vector = [&](auto row) {
        return growing.vector(row, field);
    };
    VECDB_TRY(append_aligned(gather(rows, sizeof(float), norm), range));
    return append(gather(rows, growing.format(field).bytes(), vector), range);
}

/// Begin a range at the end of the shared file.
Status PartitionSaver::begin_range(StoredRange& range) {
    if (shared_.writer == nullptr) {
        VECDB_ASSIGN(shared_, store_.create_file(FileKind::kGrowing));
        begun_.push_back({FileKind::kGrowing, shared_.number});
        VECDB_TRY(shared_.writer->begin(kShared));
    }
    const std::vector<std::byte> gap(persist::padded(shared_bytes_, persist::kSectionAlignment) -
                                     shared_bytes_);
    VECDB_TRY(shared_.writer->append(gap));
    shared_bytes_ += gap.size();
    range = {.file = shared_.number, .offset = shared_bytes_, .bytes = 0};
    return {};
}

/// Append to the range that was begun last.
Status PartitionSaver::append(std::span<const std::byte> bytes, StoredRange& range) {
    VECDB_TRY(shared_.writer->append(bytes));
    shared_bytes_ += bytes.size();
    range.bytes += bytes.size();
    return {};
}

/// The same, behind what fills the range up to a multiple of 8.
Status PartitionSaver::append_aligned(std::span<const std::byte> bytes, StoredRange& range) {
    const std::uint64_t padded = persist::padded<std::uint64_t>(range.bytes, 8);
    VECDB_TRY(append(std::vector<std::byte>(padded - range.bytes), range));
    return append(bytes, range);
}

Status PartitionSaver::prepare(std::vector<persist::Change> changes) {
    if (shared_.writer != nullptr) {
        VECDB_ASSIGN(const persist::FileStamp stamp, shared_.writer->finish());
        changes_.emplace_back(persist::AddFile{shared_.number, {FileKind::kGrowing, stamp}});
        shared_.writer.reset();
    }
    std::move(changes.begin(), changes.end(), std::back_inserter(changes_));
    return {};
}

std::vector<persist::Change> PartitionSaver::take_changes() noexcept {
    begun_.clear();
    return std::move(changes_);
}

// Loading -----------------------------------------------------------------------------------------

namespace {

/// Loads one partition.
class Loader {
  public:
    Loader(persist::FileSet& files,
           const KnownSegments& known,
           const StoredPartition& stored,
           const RowFields& fields,
           Damaged damaged)
        : files_(files), known_(known), stored_(stored), fields_(fields), damaged_(damaged) {}

    Result<LoadedPartition> run() {
        loaded_.name = stored_.name;
        loaded_.number = stored_.number;
        for (const StoredSegment& segment : stored_.segments) {
            const Status loaded = load_segment(segment);
            VECDB_TRY(note_lost(loaded));
            if (!loaded.ok() && damaged_ == Damaged::kRescue) VECDB_TRY(rescue_segment(segment));
        }
        VECDB_TRY(note_lost(load_growing()));
        return std::move(loaded_);
    }

  private:
    Status note_lost(const Status& status);
    Status rescue_segment(const StoredSegment& stored);
    Status load_segment(const StoredSegment& stored);
    Result<std::shared_ptr<const SealedSegment>> find_or_load(const StoredSegment& stored);
    Status load_index(const StoredSegment& stored, SealedSegment& segment);
    Result<std::vector<std::uint32_t>> load_removed(const StoredSegment& stored) const;
    Status load_growing();
    Status fill_growing(const persist::SectionFile& file, std::span<const std::byte> bytes);
    void remove_sealed(std::span<const std::byte> ids);
    Result<std::span<const std::byte>> read(const StoredRange& range,
                                            std::shared_ptr<persist::SectionFile>& file) const;

    persist::FileSet& files_;
    const KnownSegments& known_;
    const StoredPartition& stored_;
    const RowFields& fields_;
    const Damaged damaged_;
    LoadedPartition loaded_;
};

/// Tell whether a failure is that of a file, which others do not share: it is not what was written,
/// is missing, or something else has its name.
bool is_damage(const Status& status) {
    return status.code() == StatusCode::kCorruption || status.code() == StatusCode::kNotFound ||
           status.code() == StatusCode::kInvalidArgument;
}

/// Go on without rows that are damaged.
Status Loader::note_lost(const Status& status) {
    if (!is_damage(status)) return status;
    const bool rescue = damaged_ == Damaged::kRescue;
    (rescue ? loaded_.rescued : loaded_.lost).push_back(status.message());
    return {};
}

/// Take what can be read of the rows of a segment. When it is not known which were removed, none
/// was.
Status Loader::rescue_segment(const StoredSegment& stored) {
    const Status rescued = [&]() -> Status {
        const auto removed = load_removed(stored);
        if (!removed.ok() && !is_damage(removed.status())) return removed.status();
        VECDB_ASSIGN(const auto file, files_.open(stored.rows_file));
        const auto none = std::vector<std::uint32_t>();
        VECDB_ASSIGN(const auto segment,
                     rescue_rows(*file, fields_, removed.ok() ? *removed : none));
        if (segment == nullptr) return {};
        loaded_.rescued_rows += segment->rows;
        loaded_.sealed.push_back(SegmentVersion::of(segment));
        return {};
    }();
    return is_damage(rescued) ? Status() : rescued;  // there is nothing to be had
}

Status Loader::load_segment(const StoredSegment& stored) {
    VECDB_ASSIGN(const auto removed, load_removed(stored));
    VECDB_ASSIGN(const auto segment, find_or_load(stored));
    const auto version = SegmentVersion::of(segment);
    version->remove(removed);
    if (version->live_rows > 0) loaded_.sealed.push_back(version);
    return {};
}

Result<std::shared_ptr<const SealedSegment>> Loader::find_or_load(const StoredSegment& stored) {
    const auto known = known_.find(stored.rows_file);
    if (known != known_.end()) {
        const auto segment = known->second.lock();
        if (segment != nullptr && segment->files.index == stored.index_file) return segment;
    }
    VECDB_ASSIGN(const auto file, files_.open(stored.rows_file));
    VECDB_ASSIGN(const auto segment, load_rows(file, fields_));
    if (segment->rows != stored.rows) {
        return corrupt(*file,
                       "has " + std::to_string(segment->rows) + " rows, expected " +
                           std::to_string(stored.rows));
    }
    segment->files.rows = stored.rows_file;
    if (stored.index_file != 0) VECDB_TRY(load_index(stored, *segment));
    return std::shared_ptr<const SealedSegment>(segment);
}

/// Load the indexes of a segment. Those that are damaged can be done without.
Status Loader::load_index(const StoredSegment& stored, SealedSegment& segment) {
    Status loaded = [&]() -> Status {
        VECDB_ASSIGN(const auto file, files_.open(stored.index_file));
        return load_indexes(*file, fields_.vectors, segment);
    }();
    if (loaded.ok()) {
        segment.files.index = stored.index_file;
        return {};
    }
    if (loaded.code() == StatusCode::kOutOfMemory) return loaded;
    // A custom index may not be registered in this program.
    const bool unknown = loaded.code() == StatusCode::kUnsupported;
    (unknown ? loaded_.unserved : loaded_.without).push_back(loaded.message());
    return {};
}

Result<std::vector<std::uint32_t>> Loader::load_removed(const StoredSegment& stored) const {
    std::vector<std::uint32_t> rows;
    if (stored.removed_rows == 0) return rows;
    std::shared_ptr<persist::SectionFile> file;
    VECDB_ASSIGN(const auto bytes, read(stored.removed, file));
    if (bytes.size() != (stored.rows + 63) / 64 * sizeof(std::uint64_t))
        return corrupt(*file, "has removed rows of another segment");
    for (std::size_t word = 0; word < bytes.size() / sizeof(std::uint64_t); ++word) {
        auto bits = persist::load<std::uint64_t>(bytes, word * sizeof(std::uint64_t));
        for (; bits != 0; bits &= bits - 1) {
            rows.push_back(static_cast<std::uint32_t>(word * 64) +
                           static_cast<std::uint32_t>(std::countr_zero(bits)));
        }
    }
    if (rows.size() != stored.removed_rows || rows.back() >= stored.rows)
        return corrupt(*file, "has other removed rows than the catalogue says");
    return rows;
}

Status Loader::load_growing() {
    loaded_.growing = std::make_shared<GrowingSegment>(fields_.format());
    if (stored_.growing_rows == 0) return {};
    std::shared_ptr<persist::SectionFile> file;
    VECDB_ASSIGN(const auto bytes, read(stored_.growing, file));
    Status filled = fill_growing(*file, bytes);
    // Without those that came before the one that cannot be.
    if (!filled.ok())
        loaded_.growing = std::make_shared<GrowingSegment>(loaded_.growing->store().format());
    return filled;
}

/// Takes the parts of a range one after the other.
class RangeReader {
  public:
    explicit RangeReader(std::span<const std::byte> bytes) : all_(bytes.size()), left_(bytes) {}

    /// Take `count` bytes; too few when there are no more.
    std::span<const std::byte> take(std::size_t count) {
        const auto taken = left_.first(std::min(count, left_.size()));
        left_ = left_.subspan(taken.size());
        return taken;
    }
    /// Pass over what fills the range up to a multiple of 8.
    void skip_padding() {
        const std::size_t taken = all_ - left_.size();
        static_cast<void>(take(persist::padded<std::size_t>(taken, 8) - taken));
    }
    [[nodiscard]] std::size_t left() const noexcept { return left_.size(); }

  private:
    const std::size_t all_;
    std::span<const std::byte> left_;
};

/// The vectors of one field of growing rows.
struct GrowingVectors {
    std::span<const std::byte> norms, vectors;
};

/// Take the vectors of a field, checked.
Result<GrowingVectors> read_vectors(const persist::SectionFile& file,
                                    const VectorField& field,
                                    std::size_t rows,
                                    RangeReader& from) {
    GrowingVectors read;
    read.norms = from.take(rows * sizeof(float));
    read.vectors = from.take(rows * vector_bytes(field.element_type, field.dim));
    if (read.vectors.size() != rows * vector_bytes(field.element_type, field.dim))
        return corrupt(file, "has other growing rows than the catalogue says");
    if (!all_finite(field.element_type, read.vectors))
        return corrupt(file, "holds a number that is not finite");
    if (!all_norms(field.metric, read.norms)) return corrupt(file, "holds a norm that no row has");
    return read;
}

/// Return the bytes that the vectors of further fields take, with what fills them up.
std::size_t further_bytes(const RowFormat& format, std::size_t rows) {
    std::size_t bytes = 0;
    for (std::size_t field = 1; field < format.vector_fields(); ++field) {
        const std::size_t its = rows * (sizeof(float) + format.vector(field).bytes());
        const bool last = field + 1 == format.vector_fields();
        bytes += last ? its : persist::padded<std::size_t>(its, 8);
    }
    return bytes;
}

Status Loader::fill_growing(const persist::SectionFile& file, std::span<const std::byte> bytes) {
    const RowFormat format = fields_.format();
    if (stored_.growing_rows > kMaxRowsPerSegment ||
        stored_.growing_rows > bytes.size() / (sizeof(Id) + format.vectors_bytes()))
        return corrupt(file, "has other growing rows than the catalogue says");
    const auto rows = static_cast<std::size_t>(stored_.growing_rows);
    RangeReader from(bytes);
    const auto ids = from.take(rows * sizeof(Id));
    std::vector<GrowingVectors> vectors(format.vector_fields());
    VECDB_ASSIGN(vectors[0], read_vectors(file, fields_.first(), rows, from));
    if (format.scalars != nullptr || vectors.size() > 1) from.skip_padding();
    const std::size_t further = further_bytes(format, rows);
    if (further > from.left()) return corrupt(file, "ends before the vectors of growing rows");
    const ScalarFields none;
    auto scalars = ColumnBatch::decode(
        format.scalars != nullptr ? *format.scalars : none, from.take(from.left() - further), rows);
    if (!scalars.ok()) return corrupt(file, scalars.status().message());
    for (std::size_t field = 1; field < vectors.size(); ++field) {
        from.skip_padding();
        VECDB_ASSIGN(vectors[field], read_vectors(file, fields_.vectors[field], rows, from));
    }

    RowStore& store = loaded_.growing->store();
    store.reserve(rows, 0);
    loaded_.growing->reserve_ids(rows, 0);
    for (std::size_t row = 0; row < rows; ++row) {
        const Id id = persist::load<Id>(ids, row * sizeof(Id));
        if (id < 0 || loaded_.growing->last(id))
            return corrupt(file, "has id " + std::to_string(id) + " twice, or it is negative");
        store.id(row) = id;
        for (std::size_t field = 0; field < vectors.size(); ++field) {
            const std::size_t size = format.vector(field).bytes();
            store.norm(row, field) =
                persist::load<float>(vectors[field].norms, row * sizeof(float));
            std::memcpy(store.vector(row, field), vectors[field].vectors.data() + row * size, size);
        }
        scalars->store(row, store.cells(row), store.offset(row));
        loaded_.growing->enter(static_cast<std::uint32_t>(row));
    }
    loaded_.growing_rows = rows;
    remove_sealed(ids);
    return {};
}

/// Remove the sealed rows of ids that growing rows have: rows that were saved while their segment
/// was being made are in both.
void Loader::remove_sealed(std::span<const std::byte> ids) {
    for (auto& segment : loaded_.sealed) {
        std::vector<std::uint32_t> rows;
        for (std::size_t at = 0; at < ids.size(); at += sizeof(Id)) {
            if (const auto row = segment->find(persist::load<Id>(ids, at))) rows.push_back(*row);
        }
        if (rows.empty()) continue;
        auto next = std::make_shared<SegmentVersion>(*segment);
        next->remove(rows);
        segment = std::move(next);
    }
    std::erase_if(loaded_.sealed, [](const auto& segment) { return segment->live_rows == 0; });
}

/// View a range; `file` keeps it.
Result<std::span<const std::byte>> Loader::read(const StoredRange& range,
                                                std::shared_ptr<persist::SectionFile>& file) const {
    if (range.file == 0) {
        return Status(StatusCode::kCorruption,
                      "partition '" + stored_.name + "' has rows that are in no file");
    }
    VECDB_ASSIGN(file, files_.open(range.file));
    VECDB_ASSIGN(const auto bytes, file->read(kShared));
    if (range.offset % persist::kSectionAlignment != 0) {
        return corrupt(*file,
                       "has rows of partition '" + stored_.name + "' at " +
                           std::to_string(range.offset) + ", no multiple of " +
                           std::to_string(persist::kSectionAlignment));
    }
    if (range.offset <= bytes.size() && range.bytes <= bytes.size() - range.offset) {
        return bytes.subspan(static_cast<std::size_t>(range.offset),
                             static_cast<std::size_t>(range.bytes));
    }
    return corrupt(*file, "ends before the rows of partition '" + stored_.name + "'");
}

}  // namespace

Result<LoadedPartition> load_partition(persist::FileSet& files,
                                       const KnownSegments& known,
                                       const StoredPartition& stored,
                                       const RowFields& fields,
                                       Damaged damaged) {
    return Loader(files, known, stored, fields, damaged).run();
}

}  // namespace vecdb::collection
