// Parts of a ranking: offset, score threshold, ring, and the cursor, each beside the whole ranking.

#include "support/catch.h"
#include "support/collections.h"
#include "support/mixed_rows.h"
#include "support/random_data.h"

#include <vecdb/collection.h>
#include <vecdb/cursor.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vecdb {
namespace {

using test::Matrix;

const IndexOptions kExactIndexes[] = {FlatOptions{}, FlatOptions{.codes = Codes::kNone}};
const IndexOptions kOtherIndexes[] = {HnswOptions{},
                                      HnswOptions{.codes = Codes::kNone},
                                      IvfOptions{.nlist = 20},
                                      IvfOptions{.nlist = 20, .codes = Codes::kPq4}};

/// Rows of one kind of index, and what to ask for.
struct Ranked {
    explicit Ranked(Metric metric, const IndexOptions& index)
        : rows(test::normal_rows(test::kMixedRows, test::kMixedDim, 3)),
          queries(test::normal_rows(6, test::kMixedDim, 4)),
          collection(test::make_mixed(metric, index, rows)) {}

    Matrix rows;
    Matrix queries;
    Collection collection;

    [[nodiscard]] VectorView query(std::size_t i) const { return VectorView(queries.row(i)); }
    [[nodiscard]] Hits all(std::size_t i, const Filter& filter = {}) const {
        return collection.search(query(i), {.k = kMaxK, .filter = filter, .exact = true}).value();
    }
};

Hits part(const Hits& hits, std::size_t first, std::size_t count) {
    first = std::min(first, hits.size());
    const auto begin = hits.begin() + static_cast<std::ptrdiff_t>(first);
    return {begin, begin + static_cast<std::ptrdiff_t>(std::min(count, hits.size() - first))};
}

bool sorted(Metric metric, const Hits& hits) {
    return std::is_sorted(hits.begin(), hits.end(), [&](const Hit& a, const Hit& b) {
        if (a.score != b.score)
            return larger_is_nearer(metric) ? a.score > b.score : a.score < b.score;
        return a.id < b.id;
    });
}

/// Read a cursor to its end.
Hits read(SearchCursor& cursor, std::size_t page) {
    Hits all;
    while (!cursor.done()) {
        const Hits hits = cursor.next(page).value();
        if (!cursor.done()) REQUIRE(hits.size() == page);
        all.insert(all.end(), hits.begin(), hits.end());
    }
    CHECK(cursor.next(page).value().empty());
    return all;
}

}  // namespace

TEST_CASE("a page is a slice of the long answer, however it is asked for") {
    for (const Metric metric : test::kAllMetrics) {
        for (const IndexOptions& index : kExactIndexes) {
            const Ranked ranked(metric, index);
            for (const Filter& filter : {Filter(), Filter(field("flag"))}) {
                const Hits all = ranked.all(0, filter);
                REQUIRE(all.size() > 1'000);
                for (const auto& [k, offset] : std::vector<std::pair<std::size_t, std::size_t>>{
                         {10, 0}, {10, 7}, {3, 100}, {1, 999}, {50, all.size() - 3}, {9, 9'000}}) {
                    CAPTURE(to_string(metric), k, offset);
                    for (const std::size_t threads : {1U, 4U}) {
                        const SearchOptions options{
                            .k = k, .offset = offset, .filter = filter, .threads = threads};
                        const Hits wanted = part(all, offset, k);
                        CHECK(ranked.collection.search(ranked.query(0), options).value() == wanted);
                        const auto batch =
                            ranked.collection.search(ranked.queries.view(), options).value();
                        CHECK(Hits(batch[0].begin(), batch[0].end()) == wanted);
                        CHECK(batch[5].size() == wanted.size());
                        Hits slots(k + 1);
                        CHECK(ranked.collection.search_into(ranked.query(0), options, slots)
                                  .value() == wanted.size());
                        CHECK(part(slots, 0, wanted.size()) == wanted);
                        CHECK(slots.back().id == kNoId);
                        CHECK(ranked.collection.search_async(ranked.query(0), options)
                                  .get()
                                  .value() == wanted);
                    }
                }
            }
        }
    }
}

TEST_CASE("a score threshold cuts the ranking, equal scores included") {
    for (const Metric metric : test::kAllMetrics) {
        const Ranked ranked(metric, FlatOptions{});
        const Hits all = ranked.all(1);
        for (const std::size_t last : {0U, 1U, 20U, 300U}) {
            const float threshold = all[last].score;
            SearchOptions options{.k = 100, .score_threshold = threshold};
            const Hits wanted = part(all, 0, std::min<std::size_t>(last + 1, 100));
            CHECK(ranked.collection.search(ranked.query(1), options).value() == wanted);
            CHECK(ranked.collection.search_async(ranked.query(1), options).get().value() == wanted);
            const auto batch = ranked.collection.search(ranked.queries.view(), options).value();
            CHECK(Hits(batch[1].begin(), batch[1].end()) == wanted);
            // Behind the count is padding, as where rows are too few.
            if (wanted.size() < 100) CHECK(batch.padded()[100 + wanted.size()].id == kNoId);
            const float next = std::nextafter(threshold, larger_is_nearer(metric) ? 1e9F : -1e9F);
            options.score_threshold = next;
            CHECK(ranked.collection.search(ranked.query(1), options).value() ==
                  part(all, 0, std::min<std::size_t>(last, 100)));
            options = {.k = 5, .offset = 3, .score_threshold = threshold};
            CHECK(ranked.collection.search(ranked.query(1), options).value() ==
                  part(part(all, 0, last + 1), 3, 5));
        }
    }
}

TEST_CASE("an inner radius makes a ring") {
    for (const Metric metric : test::kAllMetrics) {
        const Ranked ranked(metric, FlatOptions{});
        const Hits all = ranked.all(2);
        const float outer = all[200].score;
        for (const std::size_t first : {0U, 1U, 57U, 200U}) {
            const SearchOptions options{.inner_radius = all[first].score};
            CHECK(ranked.collection.range_search(ranked.query(2), outer, options).value() ==
                  part(all, first, 201 - first));
        }
        const SearchOptions beyond{.inner_radius = all[201].score};
        const Status status =
            ranked.collection.range_search(ranked.query(2), outer, beyond).status();
        CHECK(status.code() == StatusCode::kInvalidArgument);
        CHECK(status.message().find("inner_radius") != std::string::npos);
    }
}

TEST_CASE("offset, threshold and radius that cannot be are refused with value and limit") {
    const Ranked ranked(Metric::kL2, FlatOptions{});
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const auto refused = [&](const SearchOptions& options, const std::string& text) {
        const Status status = ranked.collection.search(ranked.query(0), options).status();
        CHECK(status.code() == StatusCode::kInvalidArgument);
        CHECK(status.message().find(text) != std::string::npos);
        const auto same = [&](const Status& other) {
            return other.to_string() == status.to_string();
        };
        CHECK(same(ranked.collection.cursor(ranked.query(0), options).status()));
        CHECK(same(ranked.collection.search_async(ranked.query(0), options).get().status()));
    };
    refused({.k = 1, .offset = kMaxK + 1}, "offset is 16385; allowed are 0 to 16384");
    refused({.k = 2, .offset = kMaxK - 1}, "offset + k is 16385; allowed are 0 to 16384");
    refused({.score_threshold = nan}, "score_threshold is nan");
    refused({.inner_radius = nan}, "inner_radius is nan");
    CHECK(ranked.collection.search(ranked.query(0), {.k = 1, .offset = kMaxK - 1}).ok());
    SearchCursor cursor = ranked.collection.cursor(ranked.query(0)).value();
    const Status status = cursor.next(kMaxK + 1).status();
    CHECK(status.message() == "count is 16385; allowed are 0 to 16384");
    CHECK(cursor.next(kMaxK).value().size() == ranked.collection.count());
}

TEST_CASE("the pages of a cursor are the sorted rows, whatever their size") {
    for (const Metric metric : test::kAllMetrics) {
        for (const IndexOptions& index : kExactIndexes) {
            const Ranked ranked(metric, index);
            for (const std::size_t page : {1U, 7U, 64U, 1'000U, 5'000U}) {
                SearchCursor cursor = ranked.collection.cursor(ranked.query(3)).value();
                CHECK(test::identical(read(cursor, page), ranked.all(3)));
            }
            const Filter some(field("group") == 2);
            SearchCursor filtered =
                ranked.collection.cursor(ranked.query(3), {.offset = 5, .filter = some}).value();
            CHECK(read(filtered, 10) == part(ranked.all(3, some), 5, kMaxK));
        }
    }
}

TEST_CASE("a cursor brings every row once with any index, the nearest of them first") {
    for (const Metric metric : test::kAllMetrics) {
        for (const IndexOptions& index : kOtherIndexes) {
            const Ranked ranked(metric, index);
            CAPTURE(to_string(metric), index.index());
            const Hits all = ranked.all(4);
            SearchCursor cursor = ranked.collection.cursor(ranked.query(4)).value();
            const Hits first = cursor.next(50).value();
            CHECK(sorted(metric, first));
            std::size_t right = 0;
            for (const Hit& hit : first)
                right += std::count(all.begin(), all.begin() + 50, hit) != 0 ? 1U : 0U;
            // The random rows of so few lists are those that lists serve worst.
            CHECK(right >= (std::holds_alternative<IvfOptions>(index) ? 35U : 48U));
            Hits read_all = read(cursor, 20);
            read_all.insert(read_all.end(), first.begin(), first.end());
            std::set<Id> ids;
            for (const Hit& hit : read_all)
                ids.insert(hit.id);
            CHECK(ids.size() == read_all.size());
            CHECK(read_all.size() == ranked.collection.count());
        }
    }
}

TEST_CASE("a cursor holds its rows while others are written and removed") {
    Ranked ranked(Metric::kL2, HnswOptions{});
    Pin pin = ranked.collection.pin();
    SearchCursor cursor = ranked.collection.cursor(ranked.query(0)).value();
    Hits read_all = cursor.next(10).value();
    Collection writer = ranked.collection;
    std::vector<Id> gone;
    for (Id id = 0; id < static_cast<Id>(test::kMixedRows); id += 2)
        gone.push_back(id);
    CHECK(writer.remove(gone).value() > 0);
    writer.build_index().check();
    test::insert_mixed(writer, ranked.rows, 0, 1);
    const Hits rest = read(cursor, 100);
    read_all.insert(read_all.end(), rest.begin(), rest.end());
    std::set<Id> ids;
    for (const Hit& hit : read_all)
        ids.insert(hit.id);
    CHECK(ids.size() == read_all.size());
    CHECK(ids.size() == pin.count());
    for (const Hit& hit : pin.search(ranked.query(0), {.k = kMaxK, .exact = true}).value())
        CHECK(ids.count(hit.id) == 1);
}

TEST_CASE("a cursor ends at the score threshold, works on parts, and can be moved") {
    const Ranked ranked(Metric::kCosine, FlatOptions{});
    const Hits all = ranked.all(5);
    SearchCursor near =
        ranked.collection.cursor(ranked.query(5), {.score_threshold = all[123].score}).value();
    SearchCursor moved = std::move(near);
    CHECK(read(moved, 10) == part(all, 0, 124));
    CHECK(near.done());  // NOLINT(bugprone-use-after-move): that is what it says
    CHECK(near.next(1).status().code() == StatusCode::kInvalidArgument);

    SearchCursor of_part = ranked.collection.partition("other")->cursor(ranked.query(5)).value();
    const Hits other = read(of_part, 33);
    CHECK(other ==
          ranked.collection.search(ranked.query(5), {.k = kMaxK, .partitions = {"other"}}).value());
    SearchCursor none =
        ranked.collection.cursor(ranked.query(5), {.filter = Filter(field("group") == 999)})
            .value();
    CHECK(none.done());
    CHECK(none.next(5).value().empty());
    CHECK(ranked.collection.cursor(ranked.query(5), {.group_by = "label"}).status().code() ==
          StatusCode::kUnsupported);
    SearchReport report;
    CHECK(ranked.collection.cursor(ranked.query(5), {.report = &report}).status().code() ==
          StatusCode::kUnsupported);
}

}  // namespace vecdb
