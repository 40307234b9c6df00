#include "collection/storage/stored_segment.h"

#include "check.h"
#include "collection/builtin_indexes.h"
#include "collection/storage/stored_columns.h"
#include "collection/storage/stored_items.h"
#include "collection/version.h"
#include "persist/archive.h"
#include "persist/little_endian.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace vecdb::collection {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::string_view kAbout = "about";
constexpr std::string_view kIds = "ids";
constexpr std::string_view kMap = "map";
/// Which of several vector fields have an index in the file: a byte for each, 0 or 1.
constexpr std::string_view kIndexed = "indexed fields";

/// The sections of one vector field.
struct VectorNames {
    explicit VectorNames(std::size_t field) {
        if (field == 0) return;
        const std::string begin = "vector " + std::to_string(field) + ' ';
        vectors = begin + "vectors";
        norms = begin + "norms";
        positions = begin + "positions";
        ids = begin + "ids";
    }

    std::string vectors = "vectors";
    std::string norms = "norms";
    // Of further fields whose vectors have an order of their own.
    std::string positions;
    std::string ids;
};

/// Say what the rows of a file are.
std::vector<std::byte> describe(std::uint64_t rows, std::span<const VectorField> fields) {
    persist::ArchiveWriter to;
    to.number(kVersion);
    to.number(rows);
    for (const VectorField& field : fields) {
        to.number(static_cast<std::uint64_t>(field.dim));
        to.number(field.element_type);
        to.number(field.metric);
    }
    return to.bytes();
}

/// Read how many rows of `fields` the file has.
Result<std::size_t> read_count(persist::SectionFile& file, std::span<const VectorField> fields) {
    VECDB_ASSIGN(const auto bytes, file.read(kAbout));
    persist::ArchiveReader from(bytes);
    static_cast<void>(from.number<std::uint32_t>());
    const auto rows = from.number<std::uint64_t>();
    const std::vector<std::byte> wanted = describe(rows, fields);
    if (!std::equal(bytes.begin(), bytes.end(), wanted.begin(), wanted.end()))
        return corrupt(file, "does not hold rows of field '" + fields.front().name + "'");
    if (rows == 0 || rows > kMaxRowsPerSegment)
        return corrupt(file, "holds " + std::to_string(rows) + " rows");
    return static_cast<std::size_t>(rows);
}

/// Tells index files of several vector fields apart: the sections of a further field begin with its
/// number.
std::string section_of(std::size_t field, std::string_view name) {
    return field == 0 ? std::string(name) : std::to_string(field) + '/' + std::string(name);
}

/// Writes the index of one vector field.
class FieldWriter final : public SectionWriter {
  public:
    FieldWriter(persist::SectionFileWriter& to, std::size_t field) : to_(to), field_(field) {}

    Status write(std::string_view name, std::span<const std::byte> bytes) override {
        return to_.write(section_of(field_, name), bytes);
    }

  private:
    persist::SectionFileWriter& to_;
    const std::size_t field_;
};

/// Reads it.
class FieldReader final : public SectionReader {
  public:
    FieldReader(persist::SectionFile& from, std::size_t field) : from_(from), field_(field) {}

    Result<std::span<const std::byte>> read(std::string_view name) override {
        return from_.read(section_of(field_, name));
    }

  private:
    persist::SectionFile& from_;
    const std::size_t field_;
};

/// Tell whether no number among `count` of type T has all the bits of `exponent`, as NaN and
/// infinity have.
template <class T>
bool none_has(T exponent, std::span<const std::byte> bytes) noexcept {
    const auto* items = reinterpret_cast<const T*>(bytes.data());
    return std::none_of(items, items + bytes.size() / sizeof(T), [&](T item) {
        return (item & exponent) == exponent;
    });
}

/// Give a segment the index of one vector field.
Status load_index(persist::SectionFile& file,
                  std::size_t number,
                  const VectorField& field,
                  SealedSegment& segment) {
    VECDB_ASSIGN(auto index, make_index(field));
    FieldReader reader(file, number);
    const Status loaded = index->load(reader, index_rows(field, segment, number));
    if (!loaded.ok()) return {loaded.code(), '"' + file.path() + "\": " + loaded.message()};
    segment.indexes[number] = std::move(index);
    return {};
}

}  // namespace

bool all_finite(ElementType type, std::span<const std::byte> bytes) noexcept {
    switch (type) {
        case ElementType::kFloat32:
            return none_has<std::uint32_t>(0x7F80'0000U, bytes);
        case ElementType::kFloat16:
            return none_has<std::uint16_t>(0x7C00U, bytes);
        case ElementType::kBFloat16:
            return none_has<std::uint16_t>(0x7F80U, bytes);
        default:
            return true;
    }
}

bool all_norms(Metric metric, std::span<const std::byte> bytes) noexcept {
    const auto* norms = reinterpret_cast<const float*>(bytes.data());
    const float most = metric == Metric::kCosine ? std::numeric_limits<float>::max()
                                                 : std::numeric_limits<float>::infinity();
    return std::all_of(norms, norms + bytes.size() / sizeof(float), [most](float norm) {
        return norm >= 0.0F && norm <= most;  // not so for NaN
    });
}

namespace {

Status save_vectors(const SealedSegment& segment,
                    std::size_t field,
                    persist::SectionFileWriter& to) {
    const VectorNames names(field);
    const RowStore& store = segment.store;
    const std::size_t rows = segment.rows;
    VECDB_TRY(to.write(names.vectors,
                       {store.vector(0, field), rows * store.format().vector(field).bytes()}));
    VECDB_TRY(to.write(names.norms, std::as_bytes(std::span(&store.norm(0, field), rows))));
    const FieldOrder& order = segment.orders[field];
    if (order.is_rows()) return {};
    VECDB_TRY(to.write(names.positions, std::as_bytes(std::span(order.positions.data(), rows))));
    return to.write(names.ids, std::as_bytes(std::span(order.ids.data(), rows)));
}

/// View the vectors of a field, checked.
Result<VectorColumn> load_vectors(persist::SectionFile& file,
                                  std::size_t number,
                                  const VectorField& field,
                                  std::size_t rows) {
    const VectorNames names(number);
    const std::size_t bytes = vector_bytes(field.element_type, field.dim);
    VECDB_ASSIGN(const auto vectors, read_items<std::byte>(file, names.vectors, rows * bytes));
    VECDB_ASSIGN(const auto norms, read_items<float>(file, names.norms, rows));
    if (!all_finite(field.element_type, vectors))
        return corrupt(file, "holds a number that is not finite");
    if (!all_norms(field.metric, std::as_bytes(norms)))
        return corrupt(file, "holds a norm that no row has");
    return VectorColumn(vectors, norms);
}

/// View the order of the vectors of a further field, checked against the ids of the rows, no two of
/// which are the same.
Result<FieldOrder> load_order(persist::SectionFile& file,
                              std::size_t field,
                              std::span<const Id> row_ids) {
    const VectorNames names(field);
    if (file.find(names.positions) == nullptr) return FieldOrder();
    VECDB_ASSIGN(const auto positions,
                 read_items<std::uint32_t>(file, names.positions, row_ids.size()));
    VECDB_ASSIGN(const auto ids, read_items<Id>(file, names.ids, row_ids.size()));
    for (std::size_t row = 0; row < row_ids.size(); ++row) {
        if (positions[row] >= ids.size() || ids[positions[row]] != row_ids[row])
            return corrupt(file, "section '" + names.positions + "' does not lead to the rows");
    }
    return FieldOrder(positions, ids);
}

}  // namespace

Status save_rows(const SealedSegment& segment,
                 const RowFields& fields,
                 persist::SectionFileWriter& to) {
    const RowStore& store = segment.store;
    const std::size_t rows = segment.rows;
    VECDB_TRY(to.write(kAbout, describe(rows, fields.vectors)));
    VECDB_TRY(save_vectors(segment, 0, to));
    VECDB_TRY(to.write(kIds, std::as_bytes(std::span(&store.id(0), rows))));
    VECDB_TRY(to.write(kMap, std::as_bytes(segment.map.slots())));
    for (std::size_t field = 1; field < fields.vectors.size(); ++field)
        VECDB_TRY(save_vectors(segment, field, to));
    return save_columns(store.cells(0), rows, to);
}

Result<std::shared_ptr<SealedSegment>> load_rows(const std::shared_ptr<persist::SectionFile>& file,
                                                 const RowFields& fields) {
    const RowFormat format = fields.format();
    VECDB_ASSIGN(const std::size_t rows, read_count(*file, fields.vectors));
    VECDB_ASSIGN(const auto ids, read_items<Id>(*file, kIds, rows));
    VECDB_ASSIGN(const auto map, file->read(kMap));
    if (*std::min_element(ids.begin(), ids.end()) < 0) return corrupt(*file, "has a negative id");
    std::vector<VectorColumn> vectors;
    for (std::size_t field = 0; field < fields.vectors.size(); ++field) {
        VECDB_ASSIGN(auto column, load_vectors(*file, field, fields.vectors[field], rows));
        vectors.push_back(std::move(column));
    }
    VectorColumn first = std::move(vectors.front());
    vectors.erase(vectors.begin());
    VECDB_ASSIGN(auto cells, load_columns(file, format.fields(), rows));
    auto segment = std::make_shared<SealedSegment>(
        format,
        std::make_shared<RowBlock>(
            ids, std::move(first), std::move(vectors), std::move(cells), file));
    const std::span slots(reinterpret_cast<const std::uint32_t*>(map.data()),
                          map.size() / sizeof(std::uint32_t));
    if (map.size() % sizeof(std::uint32_t) != 0 || !segment->map.adopt(slots, rows))
        return corrupt(*file, "section 'map' does not lead from ids to rows");
    for (std::size_t field = 1; field < fields.vectors.size(); ++field) {
        VECDB_ASSIGN(segment->orders[field], load_order(*file, field, ids));
    }
    segment->finish_columns();
    return segment;
}

// Rescue ------------------------------------------------------------------------------------------

namespace {

/// What can be read of the vectors of one field in a damaged file.
class RescuedVectors {
  public:
    /// Returns kCorruption (nothing of it can be understood), kIoError.
    static Result<RescuedVectors> read(const persist::SectionFile& file,
                                       std::size_t number,
                                       const VectorField& field) {
        const VectorNames names(number);
        RescuedVectors rescued;
        rescued.field_ = &field;
        rescued.bytes_ = vector_bytes(field.element_type, field.dim);
        VECDB_ASSIGN(rescued.vectors_, file.rescue(names.vectors));
        VECDB_ASSIGN(rescued.norms_, file.rescue(names.norms));
        if (number != 0 && file.find(names.positions) != nullptr) {
            VECDB_ASSIGN(rescued.positions_, file.rescue(names.positions));
        }
        return rescued;
    }

    /// Tell whether the vector of a row is what was written, and can be.
    [[nodiscard]] bool is_good(std::size_t row) const {
        const std::optional<std::size_t> at = position(row);
        if (!at || !vectors_.is_good(*at * bytes_, bytes_) ||
            !norms_.is_good(*at * sizeof(float), sizeof(float)))
            return false;
        const std::span norms(norms_.bytes);
        return all_finite(field_->element_type, vector(*at)) &&
               all_norms(field_->metric, norms.subspan(*at * sizeof(float), sizeof(float)));
    }
    /// Copy the vector of a row that is good.
    void copy(std::size_t row, std::size_t number, const RowStore& to, std::size_t i) const {
        const std::size_t at = *position(row);
        std::memcpy(to.vector(i, number), vector(at).data(), bytes_);
        to.norm(i, number) = persist::load<float>(norms_.bytes, at * sizeof(float));
    }

  private:
    [[nodiscard]] std::span<const std::byte> vector(std::size_t at) const {
        return std::span(vectors_.bytes).subspan(at * bytes_, bytes_);
    }
    /// Return where the vector of a row stands, if that can be read and is in the file.
    [[nodiscard]] std::optional<std::size_t> position(std::size_t row) const {
        std::size_t at = row;
        if (!positions_.bytes.empty()) {
            constexpr std::size_t kBytes = sizeof(std::uint32_t);
            if (!positions_.is_good(row * kBytes, kBytes)) return std::nullopt;
            at = persist::load<std::uint32_t>(positions_.bytes, row * kBytes);
        }
        const bool there = at < vectors_.bytes.size() / bytes_;
        return there ? std::optional(at) : std::nullopt;
    }

    const VectorField* field_ = nullptr;
    std::size_t bytes_ = 0;
    persist::SectionFile::Rescued vectors_, norms_, positions_;
};

}  // namespace

Result<std::shared_ptr<SealedSegment>> rescue_rows(persist::SectionFile& file,
                                                   const RowFields& fields,
                                                   std::span<const std::uint32_t> removed) {
    const RowFormat format = fields.format();
    VECDB_ASSIGN(const std::size_t count, read_count(file, fields.vectors));
    VECDB_ASSIGN(const auto columns, RescuedColumns::read(file, format.fields(), count));
    VECDB_ASSIGN(const auto ids, file.rescue(kIds));
    std::vector<RescuedVectors> vectors;
    for (std::size_t field = 0; field < fields.vectors.size(); ++field) {
        VECDB_ASSIGN(auto each, RescuedVectors::read(file, field, fields.vectors[field]));
        vectors.push_back(std::move(each));
    }
    std::vector<std::size_t> rows;
    std::unordered_set<Id> seen;
    for (std::size_t row = 0; row < count; ++row) {
        const bool good = ids.is_good(row * sizeof(Id), sizeof(Id)) && columns.is_good(row) &&
                          std::all_of(vectors.begin(), vectors.end(), [&](const auto& each) {
                              return each.is_good(row);
                          });
        if (!good || std::binary_search(removed.begin(), removed.end(), row)) continue;
        const Id id = persist::load<Id>(ids.bytes, row * sizeof(Id));
        if (id >= 0 && seen.insert(id).second) rows.push_back(row);
    }
    if (rows.empty()) return std::shared_ptr<SealedSegment>();
    auto segment = std::make_shared<SealedSegment>(format, rows.size());
    const auto cells = segment->store.cells(0);
    segment->map.reserve(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        for (std::size_t field = 0; field < vectors.size(); ++field)
            vectors[field].copy(rows[i], field, segment->store, i);
        segment->store.id(i) = persist::load<Id>(ids.bytes, rows[i] * sizeof(Id));
        segment->map.insert_or_replace(static_cast<std::uint32_t>(i));
        columns.copy(rows[i], cells, i);
    }
    segment->finish_columns();
    return segment;
}

// Indexes -----------------------------------------------------------------------------------------

Status save_indexes(const SealedSegment& segment, persist::SectionFileWriter& to) {
    std::vector<std::uint8_t> indexed(segment.indexes.size(), 0);
    Status unsaved;
    for (std::size_t number = 0; number < indexed.size(); ++number) {
        if (segment.indexes[number] == nullptr) continue;
        FieldWriter writer(to, number);
        Status saved = segment.indexes[number]->save(writer);
        if (!saved.ok() && saved.code() != StatusCode::kUnsupported) return saved;
        indexed[number] = saved.ok() ? 1 : 0;
        if (!saved.ok()) unsaved = std::move(saved);
    }
    const bool any = std::find(indexed.begin(), indexed.end(), 1) != indexed.end();
    if (!any) return unsaved;
    return indexed.size() > 1 ? to.write(kIndexed, std::as_bytes(std::span(indexed))) : Status();
}

Status load_indexes(persist::SectionFile& file,
                    std::span<const VectorField> fields,
                    SealedSegment& segment) {
    std::span<const std::uint8_t> indexed;
    if (fields.size() > 1) {
        VECDB_ASSIGN(indexed, read_items<std::uint8_t>(file, kIndexed, fields.size()));
    }
    Status failed;
    for (std::size_t number = 0; number < fields.size(); ++number) {
        if (!indexed.empty() && indexed[number] == 0) continue;
        Status loaded = load_index(file, number, fields[number], segment);
        if (loaded.code() == StatusCode::kOutOfMemory) return loaded;
        if (failed.ok()) failed = std::move(loaded);
    }
    return failed;
}

}  // namespace vecdb::collection
