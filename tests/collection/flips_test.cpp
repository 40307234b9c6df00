// Every bit of every file of a small database changed, every file cut at every length, made longer
// and mistaken for another: it is always noticed. VECDB_FLIPS_SHOW prints how many there were.

#include "persist/manifest.h"
#include "support/catch.h"
#include "support/memory_storage.h"
#include "support/small_database.h"

#include <vecdb/database.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace vecdb {
namespace {

using persist::FileKind;
using test::describe;
using test::MemoryStorage;
using test::small_options;
using test::SmallDatabase;
using Files = std::shared_ptr<MemoryStorage>;

FileKind kind_of(const std::string& path) {
    const auto file = persist::parse_file_name(path.substr(2));
    return file ? file->kind : FileKind::kCurrent;
}

Result<Database> open_to_read(const Files& files) {
    return Database::open("d", small_options(files, OpenMode::kReadOnly));
}

/// Tell whether a collection whose index is not used answers by comparing all rows.
bool answers_without_index(const Database& database) {
    for (const std::string& name : database.list_collections()) {
        const Collection collection = database.collection(name).value();
        if (collection.stats().index_bytes != 0) continue;
        if (describe(collection, {.k = 100}) != describe(collection, {.k = 100, .exact = true}))
            return false;
    }
    return true;
}

/// Tell whether rows are known to be missing: searches say so.
bool says_rows_are_missing(const Database& database) {
    std::size_t refused = 0;
    for (const std::string& name : database.list_collections()) {
        const Collection collection = database.collection(name).value();
        const std::vector<float> query(collection.schema().vectors.front().dim, 1.0F);
        refused += collection.search(query).status().code() == StatusCode::kCorruption ? 1U : 0U;
    }
    return refused > 0;
}

/// Open files of which `path` is damaged. Returns what is wrong when that is not told as it should
/// be: that it cannot be opened, that rows are missing or, for an index, that it is not used.
std::string check_told(const Files& files, const std::string& path, const std::string& state) {
    const auto opened = open_to_read(files);
    if (!opened.ok()) {
        const StatusCode code = opened.status().code();
        const bool told = code == StatusCode::kCorruption || code == StatusCode::kUnsupported;
        const bool done_without = kind_of(path) == FileKind::kIndex;
        return told && !done_without ? "" : opened.status().to_string();
    }
    const auto& damage = opened->open_report().damage;
    if (damage.empty() || damage.front().find(path) == std::string::npos) return "not noticed";
    if (kind_of(path) == FileKind::kRows || kind_of(path) == FileKind::kGrowing)
        return says_rows_are_missing(*opened) ? "" : "searches do not say it";
    if (kind_of(path) != FileKind::kIndex || damage.size() != 1) return "another file is reported";
    if (describe(*opened) != state || !answers_without_index(*opened)) return "other answers";
    return "";
}

struct Tally {
    std::size_t tried = 0;
    std::vector<std::string> failures = {};
};

/// Call check(files, path, byte) for all bytes of all files, on copies of the files, in two
/// threads. It returns how many things it tried and what was wrong.
template <class Check>
Tally for_each_byte(const Files& files, Check check) {
    constexpr std::size_t kThreads = 2;
    std::vector<Tally> tallies(kThreads);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t, own = files->copy()] {
            for (const std::string& path : own->names()) {
                const std::size_t size = own->bytes(path).size();
                for (std::size_t byte = t; byte < size; byte += kThreads)
                    check(own, path, byte, tallies[t]);
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    Tally all = std::move(tallies.front());
    for (std::size_t t = 1; t < kThreads; ++t) {
        all.tried += tallies[t].tried;
        all.failures.insert(
            all.failures.end(), tallies[t].failures.begin(), tallies[t].failures.end());
    }
    return all;
}

void note(Tally& tally, const std::string& what, const std::string& wrong) {
    ++tally.tried;
    if (!wrong.empty() && tally.failures.size() < 20) tally.failures.push_back(what + ": " + wrong);
}

void check_tally(const Tally& tally, std::size_t at_least) {
    for (const std::string& failure : tally.failures)
        FAIL_CHECK(failure);
    CHECK(tally.tried >= at_least);
    if (std::getenv("VECDB_FLIPS_SHOW") != nullptr) WARN(tally.tried << " tried");
}

std::size_t total_bytes(const Files& files) {
    std::size_t bytes = 0;
    for (const std::string& path : files->names())
        bytes += files->bytes(path).size();
    return bytes;
}

/// Damage one file by change(bytes), check, and undo it.
template <class Change>
std::string with_change(const Files& files,
                        const std::string& path,
                        const std::string& state,
                        Change change) {
    const MemoryStorage::Bytes before = files->bytes(path);
    change(files->bytes(path));
    std::string wrong = check_told(files, path, state);
    files->bytes(path) = before;
    return wrong;
}

std::vector<std::string> paths_of(const Files& files, FileKind kind) {
    std::vector<std::string> paths;
    for (const std::string& path : files->names()) {
        if (kind_of(path) == kind) paths.push_back(path);
    }
    return paths;
}

}  // namespace

TEST_CASE("the small database has every kind of file, and all are needed", "[flips]") {
    const SmallDatabase small(1, true);
    const auto opened = open_to_read(small.files);
    REQUIRE(opened.ok());
    CHECK(opened->open_report().clean);
    CHECK(opened->open_report().damage.empty());
    CHECK(opened->open_report().replayed_rows == 7);
    CHECK(describe(*opened) == small.states.back());
    CHECK(total_bytes(small.files) < std::size_t{64} << 10U);
    for (const FileKind kind : {FileKind::kCurrent,
                                FileKind::kManifest,
                                FileKind::kLog,
                                FileKind::kRows,
                                FileKind::kIndex,
                                FileKind::kGrowing})
        CHECK_FALSE(paths_of(small.files, kind).empty());
    for (const std::string& path : small.files->names()) {
        const Files files = small.files->copy();
        files->remove(path).check();
        INFO(path);
        const auto without = open_to_read(files);
        CHECK((!without.ok() || !without->open_report().damage.empty()));
    }
}

TEST_CASE("every changed bit is noticed", "[flips]") {
    const SmallDatabase small(1, true);
    const Tally tally = for_each_byte(
        small.files, [&](const Files& files, const std::string& path, std::size_t byte, Tally& to) {
            std::byte& at = files->bytes(path)[byte];
            for (unsigned bit = 0; bit < 8; ++bit) {
                const std::byte before = at;
                at ^= static_cast<std::byte>(1U << bit);
                const std::string wrong = check_told(files, path, small.states.back());
                at = before;
                note(to, path + " byte " + std::to_string(byte), wrong);
            }
        });
    check_tally(tally, 8 * total_bytes(small.files));
}

TEST_CASE("every cut and every longer file is noticed", "[flips]") {
    const SmallDatabase small(2, true);
    const std::string& state = small.states.back();
    Tally tally = for_each_byte(
        small.files, [&](const Files& files, const std::string& path, std::size_t size, Tally& to) {
            note(to,
                 path + " cut at " + std::to_string(size),
                 with_change(files, path, state, [&](auto& bytes) { bytes.resize(size); }));
        });
    for (const std::string& path : small.files->names()) {
        for (const std::size_t more : {1U, 8U, 64U, 4'096U}) {
            for (const int with : {0, 0xFF}) {
                note(tally,
                     path + " with " + std::to_string(more) + " more",
                     with_change(small.files, path, state, [&](auto& bytes) {
                         bytes.resize(bytes.size() + more, static_cast<std::byte>(with));
                     }));
            }
            note(tally,
                 path + " with " + std::to_string(more) + " again",
                 with_change(small.files, path, state, [&](auto& bytes) {
                     const auto count = std::min(more, bytes.size());
                     const MemoryStorage::Bytes last(
                         bytes.end() - static_cast<std::ptrdiff_t>(count), bytes.end());
                     bytes.insert(bytes.end(), last.begin(), last.end());
                 }));
        }
    }
    check_tally(tally, total_bytes(small.files));
}

TEST_CASE("a file in the place of another one is noticed", "[flips]") {
    const SmallDatabase small(3, true);
    const SmallDatabase twin(3, true);
    REQUIRE(twin.files->names() == small.files->names());
    const Files later = small.files->copy();
    SmallDatabase::go_on(later);
    Tally tally;
    const auto replace =
        [&](const Files& in, const std::string& path, const Files& from, const std::string& by) {
            const MemoryStorage::Bytes bytes = from->content(by);
            if (bytes == in->content(path)) return;
            const auto database = open_to_read(in);
            const std::string state = describe(*database);
            std::string wrong = with_change(in, path, state, [&](auto& to) { to = bytes; });
            // Files that an old CURRENT names may be gone.
            const bool old = kind_of(path) == FileKind::kCurrent;
            if (old && wrong.starts_with("stale")) wrong.clear();
            note(tally, path + " replaced by " + by, wrong);
        };
    for (const Files& in : {small.files, later}) {
        for (const std::string& path : in->names()) {
            for (const Files& from : {small.files, later, twin.files}) {
                for (const std::string& by : from->names())
                    replace(in, path, from, by);
            }
        }
    }
    check_tally(tally, 500);
}

TEST_CASE("a changed bit of a log that was not closed loses its last record at most", "[flips]") {
    const SmallDatabase small(4, false);
    const std::size_t writes = small.states.size() - 1;
    const std::string log = paths_of(small.files, FileKind::kLog).back();
    const std::size_t size = small.files->bytes(log).size();
    // Where the last record begins: without it the state is the one before.
    std::size_t last = size;
    for (std::size_t cut = size; cut-- > 0 && last == size;) {
        const Files files = small.files->copy();
        files->bytes(log).resize(cut);
        const auto opened = open_to_read(files);
        REQUIRE(opened.ok());
        REQUIRE(describe(*opened) == small.states[writes - 1]);
        if (opened->open_report().torn_bytes == 0) last = cut;
    }
    REQUIRE(last < size);
    Tally tally;
    std::size_t lost = 0;
    for (std::size_t bit = 0; bit < 8 * size; ++bit) {
        std::byte& at = small.files->bytes(log)[bit / 8];
        at ^= static_cast<std::byte>(1U << bit % 8);
        const auto opened = open_to_read(small.files);
        at ^= static_cast<std::byte>(1U << bit % 8);
        std::string wrong;
        if (opened.ok()) {
            ++lost;
            if (bit / 8 < last) wrong = "not noticed";
            if (describe(*opened) != small.states[writes - 1]) wrong = "another state";
            if (opened->open_report().torn_bytes == 0) wrong = "no torn bytes";
        } else if (opened.status().code() != StatusCode::kCorruption) {
            wrong = opened.status().to_string();
        }
        note(tally, "bit " + std::to_string(bit), wrong);
    }
    CHECK(lost <= 8 * (size - last));
    check_tally(tally, 8 * size);
}

TEST_CASE("a changed bit of a manifest that was not closed loses no write", "[flips]") {
    const SmallDatabase small(5, false);
    // One that has had no checkpoint yet: the last record of the manifest names the log.
    const auto files = std::make_shared<MemoryStorage>();
    Database database = Database::open("d", small_options(files, OpenMode::kOpenOrCreate)).value();
    Collection rows = database.create_collection("rows", Schema::single(2)).value();
    const std::vector<float> point(2, 1.0F);
    rows.insert(Id{1}, point).check();
    const Files fresh = files->copy();
    for (const auto& [image, expected] :
         {std::pair(small.files, small.states.back()), std::pair(fresh, describe(database))}) {
        Tally tally;
        for (const FileKind kind : {FileKind::kCurrent, FileKind::kManifest}) {
            const std::string path = paths_of(image, kind).back();
            for (std::size_t bit = 0; bit < 8 * image->bytes(path).size(); ++bit) {
                std::byte& at = image->bytes(path)[bit / 8];
                at ^= static_cast<std::byte>(1U << bit % 8);
                const auto opened = open_to_read(image);
                at ^= static_cast<std::byte>(1U << bit % 8);
                std::string wrong;
                if (opened.ok() && describe(*opened) != expected) wrong = "another state";
                const StatusCode code = opened.status().code();
                // What an older catalogue names may be gone.
                const bool told = code == StatusCode::kCorruption || code == StatusCode::kStale;
                if (!opened.ok() && !told) wrong = opened.status().to_string();
                note(tally, path + " bit " + std::to_string(bit), wrong);
            }
        }
        check_tally(tally, 8 * 128);
    }
}

}  // namespace vecdb
