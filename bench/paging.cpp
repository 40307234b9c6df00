// What a ranking costs that is read page by page: by a cursor, and by a search for each page with
// an offset, beside one search for as many rows.
// Usage: paging BASE.npy [--rows N] [--queries N] [--rounds N] [--page N]
//   the rows of BASE, by cosine; every (rows / queries)-th is held out as a query

#include "arguments.h"
#include "held_out.h"
#include "timing.h"

#include <vecdb/vecdb.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

namespace {

using vecdb::bench::HeldOut;
using vecdb::bench::median;
using vecdb::bench::seconds_of;

struct Options {
    std::string base;
    std::size_t rows = 100'000;
    std::size_t queries = 50;
    std::size_t rounds = 5;
    std::size_t page = 20;
};

vecdb::Collection build(vecdb::Database& database,
                        const char* name,
                        const HeldOut& data,
                        const vecdb::IndexOptions& index) {
    vecdb::Schema schema;
    schema.segments.seal_rows = 0;
    schema.vectors = {{.dim = data.dim, .metric = vecdb::Metric::kCosine, .index = index}};
    vecdb::Collection made = database.create_collection(name, schema).value();
    std::vector<vecdb::Id> ids(data.rows.size() / data.dim);
    std::iota(ids.begin(), ids.end(), vecdb::Id{0});
    made.insert(ids, vecdb::MatrixView(data.rows, data.dim)).check();
    const double took = seconds_of([&] { made.build_index({.threads = 2}).check(); });
    std::printf("%s: built in %.1f s\n", name, took);
    std::fflush(stdout);
    return made;
}

/// How far a walk looks beyond the rows that it brings, as a cursor does by default: the ways to
/// read a ranking are compared at about the same recall.
constexpr std::size_t kBeyond = 64;

// Ways to read the first `most` rows of a ranking.

vecdb::Hits at_once(const vecdb::Collection& rows, vecdb::VectorView query, std::size_t most) {
    return rows.search(query, {.k = most, .ef = most + kBeyond, .rerank = most + kBeyond}).value();
}

vecdb::Hits by_cursor(const vecdb::Collection& rows,
                      vecdb::VectorView query,
                      std::size_t most,
                      std::size_t page) {
    vecdb::SearchCursor cursor = rows.cursor(query).value();
    vecdb::Hits all;
    while (all.size() < most) {
        const vecdb::Hits hits = cursor.next(std::min(page, most - all.size())).value();
        all.insert(all.end(), hits.begin(), hits.end());
    }
    return all;
}

vecdb::Hits by_offset(const vecdb::Collection& rows,
                      vecdb::VectorView query,
                      std::size_t most,
                      std::size_t page) {
    vecdb::Hits all;
    while (all.size() < most) {
        const std::size_t count = std::min(page, most - all.size());
        const std::size_t ef = all.size() + count + kBeyond;
        const vecdb::SearchOptions options{
            .k = count, .offset = all.size(), .ef = ef, .rerank = ef};
        const vecdb::Hits hits = rows.search(query, options).value();
        all.insert(all.end(), hits.begin(), hits.end());
    }
    return all;
}

/// The part of the true ranking, with equal scores, that was found.
double recall_of(const vecdb::Hits& hits, const vecdb::Hits& truth) {
    const auto found = std::count_if(hits.begin(), hits.end(), [&](const vecdb::Hit& hit) {
        return hit.score >= truth.back().score;
    });
    return static_cast<double>(found) / static_cast<double>(truth.size());
}

/// Time one way over all queries; returns the recall.
template <class Read>
double measure(const HeldOut& data,
               const std::vector<vecdb::Hits>& truth,
               std::vector<double>& seconds,
               Read&& read) {
    std::vector<vecdb::Hits> hits(truth.size());
    seconds.push_back(seconds_of([&] {
        for (std::size_t q = 0; q < truth.size(); ++q)
            hits[q] = read(data.query(q));
    }));
    double recall = 0;
    for (std::size_t q = 0; q < truth.size(); ++q)
        recall += recall_of(hits[q], truth[q]) / static_cast<double>(truth.size());
    return recall;
}

void compare(const char* name,
             const vecdb::Collection& rows,
             const HeldOut& data,
             const Options& options) {
    const std::size_t queries = data.queries.size() / data.dim;
    for (const std::size_t most : {20U, 100U, 1'000U, 10'000U}) {
        std::vector<vecdb::Hits> truth;
        for (std::size_t q = 0; q < queries; ++q)
            truth.push_back(rows.search(data.query(q), {.k = most, .exact = true}).value());
        std::vector<double> once;
        std::vector<double> cursor;
        std::vector<double> offset;
        double found = 0;
        double paged = 0;
        for (std::size_t round = 0; round < options.rounds; ++round) {
            found = measure(data, truth, once, [&](vecdb::VectorView query) {
                return at_once(rows, query, most);
            });
            paged = measure(data, truth, cursor, [&](vecdb::VectorView query) {
                return by_cursor(rows, query, most, options.page);
            });
            if (most > 1'000) continue;  // 500 searches for each query
            measure(data, truth, offset, [&](vecdb::VectorView query) {
                return by_offset(rows, query, most, options.page);
            });
        }
        const auto each = 1e6 / static_cast<double>(queries);
        std::printf("%-6s %6zu rows: at once %9.1f us, recall %.4f; cursor %9.1f us, x%.2f, %.4f",
                    name,
                    most,
                    median(once) * each,
                    found,
                    median(cursor) * each,
                    median(cursor) / median(once),
                    paged);
        if (!offset.empty()) std::printf("; offsets x%.2f", median(offset) / median(once));
        std::printf("\n");
        std::fflush(stdout);
    }
}

Options options_of(int count, char** values) {
    Options options;
    options.base = vecdb::bench::read_arguments(count,
                                                values,
                                                {{"--rows", &options.rows},
                                                 {"--queries", &options.queries},
                                                 {"--rounds", &options.rounds},
                                                 {"--page", &options.page}});
    return options;
}

void run(const Options& options) {
    const HeldOut data(options.base, options.rows, options.queries);
    vecdb::Database database = vecdb::Database::in_memory().value();
    const auto graph = build(database, "hnsw", data, vecdb::HnswOptions{});
    const auto lists = build(database, "ivf", data, vecdb::IvfOptions{});
    const auto codes = build(database, "flat", data, vecdb::FlatOptions{});
    compare("hnsw", graph, data, options);
    compare("ivf", lists, data, options);
    compare("flat", codes, data, options);
}

}  // namespace

int main(int count, char** values) {
    const Options options = options_of(count, values);
    if (options.base.empty() || options.page == 0) {
        std::fprintf(stderr,
                     "usage: paging BASE.npy [--rows N] [--queries N] [--rounds N] [--page N]\n");
        return 2;
    }
    try {
        run(options);
    } catch (const vecdb::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 3;
    }
    return 0;
}
