// The nearest row of each value of a field, beside a ranking of all rows that is grouped here.

#include "support/catch.h"
#include "support/collections.h"
#include "support/mixed_rows.h"
#include "support/random_data.h"

#include <vecdb/collection.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace vecdb {
namespace {

using test::Matrix;

Scalar value_of(const std::string& field, Id id) {
    if (field == "group") return test::mixed_group(id);
    return field == "label" ? test::mixed_label(id) : Scalar(id % 2 == 0);
}

/// Group a ranking of all rows.
Hits grouped(const Hits& all, const std::string& field, std::size_t offset, std::size_t k) {
    Hits best;
    std::set<Scalar> seen;
    for (const Hit& hit : all) {
        if (seen.insert(value_of(field, hit.id)).second) best.push_back(hit);
    }
    best.erase(best.begin(),
               best.begin() + static_cast<std::ptrdiff_t>(std::min(offset, best.size())));
    best.resize(std::min(k, best.size()));
    return best;
}

}  // namespace

TEST_CASE("the nearest of each group, as a full ranking has them") {
    const Matrix rows = test::normal_rows(test::kMixedRows, test::kMixedDim, 5);
    const Matrix queries = test::normal_rows(4, test::kMixedDim, 6);
    for (const Metric metric : test::kAllMetrics) {
        const Collection collection = test::make_mixed(metric, FlatOptions{}, rows);
        for (const Filter& filter :
             {Filter(), Filter(field("group") > 10), Filter(!field("flag"))}) {
            const SearchOptions everything{.k = kMaxK, .filter = filter, .exact = true};
            const Hits all = collection.search(VectorView(queries.row(1)), everything).value();
            for (const std::string field : {"group", "label", "flag"}) {
                for (const std::size_t k : {1U, 2U, 5U, 12U, 25U, 100U}) {
                    for (const std::size_t offset : {0U, 3U}) {
                        CAPTURE(to_string(metric), field, k, offset);
                        const SearchOptions options{
                            .k = k, .offset = offset, .group_by = field, .filter = filter};
                        const Hits wanted = grouped(all, field, offset, k);
                        CHECK(collection.search(VectorView(queries.row(1)), options).value() ==
                              wanted);
                        const auto batch = collection.search(queries.view(), options).value();
                        CHECK(Hits(batch[1].begin(), batch[1].end()) == wanted);
                        Hits slots(k);
                        CHECK(collection.search_into(VectorView(queries.row(1)), options, slots)
                                  .value() == wanted.size());
                    }
                }
            }
        }
    }
}

TEST_CASE("groups whose best row is far are found in later rounds") {
    // One group has the nearest 2,900 rows.
    Schema schema = Schema::single(1);
    schema.segments.seal_rows = 0;
    schema.scalars = {{.name = "shop", .type = ScalarType::kString, .nullable = true}};
    Collection collection = test::make_collection(schema);
    Matrix rows(3'000, 1);
    std::vector<Scalar> shops;
    for (std::size_t i = 0; i < 3'000; ++i) {
        rows.row(i)[0] = static_cast<float>(i);
        shops.push_back(i < 2'900     ? Scalar("large")
                        : i % 10 == 0 ? Scalar()
                                      : Scalar("s" + std::to_string(i % 10)));
    }
    collection.insert(test::sequential_ids(3'000), rows.view(), {{"shop", shops}}).check();
    const std::vector<float> zero = {0.0F};
    SearchReport report;
    const Hits hits =
        collection.search(zero, {.k = 20, .group_by = "shop", .report = &report}).value();
    CHECK(test::ids_of(hits) ==
          std::vector<Id>{0, 2900, 2901, 2902, 2903, 2904, 2905, 2906, 2907, 2908, 2909});
    CHECK(report.rounds > 1);
    CHECK(report.hits == 11);
    const Hits within =
        collection.range_search(zero, 2903.0F * 2903.0F, {.group_by = "shop"}).value();
    CHECK(test::ids_of(within) == std::vector<Id>{0, 2900, 2901, 2902, 2903});
    const FoundRows found =
        collection.find(zero, {.k = 3, .group_by = "shop"}, std::vector<std::string>{"shop"})
            .value();
    CHECK(found.columns[0].values == std::vector<Scalar>{"large", {}, "s1"});
    const Hits near =
        collection.search(zero, {.k = 20, .score_threshold = 8'410'000.0F, .group_by = "shop"})
            .value();
    CHECK(test::ids_of(near) == std::vector<Id>{0, 2900});
}

TEST_CASE("with other indexes there are as many groups, nearly all by their best row") {
    const Matrix rows = test::normal_rows(test::kMixedRows, test::kMixedDim, 7);
    const Matrix query = test::normal_rows(1, test::kMixedDim, 8);
    for (const IndexOptions& index :
         {IndexOptions(HnswOptions{}), IndexOptions(IvfOptions{.nlist = 20})}) {
        const Collection collection = test::make_mixed(Metric::kL2, index, rows);
        const Hits all =
            collection.search(VectorView(query.row(0)), {.k = kMaxK, .exact = true}).value();
        for (const std::size_t k : {5U, 40U}) {
            const Hits wanted = grouped(all, "group", 0, k);
            const Hits hits =
                collection
                    .search(VectorView(query.row(0)), {.k = k, .group_by = "group", .nprobe = 10})
                    .value();
            REQUIRE(hits.size() == wanted.size());
            std::set<Scalar> groups;
            std::size_t same = 0;
            for (const Hit& hit : hits) {
                groups.insert(test::mixed_group(hit.id));
                same += std::count(wanted.begin(), wanted.end(), hit) != 0 ? 1U : 0U;
            }
            CHECK(groups.size() == hits.size());
            CHECK(same * 10 >= hits.size() * 9);
        }
    }
}

TEST_CASE("a field that cannot group is refused by name and type") {
    const Matrix rows = test::normal_rows(test::kMixedRows, test::kMixedDim, 5);
    const Collection collection = test::make_mixed(Metric::kL2, FlatOptions{}, rows);
    const auto refused = [&](const std::string& field) {
        const Status status =
            collection.search(VectorView(rows.row(0)), {.group_by = field}).status();
        CHECK(status.code() == StatusCode::kInvalidArgument);
        return status.message();
    };
    CHECK(refused("real") ==
          "group_by names field 'real' of type double; allowed are bool, int64 and string");
    CHECK(refused("colour").find("colour") != std::string::npos);
    CHECK(collection.search_async(VectorView(rows.row(0)), {.group_by = "label"})
              .get()
              .status()
              .code() == StatusCode::kUnsupported);
}

}  // namespace vecdb
