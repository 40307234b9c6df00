#include "collection/vectors.h"

#include "check.h"
#include "collection/number_text.h"

#include <vecdb/half.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

namespace vecdb::collection {
namespace {

float to_float(float x) noexcept {
    return x;
}
/// Round to the type of `out`.
void round_to(float value, float& out) noexcept {
    out = value;
}
void round_to(float value, Float16& out) noexcept {
    out = to_float16(value);
}
void round_to(float value, BFloat16& out) noexcept {
    out = to_bfloat16(value);
}

/// Name the first element that is not finite; success if all are.
template <class T>
Status check_finite(const T* vector, std::size_t dim, std::size_t number) {
    for (std::size_t i = 0; i < dim; ++i) {
        const float x = to_float(vector[i]);
        if (std::isfinite(x)) continue;
        const std::string value = std::isnan(x) ? "NaN" : x > 0 ? "inf" : "-inf";
        return {StatusCode::kInvalidArgument,
                row_name(number) + ", column " + std::to_string(i) + " is " + value +
                    "; elements must be finite"};
    }
    return {};
}

/// Return the length in double, which no finite vector overflows.
template <class T>
double length_of(const T* vector, std::size_t dim) {
    double sums[4] = {};
    const auto square = [vector](std::size_t i) {
        const auto x = static_cast<double>(to_float(vector[i]));
        return x * x;
    };
    std::size_t i = 0;
    for (; i + 4 <= dim; i += 4) {
        for (std::size_t j = 0; j < 4; ++j)
            sums[j] += square(i + j);
    }
    for (; i < dim; ++i)
        sums[0] += square(i);
    return std::sqrt((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

/// Divide by the length, in float where that is exact enough.
template <class T>
void make_unit(T* vector, std::size_t dim, double length) {
    constexpr double kSmall = std::numeric_limits<float>::min();
    if (length > kSmall) {
        const auto divisor = static_cast<float>(length);
        for (std::size_t i = 0; i < dim; ++i)
            round_to(to_float(vector[i]) / divisor, vector[i]);
    } else {
        for (std::size_t i = 0; i < dim; ++i) {
            const double x = static_cast<double>(to_float(vector[i]));
            round_to(static_cast<float>(x / length), vector[i]);
        }
    }
}

template <class T>
Status finish_cosine_row(const VectorField& field, T* vector, std::size_t number, float& norm) {
    const double length = length_of(vector, field.dim);
    if (!std::isfinite(length)) return check_finite(vector, field.dim, number);
    if (length > static_cast<double>(std::numeric_limits<float>::max())) {
        return {StatusCode::kInvalidArgument,
                row_name(number) + " has length " + number_text(length) + "; at most " +
                    number_text(std::numeric_limits<float>::max()) + " is allowed"};
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

/// Finish rows of floats of any width.
template <class T>
Status finish_floats(const simd::KernelTable& kernels,
                     const VectorField& field,
                     const RowSpan& span,
                     std::span<const std::uint32_t> numbers) {
    T* vector = reinterpret_cast<T*>(span.vectors);
    if (field.metric == Metric::kCosine) {
        for (std::size_t i = 0; i < span.count; ++i, vector += field.dim) {
            VECDB_TRY(finish_cosine_row(field, vector, numbers[i], span.norms[i]));
        }
        return {};
    }
    const simd::Rows rows(vector, field.dim, field.dim);
    kernels.squared_norms(field.element_type)(rows, span.count, span.norms);
    for (std::size_t i = 0; i < span.count; ++i, vector += field.dim) {
        // Finite elements may still have an infinite sum of squares.
        if (!std::isfinite(span.norms[i])) VECDB_TRY(check_finite(vector, field.dim, numbers[i]));
    }
    return {};
}

/// Finish rows of bits, whose last byte may have bits of no dimension.
Status finish_bits(const VectorField& field,
                   const RowSpan& span,
                   std::span<const std::uint32_t> numbers) {
    const std::size_t bytes = vector_bytes(ElementType::kBit, field.dim);
    const std::size_t used = field.dim % 8;
    std::fill_n(span.norms, span.count, 0.0F);
    for (std::size_t i = 0; used != 0 && i < span.count; ++i) {
        const auto last = std::to_integer<unsigned>(span.vectors[i * bytes + bytes - 1]);
        if (last >> used == 0) continue;
        return {StatusCode::kInvalidArgument,
                row_name(numbers[i]) + " has bits set past dimension " + std::to_string(field.dim) +
                    ": its last byte is " + std::to_string(last) + ", at most " +
                    std::to_string((1U << used) - 1) + " is allowed"};
    }
    return {};
}

/// Multiply a unit row of halves by its length. What rounding carries past the largest finite
/// number comes back to it, as the vector's own elements were finite.
template <class T>
void restore_halves(const VectorField& field, const std::byte* row, float norm, std::byte* out) {
    const auto* unit = reinterpret_cast<const T*>(row);
    auto* vector = reinterpret_cast<T*>(out);
    constexpr T kInfinity = std::is_same_v<T, Float16> ? T{0x7C00} : T{0x7F80};
    for (std::size_t i = 0; i < field.dim; ++i) {
        round_to(to_float(unit[i]) * norm, vector[i]);
        if ((vector[i].bits & 0x7FFF) == kInfinity.bits) --vector[i].bits;
    }
}

}  // namespace

std::string row_name(std::size_t row) {
    return "row " + std::to_string(row);
}

Result<std::size_t> find_vector_field(std::span<const VectorField> fields, std::string_view name) {
    if (name.empty()) return std::size_t{0};
    const auto found = std::find_if(
        fields.begin(), fields.end(), [&](const VectorField& field) { return field.name == name; });
    if (found != fields.end()) return static_cast<std::size_t>(found - fields.begin());
    std::string names;
    for (const VectorField& field : fields)
        names.append(names.empty() ? "'" : ", '").append(field.name).append("'");
    return Status(StatusCode::kInvalidArgument,
                  "no vector field is named '" + std::string(name) + "'; there " +
                      (fields.size() == 1 ? "is " : "are ") + names);
}

Status in_field(std::span<const VectorField> fields, std::size_t number, Status status) {
    if (status.ok() || number == 0) return status;
    return {status.code(), "field '" + fields[number].name + "': " + status.message()};
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
    switch (field.element_type) {
        case ElementType::kFloat32:
            return finish_floats<float>(kernels, field, span, numbers);
        case ElementType::kFloat16:
            return finish_floats<Float16>(kernels, field, span, numbers);
        case ElementType::kBFloat16:
            return finish_floats<BFloat16>(kernels, field, span, numbers);
        case ElementType::kInt8:
            kernels.int8.squared_norms(
                {span.vectors, field.dim, field.dim}, span.count, span.norms);
            return {};
        case ElementType::kBit:
            break;
    }
    return finish_bits(field, span, numbers);
}

void restore_row(const simd::KernelTable& kernels,
                 const VectorField& field,
                 const std::byte* row,
                 float norm,
                 std::byte* out) noexcept {
    if (field.metric != Metric::kCosine) {
        std::memcpy(out, row, vector_bytes(field.element_type, field.dim));
    } else if (field.element_type == ElementType::kFloat16) {
        restore_halves<Float16>(field, row, norm, out);
    } else if (field.element_type == ElementType::kBFloat16) {
        restore_halves<BFloat16>(field, row, norm, out);
    } else {
        kernels.scale(
            reinterpret_cast<const float*>(row), field.dim, norm, reinterpret_cast<float*>(out));
    }
}

}  // namespace vecdb::collection
