#include "collection/query/bound_expression.h"
#include "collection/query/bound_tests.h"
#include "support/catch.h"
#include "support/expression_reference.h"
#include "support/random_expressions.h"

#include <vecdb/expression.h>

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace vecdb::collection {
namespace {

using Kind = BoundExpression::Kind;

/// Check that no field has two intervals.
void check_intervals(const std::vector<BoundExpression>& parts) {
    std::set<std::size_t> fields;
    for (const BoundExpression& part : parts) {
        if (part.kind == Kind::kLeaf && is_interval(part.leaf)) {
            REQUIRE(fields.insert(part.leaf.field).second);
        }
    }
}

void check_form(const BoundExpression& bound, bool root) {
    if (bound.kind == Kind::kConstant) REQUIRE(root);
    if (bound.kind == Kind::kAll || bound.kind == Kind::kAny) {
        REQUIRE(bound.parts.size() >= 2);
        for (const BoundExpression& part : bound.parts) {
            REQUIRE(part.kind != bound.kind);
            check_form(part, false);
        }
        if (bound.kind == Kind::kAll) check_intervals(bound.parts);
    }
}

TEST_CASE("a bound expression passes the rows for which the expression is true") {
    const auto seed = GENERATE(range(1U, 31U));
    CAPTURE(seed);
    test::RandomExpressions random(seed);
    std::vector<std::vector<Scalar>> rows;
    for (int i = 0; i < 100; ++i)
        rows.push_back(random.row());
    std::size_t truths[3] = {};
    for (std::size_t i = 0; i < 200; ++i) {
        const Expression drawn = random.draw(i % 6);
        const BoundExpression found = bind_expression(drawn, test::scalar_schema().scalars).value();
        CAPTURE(drawn.to_string());
        check_form(found, true);
        for (const std::vector<Scalar>& row : rows) {
            const test::Truth truth = test::evaluate(drawn, row);
            ++truths[truth ? std::size_t{*truth} : 2];
            if (matches(found, row) == truth.value_or(false)) continue;
            std::string values;
            for (const Scalar& value : row)
                values += literal(value) + " ";
            CAPTURE(values);
            REQUIRE(matches(found, row) == truth.value_or(false));
        }
    }
    for (const std::size_t count : truths)
        CHECK(count > 500);
}

}  // namespace
}  // namespace vecdb::collection
