#pragma once

/// \file
/// The kernels' sums in double precision, and what a kernel may answer instead.
/// The tolerances are those of simd/kernel_table.h; nothing here knows how a kernel works.

#include <cmath>
#include <cstddef>
#include <limits>

namespace vecdb::test {

/// An exact sum and how far a float kernel may be off.
struct Reference {
    double value = 0.0;  ///< Lower is nearer.
    double terms = 0.0;  ///< Sum of the absolute terms.
    double bound = 0.0;
    bool one_sign = true;  ///< No two terms have different signs.
};

/// Return u, half the distance from 1 to the next float.
inline double unit_roundoff() {
    return std::ldexp(1.0, -24);
}

/// Return the part of every tolerance that products near the smallest float need.
inline double underflow_bound(std::size_t dim) {
    return static_cast<double>(dim) * std::ldexp(1.0, -148);
}

/// Return the tolerance of a distance kernel whose absolute terms add up to `terms`.
inline double distance_bound(double terms, std::size_t dim) {
    return (static_cast<double>(dim) + 16) * unit_roundoff() * terms + underflow_bound(dim);
}

/// Return the squared Euclidean distance.
inline Reference reference_l2(const float* query, const float* row, std::size_t dim) {
    double sum = 0.0;
    for (std::size_t i = 0; i < dim; ++i) {
        const double difference = static_cast<double>(query[i]) - static_cast<double>(row[i]);
        sum += difference * difference;
    }
    return {sum, sum, distance_bound(sum, dim), true};
}

/// Return the negated inner product.
inline Reference reference_ip(const float* query, const float* row, std::size_t dim) {
    double positive = 0.0;
    double negative = 0.0;
    for (std::size_t i = 0; i < dim; ++i) {
        const double term = -static_cast<double>(query[i]) * static_cast<double>(row[i]);
        (term < 0 ? negative : positive) += term;
    }
    const double terms = positive - negative;
    const bool one_sign = positive == 0 || negative == 0;
    return {positive + negative, terms, distance_bound(terms, dim), one_sign};
}

/// Return start + the inner product of a query and a row that lie `query_step` and `row_step`
/// floats from element to element.
inline Reference reference_tile(float start,
                                const float* query,
                                std::size_t query_step,
                                const float* row,
                                std::size_t row_step,
                                std::size_t dim) {
    double sum = start;
    double terms = std::abs(static_cast<double>(start));
    for (std::size_t d = 0; d < dim; ++d) {
        const double product =
            static_cast<double>(query[d * query_step]) * static_cast<double>(row[d * row_step]);
        sum += product;
        terms += std::abs(product);
    }
    const double factor = static_cast<double>(dim) + 2;
    return {sum, terms, factor * unit_roundoff() * terms + underflow_bound(dim), false};
}

/// Tell whether every sum of some of the terms, in any order, is a finite float.
inline bool cannot_overflow(const Reference& reference) {
    return reference.terms + reference.bound <
           static_cast<double>(std::numeric_limits<float>::max());
}

/// Tell whether a distance kernel may answer `got` for a pair whose exact value is `expected`.
inline bool accepts(const Reference& expected, float got) {
    const double infinity = std::numeric_limits<double>::infinity();
    const double answer = got;
    if (std::isnan(got)) return false;
    if (std::isnan(expected.value)) return answer == infinity;
    if (std::isinf(expected.value)) return answer == expected.value;
    const bool near = std::abs(answer - expected.value) <= expected.bound;
    if (cannot_overflow(expected)) return near;
    if (!expected.one_sign) return near || std::isinf(got);
    // All terms have one sign, so the sum can leave the range on one side only, and must in the
    // end.
    const double side = std::copysign(infinity, expected.value);
    const bool must_overflow = std::abs(expected.value) - expected.bound >= std::ldexp(1.0, 128);
    return answer == side || (near && !must_overflow);
}

}  // namespace vecdb::test
