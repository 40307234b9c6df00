#pragma once

/// \file
/// Where levels and factors of a row lie in memory, and those of a query: simd/code_kernels.h in
/// bytes.

#include "simd/code_kernels.h"

#include <cstddef>
#include <cstdint>

namespace vecdb::index {

/// How the levels of a row lie in memory.
enum class CodeLayout : std::uint8_t { kBlock4 = 1, kRow4 = 2, kRow5 = 3, kRow7 = 4, kRow8 = 5 };

/// Return the bytes of a code row that holds `head` dimensions (a multiple of 64), or of a block.
[[nodiscard]] std::size_t code_stride(CodeLayout layout, std::size_t head) noexcept;

/// The levels of a layout: c stands for c - middle, lowest <= c <= highest.
struct LevelRange {
    float middle;
    float lowest;
    float highest;

    [[nodiscard]] static LevelRange of(CodeLayout layout) noexcept;
};

/// The factors of a row as they are stored: halves.
struct CodeFactors {
    std::uint16_t norm = 0;
    std::uint16_t scale = 0;
    std::uint16_t error = 0;
    std::uint16_t tail = 0;
};

/// Find places in the codes of `head` dimensions.
/// Threads: a value.
class CodePlaces {
  public:
    CodePlaces() = default;
    CodePlaces(CodeLayout layout, std::size_t head) noexcept;

    [[nodiscard]] std::size_t stride() const noexcept { return stride_; }
    [[nodiscard]] std::size_t groups() const noexcept { return groups_; }
    /// Return the bytes of the codes of `rows` rows; the last block is a whole one.
    [[nodiscard]] std::size_t bytes(std::size_t rows) const noexcept;

    /// Write head levels and the factors of row `row`; all bytes of its code were 0.
    void write(std::uint8_t* base,
               std::size_t row,
               const std::uint8_t* levels,
               const CodeFactors& factors) const noexcept;
    void read_levels(const std::uint8_t* base,
                     std::size_t row,
                     std::uint8_t* levels) const noexcept;
    [[nodiscard]] CodeFactors read_factors(const std::uint8_t* base,
                                           std::size_t row) const noexcept;

    /// Return the bytes of CodeQuery::levels.
    [[nodiscard]] std::size_t query_bytes() const noexcept;
    /// Write the bytes of a query, zeros where there is no level.
    void write_query(const std::int8_t* bytes, std::int8_t* levels) const noexcept;

  private:
    /// Return the first byte of the factors of a row; the next factor is factor_step() behind.
    [[nodiscard]] std::size_t factors_at(std::size_t row) const noexcept;
    [[nodiscard]] std::size_t factor_step() const noexcept;
    /// Return the byte with the low 4 bits of dimension d, and whether they are its high half.
    [[nodiscard]] std::size_t level_at(std::size_t row, std::size_t d, bool& high) const noexcept;

    CodeLayout layout_ = CodeLayout::kBlock4;
    std::size_t head_ = 0;
    std::size_t stride_ = 0;
    std::size_t groups_ = 0;  ///< Of a block.
    std::size_t half_ = 0;    ///< Dimensions of the low halves of a row: the first `half_`.
};

}  // namespace vecdb::index
