#include "index/row_floats.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace vecdb::index {
namespace {

float from_half(std::uint16_t bits) noexcept {
    const bool negative = (bits & 0x8000U) != 0;
    const std::uint32_t exponent = bits >> 10U & 0x1FU;
    const std::uint32_t mantissa = bits & 0x3FFU;
    float value = 0;
    if (exponent == 0) {
        value = std::ldexp(static_cast<float>(mantissa), -24);
    } else {
        // The exponent of infinities and of what is no number is the largest in both formats.
        const std::uint32_t wide = exponent == 31 ? 255 : exponent + 112;
        value = std::bit_cast<float>(wide << 23U | mantissa << 13U);
    }
    return negative ? -value : value;
}

float from_brain(std::uint16_t bits) noexcept {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

template <class Element, class Convert>
void convert(const void* vector, std::size_t dim, float* out, Convert convert_one) {
    const auto* bytes = static_cast<const std::byte*>(vector);
    for (std::size_t i = 0; i < dim; ++i) {
        Element element;
        std::memcpy(&element, bytes + i * sizeof(Element), sizeof(Element));
        out[i] = convert_one(element);
    }
}

}  // namespace

void to_floats(ElementType type, const void* vector, std::size_t dim, float* out) {
    switch (type) {
        case ElementType::kFloat32:
            std::memcpy(out, vector, dim * sizeof(float));
            return;
        case ElementType::kFloat16:
            return convert<std::uint16_t>(vector, dim, out, from_half);
        case ElementType::kBFloat16:
            return convert<std::uint16_t>(vector, dim, out, from_brain);
        case ElementType::kInt8:
            return convert<std::int8_t>(
                vector, dim, out, [](std::int8_t x) { return static_cast<float>(x); });
        case ElementType::kBit: {
            const auto* bytes = static_cast<const std::uint8_t*>(vector);
            for (std::size_t i = 0; i < dim; ++i)
                out[i] = static_cast<float>(bytes[i / 8] >> (i % 8) & 1U);
            return;
        }
    }
}

void gather_floats(const IndexRows& rows, std::span<const std::uint32_t> list, float* out) {
    for (std::size_t i = 0; i < list.size(); ++i)
        to_floats(rows.element_type, rows.row(list[i]), rows.dim, out + i * rows.dim);
}

}  // namespace vecdb::index
