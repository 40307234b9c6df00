// The catalogue on a disk that loses power: after it the state is that of some commit, not before
// the last one that returned.

#include "persist/manifest.h"

#include "support/catch.h"
#include "support/disk_model.h"
#include "support/memory_storage.h"

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vecdb::persist {
namespace {

using Catch::Matchers::Contains;
using test::DiskModel;
using test::MemoryStorage;

std::vector<std::byte> bytes_of(const Catalogue& catalogue) {
    ArchiveWriter writer;
    // Numbers of files are the only thing that opening changes.
    std::vector<Change> changes = catalogue.all();
    changes.pop_back();
    write_changes(writer, changes);
    return writer.bytes();
}

/// Make commit number `i`: large enough for a new manifest every few commits.
Status commit(Manifest& manifest, std::uint64_t i) {
    const StoredPosition position{.next_collection = i + 2, .covered = i};
    StoredPartition partition{.number = 0, .name = std::string(200, 'p'), .covered = i};
    const std::uint64_t file = manifest.take_number();
    partition.segments.resize(300, {.rows_file = file, .rows = i});
    std::vector<Change> changes;
    changes.emplace_back(AddFile{file, {FileKind::kRows, {64, i}}});
    changes.emplace_back(SetCollection{i + 1, "c" + std::to_string(i), false, Schema::single(4)});
    changes.emplace_back(SetPartition{i + 1, partition});
    if (i >= 4) changes.emplace_back(DropCollection{i - 3});
    return manifest.commit(std::move(changes), position);
}

Result<std::unique_ptr<Manifest>> open(Storage& storage, const std::string& directory) {
    const auto read = read_catalogue(storage, directory);
    if (!read.ok()) return read.status();
    return Manifest::resume(storage, directory, *read);
}

/// What the workload reached.
struct Reached {
    bool made = false;
    std::size_t commits = 0;                     ///< That returned success.
    std::vector<std::vector<std::byte>> states;  ///< After each commit, the failed one included.
};

/// Make a database, commit some changes, close it, open it again and commit more.
Reached work(Storage& storage, std::size_t commits) {
    Reached reached;
    const auto commit_to = [&](Manifest& manifest, std::size_t end) {
        while (reached.commits < end) {
            const Status done = commit(manifest, reached.commits);
            reached.states.push_back(bytes_of(manifest.catalogue()));
            if (!done.ok()) return false;
            ++reached.commits;
        }
        return true;
    };
    auto made = Manifest::create(storage, "d");
    reached.states.push_back(bytes_of(Catalogue()));
    if (!made.ok()) return reached;
    reached.made = true;
    if (!commit_to(**made, commits / 2) || !(*made)->close({64, 0}).ok()) return reached;
    auto opened = open(storage, "d");
    if (opened.ok()) commit_to(**opened, commits);
    return reached;
}

}  // namespace

TEST_CASE("a manifest is opened as it was closed", "[persist]") {
    MemoryStorage storage;
    const Reached reached = work(storage, 20);
    REQUIRE(reached.commits == 20);
    const ReadCatalogue read = read_catalogue(storage, "d").value();
    CHECK(bytes_of(read.catalogue) == reached.states.back());
    CHECK(read.tail.torn_bytes == 0);
    CHECK_FALSE(read.current.log_end);
    auto opened = open(storage, "d").value();
    CHECK(opened->database() == read.current.database);
    opened->close({640, 9}).check();
    CHECK(commit(*opened, 20).code() == StatusCode::kFailedPrecondition);
    CHECK(read_current(storage, "d").value().log_end == JournalEnd{640, 9});
    const auto again = open(storage, "d").value();
    CHECK_FALSE(read_current(storage, "d").value().log_end);
    CHECK(bytes_of(again->catalogue()) == reached.states.back());
    CHECK(Manifest::create(storage, "d").status().code() == StatusCode::kAlreadyExists);
    CHECK(open(storage, "e").status().code() == StatusCode::kNotFound);
}

TEST_CASE("a manifest begins anew when it has grown", "[persist]") {
    MemoryStorage storage;
    auto manifest = Manifest::create(storage, "d").value();
    const std::uint64_t first = read_current(storage, "d").value().manifest;
    std::uint64_t most = 0;
    for (std::size_t i = 0; i < 60; ++i) {
        commit(*manifest, i).check();
        const std::uint64_t number = read_current(storage, "d").value().manifest;
        most = std::max<std::uint64_t>(
            most, storage.bytes(path_of("d", FileKind::kManifest, number)).size());
    }
    CHECK(read_current(storage, "d").value().manifest > first);
    CHECK(most < 500'000);
}

TEST_CASE("files that nothing names are dropped, and no number is given twice", "[persist]") {
    MemoryStorage storage;
    auto manifest = Manifest::create(storage, "d").value();
    for (std::size_t i = 0; i < 6; ++i)
        commit(*manifest, i).check();
    CHECK(manifest->catalogue().files().size() == 4);
    std::set<std::uint64_t> rows;
    for (const FileName& file : manifest->take_dropped()) {
        if (file.kind == FileKind::kRows) rows.insert(file.number);
    }
    CHECK(rows.size() == 2);
    CHECK(manifest->take_dropped().empty());
    // A file that was begun, and whose writer ended.
    storage.bytes(path_of("d", FileKind::kRows, 5'000));
    CHECK(open(storage, "d").value()->take_number() > 5'000);
}

TEST_CASE("a log that goes is among the dropped files", "[persist]") {
    MemoryStorage storage;
    auto manifest = Manifest::create(storage, "d").value();
    const std::uint64_t first = manifest->take_number();
    const std::uint64_t second = manifest->take_number();
    StoredPosition position{.logs = {{.file = first, .first = 1}}};
    manifest->commit({}, position).check();
    position.logs = {{.file = second, .first = 9}};
    manifest->commit({}, position).check();
    CHECK(manifest->take_dropped() == std::vector<FileName>{{FileKind::kLog, first}});
}

TEST_CASE("files without CURRENT are not taken for a new database", "[persist]") {
    MemoryStorage storage;
    {
        auto manifest = Manifest::create(storage, "d").value();
        for (std::size_t i = 0; i < 9; ++i)
            commit(*manifest, i).check();
    }
    storage.remove("d/CURRENT").check();
    const Status status = Manifest::create(storage, "d").status();
    CHECK(status.code() == StatusCode::kCorruption);
    CHECK_THAT(status.message(), Contains("CURRENT"));
    // All that a writer leaves who got no further than that.
    MemoryStorage early;
    early.bytes(path_of("d", FileKind::kManifest, 1));
    CHECK(Manifest::create(early, "d").ok());
}

TEST_CASE("changes that do not follow are not written", "[persist]") {
    MemoryStorage storage;
    auto manifest = Manifest::create(storage, "d").value();
    const std::vector<Change> wrong = {SetAlias{"x", 7}};
    CHECK(manifest->commit(wrong, {}).code() == StatusCode::kInternal);
    CHECK(manifest->commit({}, {}).code() == StatusCode::kInternal);
    CHECK(read_catalogue(storage, "d").value().catalogue.aliases().empty());
}

TEST_CASE("no commit is lost or halved when the power fails", "[persist][power]") {
    constexpr std::size_t kCommits = 14;
    constexpr std::uint64_t kSeeds = 3;
    DiskModel whole;
    REQUIRE(work(whole, kCommits).commits == kCommits);
    std::size_t images = 0;
    for (std::size_t calls = 0; calls <= whole.calls(); ++calls) {
        DiskModel disk;
        disk.fail_after(calls);
        const Reached reached = work(disk, kCommits);
        for (std::size_t i = 0; i < static_cast<std::size_t>(DiskModel::Left::kEnd) * kSeeds; ++i) {
            const auto left = static_cast<DiskModel::Left>(i / kSeeds);
            MemoryStorage image;
            disk.lose_power(left, i + 1'000 * calls, image);
            ++images;
            INFO("after " << calls << " calls, image " << i / kSeeds << ", seed " << i % kSeeds);
            const auto read = read_catalogue(image, "d");
            if (!reached.made && !read.ok()) {
                CHECK(read.status().code() == StatusCode::kNotFound);
                continue;
            }
            REQUIRE(read.status().ok());
            const auto state = bytes_of(read->catalogue);
            const bool last = state == reached.states[reached.commits];
            const bool next = reached.states.size() > reached.commits + 1 &&
                              state == reached.states[reached.commits + 1];
            CHECK((last || next));
            // And it goes on from there.
            const auto opened = open(image, "d");
            REQUIRE(opened.status().ok());
            CHECK(bytes_of((*opened)->catalogue()) == state);
        }
    }
    CHECK(images > 1'500);
}

TEST_CASE("every bit of a manifest that was closed is checked", "[persist][flips]") {
    MemoryStorage storage;
    auto manifest = Manifest::create(storage, "d").value();
    const std::vector<Change> changes = {SetCollection{1, "words", false, Schema::single(4)}};
    manifest->commit(changes, {.next_collection = 2}).check();
    manifest->close({64, 0}).check();
    const std::uint64_t number = read_current(storage, "d").value().manifest;
    auto& bytes = storage.bytes(path_of("d", FileKind::kManifest, number));
    std::size_t unnoticed = 0;
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        const auto mask = static_cast<std::byte>(1U << (bit % 8));
        bytes[bit / 8] ^= mask;
        const StatusCode code = read_catalogue(storage, "d").status().code();
        unnoticed += code == StatusCode::kCorruption ? 0U : 1U;
        bytes[bit / 8] ^= mask;
    }
    CHECK(unnoticed == 0);
    CHECK(read_catalogue(storage, "d").ok());
}

TEST_CASE("a manifest of other records is refused", "[persist][hostile]") {
    MemoryStorage storage;
    const Current current{.manifest = 3};
    const FileHeader header{
        .kind = FileKind::kManifest, .database = current.database, .number = current.manifest};
    auto journal =
        JournalWriter::create(storage, path_of("d", FileKind::kManifest, 3), header, 1).value();
    write_current(storage, "d", current).check();
    CHECK_THAT(read_catalogue(storage, "d").status().message(), Contains("has no record"));
    ArchiveWriter changes;
    write_changes(changes, {});
    auto bytes = changes.bytes();
    std::uint32_t type = 1;
    SECTION("of another type") {
        type = 2;
    }
    SECTION("with bytes behind") {
        bytes.emplace_back();
    }
    SECTION("too short") {
        bytes.pop_back();
    }
    journal->append(type, bytes).check();
    CHECK(read_catalogue(storage, "d").status().code() == StatusCode::kCorruption);
}

TEST_CASE("after a failed write a manifest refuses everything", "[persist]") {
    MemoryStorage storage;
    auto manifest = Manifest::create(storage, "d").value();
    storage.refuse_writes(true);
    CHECK(commit(*manifest, 0).code() == StatusCode::kIoError);
    storage.refuse_writes(false);
    CHECK(manifest->commit({}, {}).code() == StatusCode::kIoError);
    CHECK(manifest->close({64, 0}).code() == StatusCode::kIoError);
    CHECK(read_catalogue(storage, "d").value().catalogue.collections().empty());
}

}  // namespace vecdb::persist
