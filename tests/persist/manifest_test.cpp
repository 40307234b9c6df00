// The catalogue on a disk that loses power: after it the state is that of some commit, not before
// the last one that returned.

#include "persist/manifest.h"

#include "support/catch.h"
#include "support/disk_model.h"
#include "support/memory_storage.h"

#include <string>
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

/// Return what commit number `i` changes: large enough for a new manifest every few commits.
std::vector<Change> changes_of(std::uint64_t i, const Catalogue& catalogue) {
    StoredPosition position = catalogue.position();
    position.next_collection = i + 2;
    position.covered = i;
    StoredPartition partition{.number = 0, .name = std::string(200, 'p'), .covered = i};
    partition.segments.resize(300, {.rows_file = 1, .rows = i});
    std::vector<Change> changes;
    if (i == 0) changes.emplace_back(AddFile{1'000'000, {64, i}});
    for (StoredSegment& segment : partition.segments)
        segment.rows_file = 1'000'000;
    position.next_file = std::max<std::uint64_t>(position.next_file, 1'000'001);
    changes.emplace_back(position);
    changes.emplace_back(SetCollection{i + 1, "c" + std::to_string(i), false, Schema::single(4)});
    changes.emplace_back(SetPartition{i + 1, partition});
    if (i >= 4) changes.emplace_back(DropCollection{i - 3});
    return changes;
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
            const Status done = manifest.commit(changes_of(reached.commits, manifest.catalogue()));
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
    auto opened = Manifest::open(storage, "d");
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
    auto opened = Manifest::open(storage, "d").value();
    CHECK(opened->database() == read.current.database);
    CHECK_FALSE(opened->closed_log());
    opened->close({640, 9}).check();
    CHECK(opened->commit(changes_of(20, opened->catalogue())).code() ==
          StatusCode::kFailedPrecondition);
    const auto again = Manifest::open(storage, "d").value();
    CHECK(again->closed_log() == JournalEnd{640, 9});
    CHECK(bytes_of(again->catalogue()) == reached.states.back());
    CHECK(Manifest::create(storage, "d").status().code() == StatusCode::kAlreadyExists);
    CHECK(Manifest::open(storage, "e").status().code() == StatusCode::kNotFound);
}

TEST_CASE("a manifest begins anew when it has grown", "[persist]") {
    MemoryStorage storage;
    auto manifest = Manifest::create(storage, "d").value();
    const std::uint64_t first = read_current(storage, "d").value().manifest;
    std::uint64_t most = 0;
    for (std::size_t i = 0; i < 60; ++i) {
        manifest->commit(changes_of(i, manifest->catalogue())).check();
        const std::uint64_t number = read_current(storage, "d").value().manifest;
        most = std::max<std::uint64_t>(
            most, storage.bytes(path_of("d", FileKind::kManifest, number)).size());
    }
    CHECK(read_current(storage, "d").value().manifest > first);
    CHECK(most < 500'000);
}

TEST_CASE("changes that do not follow are not written", "[persist]") {
    MemoryStorage storage;
    auto manifest = Manifest::create(storage, "d").value();
    const std::vector<Change> wrong = {SetAlias{"x", 7}};
    CHECK(manifest->commit(wrong).code() == StatusCode::kInternal);
    CHECK(manifest->commit({}).code() == StatusCode::kInternal);
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
            const auto opened = Manifest::open(image, "d");
            REQUIRE(opened.status().ok());
            CHECK(bytes_of((*opened)->catalogue()) == state);
        }
    }
    CHECK(images > 1'500);
}

TEST_CASE("every bit of a manifest that was closed is checked", "[persist][flips]") {
    MemoryStorage storage;
    auto manifest = Manifest::create(storage, "d").value();
    const std::vector<Change> changes = {SetCollection{1, "words", false, Schema::single(4)},
                                         StoredPosition{.next_file = 5, .next_collection = 2}};
    manifest->commit(changes).check();
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
    const std::span<const std::byte> pieces[] = {bytes};
    journal->append(type, pieces).check();
    CHECK(read_catalogue(storage, "d").status().code() == StatusCode::kCorruption);
}

TEST_CASE("after a failed write a manifest refuses everything", "[persist]") {
    MemoryStorage storage;
    auto manifest = Manifest::create(storage, "d").value();
    storage.refuse_writes(true);
    CHECK(manifest->commit(changes_of(0, manifest->catalogue())).code() == StatusCode::kIoError);
    storage.refuse_writes(false);
    CHECK(manifest->commit({}).code() == StatusCode::kIoError);
    CHECK(manifest->close({64, 0}).code() == StatusCode::kIoError);
    CHECK(read_catalogue(storage, "d").value().catalogue.collections().empty());
}

}  // namespace vecdb::persist
