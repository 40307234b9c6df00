// Records of the log, and logs of several files.

#include "persist/log.h"

#include "persist/manifest.h"
#include "support/catch.h"
#include "support/memory_storage.h"

#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace vecdb::persist {
namespace {

using test::MemoryStorage;

constexpr DatabaseId kDatabase = {std::byte{9}};

std::unique_ptr<JournalWriter> begin(Storage& storage, std::uint64_t file, std::uint64_t first) {
    const FileHeader header{.kind = FileKind::kLog, .database = kDatabase, .number = file};
    return JournalWriter::create(storage, path_of("d", FileKind::kLog, file), header, first)
        .value();
}

/// What a record said, kept.
struct Kept {
    std::uint64_t number = 0;
    std::size_t kind = 0;
    std::uint64_t collection = 0;
    std::uint32_t partition = 0;
    std::vector<Id> ids;
    std::vector<std::byte> vectors;
    std::size_t changes = 0;
};

Result<JournalTail> read(Storage& storage,
                         const std::vector<StoredLog>& logs,
                         std::vector<Kept>& kept,
                         const std::optional<JournalEnd>& closed = std::nullopt) {
    kept.clear();
    return read_logs(storage, "d", kDatabase, logs, closed, [&](const JournalRecord& record) {
        const auto entry = read_entry(record);
        if (!entry.ok()) return entry.status();
        Kept& to = kept.emplace_back();
        to.number = record.sequence;
        to.kind = entry->index();
        if (const auto* rows = std::get_if<LoggedRows>(&*entry)) {
            to.collection = rows->collection;
            to.partition = rows->partition;
            to.ids.assign(rows->ids.begin(), rows->ids.end());
            to.vectors.assign(rows->vectors.begin(), rows->vectors.end());
        } else if (const auto* removal = std::get_if<LoggedRemoval>(&*entry)) {
            to.collection = removal->collection;
            to.ids.assign(removal->ids.begin(), removal->ids.end());
        } else {
            to.changes = std::get<LoggedChanges>(*entry).size();
        }
        return Status();
    });
}

}  // namespace

TEST_CASE("entries of the log come back", "[persist]") {
    MemoryStorage storage;
    auto log = begin(storage, 3, 11);
    const std::vector<Id> ids = {40, 50, 60};
    // Rows that are farther apart than they are long.
    const std::vector<float> vectors = {1, 2, -1, 3, 4, -1, 5, 6, -1};
    const std::vector<std::uint32_t> rows = {2, 0};
    log_rows(*log, {7, kByRule, ids, MatrixView(vectors.data(), 3, 2, 3), rows, {}}).check();
    log_removal(*log, 8, ids).check();
    const std::vector<Change> changes = {DropCollection{1}, DropAlias{"x"}};
    log_changes(*log, changes).check();
    log_removal(*log, 8, {}).check();

    std::vector<Kept> kept;
    const JournalTail tail = read(storage, {{.file = 3, .first = 11}}, kept).value();
    CHECK(tail.end.sequence == 14);
    REQUIRE(kept.size() == 4);
    CHECK(kept[0].number == 11);
    CHECK(kept[0].collection == 7);
    CHECK(kept[0].partition == kByRule);
    CHECK(kept[0].ids == std::vector<Id>{60, 40});
    const std::vector<float> stored = {5, 6, 1, 2};
    REQUIRE(kept[0].vectors.size() == stored.size() * sizeof(float));
    CHECK(std::memcmp(kept[0].vectors.data(), stored.data(), kept[0].vectors.size()) == 0);
    CHECK(kept[1].collection == 8);
    CHECK(kept[1].ids == ids);
    CHECK(kept[2].changes == 2);
    CHECK(kept[3].ids.empty());
}

TEST_CASE("bytes that are no entry are refused", "[persist][hostile]") {
    const auto refused = [](std::uint32_t type, const std::vector<std::uint64_t>& words) {
        const JournalRecord record{
            .sequence = 1, .type = type, .payload = std::as_bytes(std::span(words))};
        return read_entry(record).status().code() == StatusCode::kCorruption;
    };
    CHECK(refused(0, {}));
    CHECK(refused(4, {1, 0}));
    // Rows: collection, how many, partition, ids, vectors.
    CHECK(refused(1, {}));
    CHECK(refused(1, {1, 0, 0}));
    CHECK(refused(1, {1, 2, 0, 5}));
    CHECK(refused(1, {1, 1, 0, 5}));
    CHECK(refused(1, {1, ~std::uint64_t{0} / 8, 0, 5, 6}));
    CHECK(refused(1, {1, 3, 0, 5, 6, 7, 8}));
    CHECK_FALSE(refused(1, {1, 2, 0, 5, 6, 7}));
    // Removals: collection, how many, ids.
    CHECK(refused(2, {1}));
    CHECK(refused(2, {1, 2, 5}));
    CHECK(refused(2, {1, 1, 5, 6}));
    CHECK_FALSE(refused(2, {1, 1, 5}));
    CHECK(refused(3, {2}));
}

TEST_CASE("a log goes on in another file", "[persist]") {
    MemoryStorage storage;
    auto first = begin(storage, 3, 1);
    const std::vector<Id> ids = {1, 2};
    log_removal(*first, 1, ids).check();
    log_removal(*first, 2, ids).check();
    auto second = begin(storage, 4, 3);
    log_removal(*second, 3, ids).check();
    const std::vector<StoredLog> logs = {{.file = 3, .first = 1, .bytes = first->end().bytes},
                                         {.file = 4, .first = 3}};
    std::vector<Kept> kept;
    CHECK(read(storage, logs, kept).value().end == second->end());
    REQUIRE(kept.size() == 3);
    CHECK(kept[2].number == 3);
    CHECK(read(storage, logs, kept, second->end()).ok());

    auto& bytes = storage.bytes(path_of("d", FileKind::kLog, 3));
    SECTION("what stands behind the end of the first is nothing") {
        bytes.resize(bytes.size() + 13);
        CHECK(read(storage, logs, kept).ok());
        CHECK(kept.size() == 3);
    }
    SECTION("damage of the first is no torn tail") {
        bytes.back() ^= std::byte{1};
        CHECK(read(storage, logs, kept).status().code() == StatusCode::kCorruption);
    }
    SECTION("nor is its loss") {
        storage.remove(path_of("d", FileKind::kLog, 3)).check();
        CHECK(read(storage, logs, kept).status().code() == StatusCode::kNotFound);
    }
    SECTION("the second must begin where the first ends") {
        auto gap = logs;
        gap.back().first = 4;
        CHECK(read(storage, gap, kept).status().code() == StatusCode::kCorruption);
    }
}

}  // namespace vecdb::persist
