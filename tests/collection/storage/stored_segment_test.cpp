// Sealed segments in files: they come back whole, and nothing else is taken for them.

#include "collection/storage/stored_segment.h"

#include "collection/builtin_indexes.h"
#include "collection/version.h"
#include "persist/archive.h"
#include "support/catch.h"
#include "support/memory_storage.h"
#include "support/random_data.h"
#include "support/temp_directory.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace vecdb::collection {
namespace {

using Catch::Matchers::Contains;
using persist::Access;
using persist::FileHeader;
using persist::FileKind;
using persist::SectionFile;
using persist::SectionFileWriter;
using test::MemoryStorage;

constexpr std::size_t kRows = 300;
constexpr std::size_t kDim = 12;
const FileHeader kRowsHeader{.kind = FileKind::kRows, .database = {}, .number = 1};
const FileHeader kIndexHeader{.kind = FileKind::kIndex, .database = {}, .number = 2};

VectorField field_of(IndexOptions index) {
    return {.dim = kDim, .metric = Metric::kL2, .index = std::move(index)};
}

std::shared_ptr<SealedSegment> make_segment(const VectorField& field) {
    const test::Matrix rows = test::normal_rows(kRows, kDim, 5);
    auto segment = std::make_shared<SealedSegment>(VectorFormat{kDim}, kRows);
    RowStore& store = segment->store;
    segment->map.reserve(kRows);
    for (std::size_t row = 0; row < kRows; ++row) {
        std::memcpy(store.vector(row), rows.row(row).data(), kDim * sizeof(float));
        store.id(row) = static_cast<Id>(row * 7 % 1'000 + 1'000 * (row % 3));
        double sum = 0;
        for (const float x : rows.row(row))
            sum += static_cast<double>(x) * x;
        store.norm(row) = static_cast<float>(sum);
        REQUIRE_FALSE(segment->map.insert_or_replace(static_cast<std::uint32_t>(row)));
    }
    segment->indexes[0] = make_index(field).value();
    const IndexBuild how{.threads = 1};
    static_cast<void>(segment->indexes[0]->build(index_rows(field, *segment), how).value());
    return segment;
}

/// Write rows and index to files "rows" and "index".
void save(Storage& storage, const std::string& directory, const SealedSegment& segment) {
    const VectorField field = field_of({});
    auto rows = SectionFileWriter::create(storage, directory + "rows", kRowsHeader).value();
    save_rows(segment, {{&field, 1}, nullptr}, *rows).check();
    static_cast<void>(rows->finish().value());
    auto index = SectionFileWriter::create(storage, directory + "index", kIndexHeader).value();
    save_indexes(segment, *index).check();
    static_cast<void>(index->finish().value());
}

Result<std::shared_ptr<SealedSegment>> load(Storage& storage,
                                            const std::string& path,
                                            const VectorField& field,
                                            Access access = Access::kRead) {
    auto file = SectionFile::open(storage, path, kRowsHeader, nullptr, access);
    if (!file.ok()) return file.status();
    return load_rows(*file, {{&field, 1}, nullptr});
}

using Sections = std::map<std::string, std::vector<std::byte>>;

/// Write a file again with other sections, under right checksums.
void change(MemoryStorage& storage, const std::function<void(Sections&)>& edit) {
    Sections sections;
    {
        const auto file =
            SectionFile::open(storage, "rows", kRowsHeader, nullptr, Access::kRead).value();
        for (const auto& section : file->sections()) {
            const auto bytes = file->read(section.name).value();
            sections[section.name].assign(bytes.begin(), bytes.end());
        }
    }
    edit(sections);
    storage.remove("rows").check();
    auto writer = SectionFileWriter::create(storage, "rows", kRowsHeader).value();
    for (const auto& [name, bytes] : sections)
        writer->write(name, bytes).check();
    static_cast<void>(writer->finish().value());
}

template <class T>
void put(std::vector<std::byte>& bytes, std::size_t item, T value) {
    std::memcpy(bytes.data() + item * sizeof(T), &value, sizeof(T));
}

}  // namespace

TEST_CASE("a sealed segment comes back from its files", "[collection][persist]") {
    const test::TempDirectory directory;
    const std::string path = directory.path().string() + '/';
    const VectorField field = field_of(GENERATE(IndexOptions(FlatOptions()),
                                                IndexOptions(HnswOptions{.m = 8}),
                                                IndexOptions(IvfOptions{.nlist = 5})));
    const auto segment = make_segment(field);
    save(posix_storage(), path, *segment);
    const Access access = GENERATE(Access::kMapped, Access::kRead);
    auto loaded = load(posix_storage(), path + "rows", field, access).value();
    REQUIRE(loaded->rows == kRows);
    CHECK(std::memcmp(loaded->store.vector(0), segment->store.vector(0), kRows * kDim * 4) == 0);
    for (std::size_t row = 0; row < kRows; ++row) {
        CHECK(loaded->store.id(row) == segment->store.id(row));
        CHECK(loaded->store.norm(row) == segment->store.norm(row));
        CHECK(loaded->map.find(segment->store.id(row)) == row);
    }
    CHECK_FALSE(loaded->map.find(999'999));

    const auto file =
        SectionFile::open(posix_storage(), path + "index", kIndexHeader, nullptr, access);
    REQUIRE(load_indexes(**file, {&field, 1}, *loaded).ok());
    const test::Matrix queries = test::normal_rows(20, kDim, 6);
    for (std::size_t q = 0; q < queries.rows; ++q) {
        const void* query[] = {queries.row(q).data()};
        const auto search = [&](const SealedSegment& each) {
            std::vector<Hit> slots(10);
            TopK best(slots);
            each.indexes[0]->search(
                index_rows(field, each), query, {.allowed_rows = kRows}, {&best, 1});
            const auto hits = best.sort();
            return std::vector<Hit>(hits.begin(), hits.end());
        };
        CHECK(search(*loaded) == search(*segment));
    }
    // The same bytes again.
    save(posix_storage(), path + "again-", *loaded);
    CHECK(test::read_bytes(path + "again-rows") == test::read_bytes(path + "rows"));
    CHECK(test::read_bytes(path + "again-index") == test::read_bytes(path + "index"));
}

TEST_CASE("rows stay where they are as long as somebody uses them", "[collection][persist]") {
    const test::TempDirectory directory;
    const std::string path = directory.path().string() + '/';
    const VectorField field = field_of(FlatOptions());
    save(posix_storage(), path, *make_segment(field));
    auto loaded = load(posix_storage(), path + "rows", field, Access::kMapped).value();
    posix_storage().remove(path + "rows").check();
    const auto blocks = loaded->store.blocks();
    const Id id = loaded->store.id(kRows - 1);
    loaded.reset();
    CHECK(blocks->front()->ids[kRows - 1] == id);
}

TEST_CASE("rows of another field are refused", "[collection][persist]") {
    MemoryStorage storage;
    const VectorField field = field_of(FlatOptions());
    save(storage, "", *make_segment(field));
    CHECK(load(storage, "rows", field).ok());
    const auto refused = [&](const VectorField& other) {
        const Status status = load(storage, "rows", other).status();
        CHECK(status.code() == StatusCode::kCorruption);
        CHECK_THAT(status.message(), Contains("field 'vector'") && Contains("rows"));
    };
    VectorField other = field;
    other.dim = kDim + 1;
    refused(other);
    other = field;
    other.metric = Metric::kCosine;
    refused(other);
    other = field;
    other.element_type = ElementType::kFloat16;
    refused(other);
}

TEST_CASE("sections that cannot be a segment are refused", "[collection][persist][hostile]") {
    MemoryStorage storage;
    const VectorField field = field_of(FlatOptions());
    const auto segment = make_segment(field);
    save(storage, "", *segment);
    const auto refused = [&](const std::string& why, const std::function<void(Sections&)>& edit) {
        INFO(why);
        const auto before = storage.bytes("rows");
        change(storage, edit);
        const Status status = load(storage, "rows", field).status();
        CHECK(status.code() == StatusCode::kCorruption);
        CHECK_THAT(status.message(), Contains(why));
        storage.bytes("rows") = before;
    };
    for (const std::string name : {"about", "vectors", "ids", "norms", "map"}) {
        refused("'" + name + "'", [&](Sections& all) { all.erase(name); });
        if (name == "about") continue;
        refused("", [&](Sections& all) { all[name].pop_back(); });
        refused("", [&](Sections& all) { all[name].resize(all[name].size() + 4); });
        refused("", [&](Sections& all) { all[name].clear(); });
    }
    refused("does not hold", [](Sections& all) { all["about"].emplace_back(); });
    refused("does not hold", [](Sections& all) { all["about"][0] = std::byte{2}; });
    for (const std::uint64_t rows :
         {std::uint64_t{0}, std::uint64_t{1} << 31U, ~std::uint64_t{0}}) {
        refused("holds " + std::to_string(rows) + " rows",
                [&](Sections& all) { std::memcpy(all["about"].data() + 4, &rows, sizeof(rows)); });
    }
    for (const float wrong :
         {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
        refused("not finite", [&](Sections& all) { put(all["vectors"], 77, wrong); });
        refused("norm", [&](Sections& all) { put(all["norms"], 7, wrong); });
    }
    refused("negative id", [](Sections& all) { put(all["ids"], 3, Id{-1}); });
    refused("'map'", [&](Sections& all) { put(all["ids"], 3, segment->store.id(4)); });
    refused("'map'", [](Sections& all) { put(all["ids"], 3, Id{123'456}); });
    // Of the map: a row past the last, one twice, one that is missing, none empty.
    const auto slots = segment->map.slots();
    const auto used = static_cast<std::size_t>(
        std::find_if(slots.begin(), slots.end(), [](auto row) { return row < kRows; }) -
        slots.begin());
    const auto empty = static_cast<std::size_t>(
        std::find_if(slots.begin(), slots.end(), [](auto row) { return row >= kRows; }) -
        slots.begin());
    refused("'map'", [&](Sections& all) { put(all["map"], used, std::uint32_t{kRows}); });
    refused("'map'", [&](Sections& all) { put(all["map"], used, ~std::uint32_t{0}); });
    refused("'map'", [&](Sections& all) { put(all["map"], empty, slots[used]); });
    refused("'map'", [&](Sections& all) {
        put(all["map"], empty, slots[used]);
        put(all["map"], used, ~std::uint32_t{0});
    });
    refused("'map'", [&](Sections& all) { std::fill_n(all["map"].begin(), 2'048, std::byte{}); });
    CHECK(load(storage, "rows", field).ok());
}

TEST_CASE("vectors of a further field whose order cannot be are refused",
          "[collection][persist][hostile]") {
    const std::vector<VectorField> fields = {field_of(FlatOptions()), {.name = "other", .dim = 3}};
    const RowFields rows{fields, nullptr};
    SealedSegment segment(rows.format(), kRows);
    const RowStore& store = segment.store;
    segment.orders[1] = FieldOrder(kRows);
    segment.map.reserve(kRows);
    for (std::size_t row = 0; row < kRows; ++row) {
        std::memset(store.vector(row), 0, kDim * sizeof(float));
        const auto other = static_cast<float>(row);
        for (std::size_t i = 0; i < 3; ++i)
            std::memcpy(store.vector(row, 1) + i * sizeof(float), &other, sizeof(float));
        store.norm(row) = 0.0F;
        store.norm(row, 1) = 3 * other * other;
        store.id(row) = static_cast<Id>(row * 3);
        REQUIRE_FALSE(segment.map.insert_or_replace(static_cast<std::uint32_t>(row)));
    }
    for (std::size_t row = 0; row < kRows; ++row) {
        segment.orders[1].positions[row] = static_cast<std::uint32_t>(kRows - 1 - row);
        segment.orders[1].ids[kRows - 1 - row] = store.id(row);
    }
    MemoryStorage storage;
    auto writer = SectionFileWriter::create(storage, "rows", kRowsHeader).value();
    save_rows(segment, rows, *writer).check();
    static_cast<void>(writer->finish().value());
    const auto load_them = [&] {
        const auto file = SectionFile::open(storage, "rows", kRowsHeader, nullptr, Access::kRead);
        return load_rows(file.value(), rows);
    };
    const auto loaded = load_them().value();
    CHECK(loaded->orders[1].position(4) == kRows - 5);
    CHECK(loaded->ids(1)[0] == store.id(kRows - 1));
    CHECK(loaded->store.norm(7, 1) == 3 * 7 * 7);

    const auto refused = [&](const std::string& why, const std::function<void(Sections&)>& edit) {
        INFO(why);
        const auto before = storage.bytes("rows");
        change(storage, edit);
        const Status status = load_them().status();
        CHECK(status.code() == StatusCode::kCorruption);
        CHECK_THAT(status.message(), Contains(why));
        storage.bytes("rows") = before;
    };
    const std::string positions = "vector 1 positions";
    refused(positions, [&](Sections& all) { put(all[positions], 5, std::uint32_t{kRows}); });
    refused(positions, [&](Sections& all) { put(all[positions], 5, ~std::uint32_t{0}); });
    refused(positions, [&](Sections& all) { put(all[positions], 5, std::uint32_t{7}); });
    refused(positions, [&](Sections& all) { all[positions].resize(4); });
    refused(positions, [](Sections& all) { put(all["vector 1 ids"], 5, Id{1}); });
    refused("vector 1 ids", [](Sections& all) { all.erase("vector 1 ids"); });
    refused("vector 1 vectors", [](Sections& all) { all["vector 1 vectors"].pop_back(); });
    refused("vector 1 norms", [](Sections& all) { all.erase("vector 1 norms"); });
    const float nan = std::numeric_limits<float>::quiet_NaN();
    refused("not finite", [&](Sections& all) { put(all["vector 1 vectors"], 5, nan); });
    refused("norm", [](Sections& all) { put(all["vector 1 norms"], 5, -1.0F); });
    refused("does not hold", [](Sections& all) { all["about"].resize(22); });
    CHECK(load_them().ok());
}

TEST_CASE("an index that is damaged leaves its rows", "[collection][persist]") {
    MemoryStorage storage;
    const VectorField field = field_of(HnswOptions{.m = 8});
    save(storage, "", *make_segment(field));
    const auto loaded = load(storage, "rows", field).value();
    storage.bytes("index")[200] ^= std::byte{1};
    const auto file =
        SectionFile::open(storage, "index", kIndexHeader, nullptr, Access::kRead).value();
    const Status status = load_indexes(*file, {&field, 1}, *loaded);
    CHECK(status.code() == StatusCode::kCorruption);
    CHECK_THAT(status.message(), Contains("index"));
    CHECK(loaded->indexes[0] == nullptr);
    CHECK(loaded->rows == kRows);
}

}  // namespace vecdb::collection
