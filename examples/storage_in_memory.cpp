// Keeps the files of a database in a Storage of its own (memory_storage.h): opens a database on it,
// closes it, opens it again, and compares the answers.
// Usage: storage_in_memory [DIR | FILE.npy]

#include "memory_storage.h"

#include <vecdb/vecdb.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kRows = 2'000;
constexpr std::size_t kQueries = 200;

void load(vecdb::Database& db, const vecdb::MatrixView& rows) {
    vecdb::Schema schema = vecdb::Schema::single(rows.dim(), vecdb::Metric::kCosine);
    schema.vectors[0].index = vecdb::HnswOptions{.m = 16};
    vecdb::Collection words = db.create_collection("words", schema).value();
    std::vector<vecdb::Id> ids(rows.rows());
    std::iota(ids.begin(), ids.end(), vecdb::Id{0});
    words.insert(ids, rows).check();
    words.build_index().check();
    const std::vector<vecdb::Id> gone = {1, 2, 3};
    (void)words.remove(gone).value();
}

void compare(const vecdb::SearchResult& before, const vecdb::SearchResult& after) {
    if (before.queries() != after.queries()) throw std::runtime_error("an answer is missing");
    for (std::size_t q = 0; q < before.queries(); ++q) {
        if (!std::equal(before[q].begin(), before[q].end(), after[q].begin(), after[q].end())) {
            throw std::runtime_error("another answer to query " + std::to_string(q));
        }
    }
}

void run(std::filesystem::path path) {
    if (std::filesystem::is_directory(path)) path /= "words.npy";
    const vecdb::FloatMatrix words = vecdb::read_floats(path).value();
    const vecdb::MatrixView queries = words.view().slice(kRows, kQueries);

    // 1. Give the storage to the options; every path of the database goes to it.
    const auto storage = std::make_shared<memory_files::MemoryStorage>();
    vecdb::OpenOptions options;
    options.storage = storage;

    // 2. Use the database as any other. It is locked for other writers while it is open.
    vecdb::SearchResult before;
    {
        vecdb::Database db = vecdb::Database::open("db", options).value();
        load(db, words.view().slice(0, kRows));
        before = db.collection("words").value().search(queries).value();
        if (vecdb::Database::open("db", options).ok()) throw std::runtime_error("two writers");
        db.close().check();
    }
    std::printf("closed: %zu files, %llu bytes\n",
                storage->list("db").value().size(),
                static_cast<unsigned long long>(storage->bytes()));

    // 3. Open it again, and a copy of it that shares its files.
    vecdb::Database db = vecdb::Database::open("db", options).value();
    compare(before, db.collection("words").value().search(queries).value());
    db.snapshot_to("copy").check();
    vecdb::Database copy = vecdb::Database::open("copy", options).value();
    compare(before, copy.collection("words").value().search(queries).value());
    std::printf("opened again, and a snapshot: %zu queries, same answers\n", before.queries());
}

}  // namespace

int main(int argc, char** argv) {
    try {
        run(argc > 1 ? argv[1] : "examples/data");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "storage_in_memory: %s\n", error.what());
        return 1;
    }
}
