#include "persist/file_header.h"

#include "check.h"
#include "persist/checksum.h"
#include "persist/little_endian.h"

#include <cstdio>
#include <string_view>

namespace vecdb::persist {
namespace {

// The last bytes show a copy that changed line ends, as PNG's do.
constexpr std::array<char, 8> kMagic = {'V', 'E', 'C', 'D', 'B', '\x1a', '\r', '\n'};
constexpr std::uint32_t kVersion = 1;

constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kNeededAt = 12;
constexpr std::size_t kKindAt = 16;
constexpr std::size_t kDatabaseAt = 24;
constexpr std::size_t kNumberAt = 40;
constexpr std::size_t kChecksumAt = 56;

std::string hex(std::uint64_t number) {
    std::array<char, 17> text{};
    std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(number));
    return text.data();
}

}  // namespace

std::array<std::byte, kHeaderBytes> FileHeader::encode() const noexcept {
    std::array<std::byte, kHeaderBytes> bytes{};
    store(bytes, 0, kMagic);
    store(bytes, kVersionAt, kVersion);
    store(bytes, kNeededAt, kVersion);
    store(bytes, kKindAt, kind);
    store(bytes, kDatabaseAt, database);
    store(bytes, kNumberAt, number);
    store(bytes, kChecksumAt, checksum(std::span(bytes).first(kChecksumAt)));
    return bytes;
}

Result<FileHeader> FileHeader::decode(std::span<const std::byte, kHeaderBytes> bytes) {
    if (load<std::array<char, 8>>(bytes, 0) != kMagic)
        return Status(StatusCode::kCorruption, "the first 8 bytes are not those of a vecdb file");
    const auto expected = load<std::uint64_t>(bytes, kChecksumAt);
    const auto found = checksum(bytes.first(kChecksumAt));
    if (found != expected) return wrong_checksum("the header", expected, found);
    const auto needed = load<std::uint32_t>(bytes, kNeededAt);
    if (needed > kVersion) {
        return Status(StatusCode::kUnsupported,
                      "needs a reader of format " + std::to_string(needed) + "; this one knows " +
                          std::to_string(kVersion));
    }
    return FileHeader{.kind = load<FileKind>(bytes, kKindAt),
                      .database = load<DatabaseId>(bytes, kDatabaseAt),
                      .number = load<std::uint64_t>(bytes, kNumberAt)};
}

Status FileHeader::check(const FileHeader& expected) const {
    if (kind != expected.kind) {
        return {StatusCode::kCorruption,
                "is a file of kind " + std::to_string(static_cast<std::uint32_t>(kind)) +
                    ", expected " + std::to_string(static_cast<std::uint32_t>(expected.kind))};
    }
    if (database != expected.database)
        return {StatusCode::kCorruption, "is a file of another database"};
    if (number != expected.number) {
        return {
            StatusCode::kCorruption,
            "is file " + std::to_string(number) + ", expected " + std::to_string(expected.number)};
    }
    return {};
}

std::uint64_t FileHeader::seed() const noexcept {
    const auto bytes = encode();
    return load<std::uint64_t>(bytes, kChecksumAt);
}

Status check_header(const ReadableFile& file, const FileHeader& header) {
    if (file.size() < kHeaderBytes) {
        return {StatusCode::kCorruption,
                "has " + std::to_string(file.size()) + " bytes: no header"};
    }
    std::array<std::byte, kHeaderBytes> bytes{};
    VECDB_TRY(file.read_at(0, bytes));
    VECDB_ASSIGN(const FileHeader found, FileHeader::decode(bytes));
    return found.check(header);
}

Status wrong_checksum(const std::string& of, std::uint64_t expected, std::uint64_t found) {
    return {StatusCode::kCorruption,
            of + " has the checksum " + hex(found) + ", expected " + hex(expected)};
}

}  // namespace vecdb::persist
