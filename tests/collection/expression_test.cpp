#include "support/catch.h"
#include "support/random_expressions.h"

#include <vecdb/expression.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vecdb {
namespace {

Expression parsed(std::string_view text) {
    CAPTURE(text);
    const auto found = Expression::parse(text);
    INFO(found.status().to_string());
    REQUIRE(found.ok());
    return *found;
}

/// Return the message of a text that is refused.
std::string refused(std::string_view text) {
    const auto found = Expression::parse(text);
    CAPTURE(text.substr(0, 200));
    REQUIRE_FALSE(found.ok());
    CHECK(found.status().code() == StatusCode::kInvalidArgument);
    return found.status().message();
}

bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

std::string repeated(std::size_t count, std::string_view text) {
    std::string made;
    for (std::size_t i = 0; i < count; ++i)
        made += text;
    return made;
}

const Field kPrice = field("price");
const Field kBrand = field("brand");
const Field kSoldOut = field("sold_out");

TEST_CASE("text and builder make the same tree") {
    constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const std::pair<const char*, Expression> cases[] = {
        {"price < 50", kPrice < 50},
        {"50 > price", kPrice < 50},
        {"50>price", 50 > kPrice},
        {"price = 50", kPrice == 50},
        {"price == 50.0", kPrice == 50.0},
        {"price != -1", kPrice != -1},
        {"2e3 <= price", kPrice >= 2000.0},
        {"2.5E-1 >= price", kPrice <= 0.25},
        {"1 == price", 1 == kPrice},
        {"1 != price", 1 != kPrice},
        {"-9223372036854775808 < price", kLowest < kPrice},
        {"price < infinity && price > -Infinity", kPrice < kInfinity && kPrice > -kInfinity},
        {"sold_out", kSoldOut},
        {" ( ( sold_out ) ) ", kSoldOut},
        {"!sold_out", !kSoldOut},
        {"not sold_out", !kSoldOut},
        {"!!sold_out", !!Expression(kSoldOut)},
        {"sold_out == true", kSoldOut == true},
        {"TRUE = sold_out", kSoldOut == true},
        {"true", Expression::constant(true)},
        {"True", Expression()},
        {"false", Expression::constant(false)},
        {"!false", !Expression::constant(false)},
        {R"(brand == "acme")", kBrand == "acme"},
        {"brand == 'acme'", kBrand == std::string("acme")},
        {R"(brand == "a\"\'\\\n\t\u00e4\uD83D\uDE00\u0000")",
         kBrand == std::string("a\"'\\\n\tä\U0001F600\0", 13)},
        {R"(brand == 'a"b')", kBrand == "a\"b"},
        {"brand == \"line\nbreak\"", kBrand == "line\nbreak"},
        {"brand in ['acme', \"zenith\"]", kBrand.in({"acme", "zenith"})},
        {"brand NOT IN ['acme']", kBrand.not_in({"acme"})},
        {"price in [1, 2.5]", kPrice.in({Scalar(1), Scalar(2.5)})},
        {"price in [1,2,3]", kPrice.in({1, 2, 3})},
        {"price in [1,2,3]", kPrice.in(std::vector<int>{1, 2, 3})},
        {"brand in ['a', 'b']", kBrand.in(std::set<std::string>{"b", "a"})},
        {"price in []", kPrice.in(std::vector<std::int64_t>{})},
        {"price not in []", kPrice.not_in(std::vector<double>{})},
        {"brand like 'ab%'", kBrand.like("ab%")},
        {"brand not like '%ab%'", kBrand.not_like("%ab%")},
        {R"(brand like '50\%%')", kBrand.like("50\\%%")},
        {R"(brand like '\\\\%')", kBrand.like("\\\\%")},
        {"brand is null", kBrand.is_null()},
        {"brand Is Not Null", kBrand.is_not_null()},
        {"`sold_out`", kSoldOut},
        {"`in` in [1]", field("in").in({1})},
        {"`größe ``x``` is null", field("größe `x`").is_null()},
        {"`True` == true", field("True") == true},
        {"_x1 and y", field("_x1") && field("y")},
        {"a or b", field("a") || field("b")},
        {"a&&b||c", (field("a") && field("b")) || field("c")},
        {"a || b && c", field("a") || (field("b") && field("c"))},
        {"!a && b", !field("a") && field("b")},
        {"!a || !b and not c", !field("a") || (!field("b") && !field("c"))},
        {"!price < 50 && a", !(kPrice < 50) && field("a")},
        {"not brand in ['x'] or a", !kBrand.in({"x"}) || field("a")},
        {"!(a || b) && c", !(field("a") || field("b")) && field("c")},
        {"a && (b || c)", field("a") && (field("b") || field("c"))},
        {"a && (b && (c && d))",
         Expression::all_of(
             std::vector<Expression>{field("a"), field("b"), field("c"), field("d")})},
        {"(a || b) || (c || d)",
         Expression::any_of(
             std::vector<Expression>{field("a"), field("b"), field("c"), field("d")})},
        {"price < 50 && brand in [\"acme\", \"zenith\"] && !(sold_out)",
         kPrice < 50 && kBrand.in({"acme", "zenith"}) && !kSoldOut},
    };
    for (const auto& [text, built] : cases) {
        CAPTURE(text, built.to_string());
        CHECK(built.status().ok());
        CHECK(parsed(text).equals(built));
    }
}

TEST_CASE("different trees are not equal") {
    const char* const texts[] = {"true",
                                 "false",
                                 "a",
                                 "b",
                                 "!a",
                                 "a == true",
                                 "a != true",
                                 "a == 1",
                                 "a == 1.0",
                                 "a == '1'",
                                 "a < 1",
                                 "a in [1]",
                                 "a in [1, 2]",
                                 "a in [2, 1]",
                                 "a not in [1]",
                                 "a like '1'",
                                 "a not like '1'",
                                 "a is null",
                                 "a is not null",
                                 "a && b",
                                 "b && a",
                                 "a || b",
                                 "a && b && b",
                                 "a && (b || b)"};
    for (const char* const one : texts) {
        for (const char* const other : texts) {
            CAPTURE(one, other);
            CHECK(parsed(one).equals(parsed(other)) == (one == other));
        }
    }
}

TEST_CASE("text prints in one way") {
    const std::pair<const char*, const char*> cases[] = {
        {"50>price", "price < 50"},
        {"price=50.0", "price == 50.0"},
        {"price == 1e300", "price == 1e+300"},
        {"price > -infinity", "price > -infinity"},
        {"not(not a)", "!!a"},
        {"not price != 1", "!(price != 1)"},
        {"(a and b) or (c and d)", "a && b || c && d"},
        {"(a or b) and !(c or d)", "(a || b) && !(c || d)"},
        {R"(brand in ['a"\\', "\n\t\u0007ä"])", R"(brand in ["a\"\\", "\n\t\u0007ä"])"},
        {R"(brand not like '5\%%')", R"(brand not like "5\\%%")"},
        {"a IS NOT NULL", "a is not null"},
        {"`a`", "a"},
        {"`a b`", "`a b`"},
        {"`LIKE`", "`LIKE`"},
        {"`a``b`", "`a``b`"},
        {"a not in []", "a not in []"},
    };
    for (const auto& [text, printed] : cases)
        CHECK(parsed(text).to_string() == printed);
}

TEST_CASE("what prints parses to an equal tree") {
    const auto seed = GENERATE(range(1U, 21U));
    CAPTURE(seed);
    test::RandomExpressions random(seed);
    for (int i = 0; i < 200; ++i) {
        const Expression drawn = random.draw(static_cast<std::size_t>(i) % 7);
        REQUIRE(drawn.status().ok());
        const std::string text = drawn.to_string();
        REQUIRE(parsed(text).equals(drawn));
        REQUIRE(parsed(text).to_string() == text);
    }
}

TEST_CASE("an error in text says where, what was expected and what was found") {
    const std::pair<std::string_view, const char*> cases[] = {
        {"", "byte 0: expected a field, a value, '!' or '(', found the end"},
        {"price <", "byte 7: expected a value, found the end"},
        {"price < brand", "byte 8: expected a value, found 'brand'"},
        {"price < null", "byte 8: expected a value, or a test by 'is null', found 'null'"},
        {"price 50", "byte 6: expected '&&', '||' or the end, found '50'"},
        {"price < 50 brand", "byte 11: expected '&&', '||' or the end, found 'brand'"},
        {"1 < price < 5", "byte 10: expected '&&', '||' or the end, found '<'"},
        {"a && ", "byte 5: expected a field, a value, '!' or '(', found the end"},
        {"a || || b", "byte 5: expected a field, a value, '!' or '(', found '||'"},
        {"a & b", "byte 2: expected a field, a value or an operator, found '&'"},
        {"a ä", "byte 2: expected a field, a value or an operator, found 'ä'"},
        {"a \xFF", "byte 2: expected a field, a value or an operator, found '?'"},
        {"(a", "byte 2: expected '&&', '||' or ')', found the end"},
        {"a)", "byte 1: expected '&&', '||' or the end, found ')'"},
        {"()", "byte 1: expected a field, a value, '!' or '(', found ')'"},
        {"50", "byte 2: expected a comparison, found the end"},
        {"'x' && a", "byte 4: expected a comparison, found '&&'"},
        {"50 < 60", "byte 5: expected a field, found '60'"},
        {"a in 5", "byte 5: expected '[', found '5'"},
        {"a in [5", "byte 7: expected ',' or ']', found the end"},
        {"a in [5 6]", "byte 8: expected ',' or ']', found '6'"},
        {"a in [5,]", "byte 8: expected a value, found ']'"},
        {"a in [b]", "byte 6: expected a value, found 'b'"},
        {"a in [null]", "byte 6: expected a value, or a test by 'is null', found 'null'"},
        {"a not b", "byte 6: expected 'in' or 'like', found 'b'"},
        {"a ! in [1]", "byte 2: expected '&&', '||' or the end, found '!'"},
        {"a like b", "byte 7: expected a pattern in quotes, found 'b'"},
        {"a like 5", "byte 7: expected a pattern in quotes, found '5'"},
        {R"(a like "x\\y")", "byte 0: pattern for field 'a' has a backslash at byte 1"},
        {"a is 5", "byte 5: expected 'null' or 'not null', found '5'"},
        {"a is not 5", "byte 9: expected 'null', found '5'"},
        {"in == 5", "byte 0: expected a field, a value, '!' or '(', found 'in'"},
        {"a == 'x", "byte 5: expected ' behind the string that begins here"},
        {"a == \"x'", "byte 5: expected \" behind the string that begins here"},
        {"a == 'x\\", "byte 7: expected \\\", \\', \\\\, \\n, \\t, \\% or \\uXXXX, found '\\'"},
        {"a == '\\x'", "byte 6: expected \\\", \\', \\\\, \\n, \\t, \\% or \\uXXXX, found '\\x'"},
        {"a == '\\u12'", "byte 6: expected \\u and 4 hexadecimal digits, found '\\u12''"},
        {"a == '\\u-123'", "byte 6: expected \\u and 4 hexadecimal digits"},
        {"a == '\\ud800'", "byte 6: expected a pair of surrogates"},
        {"a == '\\ud800\\u0041'", "byte 6: expected a pair of surrogates"},
        {"a == '\\udc00\\udc00'", "byte 6: expected a pair of surrogates"},
        {"a == '\xC3'", "byte 6: expected UTF-8"},
        {"a == '\xED\xA0\x80'", "byte 6: expected UTF-8"},
        {"`a\xFF` == 1", "byte 2: expected UTF-8"},
        {"`a", "byte 0: expected ` behind the name that begins here"},
        {"`` == 1", "byte 0: field name in an expression is empty"},
        {"`a\nb` == 1", "byte 0 (line 1, column 1): field name in an expression has a control"},
        {"a == 9223372036854775808",
         "byte 5: integer is 9223372036854775808; allowed are -9223372036854775808 to "
         "9223372036854775807"},
        {"a == -9223372036854775809", "byte 5: integer is -9223372036854775809; allowed are"},
        {"a == 1e999", "byte 5: number is 1e999; a double is"},
        {"a == 12x", "byte 5: expected a number, found '12x'"},
        {"a == 1.2.3", "byte 5: expected a number, found '1.2.3'"},
        {"a == 1.", "byte 5: expected a number, found '1.'"},
        {"a == 1e", "byte 5: expected a number, found '1e'"},
        {"a == 0x10", "byte 5: expected a number, found '0x10'"},
        {"a == -b", "byte 5: expected a number, found '-b'"},
        {"a == - 5", "byte 5: expected a field, a value or an operator, found '-'"},
        {"a == .5", "byte 5: expected a field, a value or an operator, found '.'"},
        {"a &&\n\n  b <\n&& c", "byte 12 (line 4, column 1): expected a value, found '&&'"},
    };
    for (const auto& [text, message] : cases) {
        const std::string found = refused(text);
        CAPTURE(text, found, message);
        CHECK(found.starts_with(std::string("expression, ") + message));
    }
}

TEST_CASE("integers are read up to the ends of their type") {
    CHECK(parsed("a == 9223372036854775807")
              .equals(field("a") == std::numeric_limits<std::int64_t>::max()));
    CHECK(parsed("a == -9223372036854775808")
              .equals(field("a") == std::numeric_limits<std::int64_t>::min()));
    CHECK(parsed("a == 007").equals(field("a") == 7));
    CHECK(parsed("a == 1.7976931348623157e308")
              .equals(field("a") == std::numeric_limits<double>::max()));
    CHECK(parsed("a == 5e-324").equals(field("a") == std::numeric_limits<double>::denorm_min()));
}

TEST_CASE("text is limited in bytes") {
    const std::string spaces(kMaxExpressionBytes - 1, ' ');
    CHECK(parsed(spaces + "a").equals(field("a")));
    const std::string message = refused(spaces + " a");
    CHECK(has(message, "1048577 bytes; at most 1048576 "));
}

TEST_CASE("text is limited in nesting and the tree in depth") {
    const std::string open = repeated(kMaxExpressionDepth, "(");
    const std::string close = repeated(kMaxExpressionDepth, ")");
    CHECK(parsed(open + "a" + close).equals(field("a")));
    CHECK(has(refused("(" + open + "a" + close + ")"),
              "byte 100: parentheses and negations nest 101"));
    CHECK(has(refused(std::string(100'000, '(')), "nest 101 deep; at most 100"));
    CHECK(has(refused(std::string(100'000, '!')), "nest 101 deep; at most 100"));
    const std::string nots = repeated(kMaxExpressionDepth - 1, "!");
    CHECK(parsed(nots + "a").to_string() == nots + "a");
    CHECK(parsed(nots + "(a < 1)").to_string() == nots + "(a < 1)");
    CHECK(has(refused(nots + "!a"), "byte 0: expression has 101 levels; at most 100"));
    // Half as many parentheses make as many levels.
    const std::string halves = repeated(60, "a || b && (");
    CHECK(has(refused(halves + "c" + repeated(60, ")")), "levels; at most 100"));
}

TEST_CASE("the nodes of a tree are limited") {
    std::string text = "a" + repeated(kMaxExpressionNodes - 2, "||a");
    const Expression largest = parsed(text);
    CHECK(parsed(largest.to_string()).equals(largest));
    CHECK(has(refused(text + "||a"), "byte 0: expression has 10001 nodes; at most 10000"));
    CHECK(has(refused(text + "||a||a"), "byte 30000: expression has more than 10000 nodes"));
    const std::string constants = "true" + repeated(kMaxExpressionNodes, "&&true");
    CHECK(has(refused(constants), "expression has more than 10000 nodes"));
}

TEST_CASE("the values of a list are limited") {
    std::string text = "a in [0" + repeated(kMaxExpressionListValues - 1, ",0");
    CHECK(parsed(text + "]").equals(field("a").in(std::vector<int>(kMaxExpressionListValues))));
    CHECK(has(refused(text + ",1]"), "list has more than 65536 values"));
    const Expression longer = field("a").in(std::vector<int>(kMaxExpressionListValues + 1));
    CHECK(has(longer.status().message(), "list for field 'a' has 65537 values; at most 65536"));
}

TEST_CASE("an expression that is wrong in itself says so, and what is made of it") {
    const double nan = std::nan("");
    const std::pair<Expression, const char*> cases[] = {
        {kPrice == Scalar(), "field 'price' is compared with null; use 'is null'"},
        {kPrice < nan, "field 'price' is compared with NaN"},
        {kPrice.in({Scalar(1), Scalar()}), "compared with null"},
        {kBrand == "a\xFF", "string for field 'brand' is not UTF-8 at byte 1"},
        {kBrand.not_in({"ok", "\xC0\x80"}), "not UTF-8 at byte 0"},
        {kBrand.like("\xFF"), "not UTF-8"},
        {kBrand.like("a\\b"), "backslash at byte 1"},
        {kBrand.like("ab\\"), "backslash at byte 2"},
        {field("") == 1, "field name in an expression is empty"},
        {field(std::string(256, 'x')), "has 256 bytes; at most 255"},
        {field("\xFF").is_null(), "is not UTF-8"},
    };
    for (const auto& [wrong, message] : cases) {
        CAPTURE(message);
        CHECK(wrong.status().code() == StatusCode::kInvalidArgument);
        CHECK(has(wrong.status().message(), message));
        const Expression all[] = {kSoldOut, wrong};
        for (const Expression& made :
             {wrong, !wrong, wrong && kSoldOut, kSoldOut || wrong, Expression::all_of(all)}) {
            CHECK(made.status().message() == wrong.status().message());
            CHECK(made.equals(wrong));
            CHECK(has(made.to_string(), "<refused: " + wrong.status().message()));
            CHECK_FALSE(Expression::parse(made.to_string()).ok());
        }
    }
}

TEST_CASE("chains and towers of any length are made, printed and destroyed") {
    Expression chain = kPrice < 0;
    Expression tower = kSoldOut;
    Expression doubled = kSoldOut;
    for (int i = 1; i <= 100'000; ++i) {
        chain = chain && kPrice < i;
        tower = !(tower || kPrice < i);
        doubled = doubled && doubled;
    }
    CHECK(has(chain.status().message(), "has 10001 nodes; at most 10000"));
    CHECK(has(tower.status().message(), "has 101 levels; at most 100"));
    CHECK(has(doubled.status().message(), "nodes; at most 10000"));
    CHECK(has(chain.to_string(), "<refused"));
    Expression copy = tower;
    CHECK(copy.equals(tower));
}

TEST_CASE("joining nothing is the constant, joining one is it") {
    CHECK(Expression::all_of({}).equals(Expression::constant(true)));
    CHECK(Expression::any_of({}).equals(Expression::constant(false)));
    const Expression one[] = {kSoldOut};
    CHECK(Expression::all_of(one).equals(kSoldOut));
    CHECK(Expression::any_of(one).equals(kSoldOut));
    std::vector<Expression> many;
    for (int i = 0; i < 9'999; ++i)
        many.push_back(kPrice < i);
    CHECK(Expression::any_of(many).status().ok());
    many.push_back(kSoldOut);
    CHECK_FALSE(Expression::any_of(many).status().ok());
}

TEST_CASE("an expression that was moved from is the constant true") {
    Expression from = kPrice < 5;
    const Expression to = std::move(from);
    CHECK(to.equals(kPrice < 5));
    CHECK(from.equals(Expression()));  // NOLINT(bugprone-use-after-move): that is the question
}

}  // namespace
}  // namespace vecdb
