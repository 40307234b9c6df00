// The catalogue: what is written is read, and nothing else is believed.

#include "persist/catalogue.h"

#include "persist/manifest.h"
#include "support/catch.h"
#include "support/memory_storage.h"

#include <functional>
#include <string>
#include <vector>

namespace vecdb::persist {
namespace {

using Catch::Matchers::Contains;
using test::MemoryStorage;

Schema full_schema() {
    Schema schema;
    schema.vectors.push_back({.name = "flat",
                              .dim = 100,
                              .metric = Metric::kCosine,
                              .index = FlatOptions{.codes = Codes::kNone},
                              .zero_vector = ZeroVector::kFar});
    schema.vectors.push_back(
        {.name = "graph",
         .dim = 7,
         .metric = Metric::kInnerProduct,
         .element_type = ElementType::kFloat16,
         .index =
             HnswOptions{.m = 12, .ef_construction = 99, .alpha = 1.5F, .codes = Codes::kSq8}});
    schema.vectors.push_back(
        {.name = "lists",
         .dim = 8,
         .index = IvfOptions{.nlist = 77, .codes = Codes::kOpq4, .pq_dims = 3}});
    schema.vectors.push_back(
        {.name = "own",
         .dim = 64,
         .metric = Metric::kJaccard,
         .element_type = ElementType::kBit,
         .index = CustomOptions{.name = "mine", .parameters = {{"a", "1"}, {"b", ""}}}});
    schema.scalars = {{.name = "year", .type = ScalarType::kInt64, .nullable = true},
                      {.name = "title", .type = ScalarType::kString}};
    schema.rule = {.routing = Routing::kIdModulo, .partitions = 5};
    schema.segments = {
        .seal_rows = 100, .merge_segments = 9, .max_removed = 0.5F, .max_growing_rows = 300};
    return schema;
}

std::vector<std::byte> bytes_of(const std::vector<Change>& changes) {
    ArchiveWriter writer;
    write_changes(writer, changes);
    return writer.bytes();
}

/// Read all changes; checks that they fill the bytes.
Status read(std::span<const std::byte> bytes, std::vector<Change>& changes) {
    ArchiveReader reader(bytes);
    const Status status = read_changes(reader, [&](const Change& change) {
        changes.push_back(change);
        return Status();
    });
    return status.ok() ? reader.finish() : status;
}

std::vector<Change> some_changes() {
    StoredPartition partition{.number = 3, .name = "p", .covered = 12};
    partition.segments.push_back({.rows_file = 1,
                                  .index_file = 2,
                                  .rows = 50,
                                  .removed_rows = 4,
                                  .removed = {.file = 3, .offset = 64, .bytes = 7}});
    partition.growing_rows = 6;
    partition.growing = {.file = 3, .offset = 128, .bytes = 9};
    return {
        AddFile{1, {FileKind::kRows, {100, 11}}},
        AddFile{2, {FileKind::kIndex, {200, 22}}},
        AddFile{3, {FileKind::kGrowing, {300, 33}}},
        AddFile{4, {FileKind::kRows, {400, 44}}},
        DropFile{4},
        SetCollection{1, "words", false, full_schema()},
        SetCollection{2, "next", true, Schema::single(4)},
        SetPartition{1, partition},
        SetPartition{1, {.number = 4, .name = "gone"}},
        DropPartition{1, 4},
        SetAlias{"live", 1},
        SetAlias{"other", 1},
        DropAlias{"other"},
        SetCollection{3, "dropped", false, Schema::single(4)},
        DropCollection{3},
        StoredPosition{.next_file = 12,
                       .next_collection = 4,
                       .covered = 12,
                       .logs = {{.file = 9, .first = 3, .bytes = 640}, {.file = 11, .first = 8}}}};
}

Catalogue made_of(const std::vector<Change>& changes) {
    Catalogue catalogue;
    for (const Change& change : changes)
        catalogue.apply(change).check();
    return catalogue;
}

}  // namespace

TEST_CASE("changes come back", "[persist]") {
    const auto bytes = bytes_of(some_changes());
    std::vector<Change> changes;
    REQUIRE(read(bytes, changes).ok());
    CHECK(bytes_of(changes) == bytes);
    const Catalogue catalogue = made_of(changes);
    CHECK(catalogue.validate().ok());
    REQUIRE(catalogue.collections().size() == 2);
    const StoredCollection& words = catalogue.collections().at(1);
    CHECK(words.name == "words");
    CHECK_FALSE(words.building);
    REQUIRE(words.partitions.size() == 1);
    const auto wanted = std::get<SetPartition>(some_changes()[7]).partition;
    CHECK(words.partitions.at(3) == wanted);
    CHECK(catalogue.aliases() == std::map<std::string, std::uint64_t>{{"live", 1}});
    CHECK(catalogue.files().size() == 3);
    CHECK(catalogue.files().at(2) == StoredFile{FileKind::kIndex, {200, 22}});
    REQUIRE(catalogue.position().logs.size() == 2);
    CHECK(catalogue.position().logs[0] == StoredLog{9, 3, 640});
    CHECK(catalogue.position().logs[1] == StoredLog{11, 8, 0});

    const Schema schema = words.schema;
    const auto& graph = std::get<HnswOptions>(schema.vectors[1].index);
    CHECK(graph.m == 12);
    CHECK(graph.alpha == 1.5F);
    CHECK(std::get<CustomOptions>(schema.vectors[3].index).parameters.at("a") == "1");
    CHECK(schema.vectors[0].zero_vector == ZeroVector::kFar);
    CHECK(schema.scalars[0].nullable);
    CHECK(schema.segments.max_growing_rows == 300);
}

TEST_CASE("a catalogue leads to itself", "[persist]") {
    const Catalogue catalogue = made_of(some_changes());
    const auto base = catalogue.all();
    CHECK(bytes_of(made_of(base).all()) == bytes_of(base));
    CHECK(base.size() == 3 + 2 + 1 + 1 + 1);
}

TEST_CASE("bytes that are no changes are refused", "[persist][hostile]") {
    const auto whole = bytes_of(some_changes());
    std::vector<Change> changes;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const Status status = read(std::span(whole).first(size), changes);
        CHECK(status.code() == StatusCode::kCorruption);
    }
    auto longer = whole;
    longer.push_back({});
    CHECK(read(longer, changes).code() == StatusCode::kCorruption);
    // Whatever a byte is, nothing but an error comes of it.
    for (std::size_t i = 0; i < whole.size(); ++i) {
        for (const unsigned value : {0x00U, 0x01U, 0x7FU, 0x80U, 0xFFU}) {
            auto damaged = whole;
            damaged[i] = static_cast<std::byte>(value);
            changes.clear();
            const Status status = read(damaged, changes);
            CHECK((status.ok() || status.code() == StatusCode::kCorruption));
        }
    }
}

TEST_CASE("a list of more items than the bytes hold is not begun", "[persist][hostile]") {
    ArchiveWriter writer;
    writer.number(std::uint32_t{3});
    writer.raw(std::vector<std::byte>(16));
    ArchiveReader reader(writer.bytes());
    std::size_t read = 0;
    reader.list(8, [&] { ++read; });
    CHECK(read == 0);
    CHECK(reader.status().code() == StatusCode::kCorruption);
    ArchiveReader enough(writer.bytes());
    enough.list(5, [&] { read += enough.raw(5).size(); });
    CHECK(read == 15);
    CHECK(enough.finish().code() == StatusCode::kCorruption);  // one byte too many
}

TEST_CASE("what a change asks for must be there", "[persist]") {
    Catalogue catalogue = made_of(some_changes());
    const auto refused = [&](const Change& change, const std::string& why) {
        const auto before = bytes_of(catalogue.all());
        const Status status = catalogue.apply(change);
        CHECK(status.code() == StatusCode::kCorruption);
        CHECK_THAT(status.message(), Contains(why));
        CHECK(bytes_of(catalogue.all()) == before);
    };
    refused(DropCollection{9}, "collection 9, which is not there");
    refused(DropCollection{1}, "has an alias");
    refused(SetPartition{9, {}}, "partition of collection 9");
    refused(DropPartition{1, 9}, "partition 9");
    refused(SetAlias{"x", 9}, "alias of collection 9");
    refused(DropAlias{"x"}, "alias 'x'");
    refused(AddFile{1, {}}, "file 1");
    refused(AddFile{0, {}}, "file 0");
    refused(DropFile{9}, "file 9");
    refused(StoredPosition{.next_file = 4, .next_collection = 4, .covered = 12}, "goes back");
    const StoredPosition at{.next_file = 12, .next_collection = 4, .covered = 12};
    const auto with_logs = [&](std::vector<StoredLog> logs) {
        StoredPosition position = at;
        position.logs = std::move(logs);
        return position;
    };
    refused(with_logs({{.file = 0, .first = 3}}), "a log that cannot be");
    refused(with_logs({{.file = 9, .first = 0}}), "a log that cannot be");
    refused(with_logs({{.file = 9, .first = 3, .bytes = 64}}), "a log that cannot be");
    refused(with_logs({{.file = 9, .first = 3}, {.file = 11, .first = 8}}), "a log that cannot be");
    refused(with_logs({{.file = 9, .first = 9, .bytes = 64}, {.file = 11, .first = 8}}),
            "a log that cannot be");
}

TEST_CASE("a catalogue that names what is not there is refused", "[persist]") {
    const auto refused = [&](const Change& change, const std::string& why) {
        Catalogue catalogue = made_of(some_changes());
        catalogue.apply(change).check();
        CHECK(catalogue.validate().code() == StatusCode::kCorruption);
        CHECK_THAT(catalogue.validate().message(), Contains(why));
    };
    refused(DropFile{1}, "file 1");
    refused(DropFile{2}, "file 2");
    refused(DropFile{3}, "file 3");
    refused(AddFile{12, {}}, "file 12 ahead of its turn");
    refused(SetCollection{9, "x", false, Schema::single(1)}, "collection 9");
    refused(SetCollection{2, "words", false, Schema::single(1)}, "its name twice");
    refused(SetAlias{"next", 1}, "an alias and a collection named 'next'");
    StoredPartition partition{.number = 1};
    partition.segments.push_back({.rows_file = 1, .rows = 1, .removed_rows = 2});
    refused(SetPartition{1, partition}, "a segment that is none");
}

TEST_CASE("names of files tell kind and number", "[persist]") {
    CHECK(path_of("d", FileKind::kRows, 0x1A2) == "d/rows-00000000000001a2");
    for (const FileKind kind : {FileKind::kManifest,
                                FileKind::kLog,
                                FileKind::kRows,
                                FileKind::kIndex,
                                FileKind::kGrowing}) {
        const std::string path = path_of("", kind, ~std::uint64_t{0});
        CHECK(parse_file_name(path.substr(1)) == FileName{kind, ~std::uint64_t{0}});
    }
    for (const std::string name : {"CURRENT",
                                   "LOCK",
                                   "rows-",
                                   "rows-1",
                                   "rows-00000000000001A2",
                                   "rows-00000000000001a2x",
                                   "rows-000000000000 1a2",
                                   "xrows-00000000000001a2",
                                   "../rows-00000000000001a2"})
        CHECK_FALSE(parse_file_name(name));
}

TEST_CASE("CURRENT is replaced, and every bit of it is checked", "[persist][flips]") {
    MemoryStorage storage;
    CHECK(read_current(storage, "d").status().code() == StatusCode::kNotFound);
    Current current{.database = {std::byte{7}},
                    .manifest = 12,
                    .first = 3,
                    .manifest_end = JournalEnd{100, 4},
                    .log_end = JournalEnd{200, 5}};
    write_current(storage, "d", current).check();
    CHECK(read_current(storage, "d").value() == current);
    current = {.database = {std::byte{7}}, .manifest = 13, .first = 5};
    storage.bytes("d/CURRENT.new");  // left by a writer that was killed
    write_current(storage, "d", current).check();
    CHECK(read_current(storage, "d").value() == current);
    auto& bytes = storage.bytes("d/CURRENT");
    CHECK(bytes.size() == 128);
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        const auto mask = static_cast<std::byte>(1U << (bit % 8));
        bytes[bit / 8] ^= mask;
        CHECK(read_current(storage, "d").status().code() == StatusCode::kCorruption);
        bytes[bit / 8] ^= mask;
    }
    bytes.push_back({});
    CHECK(read_current(storage, "d").status().code() == StatusCode::kCorruption);
}

}  // namespace vecdb::persist
