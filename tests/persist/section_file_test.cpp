// Files of sections: what was written comes back, and no other bytes are taken for it.

#include "persist/section_file.h"

#include "persist/checksum.h"
#include "persist/little_endian.h"
#include "support/catch.h"
#include "support/disk_model.h"
#include "support/memory_storage.h"
#include "support/temp_directory.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace vecdb::persist {
namespace {

using Catch::Matchers::Contains;
using test::MemoryStorage;
using Bytes = MemoryStorage::Bytes;

const FileHeader kHeader{
    .kind = FileKind::kRows, .database = {std::byte{1}, std::byte{2}}, .number = 7};

Bytes some_bytes(std::size_t count, unsigned first) {
    Bytes bytes(count);
    for (std::size_t i = 0; i < count; ++i)
        bytes[i] = static_cast<std::byte>(first + i * 37 + i / 251);
    return bytes;
}

Bytes read(SectionFile& file, const std::string& name) {
    const auto bytes = file.read(name).value();
    CHECK(reinterpret_cast<std::uintptr_t>(bytes.data()) % kSectionAlignment == 0);
    return {bytes.begin(), bytes.end()};
}

/// Write three sections: of 100 bytes, of none, and of two blocks and a half in pieces.
FileStamp write_file(Storage& storage, const std::string& path) {
    auto writer = SectionFileWriter::create(storage, path, kHeader).value();
    writer->write("a", some_bytes(100, 1)).check();
    writer->write("none", {}).check();
    writer->begin("long").check();
    const Bytes all = some_bytes(kBlockBytes * 5 / 2, 2);
    for (std::size_t done = 0; done < all.size();) {
        const std::size_t count = std::min<std::size_t>(all.size() - done, 700'000);
        writer->append(std::span(all).subspan(done, count)).check();
        done += count;
    }
    return writer->finish().value();
}

/// Write a file of one kilobyte in three sections, the last one empty.
FileStamp write_small(Storage& storage, const std::string& path) {
    auto writer = SectionFileWriter::create(storage, path, kHeader).value();
    writer->write("first", some_bytes(300, 1)).check();
    writer->write("second", some_bytes(200, 2)).check();
    writer->write("third", {}).check();
    return writer->finish().value();
}

/// Open a file and read everything.
Status read_all(Storage& storage, const std::string& path, const FileStamp* stamp) {
    auto file = SectionFile::open(storage, path, kHeader, stamp, Access::kMapped);
    if (!file.ok()) return file.status();
    for (const Section& section : (*file)->sections()) {
        const auto bytes = (*file)->read(section.name);
        const Status verified = (*file)->verify();
        if (!bytes.ok()) {
            CHECK(verified.code() == bytes.status().code());
            return bytes.status();
        }
    }
    return (*file)->verify();
}

/// Make the checksums of the tables and of the footer right for whatever stands there.
void repair(Bytes& bytes) {
    const std::span all(bytes);
    const auto footer = all.last(64);
    const auto sections = load<std::uint64_t>(footer, 8);
    const auto blocks = load<std::uint64_t>(footer, 16);
    const std::uint64_t tables = padded(blocks * 8, std::uint64_t{64}) + sections * 64;
    if (sections <= bytes.size() && blocks <= bytes.size() && tables + 128 <= bytes.size()) {
        const auto at = bytes.size() - 64 - tables;
        store(footer, 32, checksum(all.subspan(at, tables), kHeader.seed()));
    }
    store(footer, 56, checksum(footer.first(56)));
}

}  // namespace

TEST_CASE("sections come back, mapped and read", "[persist]") {
    const test::TempDirectory directory;
    const std::string path = (directory / "rows").string();
    const FileStamp stamp = write_file(posix_storage(), path);
    const auto access = GENERATE(Access::kMapped, Access::kRead);
    const auto file = SectionFile::open(posix_storage(), path, kHeader, &stamp, access).value();
    CHECK(file->stamp() == stamp);
    REQUIRE(file->sections().size() == 3);
    CHECK(file->find("long")->blocks() == 3);
    CHECK(file->find("nothing") == nullptr);
    CHECK(read(*file, "a") == some_bytes(100, 1));
    CHECK(file->read("none").value().empty());
    CHECK(read(*file, "long") == some_bytes(kBlockBytes * 5 / 2, 2));
    CHECK(file->verify().ok());
    const Status missing = file->read("nothing").status();
    CHECK(missing.code() == StatusCode::kCorruption);
    CHECK_THAT(missing.message(), Contains("no section 'nothing'") && Contains(path));
}

TEST_CASE("a file without sections is a file", "[persist]") {
    MemoryStorage storage;
    auto writer = SectionFileWriter::create(storage, "empty", kHeader).value();
    const FileStamp stamp = writer->finish().value();
    CHECK(stamp.bytes == 128);
    CHECK(read_all(storage, "empty", &stamp).ok());
}

TEST_CASE("the same sections give the same bytes, however they were cut", "[persist]") {
    MemoryStorage storage;
    const Bytes bytes = some_bytes(3'000'000, 9);
    auto whole = SectionFileWriter::create(storage, "whole", kHeader).value();
    whole->write("x", bytes).check();
    auto cut = SectionFileWriter::create(storage, "cut", kHeader).value();
    cut->begin("x").check();
    for (std::size_t i = 0; i < bytes.size(); i += 1'000)
        cut->append(std::span(bytes).subspan(i, 1'000)).check();
    CHECK(whole->finish().value() == cut->finish().value());
    CHECK(storage.bytes("whole") == storage.bytes("cut"));
}

TEST_CASE("names of sections are checked", "[persist]") {
    MemoryStorage storage;
    auto writer = SectionFileWriter::create(storage, "x", kHeader).value();
    writer->write("a", {}).check();
    const auto refused = [&](const std::string& name) {
        return writer->write(name, {}).code() == StatusCode::kInvalidArgument;
    };
    CHECK(refused("a"));
    CHECK(refused(""));
    CHECK(refused(std::string("z\0z", 3)));
    CHECK(refused(std::string(41, 'x')));
    CHECK(writer->write(std::string(40, 'x'), {}).ok());
    const FileStamp stamp = writer->finish().value();
    CHECK(read_all(storage, "x", &stamp).ok());
}

TEST_CASE("a file has at most 4,096 sections", "[persist]") {
    MemoryStorage storage;
    auto writer = SectionFileWriter::create(storage, "x", kHeader).value();
    for (std::size_t i = 0; i < kMaxSections; ++i)
        writer->write("s" + std::to_string(i), {}).check();
    CHECK(writer->write("one more", {}).code() == StatusCode::kInvalidArgument);
    const FileStamp stamp = writer->finish().value();
    CHECK(SectionFile::open(storage, "x", kHeader, &stamp, Access::kRead).ok());
    store(std::span(storage.bytes("x")).last(64), 8, std::uint64_t{kMaxSections + 1});
    repair(storage.bytes("x"));
    CHECK_THAT(read_all(storage, "x", nullptr).message(), Contains("4097 sections"));
}

TEST_CASE("every bit of a file of sections is checked", "[persist][flips]") {
    MemoryStorage storage;
    const FileStamp stamp = write_small(storage, "x");
    REQUIRE(read_all(storage, "x", nullptr).ok());
    Bytes& bytes = storage.bytes("x");
    std::size_t unnoticed = 0;
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        const auto mask = static_cast<std::byte>(1U << (bit % 8));
        bytes[bit / 8] ^= mask;
        unnoticed += read_all(storage, "x", nullptr).ok() ? 1U : 0U;
        bytes[bit / 8] ^= mask;
    }
    CHECK(unnoticed == 0);
    CHECK(read_all(storage, "x", &stamp).ok());
}

TEST_CASE("a file of sections that was cut or made longer is refused", "[persist]") {
    MemoryStorage storage;
    write_small(storage, "x");
    const Bytes whole = storage.bytes("x");
    std::size_t unnoticed = 0;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        storage.bytes("x").assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        unnoticed += read_all(storage, "x", nullptr).ok() ? 1U : 0U;
    }
    for (const std::size_t more : {1U, 8U, 64U, 1'000U}) {
        storage.bytes("x") = whole;
        storage.bytes("x").resize(whole.size() + more);
        unnoticed += read_all(storage, "x", nullptr).ok() ? 1U : 0U;
    }
    CHECK(unnoticed == 0);
}

TEST_CASE("a file that is another is refused", "[persist]") {
    MemoryStorage storage;
    write_small(storage, "x");
    const auto refused = [&](FileHeader header, const std::string& why) {
        const auto file = SectionFile::open(storage, "x", header, nullptr, Access::kRead);
        CHECK(file.status().code() == StatusCode::kCorruption);
        CHECK_THAT(file.status().message(), Contains(why) && Contains("\"x\""));
    };
    FileHeader other = kHeader;
    other.number = 8;
    refused(other, "is file 7, expected 8");
    other = kHeader;
    other.kind = FileKind::kIndex;
    refused(other, "kind 4, expected 5");
    other = kHeader;
    other.database[15] = std::byte{1};
    refused(other, "another database");

    const FileStamp first =
        SectionFile::open(storage, "x", kHeader, nullptr, Access::kRead).value()->stamp();
    storage.remove("x").check();
    auto writer = SectionFileWriter::create(storage, "x", kHeader).value();
    writer->write("first", some_bytes(300, 3)).check();
    writer->write("second", some_bytes(200, 2)).check();
    writer->write("third", {}).check();
    REQUIRE(writer->finish().value().bytes == first.bytes);
    CHECK_THAT(read_all(storage, "x", &first).message(), Contains("not the file that was written"));
}

TEST_CASE("a newer file says what it needs", "[persist]") {
    MemoryStorage storage;
    write_small(storage, "x");
    const std::span header = std::span(storage.bytes("x")).first(64);
    store(header, 12, std::uint32_t{2});
    store(header, 56, checksum(header.first(56)));
    const Status status = read_all(storage, "x", nullptr);
    CHECK(status.code() == StatusCode::kUnsupported);
    CHECK_THAT(status.message(), Contains("reader of format 2; this one knows 1"));
}

TEST_CASE("numbers of a hostile file are not believed", "[persist][hostile]") {
    MemoryStorage storage;
    write_small(storage, "x");
    const Bytes whole = storage.bytes("x");
    const std::size_t footer = whole.size() - 64;
    const std::size_t table = footer - 3 * 64;
    const std::vector<std::uint64_t> values = {0,
                                               1,
                                               3,
                                               63,
                                               64,
                                               65,
                                               whole.size(),
                                               std::uint64_t{1} << 31U,
                                               std::uint64_t{1} << 32U,
                                               std::uint64_t{1} << 60U,
                                               std::uint64_t{1} << 63U,
                                               ~std::uint64_t{63},
                                               ~std::uint64_t{0}};
    std::vector<std::size_t> fields = {footer + 8, footer + 16, footer + 24};
    for (const std::size_t entry : {table, table + 64, table + 128}) {
        for (const std::size_t field : {40U, 48U, 56U})
            fields.push_back(entry + field);
    }
    for (const std::size_t field : fields) {
        for (const std::uint64_t value : values) {
            storage.bytes("x") = whole;
            Bytes& bytes = storage.bytes("x");
            const bool same = load<std::uint64_t>(bytes, field) == value;
            store(bytes, field, value);
            repair(bytes);
            INFO("field at " << field << " is " << value);
            const Status status = read_all(storage, "x", nullptr);
            CHECK((same ? status.ok() : status.code() == StatusCode::kCorruption));
        }
    }
}

TEST_CASE("a file of sections that was finished outlives the power", "[persist][power]") {
    test::DiskModel disk;
    const FileStamp stamp = write_small(disk, "x");
    disk.sync_directory("").check();
    MemoryStorage image;
    disk.lose_power(test::DiskModel::Left::kNothing, 1, image);
    CHECK(read_all(image, "x", &stamp).ok());
}

TEST_CASE("a file of sections that cannot be written fails", "[persist]") {
    MemoryStorage storage;
    auto writer = SectionFileWriter::create(storage, "x", kHeader).value();
    writer->write("a", some_bytes(10, 1)).check();
    storage.refuse_writes(true);
    const Status status = writer->finish().status();
    CHECK(status.code() == StatusCode::kIoError);
    CHECK_THAT(status.message(), Contains("\"x\""));
    CHECK(SectionFileWriter::create(storage, "x", kHeader).status().code() ==
          StatusCode::kAlreadyExists);
}

}  // namespace vecdb::persist
