// Any bytes as the text of an expression: refused, or a tree that prints, parses again, binds and
// tests rows.

#include "collection/query/bound_expression.h"
#include "support/random_expressions.h"

#include <vecdb/expression.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace {

using vecdb::Expression;
using vecdb::Scalar;

void require(bool condition) {
    if (!condition) std::abort();
}

std::vector<std::vector<Scalar>> rows() {
    return {{{}, {}, {}, {}, {}, {}},
            {true, std::int64_t{1}, 0.5, "ab", std::int64_t{0}, ""},
            {false,
             std::numeric_limits<std::int64_t>::max(),
             std::numeric_limits<double>::quiet_NaN(),
             "a%b",
             std::numeric_limits<std::int64_t>::min(),
             "abba"}};
}

void bind_and_match(const Expression& expression) {
    static const vecdb::Schema schema = vecdb::test::scalar_schema();
    static const std::vector<std::vector<Scalar>> tested = rows();
    const auto bound = vecdb::collection::bind_expression(expression, schema.scalars);
    const auto negated = vecdb::collection::bind_expression(!expression, schema.scalars);
    // A negation may be one level too deep.
    require(bound.ok() || !negated.ok());
    if (!bound.ok() || !negated.ok()) return;
    for (const std::vector<Scalar>& row : tested) {
        const bool both =
            vecdb::collection::matches(*bound, row) && vecdb::collection::matches(*negated, row);
        require(!both);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(bytes), size);
    const auto parsed = Expression::parse(text);
    require(parsed.ok() || !parsed.status().message().empty());
    if (!parsed.ok()) return 0;
    require(parsed->status().ok());
    const std::string printed = parsed->to_string();
    const auto again = Expression::parse(printed);
    require(again.ok() ? again->equals(*parsed) && again->to_string() == printed
                       : printed.size() > vecdb::kMaxExpressionBytes);
    bind_and_match(*parsed);
    return 0;
}
