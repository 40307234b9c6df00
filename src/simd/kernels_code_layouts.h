#pragma once

/// \file
/// Sums of code rows of every layout over the registers of a level. Contract: code_kernels.h, of
/// `Lanes`: kernels_codes_wide.h.
/// Included by the files in arch/ only; internal linkage throughout.

#include "simd/kernels_codes.h"

#include <cstddef>
#include <cstdint>

namespace vecdb::simd {
namespace {

/// Products of half bytes, 15 * 127, or of 16 * 127 added up in pairs in 16 bits without overflow.
inline constexpr std::size_t kPartProducts = 8;

/// The query's bytes: kCount registers that stay in registers, or any number in memory.
template <class Lanes, std::size_t kCount>
struct QueryBytes {
    explicit QueryBytes(const std::int8_t* levels) {
#pragma GCC unroll 16
        for (std::size_t i = 0; i < kCount; ++i)
            held[i] = Lanes::load(levels + i * Lanes::kWidth);
    }
    typename Lanes::Bytes operator[](std::size_t i) const {
        return held[i];
    }

    typename Lanes::Bytes held[kCount];
};

template <class Lanes>
struct QueryBytes<Lanes, 0> {
    explicit QueryBytes(const std::int8_t* bytes) : levels(bytes) {}
    typename Lanes::Bytes operator[](std::size_t i) const {
        return Lanes::load(levels + i * Lanes::kWidth);
    }

    const std::int8_t* levels;
};

/// Add up steps [0, count): `add(part, i)` adds kPartProducts / kStepsPerPart products.
template <class Lanes, std::size_t kStepsPerPart, class Add>
inline typename Lanes::Sums add_steps(typename Lanes::Sums sums, std::size_t count, Add add) {
    std::size_t i = 0;
    for (; i + kStepsPerPart <= count; i += kStepsPerPart) {
        auto part = Lanes::no_part();
#pragma GCC unroll 8
        for (std::size_t s = 0; s < kStepsPerPart; ++s)
            part = add(part, i + s);
        sums = Lanes::widen(sums, part);
    }
    if (i < count) {
        auto part = Lanes::no_part();
        for (; i < count; ++i)
            part = add(part, i);
        sums = Lanes::widen(sums, part);
    }
    return sums;
}

/// Registers that `bytes` bytes take.
template <class Lanes>
constexpr std::size_t registers(std::size_t bytes) {
    return (bytes + Lanes::kWidth - 1) / Lanes::kWidth;
}

/// Sums of a row of half bytes. kStride is its stride, or 0 for any.
template <class Lanes, std::size_t kStride>
struct WideRow4 {
    static constexpr bool kKnownStride = kStride != 0;
    using Sums = typename Lanes::Sums;

    WideRow4(const std::int8_t* levels, std::size_t stride) : query(levels), stride_(stride) {}

    Sums operator()(const std::uint8_t* row) const { return halves(row, stride()); }
    [[nodiscard]] std::size_t stride() const { return kStride != 0 ? kStride : stride_; }

  protected:
    Sums halves(const std::uint8_t* row, std::size_t bytes) const {
        const std::size_t high = registers<Lanes>(stride());
        const auto add = [&](typename Lanes::Part part, std::size_t i) {
            const auto levels = Lanes::load(row + i * Lanes::kWidth);
            part = Lanes::add_small(part, Lanes::low_halves(levels), query[i]);
            return Lanes::add_small(part, Lanes::high_halves(levels), query[high + i]);
        };
        return add_steps<Lanes, kPartProducts / 2>(Lanes::no_sums(), registers<Lanes>(bytes), add);
    }

    QueryBytes<Lanes, 2 * registers<Lanes>(kStride)> query;

  private:
    std::size_t stride_;
};

/// Sums of a row of half bytes with a plane of fifth bits.
template <class Lanes, std::size_t kStride>
struct WideRow5 : WideRow4<Lanes, kStride> {
    using Sums = typename Lanes::Sums;
    using Base = WideRow4<Lanes, kStride>;

    WideRow5(const std::int8_t* levels, std::size_t stride)
        : Base(levels, stride), plane(levels + 2 * this->stride()) {}

    Sums operator()(const std::uint8_t* row) const {
        const std::size_t half = row5_half(this->stride());
        const auto add = [&](typename Lanes::Part part, std::size_t i) {
            return Lanes::add_small(
                part, Lanes::bits16(row + half + i * (Lanes::kWidth / 8)), plane[i]);
        };
        return add_steps<Lanes, kPartProducts>(
            this->halves(row, half), registers<Lanes>(2 * half), add);
    }

    QueryBytes<Lanes, kStride == 0 ? 0 : registers<Lanes>(2 * row5_half(kStride))> plane;
};

/// Sums of a row of bytes.
template <class Lanes, std::size_t kStride, bool kCentred>
struct WideBytes {
    static constexpr bool kKnownStride = kStride != 0;
    using Sums = typename Lanes::Sums;

    WideBytes(const std::int8_t* levels, std::size_t stride) : query(levels), stride_(stride) {}

    Sums operator()(const std::uint8_t* row) const {
        Sums sums = Lanes::no_sums();
        for (std::size_t i = 0; i < registers<Lanes>(stride()); ++i) {
            const auto levels = Lanes::load(row + i * Lanes::kWidth);
            sums = kCentred ? Lanes::add8(sums, levels, query[i])
                            : Lanes::add7(sums, levels, query[i]);
        }
        return sums;
    }
    [[nodiscard]] std::size_t stride() const { return kStride != 0 ? kStride : stride_; }

    QueryBytes<Lanes, registers<Lanes>(kStride)> query;

  private:
    std::size_t stride_;
};

template <class Lanes, std::size_t kStride>
using WideRow7 = WideBytes<Lanes, kStride, false>;
template <class Lanes, std::size_t kStride>
using WideRow8 = WideBytes<Lanes, kStride, true>;

}  // namespace
}  // namespace vecdb::simd
