// The library's own indexes as a user meets them: through a collection.

#include "support/catch.h"
#include "support/collections.h"
#include "support/model.h"
#include "support/random_data.h"

#include <vecdb/collection.h>
#include <vecdb/filter.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vecdb {
namespace {

using test::Matrix;
using test::Model;

constexpr std::size_t kDim = 24;
constexpr std::size_t kRows = 2'000;

struct Served {
    std::string name;
    Schema schema;
};

/// The schemas of all indexes in this build, with every metric.
std::vector<Served> served() {
    std::vector<Served> all;
    for (const Metric metric : test::kAllMetrics) {
        for (const IndexOptions& options : {IndexOptions(FlatOptions{}),
                                            IndexOptions(HnswOptions{}),
                                            IndexOptions(HnswOptions{.codes = Codes::kNone}),
                                            IndexOptions(IvfOptions{}),
                                            IndexOptions(IvfOptions{.codes = Codes::kNone})}) {
            Schema schema = Schema::single(kDim, metric);
            schema.vectors[0].index = options;
            schema.segments.seal_rows = 0;  // rows stay as the test has put them
            const Status status = schema.validate();
            if (status.code() == StatusCode::kUnsupported) continue;  // not in this build
            status.check();
            all.push_back({std::to_string(options.index()) + " " + std::string(to_string(metric)),
                           std::move(schema)});
        }
    }
    return all;
}

/// A collection, half of it sealed and changed since, beside the model of it.
struct Subject {
    explicit Subject(const Schema& schema)
        : model(kDim, schema.vectors[0].metric), collection(test::make_collection(schema)) {
        upsert(test::shuffled_ids(kRows, 1), test::normal_rows(kRows, kDim, 2));
        collection.build_index({.threads = 2}).check();
        upsert(test::sequential_ids(300, kRows - 150), test::normal_rows(300, kDim, 3));
        const std::vector<Id> gone = test::sequential_ids(200, 50);
        collection.remove(gone).status().check();
        for (const Id id : gone)
            model.remove(id);
    }
    void upsert(const std::vector<Id>& ids, const Matrix& rows) {
        collection.upsert(ids, rows.view()).check();
        model.upsert(ids, rows.view());
    }

    Model model;
    Collection collection;
};

/// Count the hits that are right, and complain of those that may not be there.
std::size_t count_right(const Subject& subject,
                        std::span<const float> query,
                        std::span<const Hit> hits,
                        const SearchOptions& options,
                        const Model::Allowed& allowed) {
    CHECK(hits.size() == std::min(options.k, subject.model.count(allowed)));
    const Hits truth = subject.model.exact_search(query, options.k, allowed);
    std::size_t right = 0;
    for (const Hit& hit : hits) {
        if (!subject.model.contains(hit.id) || !allowed(hit.id)) FAIL_CHECK("id " << hit.id);
        right += static_cast<std::size_t>(std::count_if(
            truth.begin(), truth.end(), [&](const Hit& each) { return each.id == hit.id; }));
    }
    return right;
}

TEST_CASE(
    "indexed collections answer with live allowed rows, as many as asked for, nearly all of "
    "the nearest") {
    const Matrix queries = test::normal_rows(20, kDim, 4);
    for (const Served& index : served()) {
        const Subject subject(index.schema);
        for (const Id step : {1, 3, 40, 1000}) {
            CAPTURE(index.name, step);
            const Model::Allowed allowed = [step](Id id) {
                return id % step == 0;
            };
            const SearchOptions options{.k = 10,
                                        .filter = step == 1 ? Filter() : Filter::where(allowed),
                                        .ef = 400,
                                        .nprobe = 1'000};
            const SearchResult batch = subject.collection.search(queries.view(), options).value();
            std::size_t right = 0, wanted = 0;
            for (std::size_t q = 0; q < queries.rows; ++q) {
                const auto query = queries.row(q);
                right += count_right(subject, query, batch[q], options, allowed);
                wanted += batch[q].size();
                const Hits single = subject.collection.search(VectorView(query), options).value();
                CHECK(test::identical(single, batch[q]));
            }
            CHECK(static_cast<double>(right) >= 0.95 * static_cast<double>(wanted));
        }
    }
}

TEST_CASE("answers of indexed collections do not depend on the number of threads") {
    const Matrix queries = test::normal_rows(50, kDim, 5);
    for (const Served& index : served()) {
        CAPTURE(index.name);
        const Subject subject(index.schema);
        const SearchResult one = subject.collection.search(queries.view(), {.k = 20}).value();
        for (const std::size_t threads : {2U, 5U}) {
            const SearchResult many =
                subject.collection.search(queries.view(), {.k = 20, .threads = threads}).value();
            CHECK(test::identical(one.padded(), many.padded()));
        }
        const SearchOptions options{.k = 20, .threads = 3};
        CHECK(test::identical(
            subject.collection.search(VectorView(queries.row(7)), options).value(), one[7]));
    }
}

TEST_CASE("a radius search of indexed collections misses nothing") {
    const Matrix queries = test::normal_rows(5, kDim, 6);
    const auto even = [](Id id) {
        return id % 2 == 0;
    };
    for (const Served& index : served()) {
        CAPTURE(index.name);
        const Subject subject(index.schema);
        for (std::size_t q = 0; q < queries.rows; ++q) {
            const auto query = queries.row(q);
            const float radius = subject.model.exact_search(query, 50).back().score;
            for (const bool filtered : {false, true}) {
                const SearchOptions options{.filter = filtered ? Filter::where(even) : Filter()};
                const Hits hits =
                    subject.collection.range_search(VectorView(query), radius, options).value();
                CHECK(subject.model.range_fault(
                          query, radius, hits, filtered ? even : Model::everything()) == "");
            }
        }
    }
}

TEST_CASE("indexes of no rows, of one and of equal ones are built or refuse, and rows are found") {
    for (const Served& index : served()) {
        for (const std::size_t rows : {0U, 1U, 2U, 40U}) {
            CAPTURE(index.name, rows);
            Collection collection = test::make_collection(index.schema);
            Matrix equal(rows, kDim);
            std::fill(equal.values.begin(), equal.values.end(), 1.5F);
            REQUIRE(collection.insert(test::sequential_ids(rows), equal.view()).ok());
            const Status status = collection.build_index();
            CAPTURE(status.message());
            if (!status.ok()) CHECK_FALSE(status.message().empty());
            const std::vector<float> query(kDim, 1.0F);
            const Hits hits = collection.search(query, {.k = 100}).value();
            CHECK(test::ids_of(hits) == test::sequential_ids(rows));
        }
    }
}

}  // namespace
}  // namespace vecdb
