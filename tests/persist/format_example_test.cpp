// The examples of FORMAT.md are what is written.

#include "persist/journal.h"
#include "persist/section_file.h"
#include "support/catch.h"
#include "support/memory_storage.h"
#include "support/temp_directory.h"

#include <cctype>
#include <cstddef>
#include <cstdint>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace vecdb::persist {
namespace {

using Bytes = test::MemoryStorage::Bytes;

/// Return the bytes of a line "    0010  aa bb ...", or none of any other line.
Bytes bytes_of_line(const std::string& line) {
    const auto is_hex = [&](std::size_t from, std::size_t count) {
        for (std::size_t i = from; i < from + count; ++i) {
            if (std::isxdigit(static_cast<unsigned char>(line[i])) == 0) return false;
        }
        return true;
    };
    Bytes bytes;
    if (line.size() < 12 || !line.starts_with("    ") || !is_hex(4, 4)) return bytes;
    std::istringstream words(line.substr(8));
    for (std::string word; words >> word;)
        bytes.push_back(static_cast<std::byte>(std::stoul(word, nullptr, 16)));
    return bytes;
}

/// A hex dump of FORMAT.md.
struct Example {
    std::string file;  ///< Of which it is a part, if it is a part of one in tests/data.
    std::size_t offset = 0;
    Bytes bytes;
};

/// Return what a line "Example: `FILE`, ..." names, nothing for any other line.
std::string file_of_line(const std::string& line) {
    const std::string before = "Example: `tests/data/";
    if (!line.starts_with(before)) return {};
    return line.substr(before.size(), line.find('`', before.size()) - before.size());
}

std::vector<Example> examples() {
    std::vector<Example> found;
    std::istringstream lines(test::read_bytes(VECDB_FORMAT_MD));
    bool inside = false;
    std::string file;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("Example:")) file = file_of_line(line);
        const Bytes bytes = bytes_of_line(line);
        if (!bytes.empty() && !inside)
            found.push_back({file, std::stoul(line.substr(4, 4), nullptr, 16), {}});
        inside = !bytes.empty();
        if (!inside) continue;
        Bytes& all = found.back().bytes;
        all.insert(all.end(), bytes.begin(), bytes.end());
    }
    return found;
}

}  // namespace

TEST_CASE("the examples of FORMAT.md are the bytes that are written", "[persist]") {
    test::MemoryStorage storage;
    DatabaseId database{};
    for (std::size_t i = 0; i < database.size(); ++i)
        database[i] = static_cast<std::byte>(i);
    auto writer = SectionFileWriter::create(
                      storage, "rows", {.kind = FileKind::kRows, .database = database, .number = 1})
                      .value();
    const std::int64_t id = 7;
    writer->write("ids", std::as_bytes(std::span(&id, 1))).check();
    static_cast<void>(writer->finish().value());
    auto journal =
        JournalWriter::create(
            storage, "log", {.kind = FileKind::kLog, .database = database, .number = 2}, 1)
            .value();
    const std::string payload = "abc";
    journal->append(1, std::as_bytes(std::span(payload))).check();

    const auto written = examples();
    REQUIRE(written.size() >= 2);
    CHECK(written[0].bytes == storage.bytes("rows"));
    CHECK(written[1].bytes == storage.bytes("log"));
}

TEST_CASE("the examples of FORMAT.md are the bytes of golden files", "[persist]") {
    std::size_t seen = 0;
    for (const Example& example : examples()) {
        if (example.file.empty()) continue;
        INFO(example.file);
        const std::string file = test::read_bytes(VECDB_TEST_DATA "/" + example.file);
        const auto bytes = std::as_bytes(std::span(file));
        REQUIRE(bytes.size() >= example.offset + example.bytes.size());
        const auto part = bytes.subspan(example.offset, example.bytes.size());
        CHECK(Bytes(part.begin(), part.end()) == example.bytes);
        ++seen;
    }
    CHECK(seen == 3);
}

}  // namespace vecdb::persist
