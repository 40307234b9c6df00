#include "collection/storage/stored_segment.h"

#include "check.h"
#include "collection/builtin_indexes.h"
#include "collection/version.h"
#include "persist/archive.h"
#include "persist/little_endian.h"

#include <algorithm>
#include <cmath>
#include <cstring>
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

Status corrupt(const persist::SectionFile& file, const std::string& what) {
    return {StatusCode::kCorruption, '"' + file.path() + "\": " + what};
}

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

/// View a section that must have `count` items.
template <class T>
Result<std::span<const T>> read_items(persist::SectionFile& file,
                                      std::string_view name,
                                      std::size_t count) {
    VECDB_ASSIGN(const auto bytes, file.read(name));
    if (bytes.size() != count * sizeof(T)) {
        return corrupt(file,
                       "section '" + std::string(name) + "' has " + std::to_string(bytes.size()) +
                           " bytes, expected " + std::to_string(count * sizeof(T)));
    }
    return std::span(reinterpret_cast<const T*>(bytes.data()), count);
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

namespace {

/// The sections of one scalar field.
struct ColumnNames {
    explicit ColumnNames(std::size_t field)
        : values("scalar " + std::to_string(field) + " values"),
          nulls("scalar " + std::to_string(field) + " nulls"),
          ends("scalar " + std::to_string(field) + " ends"),
          bytes("scalar " + std::to_string(field) + " bytes") {}

    std::string values, nulls, ends, bytes;
};

Status save_texts(const Texts& texts, const ColumnNames& names, persist::SectionFileWriter& to) {
    std::vector<std::uint64_t> ends;
    ends.reserve(texts.size());
    std::uint64_t end = 0;
    for (std::uint32_t i = 0; i < texts.size(); ++i)
        ends.push_back(end += texts[i].size());
    VECDB_TRY(to.write(names.ends, std::as_bytes(std::span(ends))));
    VECDB_TRY(to.begin(names.bytes));
    for (std::uint32_t i = 0; i < texts.size(); ++i)
        VECDB_TRY(to.append(std::as_bytes(std::span(texts[i]))));
    return {};
}

Status save_cells(const Cells& cells,
                  std::size_t field,
                  std::size_t rows,
                  persist::SectionFileWriter& to) {
    const ColumnNames names(field);
    VECDB_TRY(to.write(names.values, {cells.values.data(), rows * cell_bytes(cells.type)}));
    if (cells.nulls.size() != 0)
        VECDB_TRY(to.write(names.nulls, std::as_bytes(std::span(cells.nulls.data(), rows))));
    return cells.texts != nullptr ? save_texts(*cells.texts, names, to) : Status();
}

/// Tell whether texts are ascending, no two alike.
bool are_ordered(const Texts& texts) {
    for (std::uint32_t i = 1; i < texts.size(); ++i) {
        if (!(texts[i - 1] < texts[i])) return false;
    }
    return true;
}

/// View the texts of a field.
Result<std::shared_ptr<Texts>> load_texts(const std::shared_ptr<persist::SectionFile>& file,
                                          const ScalarField& field,
                                          const ColumnNames& names) {
    VECDB_ASSIGN(const auto ends_bytes, file->read(names.ends));
    VECDB_ASSIGN(const auto bytes, file->read(names.bytes));
    const std::span ends(reinterpret_cast<const std::uint64_t*>(ends_bytes.data()),
                         ends_bytes.size() / sizeof(std::uint64_t));
    const bool fits = ends_bytes.size() % sizeof(std::uint64_t) == 0 &&
                      ends.size() <= kMaxRowsPerSegment &&
                      std::is_sorted(ends.begin(), ends.end()) &&
                      (ends.empty() ? 0 : ends.back()) == bytes.size();
    if (!fits) return corrupt(*file, "has texts of field '" + field.name + "' that cannot be");
    auto texts = std::make_shared<Texts>(ends, bytes, file);
    if (field.type == ScalarType::kString && !are_ordered(*texts))
        return corrupt(*file, "has texts of field '" + field.name + "' out of order");
    return texts;
}

/// Tell whether the value of a row can be.
bool is_good(const Cells& cells, std::size_t row) {
    if (cells.nulls.size() != 0 && cells.nulls[row] > 1) return false;
    if (cells.is_null(row)) return true;
    switch (cells.type) {
        case ScalarType::kBool:
            return cells.as<std::uint8_t>()[row] <= 1;
        case ScalarType::kInt64:
            return true;
        case ScalarType::kDouble:
            return !std::isnan(cells.as<double>()[row]);
        default:
            return cells.as<std::uint32_t>()[row] < cells.texts->size();
    }
}

/// View the values of one field.
Result<Cells> load_cells(const std::shared_ptr<persist::SectionFile>& file,
                         const ScalarField& field,
                         std::size_t number,
                         std::size_t rows) {
    const ColumnNames names(number);
    VECDB_ASSIGN(const auto values,
                 read_items<std::byte>(*file, names.values, rows * cell_bytes(field.type)));
    std::span<const std::uint8_t> nulls;
    if (field.nullable) {
        VECDB_ASSIGN(nulls, read_items<std::uint8_t>(*file, names.nulls, rows));
    }
    std::shared_ptr<Texts> texts;
    if (has_texts(field.type)) {
        VECDB_ASSIGN(texts, load_texts(file, field, names));
    }
    Cells cells(field, values, nulls, std::move(texts));
    for (std::size_t row = 0; row < rows; ++row) {
        if (is_good(cells, row)) continue;
        return corrupt(*file,
                       "has a value of field '" + field.name + "' in row " + std::to_string(row) +
                           " that cannot be");
    }
    return cells;
}

Result<std::vector<Cells>> load_columns(const std::shared_ptr<persist::SectionFile>& file,
                                        std::span<const ScalarField> fields,
                                        std::size_t rows) {
    std::vector<Cells> cells;
    cells.reserve(fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
        VECDB_ASSIGN(Cells each, load_cells(file, fields[i], i, rows));
        cells.push_back(std::move(each));
    }
    return cells;
}

}  // namespace

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
    const auto cells = store.cells(0);
    for (std::size_t i = 0; i < cells.size(); ++i)
        VECDB_TRY(save_cells(cells[i], i, rows, to));
    return {};
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
    if (!all_finite(field.element_type, vectors) ||
        !all_finite(ElementType::kFloat32, std::as_bytes(norms)))
        return corrupt(*file, "holds a number that is not finite");
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

namespace {

/// The values of one field that can be read of a damaged file.
class RescuedCells {
  public:
    [[nodiscard]] static Result<RescuedCells> read(persist::SectionFile& file,
                                                   const ScalarField& field,
                                                   std::size_t number) {
        const ColumnNames names(number);
        auto parts = std::make_shared<Parts>();
        VECDB_ASSIGN(parts->values, file.rescue(names.values));
        if (field.nullable) {
        VECDB_ASSIGN(parts->nulls, file.rescue(names.nulls));
    }
        if (!has_texts(field.type)) return RescuedCells(field, std::move(parts));
        VECDB_ASSIGN(parts->ends, file.rescue(names.ends));
        VECDB_ASSIGN(parts->bytes, file.rescue(names.bytes));
        return RescuedCells(field, std::move(parts));
    }

    [[nodiscard]] const Cells& cells() const noexcept { return cells_; }
    /// Tell whether the value of a row is what was written.
    [[nodiscard]] bool is_good(std::size_t row) const {
        const std::size_t bytes = cell_bytes(cells_.type);
        if (!parts_->values.is_good(row * bytes, bytes)) return false;
        if (cells_.nulls.size() != 0 && !parts_->nulls.is_good(row, 1)) return false;
        if (!collection::is_good(cells_, row)) return false;
        return cells_.is_null(row) || !has_texts(cells_.type) ||
               has_text(cells_.as<std::uint32_t>()[row]);
    }

  private:
    struct Parts {
        persist::SectionFile::Rescued values, nulls, ends, bytes;
    };

    RescuedCells(const ScalarField& field, std::shared_ptr<Parts> parts)
        : parts_(std::move(parts)),
          cells_(field,
                 parts_->values.bytes,
                 {reinterpret_cast<const std::uint8_t*>(parts_->nulls.bytes.data()),
                  parts_->nulls.bytes.size()},
                 has_texts(field.type)
                     ? std::make_shared<Texts>(ends(), parts_->bytes.bytes, parts_)
                     : nullptr) {}

    [[nodiscard]] std::span<const std::uint64_t> ends() const noexcept {
        return {reinterpret_cast<const std::uint64_t*>(parts_->ends.bytes.data()),
                parts_->ends.bytes.size() / sizeof(std::uint64_t)};
    }
    [[nodiscard]] bool has_text(std::uint32_t number) const {
        const std::uint32_t before = number == 0 ? 0 : number - 1;
        if (!parts_->ends.is_good(before * sizeof(std::uint64_t),
                                  (number - before + 1) * sizeof(std::uint64_t)))
            return false;
        const std::uint64_t begin = number == 0 ? 0 : ends()[before];
        const std::uint64_t end = ends()[number];
        return begin <= end && end <= parts_->bytes.bytes.size() &&
               parts_->bytes.is_good(begin, end - begin);
    }

    std::shared_ptr<Parts> parts_;
    Cells cells_;
};

Result<std::vector<RescuedCells>> rescue_columns(persist::SectionFile& file,
                                                 std::span<const ScalarField> fields,
                                                 std::size_t rows) {
    std::vector<RescuedCells> columns;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        VECDB_ASSIGN(RescuedCells each, RescuedCells::read(file, fields[i], i));
        const Cells& cells = each.cells();
        if (cells.values.size() != rows * cell_bytes(cells.type) ||
            cells.nulls.size() != (fields[i].nullable ? rows : 0))
            return corrupt(file, "has values of field '" + fields[i].name + "' of other rows");
        columns.push_back(std::move(each));
    }
    return columns;
}

}  // namespace

Result<std::shared_ptr<SealedSegment>> rescue_rows(persist::SectionFile& file,
                                                   const RowFields& fields,
                                                   std::span<const std::uint32_t> removed) {
    const VectorField& field = fields.vector;
    VECDB_ASSIGN(const std::size_t count, read_count(file, field));
    const VectorFormat format = fields.format().vector;
    VECDB_ASSIGN(const auto columns, rescue_columns(file, fields.format().fields(), count));
    VECDB_ASSIGN(const auto vectors, file.rescue(kVectors));
    VECDB_ASSIGN(const auto ids, file.rescue(kIds));
    VECDB_ASSIGN(const auto norms, file.rescue(kNorms));
    std::vector<std::size_t> rows;
    std::unordered_set<Id> seen;
    for (std::size_t row = 0; row < count; ++row) {
        const bool good = vectors.is_good(row * format.bytes(), format.bytes()) &&
                          ids.is_good(row * sizeof(Id), sizeof(Id)) &&
                          norms.is_good(row * sizeof(float), sizeof(float)) &&
                          std::all_of(columns.begin(), columns.end(), [&](const auto& column) {
                              return column.is_good(row);
                          });
        if (!good || std::binary_search(removed.begin(), removed.end(), row)) continue;
        const auto vector = std::span(vectors.bytes).subspan(row * format.bytes(), format.bytes());
        const auto norm = std::span(norms.bytes).subspan(row * sizeof(float), sizeof(float));
        const Id id = persist::load<Id>(ids.bytes, row * sizeof(Id));
        const bool finite =
            all_finite(field.element_type, vector) && all_finite(ElementType::kFloat32, norm);
        if (finite && id >= 0 && seen.insert(id).second) rows.push_back(row);
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
        for (std::size_t c = 0; c < cells.size(); ++c)
            cells[c].copy(i, columns[c].cells(), rows[i]);
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
