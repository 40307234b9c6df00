// Imports words with their vectors, looks for the nearest ones, shows what an index gains, and
// finds all of it again after the database was closed. Usage: word_search [DIR | FILE.npy]
// [--directory DB] The words stand beside the vectors in a .txt, one a line. The database is made
// in DB and stays there, without it in a temporary directory that is removed at the end.

#include "cli/progress_bar.h"
#include "temporary_directory.h"
#include "word_list.h"

#include <vecdb/vecdb.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
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

/// A search that was made, and its answer.
struct Asked {
    std::vector<float> query;
    vecdb::SearchOptions options;
    vecdb::Hits hits;
};
using Log = std::vector<Asked>;

/// Search, and remember it in `log`.
const vecdb::Hits& ask(const vecdb::Collection& collection,
                       std::span<const float> query,
                       const vecdb::SearchOptions& options,
                       Log& log) {
    log.push_back({{query.begin(), query.end()},
                   options,
                   collection.search(vecdb::VectorView(query), options).value()});
    return log.back().hits;
}

void show_nearest(const vecdb::Collection& collection, const WordList& words, Log& log) {
    std::printf("\nNearest words, with the cosine of the angle between them\n");
    for (const std::string word : {"king", "paris", "computer", "coffee", "happy"}) {
        const auto vectors = collection.get(words.id(word)).value();
        print(word, ask(collection, vectors.row(0), {.k = 6, .exact = true}, log), words);
    }
}

void show_analogy(const vecdb::Collection& collection, const WordList& words, Log& log) {
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
    print("king - man + woman",
          ask(collection, query, {.k = 5, .filter = filter, .exact = true}, log),
          words);
}

void show_filtered(const vecdb::Collection& collection, const WordList& words, Log& log) {
    const auto filter =
        vecdb::Filter::where([&words](vecdb::Id id) { return words.name(id).starts_with('b'); });
    collection.prepare(filter).check();
    std::printf("\nThe same restricted to the %zu words that begin with b\n",
                collection.count(filter).value());
    for (const std::string word : {"king", "paris", "computer"}) {
        const auto vectors = collection.get(words.id(word)).value();
        print(word,
              ask(collection, vectors.row(0), {.k = 5, .filter = filter, .exact = true}, log),
              words);
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

/// Remember the answers to all queries in `log`.
void remember(const vecdb::FetchedRows& queries,
              const Answers& answers,
              const vecdb::SearchOptions& options,
              Log& log) {
    for (std::size_t i = 0; i < queries.found.size(); ++i) {
        const auto query = queries.row(i);
        const auto hits = std::span(answers.hits).subspan(i * options.k, options.k);
        log.push_back({{query.begin(), query.end()}, options, {hits.begin(), hits.end()}});
    }
}

/// Build the index and compare its speed with that of the exact search before.
void show_speed(vecdb::Collection& collection, Log& log) {
    const vecdb::FetchedRows queries = frequent_words(collection);
    const vecdb::SearchOptions exactly{.k = 10, .exact = true};
    const Answers exact = search_one_by_one(collection, queries, exactly);
    remember(queries, exact, exactly, log);
    std::printf("\nExact search: %.3f ms per query, %s, 1 thread\n",
                1e3 * exact.seconds,
                std::string(vecdb::active_simd_level().value()).c_str());

    const auto start = Clock::now();
    collection.build_index().check();
    std::printf(
        "HNSW graph over %zu words built in %.2f s\n", collection.count(), seconds_since(start));
    for (const std::size_t ef : {10U, 32U, 100U}) {
        const vecdb::SearchOptions options{.k = 10, .ef = ef};
        const Answers found = search_one_by_one(collection, queries, options);
        remember(queries, found, options, log);
        std::printf("ef %3zu: %.3f ms per query, recall@10 %.3f, %.1f times as fast\n",
                    ef,
                    1e3 * found.seconds,
                    recall(found, exact, 10),
                    exact.seconds / found.seconds);
    }
}

/// Load the words into a new database and show what it finds.
Log show_all(vecdb::Database& db, const vecdb::DatasetReader& reader, const WordList& words) {
    auto schema = vecdb::Schema::single(reader.info().dim, vecdb::Metric::kCosine);
    schema.vectors[0].index = vecdb::HnswOptions{};
    schema.segments.seal_rows = 0;  // the graph is built once, when all words are there
    vecdb::Collection collection = db.create_collection("words", schema).value();

    const auto start = Clock::now();
    import_vectors(collection, reader);
    std::printf("Imported %zu words of %zu dimensions in %.2f s\n",
                collection.count(),
                schema.vectors[0].dim,
                seconds_since(start));
    Log log;
    show_nearest(collection, words, log);
    show_analogy(collection, words, log);
    show_filtered(collection, words, log);
    show_speed(collection, log);
    return log;
}

/// Tell whether two answers are the same to the last bit of each score.
bool same(const vecdb::Hits& left, const vecdb::Hits& right) {
    const auto bits = [](float score) {
        return std::bit_cast<std::uint32_t>(score);
    };
    return std::equal(left.begin(),
                      left.end(),
                      right.begin(),
                      right.end(),
                      [&](const vecdb::Hit& a, const vecdb::Hit& b) {
                          return a.id == b.id && bits(a.score) == bits(b.score);
                      });
}

/// Repeat every search on the database as it is on disk; throws std::runtime_error unless all
/// answers are those of before.
void show_reopened(const std::string& directory, const Log& log) {
    const vecdb::OpenOptions options{.mode = vecdb::OpenMode::kReadOnly};
    const vecdb::Database db = vecdb::Database::open(directory, options).value();
    const vecdb::Collection collection = db.collection("words").value();
    for (std::size_t i = 0; i < log.size(); ++i) {
        const vecdb::Hits hits =
            collection.search(vecdb::VectorView(log[i].query), log[i].options).value();
        if (same(hits, log[i].hits)) continue;
        throw std::runtime_error("reopened from disk, search " + std::to_string(i + 1) + " of " +
                                 std::to_string(log.size()) + " has another answer");
    }
    std::printf("\nclosed, reopened from disk, same answers\n");
}

/// What the command line asks for.
struct Arguments {
    std::filesystem::path data = "examples/data";
    std::string directory;
};

Arguments parse(std::span<char*> words) {
    Arguments arguments;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string_view word = words[i];
        if (word != "--directory") {
            arguments.data = word;
        } else if (++i < words.size()) {
            arguments.directory = words[i];
        } else {
            throw std::runtime_error("--directory needs a name");
        }
    }
    return arguments;
}

void run(Arguments arguments) {
    std::filesystem::path path = arguments.data;
    if (std::filesystem::is_directory(path)) path /= "words.npy";
    const vecdb::DatasetReader reader = vecdb::DatasetReader::open(path).value();
    const WordList words(path.replace_extension(".txt"), reader.info().rows);
    std::optional<TemporaryDirectory> temporary;
    if (arguments.directory.empty()) {
        arguments.directory = temporary.emplace().path().string();
    }

    Log log;
    {
        const vecdb::OpenOptions options{.mode = vecdb::OpenMode::kCreate};
        vecdb::Database db = vecdb::Database::open(arguments.directory, options).value();
        log = show_all(db, reader, words);
        db.close().check();
    }
    show_reopened(arguments.directory, log);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        run(parse(std::span(argv, static_cast<std::size_t>(argc)).subspan(1)));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "word_search: %s\n", error.what());
        return 1;
    }
}
