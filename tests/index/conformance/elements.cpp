#include "index/conformance/elements.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace vecdb::test {
namespace {

/// Round to a number of bits of the significand.
double rounded(float x, int bits) {
    int exponent = 0;
    const double part = std::frexp(static_cast<double>(x), &exponent);
    return std::ldexp(std::nearbyint(std::ldexp(part, bits)), exponent - bits);
}

std::uint16_t half_bits(float x) {
    constexpr double kLargest = 65'504;
    constexpr double kSmallest = 0x1p-14;  // what is smaller becomes 0
    const auto sign = static_cast<std::uint16_t>(std::signbit(x) ? 0x8000U : 0U);
    const double value = std::min(std::abs(rounded(x, 11)), kLargest);
    if (value < kSmallest) return sign;
    const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
    return static_cast<std::uint16_t>(sign | ((bits >> 13U) - (112U << 10U)));
}

std::uint16_t bfloat_bits(float x) {
    const auto value = static_cast<float>(rounded(x, 8));
    return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16U);
}

std::int8_t byte_of(float x, float factor) {
    return static_cast<std::int8_t>(std::clamp(std::nearbyint(factor * x), -127.0F, 127.0F));
}

bool is_unit(std::span<const float> row) {
    double square = 0;
    for (const float x : row)
        square += static_cast<double>(x) * x;
    return std::abs(square - 1) < 1e-4;
}

template <class T, class Convert>
std::vector<std::byte> convert(std::span<const float> row, Convert&& to) {
    std::vector<std::byte> bytes(row.size() * sizeof(T));
    for (std::size_t i = 0; i < row.size(); ++i) {
        const T element = to(row[i]);
        std::memcpy(bytes.data() + i * sizeof(T), &element, sizeof(T));
    }
    return bytes;
}

std::vector<std::byte> bits_of(std::span<const float> row) {
    std::vector<std::byte> bytes(vector_bytes(ElementType::kBit, row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (row[i] > 0) bytes[i / 8] |= std::byte{1} << (i % 8);
    }
    return bytes;
}

}  // namespace

std::vector<std::byte> to_elements(ElementType type, std::span<const float> row) {
    switch (type) {
        case ElementType::kFloat32:
            return convert<float>(row, [](float x) { return x; });
        case ElementType::kFloat16:
            return convert<std::uint16_t>(row, half_bits);
        case ElementType::kBFloat16:
            return convert<std::uint16_t>(row, bfloat_bits);
        case ElementType::kInt8: {
            const float factor = is_unit(row) ? 127.0F : 24.0F;
            return convert<std::int8_t>(row, [=](float x) { return byte_of(x, factor); });
        }
        case ElementType::kBit:
            return bits_of(row);
    }
    return {};
}

}  // namespace vecdb::test
