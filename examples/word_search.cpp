// Imports words with their vectors, looks for the nearest ones, and shows what an index gains.
// Usage: word_search [DIR | FILE.npy]   The words stand beside the vectors in a .txt, one a line.

#include "cli/progress_bar.h"
#include "word_list.h"

#include <vecdb/vecdb.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <span>
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

/// The vectors of the first 1,000 words, which are the most frequent, as queries.
vecdb::FetchedRows frequent_words(const vecdb::Collection& collection) {
    std::vector<vecdb::Id> ids(std::min<std::size_t>(1000, collection.count()));
    std::iota(ids.begin(), ids.end(), vecdb::Id{0});
    return collection.get(ids).value();
}

/// Answers to all queries, ten hits each, and the time one took.
struct Answers {
    std::vector<vecdb::Hit> hits;
    double seconds = 0;
};

Answers search_one_by_one(const vecdb::Collection& collection,
                          const vecdb::FetchedRows& queries,
                          const vecdb::SearchOptions& options) {
    const std::size_t count = queries.found.size();
    Answers answers{std::vector<vecdb::Hit>(count * options.k)};
    const std::span<vecdb::Hit> hits(answers.hits);
    const auto start = Clock::now();
    for (std::size_t i = 0; i < count; ++i) {
        (void)collection
            .search_into(queries.row(i), options, hits.subspan(i * options.k, options.k))
            .value();
    }
    answers.seconds = seconds_since(start) / static_cast<double>(count);
    return answers;
}

/// The part of the exact hits that were found.
double recall(const Answers& found, const Answers& exact, std::size_t k) {
    std::size_t common = 0;
    for (std::size_t i = 0; i < exact.hits.size(); ++i) {
        const auto first = found.hits.begin() + static_cast<std::ptrdiff_t>(i / k * k);
        const auto last = first + static_cast<std::ptrdiff_t>(k);
        common +=
            std::any_of(
                first, last, [&](const vecdb::Hit& hit) { return hit.id == exact.hits[i].id; })
                ? 1U
                : 0U;
    }
    return static_cast<double>(common) / static_cast<double>(exact.hits.size());
}

/// Build the index and compare its speed with that of the exact search before.
void show_speed(vecdb::Collection& collection) {
    const vecdb::FetchedRows queries = frequent_words(collection);
    const Answers exact = search_one_by_one(collection, queries, {.k = 10});
    std::printf("\nExact search: %.3f ms per query, %s, 1 thread\n",
                1e3 * exact.seconds,
                std::string(vecdb::active_simd_level().value()).c_str());

    const auto start = Clock::now();
    collection.build_index().check();
    std::printf(
        "HNSW graph over %zu words built in %.2f s\n", collection.count(), seconds_since(start));
    for (const std::size_t ef : {10U, 32U, 100U}) {
        const Answers found = search_one_by_one(collection, queries, {.k = 10, .ef = ef});
        std::printf("ef %3zu: %.3f ms per query, recall@10 %.3f, %.1f times as fast\n",
                    ef,
                    1e3 * found.seconds,
                    recall(found, exact, 10),
                    exact.seconds / found.seconds);
    }
}

void run(std::filesystem::path path) {
    if (std::filesystem::is_directory(path)) path /= "words.npy";
    vecdb::Database db = vecdb::Database::in_memory().value();
    const vecdb::DatasetReader reader = vecdb::DatasetReader::open(path).value();
    auto schema = vecdb::Schema::single(reader.info().dim, vecdb::Metric::kCosine);
    schema.vectors[0].index = vecdb::HnswOptions{};
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
