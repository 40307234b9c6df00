// Journals: records come back up to the last whole one; what is damaged is told from what was torn.

#include "persist/journal.h"

#include "persist/little_endian.h"
#include "support/catch.h"
#include "support/disk_model.h"
#include "support/memory_storage.h"

#include <algorithm>
#include <string>
#include <vector>

namespace vecdb::persist {
namespace {

using Catch::Matchers::Contains;
using test::MemoryStorage;
using Bytes = MemoryStorage::Bytes;

const FileHeader kHeader{.kind = FileKind::kLog, .database = {std::byte{3}}, .number = 12};
constexpr std::uint64_t kFirst = 5;

struct Read {
    std::vector<std::string> records;  // type and payload
    Status status;
    JournalTail tail;
};

Read read(Storage& storage,
          const std::optional<JournalEnd>& closed = std::nullopt,
          const FileHeader& header = kHeader,
          bool cut = false) {
    Read seen;
    std::optional<KnownEnd> known;
    if (closed) known = KnownEnd{.end = *closed, .cut = cut};
    std::uint64_t sequence = kFirst;
    auto tail = read_journal(storage, "log", header, kFirst, known, [&](const auto& record) {
        CHECK(record.sequence == sequence++);
        std::string text(record.payload.size(), ' ');
        std::transform(record.payload.begin(), record.payload.end(), text.begin(), [](auto byte) {
            return static_cast<char>(byte);
        });
        seen.records.push_back(std::to_string(record.type) + text);
        return Status();
    });
    if (tail.ok()) seen.tail = *tail;
    seen.status = tail.status();
    return seen;
}

void append(JournalWriter& writer, std::uint32_t type, const std::string& text) {
    writer.append(type, std::as_bytes(std::span(text))).check();
}

/// Write records "one", "", and a long one; `synced`: each is synced before the next.
JournalEnd write_three(Storage& storage, bool synced) {
    auto writer = JournalWriter::create(storage, "log", kHeader, kFirst).value();
    for (const std::string& text : {std::string("one"), std::string(), std::string(100, 'x')}) {
        append(*writer, 2, text);
        if (synced) writer->sync().check();
    }
    return writer->end();
}

const std::vector<std::string> kThree = {"2one", "2", "2" + std::string(100, 'x')};

}  // namespace

TEST_CASE("records come back", "[persist]") {
    MemoryStorage storage;
    const JournalEnd end = write_three(storage, true);
    CHECK(end.sequence == 7);
    CHECK(end.bytes == 64 + 3 * 48 + 8 + 0 + 104);
    CHECK(end.bytes == storage.bytes("log").size());
    const Read seen = read(storage, end);
    CHECK(seen.status.ok());
    CHECK(seen.records == kThree);
    CHECK(seen.tail.end == end);
    CHECK(read(storage).records == kThree);
}

TEST_CASE("a journal is gone on with", "[persist]") {
    MemoryStorage storage;
    write_three(storage, false);
    storage.bytes("log").resize(storage.bytes("log").size() - 1);
    const Read torn = read(storage);
    REQUIRE(torn.records.size() == 2);
    CHECK(torn.tail.torn_bytes == 48 + 104 - 1);
    CHECK(torn.tail.end.sequence == 6);
    auto writer = JournalWriter::resume(storage, "log", kHeader, torn.tail.end).value();
    append(*writer, 3, "more");
    const Read seen = read(storage, writer->end());
    CHECK(seen.status.ok());
    CHECK(seen.records == std::vector<std::string>{"2one", "2", "3more"});
}

TEST_CASE("what follows the end of a journal that was cut is not looked at", "[persist]") {
    MemoryStorage storage;
    const JournalEnd end = write_three(storage, true);
    Bytes& bytes = storage.bytes("log");
    bytes.resize(bytes.size() + 20, std::byte{7});
    CHECK(read(storage, end).status.code() == StatusCode::kCorruption);
    const Read seen = read(storage, end, kHeader, true);
    CHECK(seen.status.ok());
    CHECK(seen.records == kThree);
    CHECK(seen.tail.end == end);
    bytes.resize(static_cast<std::size_t>(end.bytes) - 1);
    CHECK(read(storage, end, kHeader, true).status.code() == StatusCode::kCorruption);
    CHECK(read(storage, JournalEnd{1, 4}, kHeader, true).status.code() == StatusCode::kCorruption);
}

TEST_CASE("a journal that ends anywhere gives whole records", "[persist]") {
    MemoryStorage storage;
    const JournalEnd end = write_three(storage, true);
    const Bytes whole = storage.bytes("log");
    const std::size_t ends[] = {64, 64 + 56, 64 + 56 + 48, whole.size()};
    for (std::size_t size = 64; size <= whole.size(); ++size) {
        storage.bytes("log").assign(whole.begin(),
                                    whole.begin() + static_cast<std::ptrdiff_t>(size));
        const auto records = static_cast<std::size_t>(
            std::count_if(ends, ends + 4, [&](std::size_t each) { return each <= size; }) - 1);
        const Read seen = read(storage);
        REQUIRE(seen.status.ok());
        CHECK(seen.records.size() == records);
        CHECK(seen.tail.end.bytes == ends[records]);
        CHECK(seen.tail.torn_bytes == size - ends[records]);
        const Read closed = read(storage, end);
        CHECK(closed.status.code() ==
              (size == whole.size() ? StatusCode::kOk : StatusCode::kCorruption));
    }
    for (std::size_t size = 0; size < 64; ++size) {
        storage.bytes("log").assign(whole.begin(),
                                    whole.begin() + static_cast<std::ptrdiff_t>(size));
        CHECK(read(storage).status.code() == StatusCode::kCorruption);
    }
}

TEST_CASE("zeros behind a journal are a torn tail", "[persist]") {
    MemoryStorage storage;
    const JournalEnd end = write_three(storage, true);
    storage.bytes("log").resize(end.bytes + 4'096);
    const Read seen = read(storage);
    CHECK(seen.status.ok());
    CHECK(seen.records == kThree);
    CHECK(seen.tail.torn_bytes == 4'096);
    CHECK(seen.tail.stray_records == 0);
    CHECK(read(storage, end).status.code() == StatusCode::kCorruption);
}

TEST_CASE("every bit of a journal that was closed is checked", "[persist][flips]") {
    MemoryStorage storage;
    const JournalEnd end = write_three(storage, true);
    Bytes& bytes = storage.bytes("log");
    std::size_t unnoticed = 0;
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        const auto mask = static_cast<std::byte>(1U << (bit % 8));
        bytes[bit / 8] ^= mask;
        unnoticed += read(storage, end).status.code() == StatusCode::kCorruption ? 0U : 1U;
        bytes[bit / 8] ^= mask;
    }
    CHECK(unnoticed == 0);
}

TEST_CASE("damage before a synced record is no torn tail", "[persist][flips]") {
    MemoryStorage storage;
    write_three(storage, true);
    Bytes& bytes = storage.bytes("log");
    const std::size_t last = 64 + 56 + 48;  // the first byte of the third record
    std::size_t wrong = 0;
    for (std::size_t bit = 8 * 64; bit < 8 * bytes.size(); ++bit) {
        const auto mask = static_cast<std::byte>(1U << (bit % 8));
        bytes[bit / 8] ^= mask;
        const Read seen = read(storage);
        // Nothing follows the third record.
        const bool right = bit / 8 < last ? seen.status.code() == StatusCode::kCorruption
                                          : seen.status.ok() && seen.records.size() == 2;
        wrong += right ? 0U : 1U;
        bytes[bit / 8] ^= mask;
    }
    CHECK(wrong == 0);
    bytes[64 + 48] ^= std::byte{1};
    CHECK_THAT(read(storage).status.message(),
               Contains("record 5, at byte 64") && Contains("before record 6, at byte 120"));
}

TEST_CASE("records that were never synced may be missing before others", "[persist]") {
    MemoryStorage storage;
    write_three(storage, false);
    storage.bytes("log")[64 + 56] ^= std::byte{1};  // the second record did not reach the disk
    const Read seen = read(storage);
    CHECK(seen.status.ok());
    CHECK(seen.records == std::vector<std::string>{"2one"});
    CHECK(seen.tail.end.sequence == kFirst);
    CHECK(seen.tail.stray_records == 1);
}

TEST_CASE("a journal is there as soon as its name is", "[persist][power]") {
    test::DiskModel disk;
    const auto writer = JournalWriter::create(disk, "log", kHeader, kFirst).value();
    disk.sync_directory("").check();
    MemoryStorage image;
    disk.lose_power(test::DiskModel::Left::kNothing, 1, image);
    CHECK(read(image, writer->end()).status.ok());
}

TEST_CASE("a record that stands there a second time is not read again", "[persist]") {
    MemoryStorage storage;
    const JournalEnd end = write_three(storage, true);
    Bytes& bytes = storage.bytes("log");
    const Bytes record(bytes.begin() + 64, bytes.begin() + 120);
    bytes.insert(bytes.end(), record.begin(), record.end());
    CHECK(read(storage).records == kThree);
    CHECK(read(storage).tail.torn_bytes == record.size());
    CHECK(read(storage, end).status.code() == StatusCode::kCorruption);
}

TEST_CASE("a record of another file is none of this", "[persist]") {
    MemoryStorage storage;
    write_three(storage, true);
    const Bytes first = storage.bytes("log");
    storage.remove("log").check();
    FileHeader other = kHeader;
    other.number = 13;
    auto writer = JournalWriter::create(storage, "log", other, kFirst).value();
    append(*writer, 2, "one");
    Bytes& bytes = storage.bytes("log");
    std::copy(first.begin() + 64, first.begin() + 120, bytes.begin() + 64);
    CHECK(read(storage, std::nullopt, other).records.empty());
    CHECK(read(storage).status.code() == StatusCode::kCorruption);
}

TEST_CASE("a journal takes nothing after a failure", "[persist]") {
    MemoryStorage storage;
    auto writer = JournalWriter::create(storage, "log", kHeader, kFirst).value();
    append(*writer, 2, "one");
    storage.refuse_writes(true);
    const std::span<const std::byte> none;
    SECTION("of a write") {
        CHECK(writer->append(1, none).code() == StatusCode::kIoError);
    }
    SECTION("of a sync") {
        CHECK(writer->sync().code() == StatusCode::kIoError);
    }
    storage.refuse_writes(false);
    CHECK(writer->append(1, none).code() == StatusCode::kIoError);
    const Status sync = writer->sync();
    CHECK(sync.code() == StatusCode::kIoError);
    CHECK_THAT(sync.message(), Contains("\"log\""));
    CHECK(read(storage).records == std::vector<std::string>{"2one"});
}

TEST_CASE("nothing is synced twice", "[persist]") {
    MemoryStorage storage;
    auto writer = JournalWriter::create(storage, "log", kHeader, kFirst).value();
    append(*writer, 2, "one");
    const std::size_t before = storage.syncs();
    writer->sync().check();
    writer->sync().check();
    CHECK(storage.syncs() == before + 1);
    CHECK(writer->synced() == kFirst);
}

TEST_CASE("what is shown may end the reading", "[persist]") {
    MemoryStorage storage;
    write_three(storage, true);
    const auto tail = read_journal(storage, "log", kHeader, kFirst, std::nullopt, [](const auto&) {
        return Status(StatusCode::kCancelled, "enough");
    });
    CHECK(tail.status().code() == StatusCode::kCancelled);
}

}  // namespace vecdb::persist
