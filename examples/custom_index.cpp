// Registers an index of its own (pivot_index.h), builds it over the shipped words and compares its
// answers with the exact ones.
// Usage: custom_index [DIR | FILE.npy]

#include "pivot_index.h"

#include <vecdb/vecdb.h>

#include <cstdio>
#include <filesystem>
#include <numeric>
#include <set>
#include <stdexcept>
#include <vector>

namespace {

/// Return the part of the right answers that was found.
double recall(const vecdb::SearchResult& found, const vecdb::SearchResult& truth) {
    std::size_t matches = 0;
    for (std::size_t q = 0; q < truth.queries(); ++q) {
        std::set<vecdb::Id> right;
        for (const vecdb::Hit& hit : truth[q])
            right.insert(hit.id);
        for (const vecdb::Hit& hit : found[q])
            matches += right.count(hit.id);
    }
    return static_cast<double>(matches) / static_cast<double>(truth.queries() * truth.k());
}

void run(std::filesystem::path path) {
    if (std::filesystem::is_directory(path)) path /= "words.npy";
    const vecdb::FloatMatrix words = vecdb::read_floats(path).value();

    // 1. Make the index known, before a collection asks for it.
    vecdb::register_index("pivots", pivots::make_pivot_index).check();

    // 2. Ask for it by name, with its parameters.
    vecdb::Schema schema = vecdb::Schema::single(words.dim, vecdb::Metric::kCosine);
    schema.vectors[0].index =
        vecdb::CustomOptions{.name = "pivots", .parameters = {{"pivots", "100"}}};
    vecdb::Database db = vecdb::Database::in_memory().value();
    vecdb::Collection collection = db.create_collection("words", schema).value();

    // 3. Load. The last 200 words are not loaded: they are the queries.
    constexpr std::size_t kQueries = 200;
    const std::size_t rows = words.rows - kQueries;
    std::vector<vecdb::Id> ids(rows);
    std::iota(ids.begin(), ids.end(), vecdb::Id{0});
    collection.insert(ids, words.view().slice(0, rows)).check();

    // 4. Rows are searched exactly until the index is built.
    const vecdb::MatrixView queries = words.view().slice(rows, kQueries);
    const auto truth = collection.search(queries, {.k = 10}).value();
    collection.build_index().check();
    std::printf(
        "%zu words, 100 pivots, index of %zu bytes\n", rows, collection.stats().index_bytes);
    for (const std::size_t nprobe : {1U, 4U, 16U, 100U}) {
        const auto found = collection.search(queries, {.k = 10, .nprobe = nprobe}).value();
        std::printf("nprobe %3zu: recall@10 %.3f\n", nprobe, recall(found, truth));
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        run(argc > 1 ? argv[1] : "examples/data");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "custom_index: %s\n", error.what());
        return 1;
    }
}
