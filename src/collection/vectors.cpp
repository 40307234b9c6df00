#include "collection/vectors.h"

#include "check.h"

#include <cmath>
#include <limits>
#include <string>

namespace vecdb::collection {
namespace {

/// Name the first element that is not finite; success if all are.
Status check_finite(const float* vector, std::size_t dim, std::size_t number) {
    for (std::size_t i = 0; i < dim; ++i) {
        if (std::isfinite(vector[i])) continue;
        const std::string value = std::isnan(vector[i]) ? "NaN" : vector[i] > 0 ? "inf" : "-inf";
        return {StatusCode::kInvalidArgument,
                row_name(number) + ", column " + std::to_string(i) + " is " + value +
                    "; elements must be finite"};
    }
    return {};
}

/// Return the length in double, which no finite float vector overflows.
double length_of(const float* vector, std::size_t dim) {
    double sums[4] = {};
    std::size_t i = 0;
    for (; i + 4 <= dim; i += 4) {
        for (std::size_t j = 0; j < 4; ++j) {
            sums[j] += static_cast<double>(vector[i + j]) * static_cast<double>(vector[i + j]);
        }
    }
    for (; i < dim; ++i)
        sums[0] += static_cast<double>(vector[i]) * static_cast<double>(vector[i]);
    return std::sqrt((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

/// Divide by the length, in float where that is exact enough.
void make_unit(float* vector, std::size_t dim, double length) {
    constexpr double kSmall = std::numeric_limits<float>::min();
    if (length > kSmall) {
        const auto divisor = static_cast<float>(length);
        for (std::size_t i = 0; i < dim; ++i)
            vector[i] /= divisor;
    } else {
        for (std::size_t i = 0; i < dim; ++i)
            vector[i] = static_cast<float>(vector[i] / length);
    }
}

Status finish_cosine_row(const VectorField& field, float* vector, std::size_t number, float& norm) {
    const double length = length_of(vector, field.dim);
    if (!std::isfinite(length)) return check_finite(vector, field.dim, number);
    if (length > static_cast<double>(std::numeric_limits<float>::max())) {
        return {StatusCode::kInvalidArgument,
                row_name(number) + " has length " + std::to_string(length) +
                    ", more than a float can hold"};
    }
    if (length > 0) {
        make_unit(vector, field.dim, length);
    } else if (field.zero_vector == ZeroVector::kReject) {
        return {StatusCode::kInvalidArgument,
                row_name(number) + " is a zero vector, which has no cosine"};
    }
    norm = static_cast<float>(length);
    return {};
}

}  // namespace

std::string row_name(std::size_t row) {
    return "row " + std::to_string(row);
}

Status check_shape(const VectorField& field, MatrixView vectors) {
    if (vectors.type() != field.element_type) {
        return {StatusCode::kInvalidArgument,
                "vectors are " + std::string(to_string(vectors.type())) +
                    ", the collection holds " + std::string(to_string(field.element_type))};
    }
    if (vectors.dim() != field.dim) {
        return {StatusCode::kInvalidArgument,
                "vectors have dimension " + std::to_string(vectors.dim()) +
                    ", the collection has " + std::to_string(field.dim)};
    }
    if (vectors.rows() == 0) return {};
    if (vectors.data() == nullptr) {
        return {StatusCode::kInvalidArgument,
                "the view of " + std::to_string(vectors.rows()) + " vectors has no data"};
    }
    const std::size_t bytes = vector_bytes(field.element_type, field.dim);
    if (vectors.stride_bytes() < bytes) {
        return {StatusCode::kInvalidArgument,
                "rows start " + std::to_string(vectors.stride_bytes()) + " bytes apart and are " +
                    std::to_string(bytes) + " bytes long"};
    }
    return {};
}

Status finish_rows(const simd::KernelTable& kernels,
                   const VectorField& field,
                   const RowSpan& span,
                   std::span<const std::uint32_t> numbers) {
    float* vector = span.vectors;
    if (field.metric == Metric::kCosine) {
        for (std::size_t i = 0; i < span.count; ++i, vector += field.dim) {
            VECDB_TRY(finish_cosine_row(field, vector, numbers[i], span.norms[i]));
        }
        return {};
    }
    kernels.float32.squared_norms({span.vectors, field.dim, field.dim}, span.count, span.norms);
    for (std::size_t i = 0; i < span.count; ++i, vector += field.dim) {
        // Finite elements may still have an infinite sum of squares.
        if (!std::isfinite(span.norms[i])) VECDB_TRY(check_finite(vector, field.dim, numbers[i]));
    }
    return {};
}

}  // namespace vecdb::collection
