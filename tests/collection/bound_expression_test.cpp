#include "collection/query/bound_expression.h"

#include "support/catch.h"
#include "support/expression_reference.h"
#include "support/random_expressions.h"

#include <vecdb/expression.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vecdb::collection {
namespace {

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kExact = std::int64_t{1} << 53U;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kTiny = std::numeric_limits<double>::denorm_min();

using Kind = BoundExpression::Kind;

BoundExpression bound(std::string_view text) {
    CAPTURE(text);
    const Expression expression = Expression::parse(text).value();
    return bind_expression(expression, test::scalar_schema().scalars).value();
}

bool is_constant(std::string_view text, bool value) {
    const BoundExpression found = bound(text);
    return found.kind == Kind::kConstant && found.value == value;
}

/// Tell whether a text comes to one test.
template <class Test>
bool comes_to(std::string_view text, std::size_t field, Test test) {
    const BoundExpression found = bound(text);
    return found.kind == Kind::kLeaf && found.leaf == Leaf{field, std::move(test)};
}

TEST_CASE("numbers of different types compare exactly") {
    CHECK(comes_to("stock < 2.5", 1, Int64Interval{kMin, 2}));
    CHECK(comes_to("stock <= 2.5", 1, Int64Interval{kMin, 2}));
    CHECK(comes_to("stock > 2.5", 1, Int64Interval{3, kMax}));
    CHECK(comes_to("stock >= -2.5", 1, Int64Interval{-2, kMax}));
    CHECK(comes_to("stock < 2.0", 1, Int64Interval{kMin, 1}));
    CHECK(comes_to("stock == 2.0", 1, Int64Interval{2, 2}));
    CHECK(comes_to("stock != 2", 1, Int64List{{2}, true}));
    CHECK(is_constant("stock == 2.5", false));
    CHECK(comes_to("stock != 2.5", 1, NullTest{true}));
    CHECK(comes_to("!(stock == 2.5)", 1, NullTest{true}));
    CHECK(is_constant("!(stock != 2.5)", false));

    // 2^63 is past the last integer; the double before it is not.
    CHECK(comes_to("stock < 9223372036854775808.0", 1, NullTest{true}));
    CHECK(is_constant("stock >= 9223372036854775808.0", false));
    CHECK(comes_to("stock < 9223372036854774784.0", 1, Int64Interval{kMin, kMax - 1024}));
    CHECK(is_constant("stock < -9223372036854775808.0", false));
    CHECK(comes_to("stock <= -9223372036854775808.0", 1, Int64Interval{kMin, kMin}));
    CHECK(comes_to("stock >= -9223372036854777856.0", 1, NullTest{true}));
    CHECK(comes_to("stock < infinity", 1, NullTest{true}));
    CHECK(is_constant("stock <= -infinity", false));
    CHECK(comes_to("stock <= 9223372036854775807", 1, NullTest{true}));
    CHECK(is_constant("stock > 9223372036854775807", false));
    CHECK(is_constant("stock < -9223372036854775808", false));

    // 2^53 + 1 lies between two doubles.
    const auto exact = static_cast<double>(kExact);
    CHECK(comes_to("price <= 9007199254740993", 2, DoubleInterval{-kInfinity, exact}));
    CHECK(comes_to("price < 9007199254740993", 2, DoubleInterval{-kInfinity, exact}));
    CHECK(comes_to("price > 9007199254740993", 2, DoubleInterval{exact + 2, kInfinity}));
    CHECK(comes_to("price >= 9007199254740993", 2, DoubleInterval{exact + 2, kInfinity}));
    CHECK(comes_to("price < 9007199254740992", 2, DoubleInterval{-kInfinity, exact - 1}));
    CHECK(comes_to("price == 9007199254740992", 2, DoubleInterval{exact, exact}));
    CHECK(is_constant("price == 9007199254740993", false));
    CHECK(comes_to("price != 9007199254740993", 2, NullTest{true}));
    CHECK(comes_to("price > 9223372036854775807", 2, DoubleInterval{0x1p63, kInfinity}));
    CHECK(comes_to("price < 9223372036854775807", 2, DoubleInterval{-kInfinity, 0x1p63 - 1024}));
    CHECK(comes_to("price >= -9223372036854775808", 2, DoubleInterval{-0x1p63, kInfinity}));
    CHECK(is_constant("price == 9223372036854775807", false));
}

TEST_CASE("open ends of doubles become closed") {
    CHECK(comes_to("price < 0", 2, DoubleInterval{-kInfinity, -kTiny}));
    CHECK(comes_to("price < -0.0", 2, DoubleInterval{-kInfinity, -kTiny}));
    CHECK(comes_to("price > 0.0", 2, DoubleInterval{kTiny, kInfinity}));
    CHECK(comes_to(
        "price < infinity", 2, DoubleInterval{-kInfinity, std::numeric_limits<double>::max()}));
    CHECK(comes_to("price >= infinity", 2, DoubleInterval{kInfinity, kInfinity}));
    CHECK(comes_to("price <= infinity", 2, NullTest{true}));
    CHECK(is_constant("price > infinity", false));
    CHECK(is_constant("price < -infinity", false));
}

TEST_CASE("lists are sorted, each value once, without those that no row can have") {
    CHECK(comes_to("stock in [3, 1.0, 2.5, 1, -7, 1e300]", 1, Int64List{{-7, 1, 3}, false}));
    CHECK(comes_to("stock not in [3, 1.0, 2.5, 1]", 1, Int64List{{1, 3}, true}));
    CHECK(comes_to("!(stock in [3, 1])", 1, Int64List{{1, 3}, true}));
    CHECK(comes_to("stock in [3, 3]", 1, Int64Interval{3, 3}));
    CHECK(is_constant("stock in [2.5]", false));
    CHECK(comes_to("stock not in [2.5]", 1, NullTest{true}));
    CHECK(comes_to("price in [0, -0.0, 9007199254740993, 0.5]", 2, DoubleList{{0, 0.5}, false}));
    CHECK(comes_to("brand in ['b', 'a', 'b']", 3, StringList{{"a", "b"}, false}));
    CHECK(comes_to("brand not in ['b']", 3, StringList{{"b"}, true}));
    CHECK(is_constant("brand in []", false));
    CHECK(is_constant("brand not in []", true));
    CHECK(is_constant("!(brand in [])", true));
}

TEST_CASE("strings come to lists, intervals and split patterns") {
    CHECK(comes_to("brand == 'a'", 3, StringList{{"a"}, false}));
    CHECK(comes_to("!(brand == 'a')", 3, StringList{{"a"}, true}));
    CHECK(comes_to("brand < 'a'", 3, StringInterval{{}, StringBound{"a", false}}));
    CHECK(comes_to("!(brand > 'a')", 3, StringInterval{{}, StringBound{"a", true}}));
    CHECK(comes_to("'a' < brand", 3, StringInterval{StringBound{"a", false}, {}}));
    CHECK(comes_to("brand >= 'a'", 3, StringInterval{StringBound{"a", true}, {}}));
    CHECK(is_constant("brand < ''", false));
    CHECK(comes_to("brand >= ''", 3, NullTest{true}));
    CHECK(comes_to("brand like 'ab%'", 3, StringPattern{"ab", {}, "", false}));
    CHECK(comes_to("brand like '%ab'", 3, StringPattern{"", {}, "ab", false}));
    CHECK(comes_to("brand not like '%ab%'", 3, StringPattern{"", {"ab"}, "", true}));
    CHECK(comes_to("!(brand like 'a%%b%c')", 3, StringPattern{"a", {"b"}, "c", true}));
    CHECK(comes_to(R"(brand like '5\%_%\\\\')", 3, StringPattern{"5%_", {}, "\\", false}));
    CHECK(comes_to("brand like 'ab'", 3, StringList{{"ab"}, false}));
    CHECK(comes_to("brand like ''", 3, StringList{{""}, false}));
    CHECK(comes_to("brand like '%%'", 3, NullTest{true}));
    CHECK(is_constant("brand not like '%'", false));
}

TEST_CASE("bools and nulls are tested by value") {
    CHECK(comes_to("sold_out", 0, BoolTest{true}));
    CHECK(comes_to("!sold_out", 0, BoolTest{false}));
    CHECK(comes_to("sold_out == false", 0, BoolTest{false}));
    CHECK(comes_to("!(true != sold_out)", 0, BoolTest{true}));
    CHECK(comes_to("sold_out is null", 0, NullTest{false}));
    CHECK(comes_to("!(`größe ``x``` is null)", 5, NullTest{true}));
}

TEST_CASE("negations go down to the tests and constants are folded") {
    const BoundExpression any = bound("!(stock >= 5 && !sold_out)");
    REQUIRE(any.kind == Kind::kAny);
    REQUIRE(any.parts.size() == 2);
    CHECK(any.parts[0].leaf == Leaf{1, Int64Interval{kMin, 4}});
    CHECK(any.parts[1].leaf == Leaf{0, BoolTest{true}});
    const BoundExpression all = bound("sold_out && !(stock == 1 || brand is null) && true");
    REQUIRE(all.kind == Kind::kAll);
    CHECK(all.parts.size() == 3);
    CHECK(is_constant("true", true));
    CHECK(is_constant("!true", false));
    CHECK(is_constant("sold_out && stock == 2.5", false));
    CHECK(is_constant("sold_out || true", true));
    CHECK(is_constant("true && !false", true));
    CHECK(comes_to("sold_out && true", 0, BoolTest{true}));
    CHECK(comes_to("sold_out || stock == 2.5", 0, BoolTest{true}));
}

TEST_CASE("the intervals of a field are one where all must hold") {
    CHECK(comes_to("stock > 5 && stock < 10", 1, Int64Interval{6, 9}));
    CHECK(comes_to("!(stock <= 5 || stock > 10 || stock > 11)", 1, Int64Interval{6, 10}));
    CHECK(comes_to("price >= 0.5 && price <= 2", 2, DoubleInterval{0.5, 2}));
    CHECK(comes_to("stock > 5 && stock == 7.0", 1, Int64Interval{7, 7}));
    CHECK(is_constant("stock > 5 && sold_out && stock < 6", false));
    CHECK(is_constant("price > 0.5 && price < 0.5", false));
    const auto strings = [](StringBound low, StringBound high) {
        return StringInterval{std::move(low), std::move(high)};
    };
    CHECK(comes_to(
        "brand > 'a' && brand >= 'a' && brand <= 'b'", 3, strings({"a", false}, {"b", true})));
    CHECK(comes_to(
        "brand < 'c' && brand <= 'c' && brand >= 'a'", 3, strings({"a", true}, {"c", false})));
    CHECK(comes_to("brand >= 'a' && brand <= 'a'", 3, strings({"a", true}, {"a", true})));
    CHECK(is_constant("brand >= 'a' && brand < 'a'", false));
    CHECK(is_constant("brand > 'b' && brand < 'a'", false));
    const BoundExpression mixed =
        bound("stock > 5 && sold_out && `In` > 3 && stock < 9 && stock in [1, 7]");
    REQUIRE(mixed.parts.size() == 4);
    CHECK(mixed.parts[0].leaf == Leaf{1, Int64Interval{6, 8}});
    CHECK(mixed.parts[3].leaf == Leaf{1, Int64List{{1, 7}, false}});
    CHECK(bound("stock < 5 || stock > 10").parts.size() == 2);
}

TEST_CASE("a value is tested as the column will be") {
    const Leaf leaf = bound("price != 2").leaf;
    CHECK(matches(leaf, 3.0));
    CHECK_FALSE(matches(leaf, 2.0));
    CHECK_FALSE(matches(leaf, Scalar()));
    CHECK_FALSE(matches(leaf, std::nan("")));
    CHECK_FALSE(matches(leaf, "2"));
    CHECK_FALSE(matches(bound("price < 2").leaf, std::nan("")));
    CHECK(matches(bound("price is not null").leaf, std::nan("")));
    const Leaf pattern = bound("brand like 'ab%ba'").leaf;
    CHECK(matches(pattern, "abba"));
    CHECK_FALSE(matches(pattern, "aba"));
}

TEST_CASE("the parts of a pattern stand in order and do not overlap") {
    const auto like = [](std::string_view pattern, const char* value) {
        return matches(bound("brand like '" + std::string(pattern) + "'"),
                       std::vector<Scalar>{{}, {}, {}, value, {}, {}});
    };
    CHECK(like("%ab%ba%", "abba"));
    CHECK(like("%ab%ba%", "xabababa"));
    CHECK_FALSE(like("%ab%ba%", "aba"));
    CHECK_FALSE(like("%ab%ba%", "baab"));
    CHECK_FALSE(like("ab%b%ba", "abba"));
    CHECK(like("ab%b%ba", "abbba"));
    CHECK(like("%a%a%a%", "aaa"));
    CHECK_FALSE(like("%a%a%a%", "aa"));
    CHECK(like("_%", "_"));
    CHECK_FALSE(like("_%", "a"));
}

TEST_CASE("what a schema does not take is refused by name") {
    const std::pair<const char*, const char*> cases[] = {
        {"pric < 5",
         "no scalar field is named 'pric'; there are 'sold_out', 'stock', 'price', 'brand', 'In', "
         "'größe `x`'"},
        {"true || x is null", "no scalar field is named 'x'"},
        {"vector == 1", "no scalar field is named 'vector'"},
        {"stock == 'many'", "field 'stock' is int64 and does not compare with \"many\""},
        {"stock == true", "field 'stock' is int64 and does not compare with true"},
        {"price in [1, 'x']", "field 'price' is double and does not compare with \"x\""},
        {"brand < 5", "field 'brand' is string and does not compare with 5"},
        {"brand in ['a', 2.5]", "field 'brand' is string and does not compare with 2.5"},
        {"sold_out == 1", "field 'sold_out' is bool and does not compare with 1"},
        {"sold_out < true",
         "field 'sold_out' is bool and is not compared by < with true; == and != are allowed"},
        {"sold_out in [true]", "field 'sold_out' is bool; lists are for numbers and strings"},
        {"sold_out in []", "field 'sold_out' is bool; lists"},
        {"stock", "field 'stock' is int64; only a bool field is a test by itself"},
        {"!price", "field 'price' is double; only a bool field is a test by itself"},
        {"stock like 'a%'", "field 'stock' is int64; the pattern \"a%\" is for a string"},
    };
    for (const auto& [text, message] : cases) {
        CAPTURE(text, message);
        const auto found =
            bind_expression(Expression::parse(text).value(), test::scalar_schema().scalars);
        REQUIRE_FALSE(found.ok());
        CHECK(found.status().code() == StatusCode::kInvalidArgument);
        CHECK(found.status().message().starts_with(message));
    }
    const auto long_value =
        bind_expression(field("stock") == std::string(1000, 'x'), test::scalar_schema().scalars);
    CHECK(long_value.status().message().size() < 150);
    const auto no_fields = bind_expression(field("x").is_null(), Schema::single(4).scalars);
    CHECK(no_fields.status().message() == "no scalar field is named 'x'; there are none");
    const auto refused = bind_expression(field("price") == Scalar(), test::scalar_schema().scalars);
    CHECK(refused.status().message() == "field 'price' is compared with null; use 'is null'");
    Schema wide = Schema::single(4);
    for (int i = 0; i < 30; ++i)
        wide.scalars.push_back({.name = "f" + std::to_string(i)});
    const std::string many = bind_expression(field("x").is_null(), wide.scalars).status().message();
    CHECK(many.ends_with("'f18', 'f19' and 10 more"));
}

TEST_CASE("the largest trees bind") {
    std::string deep = "sold_out";
    for (int i = 0; i < 49; ++i)
        deep = "!(stock == 1 && " + deep + ")";
    const BoundExpression found = bound(deep);
    const std::vector<Scalar> row = {true, std::int64_t{1}, 0.0, "", std::int64_t{0}, ""};
    CHECK(matches(found, row) == test::evaluate(Expression::parse(deep).value(), row).value());
    std::vector<Expression> many;
    for (int i = 0; i < 9'999; ++i)
        many.push_back(field("stock") == i * 2);
    CHECK(bind_expression(Expression::any_of(many), test::scalar_schema().scalars)
              .value()
              .parts.size() == 9'999);
}

}  // namespace
}  // namespace vecdb::collection
