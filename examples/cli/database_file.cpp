#include "database_file.h"

#include "exit_code.h"
#include "output.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

namespace vecdb::cli {
namespace {

constexpr std::size_t kHeaderBytes = 64;
constexpr std::string_view kMagic = "VECDB\x1a\r\n";
constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kReaderVersionAt = 12;
constexpr std::size_t kKindAt = 16;
constexpr std::size_t kDatabaseAt = 24;
constexpr std::size_t kDatabaseBytes = 16;
constexpr std::size_t kNumberAt = 40;

using Header = std::array<char, kHeaderBytes>;

std::uint64_t little_endian(const Header& header, std::size_t at, std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i > 0; --i)
        value = value << 8U | static_cast<unsigned char>(header[at + i - 1]);
    return value;
}

}  // namespace

std::string DatabaseFile::kind_name() const {
    constexpr const char* kNames[] = {
        "unknown", "current", "manifest", "log", "rows", "index", "growing"};
    return kNames[kind < std::size(kNames) ? kind : 0];
}

std::optional<DatabaseFile> read_database_file(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) return std::nullopt;
    std::ifstream file(path, std::ios::binary);
    Header header{};
    file.read(header.data(), header.size());
    const auto size = static_cast<std::size_t>(file.gcount());
    const std::string_view bytes(header.data(), size);
    if (!bytes.starts_with(kMagic)) return std::nullopt;
    if (size < kHeaderBytes) {
        throw CommandError(ExitCode::kInput,
                           path + ": has " + std::to_string(size) +
                               " bytes, its header alone has " + std::to_string(kHeaderBytes));
    }
    return DatabaseFile{
        .version = static_cast<std::uint32_t>(little_endian(header, kVersionAt, 4)),
        .reader_version = static_cast<std::uint32_t>(little_endian(header, kReaderVersionAt, 4)),
        .kind = static_cast<std::uint32_t>(little_endian(header, kKindAt, 4)),
        .database = hexadecimal(bytes.substr(kDatabaseAt, kDatabaseBytes)),
        .number = little_endian(header, kNumberAt, 8),
        .bytes = std::filesystem::file_size(path, error)};
}

}  // namespace vecdb::cli
