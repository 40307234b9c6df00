#include "index/row_floats.h"

#include <vecdb/half.h>

#include <cstring>

namespace vecdb::index {
namespace {

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
            return convert<Float16>(vector, dim, out, [](Float16 x) { return to_float(x); });
        case ElementType::kBFloat16:
            return convert<BFloat16>(vector, dim, out, [](BFloat16 x) { return to_float(x); });
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
