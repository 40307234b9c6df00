// Any files as those of a database: opened, read and written, or refused. Checksums are right
// mostly, so that what stands behind them is believed. Run it with -malloc_limit_mb and -timeout.

#include "packed_files.h"
#include "support/small_database.h"

#include <vecdb/database.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace {

using vecdb::Database;
using vecdb::Id;
using vecdb::OpenMode;
using vecdb::StatusCode;
using vecdb::test::MemoryStorage;
using Files = std::shared_ptr<MemoryStorage>;

void require(bool condition) {
    if (!condition) std::abort();
}

void read(const Database& database) {
    (void)vecdb::test::describe(database);
    for (const std::string& name : database.list_collections())
        (void)vecdb::test::describe(database.collection(name).value(), {.k = 5});
}

void write(const Files& files) {
    auto opened = Database::open("d", vecdb::test::small_options(files, OpenMode::kOpen));
    if (!opened.ok()) return;
    for (const std::string& name : opened->list_collections()) {
        vecdb::Collection collection = opened->collection(name).value();
        const std::vector<float> point(collection.schema().vectors.front().dim, 0.5F);
        (void)collection.upsert(Id{1}, point);
        (void)collection.remove(Id{2}).status();
        (void)collection.flush();
    }
    if (!opened->checkpoint().ok() || !opened->close().ok()) return;
    const std::string written = vecdb::test::describe(*opened);
    const auto again = Database::open("d", vecdb::test::small_options(files, OpenMode::kReadOnly));
    require(again.ok() && vecdb::test::describe(*again) == written);
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* bytes,
                                               std::size_t size,
                                               std::size_t most,
                                               unsigned seed) {
    vecdb::test::FuzzRandom random(seed);
    const Files files = vecdb::test::unpack({bytes, size});
    vecdb::test::mutate(*files, random);
    const auto packed = vecdb::test::pack(*files);
    if (packed.size() > most) return 0;
    std::memcpy(bytes, packed.data(), packed.size());
    return packed.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const Files files = vecdb::test::unpack({bytes, size});
    {
        const auto opened =
            Database::open("d", vecdb::test::small_options(files, OpenMode::kReadOnly));
        if (opened.ok()) read(*opened);
        require(opened.ok() || !opened.status().message().empty());
        require(opened.status().code() != StatusCode::kInternal);
        require(opened.status().code() != StatusCode::kOutOfMemory);
        if (!opened.ok()) return 0;
    }
    write(files);
    return 0;
}
