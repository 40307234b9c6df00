// Files whose checksums are right and whose numbers are not: every byte of every file of a small
// database is made part of numbers that a program may trip over. Opening it is refused or does no
// harm, soon and in little memory. VECDB_HOSTILE_SHOW prints how many there were.

#include "persist/manifest.h"
#include "support/catch.h"
#include "support/memory_storage.h"
#include "support/operator_new.h"
#include "support/reseal.h"
#include "support/small_database.h"

#include <vecdb/database.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vecdb {
namespace {

using persist::FileKind;
using test::describe;
using test::MemoryStorage;
using test::Resealer;
using test::small_options;
using test::SmallDatabase;
using Files = std::shared_ptr<MemoryStorage>;

#if defined(__SANITIZE_ADDRESS__)
constexpr double kSlower = 20;
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer)
constexpr double kSlower = 20;
#    else
constexpr double kSlower = 1;
#    endif
#else
constexpr double kSlower = 1;
#endif
constexpr double kMostSeconds = 0.1 * kSlower;
constexpr std::size_t kFreeBytes = std::size_t{64} << 20U;

double cpu_seconds() {
    std::timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

FileKind kind_of(const std::string& path) {
    const auto file = persist::parse_file_name(path.substr(2));
    return file ? file->kind : FileKind::kCurrent;
}

bool is_refusal(StatusCode code) {
    // A file of another number may not be there.
    return code == StatusCode::kCorruption || code == StatusCode::kUnsupported ||
           code == StatusCode::kNotFound || code == StatusCode::kStale;
}

/// Read all that there is.
void read(const Database& database) {
    (void)describe(database);
    for (const std::string& name : database.list_collections())
        (void)describe(database.collection(name).value(), {.k = 5});
}

/// Write what a program might write next, and read it back. The log has an end that is torn.
void write(const Files& files) {
    for (const std::string& path : files->names()) {
        if (kind_of(path) == FileKind::kLog)
            files->bytes(path).resize(files->bytes(path).size() + 3);
    }
    auto opened = Database::open("d", small_options(files, OpenMode::kOpen));
    if (!opened.ok()) return;
    for (const std::string& name : opened->list_collections()) {
        Collection collection = opened->collection(name).value();
        const std::vector<float> point(collection.schema().vectors.front().dim, 0.5F);
        (void)collection.upsert(Id{1}, point);
        (void)collection.insert(Id{400}, point);
        (void)collection.remove(Id{2}).status();
        (void)collection.build_index();
    }
    (void)opened->create_collection("new", Schema::single(2)).status();
    (void)opened->checkpoint();
    const std::string before = describe(*opened);
    if (!opened->close().ok()) return;
    const auto again = Database::open("d", small_options(files, OpenMode::kReadOnly));
    if (again.ok()) read(*again);
}

/// Opens files and sees to it that this takes neither long nor much memory.
class Trial {
  public:
    explicit Trial(const Files& files) : files_(files) {
        for (const std::string& path : files->names())
            bytes_ += files->bytes(path).size();
    }

    /// Returns what went wrong.
    [[nodiscard]] std::string run(bool writes) {
        const std::size_t before = test::live_bytes;
        test::most_live_bytes = before;
        const double begin = cpu_seconds();
        std::optional<Status> refused;
        {
            const auto opened = Database::open("d", small_options(files_, OpenMode::kReadOnly));
            if (opened.ok()) read(*opened);
            if (!opened.ok()) refused = opened.status();
        }
        if (refused && !is_refusal(refused->code())) return refused->to_string();
        if (!refused) ++accepted;
        const double read_seconds = cpu_seconds() - begin;
        if (!refused && writes) write(files_->copy());
        const double seconds = cpu_seconds() - begin - read_seconds;
        if (std::max(seconds, read_seconds) > kMostSeconds)
            return std::to_string(std::max(seconds, read_seconds)) + " s";
        const std::size_t most = test::most_live_bytes - before;
        if (most > 2 * bytes_ + kFreeBytes) return std::to_string(most) + " bytes of memory";
        return "";
    }

    std::size_t accepted = 0;

  private:
    Files files_;
    std::size_t bytes_ = 0;
};

/// Numbers of one width that programs trip over: those at the ends of types, and limits.
template <class T>
std::vector<T> hostile_numbers() {
    std::vector<T> numbers;
    for (const std::uint64_t number : {std::uint64_t{0},
                                       std::uint64_t{1},
                                       std::uint64_t{0x7F},
                                       std::uint64_t{0xFE},
                                       std::uint64_t{0xFF},
                                       std::uint64_t{32'768},
                                       std::uint64_t{1} << 20U,
                                       (std::uint64_t{1} << 31U) - 1,
                                       std::uint64_t{1} << 31U,
                                       (std::uint64_t{1} << 32U) - 2,
                                       (std::uint64_t{1} << 32U) - 1,
                                       std::uint64_t{1} << 32U,
                                       (std::uint64_t{1} << 63U) - 1,
                                       std::uint64_t{1} << 63U,
                                       ~std::uint64_t{0} - 1,
                                       ~std::uint64_t{0}}) {
        if (static_cast<T>(number) == number) numbers.push_back(static_cast<T>(number));
    }
    return numbers;
}

/// What is tried of a kind of file.
struct Steps {
    std::size_t u8;
    std::size_t u32;
    std::size_t u64;
};

/// Try all numbers of type T at every `step`-th byte of a file.
template <class T>
void try_numbers(const Files& original, const std::string& path, std::size_t step, bool writes) {
    if (step == 0) return;
    const Files files = original->copy();
    Trial trial(files);
    const std::size_t size = original->bytes(path).size();
    std::size_t tried = 0;
    for (std::size_t at = 0; at + sizeof(T) <= size; at += step) {
        for (const T number : hostile_numbers<T>()) {
            const auto before = persist::load<T>(original->bytes(path), at);
            if (before == number) continue;
            persist::store(files->bytes(path), at, number);
            Resealer::reseal(*files);
            const std::string wrong = trial.run(writes);
            ++tried;
            for (const std::string& each : original->names())
                files->bytes(each) = original->bytes(each);
            if (wrong.empty()) continue;
            FAIL_CHECK(path << " byte " << at << ", " << sizeof(T) << " bytes wide, was "
                            << std::uint64_t{before} << ", is " << std::uint64_t{number} << ": "
                            << wrong);
        }
    }
    if (std::getenv("VECDB_HOSTILE_SHOW") != nullptr)
        WARN(path << ": " << tried << " tried, " << trial.accepted << " did no harm");
}

Steps steps_of(FileKind kind) {
    switch (kind) {
        case FileKind::kCurrent:
        case FileKind::kManifest:
            return {.u8 = 1, .u32 = 1, .u64 = 1};
        case FileKind::kLog:
            return {.u8 = 4, .u32 = 1, .u64 = 4};
        case FileKind::kRows:
            return {.u8 = 0, .u32 = 4, .u64 = 4};
        case FileKind::kIndex:
        case FileKind::kGrowing:
            return {.u8 = 4, .u32 = 4, .u64 = 4};
    }
    return {};
}

void try_all(const Files& files, const std::vector<FileKind>& kinds) {
    bool rows = false;
    for (const std::string& path : files->names()) {
        INFO(path);
        const FileKind kind = kind_of(path);
        if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) continue;
        // Those of several segments are alike.
        if (kind == FileKind::kRows && std::exchange(rows, true)) continue;
        const Steps steps = steps_of(kind);
        const bool writes = kind != FileKind::kIndex;
        try_numbers<std::uint8_t>(files, path, steps.u8, writes);
        try_numbers<std::uint32_t>(files, path, steps.u32, writes);
        try_numbers<std::uint64_t>(files, path, steps.u64, writes);
    }
}

}  // namespace

TEST_CASE("resealed files are as they were", "[hostile]") {
    const bool closed = GENERATE(false, true);
    const SmallDatabase small(1, closed);
    const Files files = small.files->copy();
    Resealer::reseal(*files);
    for (const std::string& path : files->names())
        CHECK(files->bytes(path) == small.files->bytes(path));
    // Checksums that are wrong become right: of headers, and of footers and first records.
    for (const std::string& path : files->names()) {
        auto& bytes = files->bytes(path);
        bytes[56] ^= std::byte{1};
        bytes[Resealer::is_journal(bytes) ? 64 + 40 : bytes.size() - 8] ^= std::byte{1};
    }
    Resealer::reseal(*files);
    const auto opened = Database::open("d", small_options(files, OpenMode::kReadOnly));
    CHECK(opened.ok());
    CHECK(opened->open_report().damage.empty());
}

TEST_CASE("no number in the catalogue does harm", "[hostile]") {
    const SmallDatabase small(1, false);
    try_all(small.files, {FileKind::kManifest});
}

TEST_CASE("no number in CURRENT does harm", "[hostile]") {
    const bool closed = GENERATE(false, true);
    const SmallDatabase small(1, closed);
    try_all(small.files, {FileKind::kCurrent});
}

TEST_CASE("no number in the log does harm", "[hostile]") {
    const SmallDatabase small(1, false);
    try_all(small.files, {FileKind::kLog});
}

TEST_CASE("no number in rows does harm", "[hostile]") {
    const SmallDatabase small(1, false);
    try_all(small.files, {FileKind::kRows, FileKind::kGrowing});
}

TEST_CASE("no number in an index does harm", "[hostile]") {
    const SmallDatabase small(1, false);
    try_all(small.files, {FileKind::kIndex});
}

}  // namespace vecdb
