// What it costs a vector field not to be the first of its collection: the same vectors behind the
// same index, alone and as a further field whose rows stand in the order of another one's graph.
// Usage: vector_fields BASE.npy [--rows N] [--queries N] [--rounds N]
//   the rows of BASE, by cosine; every (rows / queries)-th is held out as a query

#include "arguments.h"
#include "held_out.h"
#include "timing.h"

#include <vecdb/vecdb.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace {

using vecdb::bench::HeldOut;
using vecdb::bench::median;
using vecdb::bench::seconds_of;

constexpr std::size_t kK = 10;

struct Options {
    std::string base;
    std::size_t rows = 400'000;
    std::size_t queries = 500;
    std::size_t rounds = 9;
};

/// Rows and queries, and the rows in random order.
struct Data : HeldOut {
    explicit Data(const Options& options)
        : HeldOut(options.base, options.rows, options.queries), ids(rows.size() / dim) {
        std::vector<std::size_t> order(ids.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::shuffle(order.begin(), order.end(), std::mt19937_64(1));
        for (const std::size_t row : order) {
            const auto first = rows.begin() + static_cast<std::ptrdiff_t>(row * dim);
            shuffled.insert(shuffled.end(), first, first + static_cast<std::ptrdiff_t>(dim));
        }
        std::iota(ids.begin(), ids.end(), vecdb::Id{0});
    }
    [[nodiscard]] std::size_t query_count() const { return queries.size() / dim; }

    std::vector<vecdb::Id> ids;
    std::vector<float> shuffled;
};

vecdb::VectorField field_of(const Data& data, const char* name, const vecdb::IndexOptions& index) {
    return {.name = name, .dim = data.dim, .metric = vecdb::Metric::kCosine, .index = index};
}

vecdb::Collection build(vecdb::Database& database,
                        const std::string& name,
                        const vecdb::Schema& schema,
                        const Data& data,
                        const std::vector<float>& first,
                        const std::vector<vecdb::ColumnView>& columns) {
    vecdb::Collection made = database.create_collection(name, schema).value();
    made.insert(data.ids, vecdb::MatrixView(first, data.dim), columns).check();
    const double took = seconds_of([&] { made.build_index({.threads = 2}).check(); });
    std::printf("%s: built in %.1f s\n", name.c_str(), took);
    std::fflush(stdout);
    return made;
}

/// One way to ask for the same rows.
struct Contestant {
    vecdb::Collection rows;
    std::string field;
    std::vector<double> seconds = {};
    std::vector<vecdb::Hits> hits = {};
};

/// Ask all queries, each under a filter of its own where `share` is below 1. Filters are prepared
/// for searches, or have only been counted, so that a further field has yet to put their rows in
/// its order.
void ask(Contestant& contestant, const Data& data, double share, bool prepared) {
    std::vector<vecdb::Filter> filters(data.query_count());
    for (std::size_t q = 0; share < 1.0 && q < filters.size(); ++q) {
        vecdb::Bitset allowed(data.ids.size());
        std::mt19937_64 random(q);
        for (std::size_t i = 0; i < data.ids.size(); ++i)
            allowed.set(i, static_cast<double>(random() % 10'000) < share * 10'000);
        filters[q] = vecdb::Filter::allow(allowed);
        if (prepared) {
            contestant.rows.prepare(filters[q]).check();
        } else {
            contestant.rows.count(filters[q]).status().check();
        }
    }
    contestant.hits.resize(data.query_count());
    contestant.seconds.push_back(seconds_of([&] {
        for (std::size_t q = 0; q < data.query_count(); ++q) {
            const vecdb::SearchOptions options{
                .k = kK, .field = contestant.field, .filter = filters[q]};
            contestant.hits[q] = contestant.rows.search(data.query(q), options).value();
        }
    }));
}

double recall_of(const Contestant& contestant, const Contestant& exact, const Data& data) {
    std::size_t found = 0;
    for (std::size_t q = 0; q < data.query_count(); ++q) {
        const auto truth =
            exact.rows.search(data.query(q), {.k = kK, .field = exact.field, .exact = true})
                .value();
        for (const vecdb::Hit& hit : contestant.hits[q])
            found += hit.score >= truth.back().score ? 1U : 0U;
    }
    return static_cast<double>(found) / static_cast<double>(kK * data.query_count());
}

void compare(Contestant alone, Contestant further, const Data& data, std::size_t rounds) {
    struct Case {
        double share;
        bool prepared;
    };
    for (const auto [share, prepared] : {Case{1.0, true},
                                         Case{0.1, true},
                                         Case{0.1, false},
                                         Case{0.01, true},
                                         Case{0.01, false}}) {
        alone.seconds.clear();
        further.seconds.clear();
        for (std::size_t round = 0; round < rounds; ++round) {
            ask(alone, data, share, prepared);
            ask(further, data, share, prepared);
        }
        const auto queries = static_cast<double>(data.query_count());
        const double first = queries / median(alone.seconds);
        const double second = queries / median(further.seconds);
        std::printf("%-6s %5.3g %% allowed%s: alone %9.0f queries/s, further field %9.0f, x%.2f",
                    further.field.c_str(),
                    100 * share,
                    prepared ? "" : ", filters not prepared",
                    first,
                    second,
                    second / first);
        if (share == 1.0) {
            std::printf(", recall %.4f and %.4f",
                        recall_of(alone, alone, data),
                        recall_of(further, alone, data));
        }
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
                                                 {"--rounds", &options.rounds}});
    return options;
}

void run(const Options& options) {
    const Data data(options);
    const vecdb::IndexOptions graph = vecdb::HnswOptions{};
    const vecdb::IndexOptions lists = vecdb::IvfOptions{};
    vecdb::Database database = vecdb::Database::in_memory().value();
    vecdb::Schema schema;
    schema.segments.seal_rows = 0;
    schema.vectors = {field_of(data, "graph", graph)};
    const auto alone_graph = build(database, "graph", schema, data, data.rows, {});
    schema.vectors = {field_of(data, "lists", lists)};
    const auto alone_lists = build(database, "lists", schema, data, data.rows, {});
    schema.vectors = {field_of(data, "first", graph),
                      field_of(data, "graph", graph),
                      field_of(data, "lists", lists)};
    const vecdb::MatrixView rows(data.rows, data.dim);
    const auto three =
        build(database, "three", schema, data, data.shuffled, {{"graph", rows}, {"lists", rows}});
    compare({alone_graph, "graph"}, {three, "graph"}, data, options.rounds);
    compare({alone_lists, "lists"}, {three, "lists"}, data, options.rounds);
}

}  // namespace

int main(int count, char** values) {
    const Options options = options_of(count, values);
    if (options.base.empty()) {
        std::fprintf(stderr,
                     "usage: vector_fields BASE.npy [--rows N] [--queries N] [--rounds N]\n");
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
