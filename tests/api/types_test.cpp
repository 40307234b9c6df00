#include "support/catch.h"
#include "support/collections.h"

#include <vecdb/hybrid_search.h>
#include <vecdb/search.h>
#include <vecdb/types.h>
#include <vecdb/version.h>

#include <cstddef>
#include <limits>
#include <string>
#include <type_traits>

namespace vecdb {
namespace {

TEST_CASE("ids are signed 64-bit and -1 is no row") {
    CHECK(std::is_same_v<Id, std::int64_t>);
    CHECK(kNoId == -1);
    CHECK(Hit{}.id == kNoId);
}

TEST_CASE("the limits are those documented") {
    CHECK(kMaxDimension == 32'768);
    CHECK(kMaxK == 16'384);
    CHECK(kMaxRowsPerSegment == 2'147'483'647);
    CHECK(kMaxBatchRows == 16'777'216);
    CHECK(kMaxCollections == 65'536);
    CHECK(kMaxPartitions == 1'048'576);
    CHECK(kMaxNameBytes == 255);
    CHECK(kMaxVectorFields == 16);
    CHECK(kMaxFieldQueries == 64);
    CHECK(kMaxThreads == 1'024);
}

TEST_CASE("a smaller l2 score is nearer, a larger one otherwise") {
    CHECK_FALSE(larger_is_nearer(Metric::kL2));
    CHECK(larger_is_nearer(Metric::kInnerProduct));
    CHECK(larger_is_nearer(Metric::kCosine));
}

TEST_CASE("metrics have names") {
    CHECK(to_string(Metric::kL2) == "l2");
    CHECK(to_string(Metric::kInnerProduct) == "ip");
    CHECK(to_string(Metric::kCosine) == "cosine");
    CHECK(to_string(static_cast<Metric>(0)) == "unknown");
    CHECK(to_string(static_cast<Metric>(99)) == "unknown");
}

TEST_CASE("element types have names") {
    CHECK(to_string(ElementType::kFloat32) == "float32");
    CHECK(to_string(ElementType::kFloat16) == "float16");
    CHECK(to_string(ElementType::kBFloat16) == "bfloat16");
    CHECK(to_string(ElementType::kInt8) == "int8");
    CHECK(to_string(ElementType::kBit) == "bit");
    CHECK(to_string(static_cast<ElementType>(0)) == "unknown");
    CHECK(to_string(static_cast<ElementType>(99)) == "unknown");
}

TEST_CASE("vector_bytes counts bytes without padding") {
    CHECK(vector_bytes(ElementType::kFloat32, 100) == 400);
    CHECK(vector_bytes(ElementType::kFloat16, 100) == 200);
    CHECK(vector_bytes(ElementType::kBFloat16, 100) == 200);
    CHECK(vector_bytes(ElementType::kInt8, 100) == 100);
    CHECK(vector_bytes(ElementType::kBit, 0) == 0);
    CHECK(vector_bytes(ElementType::kBit, 8) == 1);
    CHECK(vector_bytes(ElementType::kBit, 9) == 2);
    CHECK(vector_bytes(static_cast<ElementType>(99), 9) == 0);
}

TEST_CASE("the enumerators keep the values written to disk") {
    CHECK(static_cast<int>(Metric::kL2) == 1);
    CHECK(static_cast<int>(Metric::kInnerProduct) == 2);
    CHECK(static_cast<int>(Metric::kCosine) == 3);
    CHECK(static_cast<int>(ElementType::kFloat32) == 1);
    CHECK(static_cast<int>(ElementType::kFloat16) == 2);
    CHECK(static_cast<int>(ElementType::kBFloat16) == 3);
    CHECK(static_cast<int>(ElementType::kInt8) == 4);
    CHECK(static_cast<int>(ElementType::kBit) == 5);
}

TEST_CASE("the short floats take two bytes") {
    CHECK(sizeof(Float16) == 2);
    CHECK(sizeof(BFloat16) == 2);
}

TEST_CASE("the linked library has the version of its headers") {
    const std::string expected = std::to_string(VECDB_VERSION_MAJOR) + "." +
                                 std::to_string(VECDB_VERSION_MINOR) + "." +
                                 std::to_string(VECDB_VERSION_PATCH);
    CHECK(version() == expected);
}

TEST_CASE("search options are checked at their limits") {
    CHECK(SearchOptions{}.validate().ok());
    CHECK(SearchOptions{.k = 0}.validate().ok());
    CHECK(SearchOptions{.k = kMaxK}.validate().ok());
    CHECK(SearchOptions{.threads = 0}.validate().ok());
    CHECK(SearchOptions{.threads = kMaxThreads}.validate().ok());

    const Status k = SearchOptions{.k = kMaxK + 1}.validate();
    CHECK(k.code() == StatusCode::kInvalidArgument);
    CHECK(test::names(k, "k"));
    CHECK(test::names(k, "16385"));
    CHECK(test::names(k, "16384"));

    const Status threads = SearchOptions{.threads = kMaxThreads + 1}.validate();
    CHECK(threads.code() == StatusCode::kInvalidArgument);
    CHECK(test::names(threads, "threads"));
    CHECK(test::names(threads, "1025"));
    CHECK(test::names(threads, "1024"));
}

TEST_CASE("a search result keeps answers apart") {
    SearchResult result(3, 2);
    CHECK(result.queries() == 3);
    CHECK(result.k() == 2);
    result.slots(1)[0] = {7, 0.5F};
    result.set_count(1, 1);
    CHECK(result[0].empty());
    REQUIRE(result[1].size() == 1);
    CHECK(result[1][0] == Hit{7, 0.5F});
    CHECK(result[2].empty());
    CHECK(result.padded().size() == 6);
    CHECK(result.padded()[2] == Hit{7, 0.5F});
    CHECK(SearchResult().queries() == 0);
    CHECK(SearchResult().padded().empty());
}

}  // namespace
}  // namespace vecdb
