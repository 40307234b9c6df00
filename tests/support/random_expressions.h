#pragma once

/// \file
/// Random expressions over a fixed schema, and rows for it.

#include "support/random_data.h"

#include <vecdb/expression.h>
#include <vecdb/scalar.h>
#include <vecdb/schema.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace vecdb::test {

/// Return a schema whose scalar fields are of every type; names that need backquotes among them.
inline Schema scalar_schema() {
    Schema schema = Schema::single(4);
    schema.scalars = {{"sold_out", ScalarType::kBool, true},
                      {"stock", ScalarType::kInt64, true},
                      {"price", ScalarType::kDouble, true},
                      {"brand", ScalarType::kString, true},
                      {"In", ScalarType::kInt64, true},
                      {"größe `x`", ScalarType::kString, true}};
    return schema;
}

/// Draws trees and rows whose values are few and lie at the ends of their types, so that tests are
/// as often true as false.
class RandomExpressions {
  public:
    explicit RandomExpressions(std::uint64_t seed) : random_(seed) {}

    /// Draw a tree of at most `depth` levels.
    Expression draw(std::size_t depth) {
        if (depth == 0 || below(4) == 0) return test();
        if (below(4) == 0) return !draw(depth - 1);
        std::vector<Expression> parts;
        for (std::size_t i = 1 + below(3); i > 0; --i)
            parts.push_back(draw(depth - 1));
        return below(2) == 0 ? Expression::all_of(parts) : Expression::any_of(parts);
    }

    /// Draw a value for each field of scalar_schema().
    std::vector<Scalar> row() {
        std::vector<Scalar> values;
        for (const ScalarField& field : schema_.scalars)
            values.push_back(below(5) == 0 ? Scalar() : value_of(field.type));
        return values;
    }

  private:
    std::size_t below(std::size_t end) { return random_() % end; }

    std::int64_t integer() {
        using Limits = std::numeric_limits<std::int64_t>;
        constexpr std::int64_t kExact = std::int64_t{1} << 53U;
        const std::int64_t values[] = {Limits::min(),
                                       Limits::min() + 1,
                                       -kExact - 1,
                                       -kExact,
                                       -1,
                                       0,
                                       1,
                                       2,
                                       3,
                                       kExact - 1,
                                       kExact,
                                       kExact + 1,
                                       kExact + 2,
                                       Limits::max() - 1,
                                       Limits::max()};
        return values[below(std::size(values))];
    }

    double number() {
        using Limits = std::numeric_limits<double>;
        if (below(2) == 0) return static_cast<double>(integer());
        const double values[] = {-Limits::infinity(),
                                 Limits::infinity(),
                                 Limits::lowest(),
                                 Limits::max(),
                                 Limits::denorm_min(),
                                 -Limits::denorm_min(),
                                 -0.0,
                                 0.5,
                                 1.5,
                                 2.5,
                                 -9223372036854777856.0,
                                 9223372036854774784.0,
                                 0.1};
        return values[below(std::size(values))];
    }

    std::string text() {
        const char* const pieces[] = {"a", "b", "ab", "%", "\\", "\"'\n\t\x01", "ß", "\U0001F600"};
        std::string made;
        for (std::size_t i = below(5); i > 0; --i)
            made += pieces[below(2) == 0 ? below(2) : below(std::size(pieces))];
        return made;
    }

    std::string pattern() {
        const char* const pieces[] = {"a", "b", "ab", "%", "%", "%%", "\\%", "\\\\", "ß"};
        std::string made;
        for (std::size_t i = below(7); i > 0; --i)
            made += pieces[below(std::size(pieces))];
        return made;
    }

    Scalar value_of(ScalarType type) {
        if (type == ScalarType::kBool) return below(2) == 0;
        if (type == ScalarType::kInt64) return integer();
        if (type == ScalarType::kDouble) return number();
        return text();
    }

    /// Draw what a field of the type is compared with.
    Scalar literal_for(ScalarType type) {
        const bool number_type = type == ScalarType::kInt64 || type == ScalarType::kDouble;
        if (!number_type) return value_of(type);
        return value_of(below(2) == 0 ? ScalarType::kInt64 : ScalarType::kDouble);
    }

    Expression compared(const Field& field, ScalarType type) {
        const Scalar value = literal_for(type);
        switch (below(type == ScalarType::kBool ? 2 : 6)) {
            case 0:
                return field == value;
            case 1:
                return value != field;
            case 2:
                return field < value;
            case 3:
                return value >= field;
            case 4:
                return value < field;
            default:
                return field >= value;
        }
    }

    Expression listed(const Field& field, ScalarType type) {
        std::vector<Scalar> values;
        for (std::size_t i = below(5); i > 0; --i)
            values.push_back(literal_for(type));
        return below(2) == 0 ? field.in(values) : field.not_in(values);
    }

    Expression test() {
        if (below(20) == 0) return Expression::constant(below(2) == 0);
        const ScalarField& chosen = schema_.scalars[below(schema_.scalars.size())];
        const Field named = field(chosen.name);
        if (below(6) == 0) return below(2) == 0 ? named.is_null() : named.is_not_null();
        if (chosen.type == ScalarType::kBool && below(2) == 0) return named;
        if (chosen.type == ScalarType::kString && below(2) == 0) {
            return below(2) == 0 ? named.like(pattern()) : named.not_like(pattern());
        }
        if (chosen.type != ScalarType::kBool && below(3) == 0) return listed(named, chosen.type);
        return compared(named, chosen.type);
    }

    Random random_;
    Schema schema_ = scalar_schema();
};

}  // namespace vecdb::test
