#include "persist/formats/item_type.h"

#include "check.h"

#include <array>
#include <bit>
#include <cstring>

namespace vecdb {

static_assert(std::endian::native == std::endian::little,
              "items are written and read as they lie in memory");
static_assert(sizeof(bool) == 1);

namespace {

struct ItemTraits {
    ItemType type;
    std::string_view name;
    std::string_view npy_code;
    std::size_t bytes;
};

constexpr std::array<ItemTraits, 9> kItems = {{
    {ItemType::kFloat32, "float32", "f4", 4},
    {ItemType::kFloat16, "float16", "f2", 2},
    {ItemType::kFloat64, "float64", "f8", 8},
    {ItemType::kInt8, "int8", "i1", 1},
    {ItemType::kUint8, "uint8", "u1", 1},
    {ItemType::kBool, "bool", "b1", 1},
    {ItemType::kInt32, "int32", "i4", 4},
    {ItemType::kUint32, "uint32", "u4", 4},
    {ItemType::kInt64, "int64", "i8", 8},
}};

constexpr ItemTraits kUnknown = {ItemType{}, "unknown", "", 0};

const ItemTraits& traits(ItemType type) noexcept {
    for (const ItemTraits& item : kItems) {
        if (item.type == type) return item;
    }
    return kUnknown;
}

float widen(Float16 half) noexcept {
    const std::uint32_t sign = static_cast<std::uint32_t>(half.bits & 0x8000U) << 16U;
    const std::uint32_t magnitude = half.bits & 0x7FFFU;
    if (magnitude < 0x0400U) {  // zero or denormal: a multiple of 2^-24, exact in float
        const float value = static_cast<float>(magnitude) * 0x1p-24F;
        return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | sign);
    }
    const std::uint32_t special = magnitude >= 0x7C00U ? 0x7F800000U : 0U;  // infinity, NaN
    return std::bit_cast<float>(sign | special | ((magnitude << 13U) + (112U << 23U)));
}

template <class Out, class In>
Out convert(In item) noexcept {
    if constexpr (std::is_same_v<In, Float16>) {
        return static_cast<Out>(widen(item));
    } else {
        return static_cast<Out>(item);
    }
}

template <class In, class Out>
void convert_all(const std::byte* items, std::size_t count, Out* out) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        In item;
        std::memcpy(&item, items + i * sizeof(In), sizeof(In));
        out[i] = convert<Out>(item);
    }
}

// A file may hold any byte where a bool is expected, so it is never read as one.
template <class Out>
void convert_bools(const std::byte* items, std::size_t count, Out* out) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = items[i] != std::byte{0} ? Out{1} : Out{0};
    }
}

template <class Out>
void convert_integers(ItemType type, const std::byte* items, std::size_t count, Out* out) noexcept {
    switch (type) {
        case ItemType::kInt8:
            return convert_all<std::int8_t>(items, count, out);
        case ItemType::kUint8:
            return convert_all<std::uint8_t>(items, count, out);
        case ItemType::kBool:
            return convert_bools(items, count, out);
        case ItemType::kInt32:
            return convert_all<std::int32_t>(items, count, out);
        case ItemType::kUint32:
            return convert_all<std::uint32_t>(items, count, out);
        case ItemType::kInt64:
            return convert_all<std::int64_t>(items, count, out);
        case ItemType::kFloat32:
        case ItemType::kFloat16:
        case ItemType::kFloat64:
            break;
    }
    VECDB_ASSERT(false && "not an integer type");
}

}  // namespace

std::string_view to_string(ItemType type) noexcept {
    return traits(type).name;
}

std::size_t item_bytes(ItemType type) noexcept {
    return traits(type).bytes;
}

namespace persist {

std::string_view npy_code(ItemType type) noexcept {
    return traits(type).npy_code;
}

std::optional<ItemType> item_type_of(std::string_view npy_code) noexcept {
    for (const ItemTraits& item : kItems) {
        if (item.npy_code == npy_code) return item.type;
    }
    return std::nullopt;
}

void convert_items(ItemType type, const std::byte* items, std::size_t count, float* out) noexcept {
    switch (type) {
        case ItemType::kFloat32:
            return convert_all<float>(items, count, out);
        case ItemType::kFloat16:
            return convert_all<Float16>(items, count, out);
        case ItemType::kFloat64:
            return convert_all<double>(items, count, out);
        default:
            return convert_integers(type, items, count, out);
    }
}

void convert_items(ItemType type,
                   const std::byte* items,
                   std::size_t count,
                   std::int64_t* out) noexcept {
    convert_integers(type, items, count, out);
}

}  // namespace persist

}  // namespace vecdb
