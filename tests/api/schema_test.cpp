#include "support/catch.h"
#include "support/collections.h"
#include "support/names.h"

#include <vecdb/schema.h>

#include <cstddef>
#include <string>
#include <vector>

namespace vecdb {
namespace {

Schema with_index(IndexOptions index) {
    Schema schema = Schema::single(8);
    schema.vectors[0].index = std::move(index);
    return schema;
}

StatusCode code_of(const Schema& schema) {
    return schema.validate().code();
}

TEST_CASE("one vector field of float32 under any metric is served") {
    for (const Metric metric : test::kAllMetrics) {
        const Schema schema = Schema::single(100, metric);
        REQUIRE(schema.vectors.size() == 1);
        CHECK(schema.vectors[0].dim == 100);
        CHECK(schema.vectors[0].metric == metric);
        CHECK(schema.vectors[0].name == "vector");
        CHECK(schema.scalars.empty());
        CHECK(schema.validate().ok());
    }
    CHECK(Schema::single(3).vectors[0].metric == Metric::kL2);
}

TEST_CASE("the dimension is 1 to 32,768") {
    CHECK(code_of(Schema::single(1)) == StatusCode::kOk);
    CHECK(code_of(Schema::single(kMaxDimension)) == StatusCode::kOk);
    CHECK(code_of(Schema::single(0)) == StatusCode::kInvalidArgument);
    CHECK(code_of(Schema::single(static_cast<std::size_t>(-1))) == StatusCode::kInvalidArgument);
    const Status over = Schema::single(kMaxDimension + 1).validate();
    CHECK(over.code() == StatusCode::kInvalidArgument);
    CHECK(test::names(over, "32769"));
    CHECK(test::names(over, "32768"));
}

TEST_CASE("a schema without vectors is invalid") {
    CHECK(code_of(Schema{}) == StatusCode::kInvalidArgument);
}

TEST_CASE("vector field names are checked") {
    for (const test::NameCase& name : test::name_cases()) {
        CAPTURE(name.what);
        Schema schema = Schema::single(8);
        schema.vectors[0].name = name.name;
        CHECK(schema.validate().ok() == name.valid);
        if (!name.valid) CHECK(code_of(schema) == StatusCode::kInvalidArgument);
    }
}

TEST_CASE("scalar field names are checked") {
    for (const test::NameCase& name : test::name_cases()) {
        CAPTURE(name.what);
        Schema schema = Schema::single(8);
        schema.scalars.push_back({.name = name.name});
        CHECK(schema.validate().ok() == name.valid);
        if (!name.valid) CHECK(code_of(schema) == StatusCode::kInvalidArgument);
    }
}

TEST_CASE("field names are unique among vectors and scalars") {
    Schema vectors = Schema::single(8);
    vectors.vectors.push_back(vectors.vectors[0]);
    CHECK(code_of(vectors) == StatusCode::kInvalidArgument);
    CHECK(test::names(vectors.validate(), "vector"));

    Schema scalars = Schema::single(8);
    scalars.scalars = {{.name = "age"}, {.name = "age", .type = ScalarType::kString}};
    CHECK(code_of(scalars) == StatusCode::kInvalidArgument);
    CHECK(test::names(scalars.validate(), "age"));

    Schema mixed = Schema::single(8);
    mixed.scalars = {{.name = "vector"}};
    CHECK(code_of(mixed) == StatusCode::kInvalidArgument);
}

TEST_CASE("a schema has 1 to 16 vector fields") {
    Schema schema = Schema::single(8);
    while (schema.vectors.size() < kMaxVectorFields)
        schema.vectors.push_back({.name = std::to_string(schema.vectors.size()), .dim = 4});
    CHECK(schema.validate().ok());
    schema.vectors.push_back({.name = "one more", .dim = 4});
    CHECK(code_of(schema) == StatusCode::kInvalidArgument);
    CHECK(test::names(schema.validate(), "17"));
    CHECK(test::names(schema.validate(), "1 to 16"));
    schema.vectors.clear();
    CHECK(code_of(schema) == StatusCode::kInvalidArgument);
}

TEST_CASE("every vector field of a schema is checked") {
    Schema schema = Schema::single(8);
    schema.vectors.push_back({.name = "second", .dim = 0});
    CHECK(code_of(schema) == StatusCode::kInvalidArgument);
    CHECK(test::names(schema.validate(), "second"));
    schema.vectors[1] = {
        .name = "second", .dim = 4, .index = CustomOptions{.name = "of nobody", .parameters = {}}};
    CHECK(code_of(schema) == StatusCode::kInvalidArgument);
    CHECK(test::names(schema.validate(), "of nobody"));
}

TEST_CASE("each pair of metric and element type works or is refused by name") {
    for (int m = 1; m <= 5; ++m) {
        for (int t = 1; t <= 5; ++t) {
            const auto metric = static_cast<Metric>(m);
            const auto type = static_cast<ElementType>(t);
            const bool of_bits = metric == Metric::kHamming || metric == Metric::kJaccard;
            const bool no_pair = of_bits != (type == ElementType::kBit);
            const bool unit_bytes = metric == Metric::kCosine && type == ElementType::kInt8;
            const Status status = Schema::single(13, metric, type).validate();
            CAPTURE(status.message(), m, t);
            CHECK(status.code() == (no_pair      ? StatusCode::kInvalidArgument
                                    : unit_bytes ? StatusCode::kUnsupported
                                                 : StatusCode::kOk));
            if (status.ok()) continue;
            CHECK(test::names(status, std::string(to_string(metric))));
            CHECK(test::names(status, std::string(to_string(type))));
        }
    }
}

TEST_CASE("indexes are served when they are registered") {
    CHECK(code_of(with_index(FlatOptions{})) == StatusCode::kOk);
    CHECK(code_of(with_index(FlatOptions{.codes = Codes::kNone})) == StatusCode::kOk);
    for (const IndexOptions& optional : {IndexOptions(HnswOptions{}), IndexOptions(IvfOptions{})}) {
        const Status status = with_index(optional).validate();
        CAPTURE(status.message());
        CHECK((status.ok() || status.code() == StatusCode::kUnsupported));
    }
    const Status unknown = with_index(CustomOptions{.name = "mine", .parameters = {}}).validate();
    CHECK(unknown.code() == StatusCode::kInvalidArgument);
    CHECK(test::names(unknown, "mine"));
}

TEST_CASE("what is wrong is invalid even where it is not served") {
    Schema two = Schema::single(8);
    two.vectors.push_back({.name = "second", .dim = 0});
    CHECK(code_of(two) == StatusCode::kInvalidArgument);

    Schema hnsw = with_index(HnswOptions{});
    hnsw.vectors[0].dim = 0;
    CHECK(code_of(hnsw) == StatusCode::kInvalidArgument);

    Schema scalars = Schema::single(kMaxDimension + 1);
    scalars.scalars = {{.name = "s"}};
    CHECK(code_of(scalars) == StatusCode::kInvalidArgument);

    CHECK(code_of(with_index(HnswOptions{.m = 1})) == StatusCode::kInvalidArgument);
    CHECK(code_of(with_index(CustomOptions{})) == StatusCode::kInvalidArgument);
}

TEST_CASE("numbers that are no enumerators are invalid") {
    Schema metric = Schema::single(8);
    metric.vectors[0].metric = static_cast<Metric>(77);
    CHECK(code_of(metric) == StatusCode::kInvalidArgument);
    Schema element = Schema::single(8);
    element.vectors[0].element_type = static_cast<ElementType>(77);
    CHECK(code_of(element) == StatusCode::kInvalidArgument);
    Schema zero = Schema::single(8, Metric::kCosine);
    zero.vectors[0].zero_vector = static_cast<ZeroVector>(77);
    CHECK(code_of(zero) == StatusCode::kInvalidArgument);
    Schema scalar = Schema::single(8);
    scalar.scalars = {{.name = "s", .type = static_cast<ScalarType>(77)}};
    CHECK(code_of(scalar) == StatusCode::kInvalidArgument);
}

TEST_CASE("index parameters are checked at their limits") {
    CHECK(FlatOptions{}.validate().ok());
    CHECK(HnswOptions{.m = 2}.validate().ok());
    CHECK(HnswOptions{.m = 256, .ef_construction = 256}.validate().ok());
    CHECK(HnswOptions{.m = 16, .ef_construction = 65'536}.validate().ok());
    CHECK(IvfOptions{.nlist = std::size_t{1} << 24U}.validate().ok());

    const Status wide = HnswOptions{.m = 257, .ef_construction = 600}.validate();
    CHECK(wide.code() == StatusCode::kInvalidArgument);
    CHECK(test::names(wide, "257"));
    CHECK(test::names(wide, "256"));
    CHECK(HnswOptions{.m = 1}.validate().code() == StatusCode::kInvalidArgument);
    CHECK(HnswOptions{.m = 32, .ef_construction = 31}.validate().code() ==
          StatusCode::kInvalidArgument);
    CHECK(test::names(HnswOptions{.m = 32, .ef_construction = 65'537}.validate(), "65537"));
    const Status lists = IvfOptions{.nlist = (std::size_t{1} << 24U) + 1}.validate();
    CHECK(lists.code() == StatusCode::kInvalidArgument);
    CHECK(test::names(lists, "16777217"));
}

TEST_CASE("validate looks at whichever index is chosen") {
    CHECK(validate(IndexOptions(FlatOptions{})).ok());
    CHECK(validate(IndexOptions(HnswOptions{})).ok());
    CHECK(validate(IndexOptions(HnswOptions{.m = 0})).code() == StatusCode::kInvalidArgument);
    CHECK(validate(IndexOptions(IvfOptions{})).ok());
    CHECK(validate(IndexOptions(CustomOptions{.name = "mine", .parameters = {}})).ok());
    CHECK(validate(IndexOptions(CustomOptions{})).code() == StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace vecdb
