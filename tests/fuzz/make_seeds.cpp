// Writes what fuzzers begin with: a small database, its logs and its files of sections, and choices
// of calls.

#include "packed_files.h"
#include "persist/manifest.h"
#include "support/small_database.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

// Only mutators call it.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* /*bytes*/,
                                        std::size_t size,
                                        std::size_t /*most*/) {
    return size;
}

namespace {

using vecdb::test::SmallDatabase;

void save(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream to(path, std::ios::binary);
    to.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

/// Save the records of a log behind a header that is not the database's.
void save_log(const std::filesystem::path& path, std::span<const std::byte> log) {
    using vecdb::persist::FileHeader;
    using vecdb::persist::FileKind;
    const auto header = FileHeader{.kind = FileKind::kLog, .database = {}, .number = 1}.encode();
    vecdb::test::MemoryStorage::Bytes bytes(log.begin(), log.end());
    std::copy(header.begin(), header.end(), bytes.begin());
    std::uint64_t sequence = 0;
    for (std::size_t at = header.size(); at + 48 <= bytes.size();) {
        vecdb::persist::store(bytes, at + 8, ++sequence);
        vecdb::persist::store(bytes, at + 16, sequence - 1);
        at += 48 + vecdb::persist::padded<std::size_t>(
                       vecdb::persist::load<std::uint64_t>(bytes, at), 8);
    }
    vecdb::test::Resealer::reseal(bytes);
    save(path, std::span<const std::byte>(bytes).subspan(header.size()));
}

/// Save bytes by chance, enough for some 50 calls.
void save_choices(const std::filesystem::path& path, unsigned seed) {
    vecdb::test::FuzzRandom random(seed);
    std::vector<std::byte> bytes(1'000);
    for (std::byte& byte : bytes)
        byte = static_cast<std::byte>(random() >> 8U);
    save(path, bytes);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const std::filesystem::path folder = argv[1];
    for (const bool closed : {true, false}) {
        const std::string how = closed ? "closed" : "crashed";
        const SmallDatabase small(1, closed);
        const std::vector<std::uint8_t> packed = vecdb::test::pack(*small.files);
        save(folder / "fuzz_database" / how, std::as_bytes(std::span(packed)));
        for (const std::string& name : small.files->names()) {
            const std::string plain = name.substr(2) + '-' + how;
            const auto bytes = small.files->content(name);
            if (name.starts_with("d/log-")) save_log(folder / "fuzz_log" / plain, bytes);
            if (vecdb::test::Resealer::has_sections(bytes))
                save(folder / "fuzz_section_file" / plain, bytes);
        }
    }
    for (unsigned seed = 1; seed <= 32; ++seed)
        save_choices(folder / "fuzz_calls" / ("random-" + std::to_string(seed)), seed);
    return 0;
}
