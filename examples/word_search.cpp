// Imports words with their vectors and looks for the nearest ones.
// Usage: word_search [DIR | FILE.npy]   The words stand beside the vectors in a .txt, one a line.

#include "cli/progress_bar.h"
#include "word_list.h"

#include <vecdb/vecdb.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Insert the vectors of a file; the ids are row numbers.
void import_vectors(vecdb::Collection& collection, const vecdb::DatasetReader& reader) {
    constexpr std::size_t kBatchRows = 1000;
    const std::size_t rows = reader.info().rows;
    const std::size_t dim = reader.info().dim;
    std::vector<float> batch;
    std::vector<vecdb::Id> ids;
    vecdb::cli::ProgressBar progress("importing", rows, "words");
    for (std::size_t first = 0; first < rows; first += kBatchRows) {
        ids.resize(std::min(kBatchRows, rows - first));
        std::iota(ids.begin(), ids.end(), static_cast<vecdb::Id>(first));
        batch.resize(ids.size() * dim);
        reader.read_floats(first, ids.size(), batch).check();
        collection.insert(ids, vecdb::MatrixView(batch, dim)).check();
        progress.advance(ids.size());
    }
}

void print(const std::string& title, const vecdb::Hits& hits, const WordList& words) {
    std::printf("%-22s", title.c_str());
    for (const vecdb::Hit& hit : hits) {
        std::printf("  %s %.2f", words.name(hit.id).c_str(), static_cast<double>(hit.score));
    }
    std::printf("\n");
}

void show_nearest(const vecdb::Collection& collection, const WordList& words) {
    std::printf("\nNearest words, with the cosine of the angle between them\n");
    for (const std::string word : {"king", "paris", "computer", "coffee", "happy"}) {
        const auto vectors = collection.get(words.id(word)).value();
        print(word, collection.search(vectors.row(0), {.k = 6}).value(), words);
    }
}

void show_analogy(const vecdb::Collection& collection, const WordList& words) {
    const std::vector<vecdb::Id> asked = {words.id("king"), words.id("man"), words.id("woman")};
    const auto vectors = collection.get(asked).value();
    std::vector<float> query(vectors.dim);
    for (std::size_t i = 0; i < query.size(); ++i) {
        query[i] = vectors.row(0)[i] - vectors.row(1)[i] + vectors.row(2)[i];
    }
    vecdb::Bitset others(words.size(), true);
    for (const vecdb::Id id : asked)
        others.reset(static_cast<std::size_t>(id));
    const auto filter = vecdb::Filter::allow(others);
    print(
        "king - man + woman", collection.search(query, {.k = 5, .filter = filter}).value(), words);
}

void show_filtered(const vecdb::Collection& collection, const WordList& words) {
    const auto filter =
        vecdb::Filter::where([&words](vecdb::Id id) { return words.name(id).starts_with('b'); });
    collection.prepare(filter).check();
    std::printf("\nThe same restricted to the %zu words that begin with b\n",
                collection.count(filter).value());
    for (const std::string word : {"king", "paris", "computer"}) {
        const auto vectors = collection.get(words.id(word)).value();
        print(word, collection.search(vectors.row(0), {.k = 5, .filter = filter}).value(), words);
    }
}

void show_speed(const vecdb::Collection& collection) {
    std::vector<vecdb::Id> ids(std::min<std::size_t>(1000, collection.count()));
    std::iota(ids.begin(), ids.end(), vecdb::Id{0});
    const auto queries = collection.get(ids).value();
    const auto count = static_cast<double>(ids.size());
    std::vector<vecdb::Hit> hits(10);

    auto start = Clock::now();
    for (std::size_t i = 0; i < ids.size(); ++i) {
        (void)collection.search_into(queries.row(i), {.k = 10}, hits).value();
    }
    const double single = seconds_since(start) / count;
    start = Clock::now();
    (void)collection.search(queries.view(), {.k = 10}).value();
    const double batch = seconds_since(start) / count;

    const auto rows = static_cast<double>(collection.count());
    std::printf("\n%zu queries at once: %.3f ms per query\n", ids.size(), 1e3 * batch);
    std::printf(
        "%.0f rows, one query at a time: %.3f ms per query, %.1f GB/s scanned, %s, 1 thread\n",
        rows,
        1e3 * single,
        rows * static_cast<double>(queries.dim) * 4e-9 / single,
        std::string(vecdb::active_simd_level().value()).c_str());
}

void run(std::filesystem::path path) {
    if (std::filesystem::is_directory(path)) path /= "words.npy";
    vecdb::Database db = vecdb::Database::in_memory().value();
    const vecdb::DatasetReader reader = vecdb::DatasetReader::open(path).value();
    const auto schema = vecdb::Schema::single(reader.info().dim, vecdb::Metric::kCosine);
    vecdb::Collection collection = db.create_collection("words", schema).value();

    const WordList words(path.replace_extension(".txt"), reader.info().rows);
    const auto start = Clock::now();
    import_vectors(collection, reader);
    std::printf("Imported %zu words of %zu dimensions in %.2f s\n",
                collection.count(),
                schema.vectors[0].dim,
                seconds_since(start));
    show_nearest(collection, words);
    show_analogy(collection, words);
    show_filtered(collection, words);
    show_speed(collection);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        run(argc > 1 ? argv[1] : "examples/data");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "word_search: %s\n", error.what());
        return 1;
    }
}
