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
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace vecdb::collection {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::string_view kAbout = "about";
constexpr std::string_view kVectors = "vectors";
constexpr std::string_view kIds = "ids";
constexpr std::string_view kNorms = "norms";
constexpr std::string_view kMap = "map";

/// What the rows of a file are.
struct About {
    std::uint64_t rows = 0;
    std::uint64_t dim = 0;
    ElementType type = ElementType::kFloat32;
    Metric metric = Metric::kL2;

    friend bool operator==(const About&, const About&) = default;
};

std::vector<std::byte> encode(const About& about) {
    persist::ArchiveWriter to;
    to.number(kVersion);
    to.number(about.rows);
    to.number(about.dim);
    to.number(about.type);
    to.number(about.metric);
    return to.bytes();
}

/// Read how many rows of `field` the file has.
Result<std::size_t> read_count(persist::SectionFile& file, const VectorField& field) {
    VECDB_ASSIGN(const auto bytes, file.read(kAbout));
    persist::ArchiveReader from(bytes);
    const auto version = from.number<std::uint32_t>();
    About about{.rows = from.number<std::uint64_t>(), .dim = from.number<std::uint64_t>()};
    about.type = static_cast<ElementType>(from.number<std::uint8_t>());
    about.metric = static_cast<Metric>(from.number<std::uint8_t>());
    const About wanted{about.rows, field.dim, field.element_type, field.metric};
    if (!from.finish().ok() || version != kVersion || about != wanted)
        return corrupt(file, "does not hold rows of field '" + field.name + "'");
    if (about.rows == 0 || about.rows > kMaxRowsPerSegment)
        return corrupt(file, "holds " + std::to_string(about.rows) + " rows");
    return static_cast<std::size_t>(about.rows);
}

/// Tell whether no number among `count` of type T has all the bits of `exponent`, as NaN and
/// infinity have.
template <class T>
bool all_finite(std::span<const std::byte> bytes, T exponent) noexcept {
    const auto* items = reinterpret_cast<const T*>(bytes.data());
    return std::none_of(items, items + bytes.size() / sizeof(T), [&](T item) {
        return (item & exponent) == exponent;
    });
}

}  // namespace

bool all_finite(ElementType type, std::span<const std::byte> bytes) noexcept {
    switch (type) {
        case ElementType::kFloat32:
            return all_finite<std::uint32_t>(bytes, 0x7F80'0000U);
        case ElementType::kFloat16:
            return all_finite<std::uint16_t>(bytes, 0x7C00U);
        case ElementType::kBFloat16:
            return all_finite<std::uint16_t>(bytes, 0x7F80U);
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

Status save_rows(const SealedSegment& segment,
                 const RowFields& fields,
                 persist::SectionFileWriter& to) {
    const VectorField& field = fields.vector;
    const RowStore& store = segment.store;
    const std::size_t rows = segment.rows;
    VECDB_TRY(to.write(
        kAbout,
        encode(
            {.rows = rows, .dim = field.dim, .type = field.element_type, .metric = field.metric})));
    VECDB_TRY(to.write(kVectors, {store.vector(0), rows * store.format().vector.bytes()}));
    VECDB_TRY(to.write(kIds, std::as_bytes(std::span(&store.id(0), rows))));
    VECDB_TRY(to.write(kNorms, std::as_bytes(std::span(&store.norm(0), rows))));
    VECDB_TRY(to.write(kMap, std::as_bytes(segment.map.slots())));
    return save_columns(store.cells(0), rows, to);
}

Result<std::shared_ptr<SealedSegment>> load_rows(const std::shared_ptr<persist::SectionFile>& file,
                                                 const RowFields& fields) {
    const VectorField& field = fields.vector;
    const RowFormat format = fields.format();
    VECDB_ASSIGN(const std::size_t rows, read_count(*file, field));
    VECDB_ASSIGN(const auto vectors,
                 read_items<std::byte>(*file, kVectors, rows * format.vector.bytes()));
    VECDB_ASSIGN(const auto ids, read_items<Id>(*file, kIds, rows));
    VECDB_ASSIGN(const auto norms, read_items<float>(*file, kNorms, rows));
    VECDB_ASSIGN(const auto map, file->read(kMap));
    if (!all_finite(field.element_type, vectors))
        return corrupt(*file, "holds a number that is not finite");
    if (!all_norms(field.metric, std::as_bytes(norms)))
        return corrupt(*file, "holds a norm that no row has");
    if (*std::min_element(ids.begin(), ids.end()) < 0) return corrupt(*file, "has a negative id");
    VECDB_ASSIGN(auto cells, load_columns(file, format.fields(), rows));
    auto segment = std::make_shared<SealedSegment>(
        format, std::make_shared<RowBlock>(vectors, ids, norms, std::move(cells), file));
    const std::span slots(reinterpret_cast<const std::uint32_t*>(map.data()),
                          map.size() / sizeof(std::uint32_t));
    if (map.size() % sizeof(std::uint32_t) != 0 || !segment->map.adopt(slots, rows))
        return corrupt(*file, "section 'map' does not lead from ids to rows");
    segment->finish_columns();
    return segment;
}

Result<std::shared_ptr<SealedSegment>> rescue_rows(persist::SectionFile& file,
                                                   const RowFields& fields,
                                                   std::span<const std::uint32_t> removed) {
    const VectorField& field = fields.vector;
    VECDB_ASSIGN(const std::size_t count, read_count(file, field));
    const VectorFormat format = fields.format().vector;
    VECDB_ASSIGN(const auto columns, RescuedColumns::read(file, fields.format().fields(), count));
    VECDB_ASSIGN(const auto vectors, file.rescue(kVectors));
    VECDB_ASSIGN(const auto ids, file.rescue(kIds));
    VECDB_ASSIGN(const auto norms, file.rescue(kNorms));
    std::vector<std::size_t> rows;
    std::unordered_set<Id> seen;
    for (std::size_t row = 0; row < count; ++row) {
        const bool good = vectors.is_good(row * format.bytes(), format.bytes()) &&
                          ids.is_good(row * sizeof(Id), sizeof(Id)) &&
                          norms.is_good(row * sizeof(float), sizeof(float)) && columns.is_good(row);
        if (!good || std::binary_search(removed.begin(), removed.end(), row)) continue;
        const auto vector = std::span(vectors.bytes).subspan(row * format.bytes(), format.bytes());
        const auto norm = std::span(norms.bytes).subspan(row * sizeof(float), sizeof(float));
        const Id id = persist::load<Id>(ids.bytes, row * sizeof(Id));
        const bool sound = all_finite(field.element_type, vector) && all_norms(field.metric, norm);
        if (sound && id >= 0 && seen.insert(id).second) rows.push_back(row);
    }
    if (rows.empty()) return std::shared_ptr<SealedSegment>();
    auto segment = std::make_shared<SealedSegment>(fields.format(), rows.size());
    const auto cells = segment->store.cells(0);
    segment->map.reserve(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::memcpy(segment->store.vector(i),
                    vectors.bytes.data() + rows[i] * format.bytes(),
                    format.bytes());
        segment->store.id(i) = persist::load<Id>(ids.bytes, rows[i] * sizeof(Id));
        segment->store.norm(i) = persist::load<float>(norms.bytes, rows[i] * sizeof(float));
        segment->map.insert_or_replace(static_cast<std::uint32_t>(i));
        columns.copy(rows[i], cells, i);
    }
    segment->finish_columns();
    return segment;
}

Status save_index(const SealedSegment& segment, persist::SectionFileWriter& to) {
    VECDB_ASSERT(segment.index != nullptr);
    return segment.index->save(to);
}

Status load_index(persist::SectionFile& file, const VectorField& field, SealedSegment& segment) {
    VECDB_ASSIGN(auto index, make_index(field));
    const Status loaded = index->load(file, index_rows(field, segment));
    if (!loaded.ok()) return {loaded.code(), '"' + file.path() + "\": " + loaded.message()};
    segment.index = std::move(index);
    return {};
}

}  // namespace vecdb::collection
