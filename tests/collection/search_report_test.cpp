// What a search says that it did.

#include "support/catch.h"
#include "support/collections.h"
#include "support/mixed_rows.h"
#include "support/random_data.h"

#include <vecdb/collection.h>
#include <vecdb/search_report.h>
#include <vecdb/simd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace vecdb {
namespace {

using test::Matrix;

const SegmentReport& segment(const SearchReport& report, const std::string& partition, bool index) {
    const auto found =
        std::find_if(report.segments.begin(), report.segments.end(), [&](const auto& each) {
            return each.partition == partition && each.index.empty() != index;
        });
    REQUIRE(found != report.segments.end());
    return *found;
}

double stages(const SearchReport& report) {
    return report.prepare_us + report.filter_us + report.index_us + report.scan_us +
           report.finish_us;
}

}  // namespace

TEST_CASE("a report has every segment, its rows, its plan and what was compared") {
    const Matrix rows = test::normal_rows(test::kMixedRows, test::kMixedDim, 9);
    const Collection collection =
        test::make_mixed(Metric::kCosine, FlatOptions{.codes = Codes::kSq4}, rows);
    SearchReport report;
    const Hits hits =
        collection.search(VectorView(rows.row(1)), {.k = 7, .offset = 2, .report = &report})
            .value();
    CHECK(hits == collection.search(VectorView(rows.row(1)), {.k = 7, .offset = 2}).value());
    CHECK(report.metric == "cosine");
    CHECK(report.field == "vector");
    CHECK(report.simd_level == active_simd_level().value());
    CHECK(report.queries == 1);
    CHECK(report.k == 9);
    CHECK(report.hits == 7);
    CHECK(report.threads == 1);
    CHECK(report.rounds == 1);
    CHECK(report.live_rows == collection.count());
    CHECK(report.allowed_rows == collection.count());
    REQUIRE(report.segments.size() == 4);
    const SegmentReport& sealed = segment(report, "default", true);
    CHECK(sealed.index == "flat");
    CHECK(sealed.rows == 1'800);
    CHECK(sealed.live_rows == 1'600);
    CHECK(sealed.plan == SearchPlan::kCodes);
    CHECK(sealed.counters.distances >= 1'600);
    CHECK(sealed.counters.rescored >= 9);
    CHECK(sealed.counters.rescored < 1'600);
    CHECK(sealed.reason == "the index has one way");
    const SegmentReport& growing = segment(report, "other", false);
    CHECK(growing.live_rows == growing.counters.distances);
    CHECK(growing.reason == "the segment has no index");
    std::size_t live = 0;
    for (const SegmentReport& each : report.segments)
        live += each.live_rows;
    CHECK(live == collection.count());
}

TEST_CASE("a report says why an index compared the allowed rows") {
    const Matrix rows = test::normal_rows(test::kMixedRows, test::kMixedDim, 9);
    const Collection graph =
        test::make_mixed(Metric::kL2, HnswOptions{.codes = Codes::kNone}, rows);
    SearchReport report;
    const std::vector<Id> few = {1, 2, 4, 1'900};
    const auto ask = [&](const Collection& collection, const SearchOptions& options) {
        CHECK(collection.search(VectorView(rows.row(1)), options).ok());
    };
    ask(graph, {.k = 3, .filter = Filter::allow_ids(few), .report = &report});
    CHECK(report.allowed_rows == 4);
    const SegmentReport scanned = segment(report, "default", true);
    CHECK(scanned.allowed_rows == 3);
    CHECK(scanned.plan == SearchPlan::kRows);
    CHECK(scanned.counters.distances == 3);
    CHECK(scanned.counters.scan_cost < scanned.counters.index_cost);
    CHECK(scanned.reason.find(" against 3 for the allowed rows") != std::string::npos);
    const SegmentReport none = segment(report, "default", false);
    CHECK(none.allowed_rows == 0);
    CHECK(none.plan == SearchPlan::kNone);
    CHECK(none.reason == "no row is allowed");

    ask(graph, {.k = 1, .exact = true, .report = &report});
    CHECK(segment(report, "default", false).reason == "SearchOptions::exact asks for every row");

    const Collection lists =
        test::make_mixed(Metric::kL2, IvfOptions{.nlist = 10, .codes = Codes::kNone}, rows);
    ask(lists, {.k = 3, .nprobe = 4, .report = &report});
    const SegmentReport opened = segment(report, "default", true);
    CHECK(opened.plan == SearchPlan::kLists);
    CHECK(opened.counters.visited == 4);
    CHECK(opened.counters.distances < 1'600);
}

TEST_CASE("a walk is reported with the nodes it came to") {
    const Matrix rows = test::normal_rows(20'000, test::kMixedDim, 9);
    Schema schema = Schema::single(test::kMixedDim);
    schema.vectors[0].index = HnswOptions{};
    schema.segments.seal_rows = 0;
    Collection collection = test::make_collection(schema);
    collection.insert(test::sequential_ids(20'000), rows.view()).check();
    collection.build_index().check();
    SearchReport report;
    CHECK(collection.search(VectorView(rows.row(1)), {.report = &report}).ok());
    REQUIRE(report.segments.size() == 1);
    const SegmentReport walked = report.segments.front();
    CHECK(walked.plan == SearchPlan::kGraph);
    CHECK(walked.counters.visited >= 64);
    CHECK(walked.counters.visited < 1'000);
    CHECK(walked.counters.distances > walked.counters.visited);
    CHECK(walked.counters.rescored >= 10);
    CHECK(walked.counters.index_cost < walked.counters.scan_cost);

    // Of a batch everything is counted together.
    SearchReport batch;
    CHECK(collection.search(rows.view().slice(1, 1), {.report = &batch}).ok());
    CHECK(batch.segments.front().counters.visited == walked.counters.visited);
    CHECK(collection.search(rows.view().slice(0, 50), {.threads = 4, .report = &batch}).ok());
    CHECK(batch.queries == 50);
    CHECK(batch.hits == 500);
    CHECK(batch.segments.front().counters.visited > 25 * walked.counters.visited);
}

TEST_CASE("the stages of a report are all of its time, and that is the call's") {
    const Matrix rows = test::normal_rows(100'000, 32, 9);
    const Collection collection =
        test::make_collection(Metric::kL2, test::sequential_ids(100'000), rows);
    std::size_t close = 0;
    for (int i = 0; i < 20; ++i) {
        SearchReport report;
        const auto begin = std::chrono::steady_clock::now();
        CHECK(
            collection.search(VectorView(rows.row(1)), {.k = 100, .exact = true, .report = &report})
                .ok());
        const double took =
            std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
                .count();
        REQUIRE(report.total_us <= took);
        CHECK(stages(report) == Approx(report.total_us));
        CHECK(report.scan_us > 0);
        CHECK(segment(report, "default", false).microseconds <= report.scan_us);
        close += stages(report) >= 0.95 * took ? 1U : 0U;
    }
    // A busy machine may take the processor away between the two clocks.
    CHECK(close >= 15);
}

TEST_CASE("range searches and batches are reported too, failures are not") {
    const Matrix rows = test::normal_rows(test::kMixedRows, test::kMixedDim, 9);
    const Collection collection = test::make_mixed(Metric::kL2, IvfOptions{.nlist = 10}, rows);
    SearchReport report;
    const Hits hits =
        collection.range_search(VectorView(rows.row(1)), 6.0F, {.report = &report}).value();
    CHECK(report.hits == hits.size());
    CHECK(segment(report, "default", true).plan == SearchPlan::kCodes);
    CHECK(segment(report, "default", true).counters.distances >= 1'600);
    CHECK(segment(report, "default", false).plan == SearchPlan::kRows);
    CHECK(collection.find(VectorView(rows.row(1)), {.k = 4, .report = &report}, {}).ok());
    CHECK(report.hits == 4);
    CHECK(collection.search(rows.view().slice(0, 3), {.k = 0, .report = &report}).ok());
    CHECK(report.queries == 3);
    CHECK(report.hits == 0);
    SearchReport untouched;
    untouched.hits = 77;
    CHECK_FALSE(
        collection.search(VectorView(rows.row(1)), {.k = kMaxK + 1, .report = &untouched}).ok());
    CHECK(untouched.hits == 77);
    CHECK(collection.search_async(VectorView(rows.row(1)), {.report = &untouched})
              .get()
              .status()
              .code() == StatusCode::kUnsupported);
}

TEST_CASE("a report is text to read and JSON that parses") {
    SearchReport report;
    report.metric = "l2";
    report.field = "title";
    report.simd_level = "avx2";
    report.queries = 1;
    report.k = 10;
    report.hits = 3;
    report.threads = 1;
    report.rounds = 1;
    report.total_us = 12.5;
    report.segments.push_back({.partition = "a \"b\"\n\x01",
                               .index = "hnsw",
                               .rows = 9,
                               .live_rows = 8,
                               .allowed_rows = 7,
                               .plan = SearchPlan::kGraphRows,
                               .reason = "c\\d",
                               .counters = {},
                               .microseconds = 1.25});
    const auto json = nlohmann::json::parse(report.to_json());
    CHECK(json["metric"] == "l2");
    CHECK(json["field"] == "title");
    CHECK(json["hits"] == 3);
    CHECK(json["total_us"] == 12.5);
    CHECK(json["segments"][0]["partition"] == "a \"b\"\n\x01");
    CHECK(json["segments"][0]["plan"] == "graph, then rows");
    CHECK(json["segments"][0]["reason"] == "c\\d");
    CHECK(json["segments"][0]["microseconds"] == 1.25);
    const std::string text = report.to_text();
    CHECK(text.find("1 query, k 10, 3 hits, field 'title', l2, kernels avx2, threads 1") == 0);
    CHECK(text.find("allowed 7 of 8 rows") != std::string::npos);
    CHECK(text.find("plan graph, then rows: c\\d") != std::string::npos);
}

}  // namespace vecdb
