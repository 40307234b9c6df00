#include "collection/query/bound_expression.h"

#include "check.h"
#include "collection/query/bound_tests.h"
#include "collection/query/expression_tree.h"
#include "collection/storage/columns.h"
#include "collection/utf8.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace vecdb::collection {
namespace {

using Node = ExpressionNode;
using Kind = BoundExpression::Kind;

// Of what a message shows.
constexpr std::size_t kShownBytes = 60;

bool is_number(ScalarType type) {
    return type == ScalarType::kInt64 || type == ScalarType::kDouble;
}

/// Tell whether values of the type compare with `value`.
bool compares_with(ScalarType type, const Scalar& value) {
    if (std::holds_alternative<bool>(value)) return type == ScalarType::kBool;
    if (std::holds_alternative<std::string>(value)) return type == ScalarType::kString;
    return is_number(type);
}

BoundExpression constant(bool value) {
    BoundExpression made;
    made.value = value;
    return made;
}

Status clash(const ScalarField& field, const std::string& why) {
    return {StatusCode::kInvalidArgument,
            "field '" + field.name + "' is " + std::string(name_of(field.type)) + why};
}

Status check_compares(const ScalarField& field, const Scalar& value) {
    if (compares_with(field.type, value)) return {};
    return clash(field, " and does not compare with " + shortened(literal(value), kShownBytes));
}

/// Make one interval of those of a field, of which all must hold, in the place of the first.
/// Returns false if one has no value left.
bool join_intervals(std::vector<BoundExpression>& parts) {
    std::unordered_map<std::size_t, std::size_t> places;  // by field
    std::size_t kept = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        BoundExpression& part = parts[i];
        if (part.kind == Kind::kLeaf && is_interval(part.leaf)) {
            const auto [known, added] = places.try_emplace(part.leaf.field, kept);
            if (!added) {
                if (!narrow(parts[known->second].leaf, part.leaf)) return false;
                continue;
            }
        }
        if (kept != i) parts[kept] = std::move(part);
        ++kept;
    }
    parts.resize(kept);
    return true;
}

/// Binds a tree, which is negated or not: negations go down to the tests, where they are turned
/// into tests that are false for null.
class Binder {
  public:
    explicit Binder(std::span<const ScalarField> fields) noexcept : fields_(fields) {}

    [[nodiscard]] Result<BoundExpression> bind(const Node& node, bool negated) const {
        return std::visit([&](const auto& content) { return bind(content, negated); },
                          node.content);
    }

  private:
    [[nodiscard]] Result<BoundExpression> bind(const Node::Constant& node, bool negated) const {
        return constant(node.value != negated);
    }
    [[nodiscard]] Result<BoundExpression> bind(const Node::BoolTest& node, bool negated) const;
    [[nodiscard]] Result<BoundExpression> bind(const Node::ComparisonTest& node,
                                               bool negated) const;
    [[nodiscard]] Result<BoundExpression> bind(const Node::ListTest& node, bool negated) const;
    [[nodiscard]] Result<BoundExpression> bind(const Node::PatternTest& node, bool negated) const;
    [[nodiscard]] Result<BoundExpression> bind(const Node::NullTest& node, bool negated) const;
    [[nodiscard]] Result<BoundExpression> bind(const Node::Negation& node, bool negated) const {
        return bind(*node.operand, !negated);
    }
    [[nodiscard]] Result<BoundExpression> bind(const Node::Junction& node, bool negated) const;
    [[nodiscard]] Result<BoundExpression> bind(const Node::Refusal& node, bool /*negated*/) const {
        return node.status;
    }

    [[nodiscard]] Result<std::size_t> find(const std::string& name) const;

    [[nodiscard]] static BoundExpression leaf(std::size_t field, FieldTest test) {
        BoundExpression made = constant(false);
        if (!test) return made;
        made.kind = Kind::kLeaf;
        made.leaf = {.field = field, .test = *std::move(test)};
        return made;
    }

    const std::span<const ScalarField> fields_;
};

Result<std::size_t> Binder::find(const std::string& name) const {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        if (fields_[i].name == name) return i;
    }
    return no_such_field(fields_, name);
}

Result<BoundExpression> Binder::bind(const Node::BoolTest& node, bool negated) const {
    VECDB_ASSIGN(const std::size_t number, find(node.field));
    const ScalarField& field = fields_[number];
    if (field.type != ScalarType::kBool) {
        return clash(field, "; only a bool field is a test by itself");
    }
    return leaf(number, BoolTest{!negated});
}

Result<BoundExpression> Binder::bind(const Node::ComparisonTest& node, bool negated) const {
    VECDB_ASSIGN(const std::size_t number, find(node.field));
    const ScalarField& field = fields_[number];
    VECDB_TRY(check_compares(field, node.value));
    const Comparison comparison = negated ? opposite(node.comparison) : node.comparison;
    if (field.type == ScalarType::kInt64) {
        return leaf(number, compare_int64(comparison, node.value));
    }
    if (field.type == ScalarType::kDouble) {
        return leaf(number, compare_double(comparison, node.value));
    }
    if (field.type == ScalarType::kString) {
        return leaf(number, compare_string(comparison, std::get<std::string>(node.value)));
    }
    if (comparison != Comparison::kEqual && comparison != Comparison::kNotEqual) {
        return clash(field,
                     " and is not compared by " + std::string(symbol(node.comparison)) + " with " +
                         literal(node.value) + "; == and != are allowed");
    }
    const bool equal = comparison == Comparison::kEqual;
    return leaf(number, BoolTest{std::get<bool>(node.value) == equal});
}

Result<BoundExpression> Binder::bind(const Node::ListTest& node, bool negated) const {
    VECDB_ASSIGN(const std::size_t number, find(node.field));
    const ScalarField& field = fields_[number];
    if (field.type == ScalarType::kBool) {
        return clash(field, "; lists are for numbers and strings");
    }
    for (const Scalar& value : node.values)
        VECDB_TRY(check_compares(field, value));
    const bool without = node.negated != negated;
    if (node.values.empty()) return constant(without);
    if (field.type == ScalarType::kInt64) return leaf(number, list_int64(node.values, without));
    if (field.type == ScalarType::kDouble) return leaf(number, list_double(node.values, without));
    return leaf(number, list_string(node.values, without));
}

Result<BoundExpression> Binder::bind(const Node::PatternTest& node, bool negated) const {
    VECDB_ASSIGN(const std::size_t number, find(node.field));
    if (fields_[number].type != ScalarType::kString) {
        return clash(
            fields_[number],
            "; the pattern " + shortened(literal(node.pattern), kShownBytes) + " is for a string");
    }
    return leaf(number, match_pattern(node.pattern, node.negated != negated));
}

Result<BoundExpression> Binder::bind(const Node::NullTest& node, bool negated) const {
    VECDB_ASSIGN(const std::size_t number, find(node.field));
    return leaf(number, NullTest{node.negated != negated});
}

Result<BoundExpression> Binder::bind(const Node::Junction& node, bool negated) const {
    const bool any = node.any != negated;
    const Kind kind = any ? Kind::kAny : Kind::kAll;
    std::vector<BoundExpression> parts;
    bool decided = false;  // by a part that is true under any, false under all
    for (const ExpressionPointer& operand : node.operands) {
        VECDB_ASSIGN(BoundExpression part, bind(*operand, negated));
        if (part.kind == Kind::kConstant) {
            decided = decided || part.value == any;
        } else if (part.kind == kind) {
            std::move(part.parts.begin(), part.parts.end(), std::back_inserter(parts));
        } else {
            parts.push_back(std::move(part));
        }
    }
    if (!any && !decided) decided = !join_intervals(parts);
    if (decided) return constant(any);
    if (parts.empty()) return constant(!any);
    if (parts.size() == 1) return std::move(parts.front());
    BoundExpression made;
    made.kind = kind;
    made.parts = std::move(parts);
    return made;
}

}  // namespace

Result<BoundExpression> bind_expression(const Expression& expression,
                                        std::span<const ScalarField> fields) {
    return Binder(fields).bind(*tree_of(expression), false);
}

}  // namespace vecdb::collection
