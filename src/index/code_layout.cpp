#include "index/code_layout.h"

#include "check.h"

#include <cstring>

namespace vecdb::index {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kBlockGroup = 8;  ///< Dimensions of a group of a block.

bool is_block(CodeLayout layout) {
    return layout == CodeLayout::kBlock4;
}

/// Return the dimensions of the low halves of a row.
std::size_t half_of_row(CodeLayout layout, std::size_t stride) {
    const std::size_t area = stride - simd::kFactorBytes;
    return layout == CodeLayout::kRow5 ? area * 4 / 5 / 4 * 4 : area;
}

/// Return the dimensions that a row of `stride` bytes holds.
std::size_t row_capacity(CodeLayout layout, std::size_t stride) {
    const bool halves = layout == CodeLayout::kRow4 || layout == CodeLayout::kRow5;
    return half_of_row(layout, stride) * (halves ? 2 : 1);
}

std::size_t block_groups(std::size_t head) {
    return (head + kBlockGroup - 1) / kBlockGroup;
}

}  // namespace

std::size_t code_stride(CodeLayout layout, std::size_t head) noexcept {
    if (is_block(layout)) return block_groups(head) * 128 + 256;
    std::size_t stride = (head / 2 + simd::kFactorBytes) / kLine * kLine;  // never too large
    if (stride == 0) stride = kLine;
    while (row_capacity(layout, stride) < head)
        stride += kLine;
    return stride;
}

LevelRange LevelRange::of(CodeLayout layout) noexcept {
    switch (layout) {
        case CodeLayout::kBlock4:
        case CodeLayout::kRow4:
            return {7.5F, 0.0F, 15.0F};
        case CodeLayout::kRow5:
            return {15.5F, 0.0F, 31.0F};
        case CodeLayout::kRow7:
            return {63.5F, 0.0F, 127.0F};
        case CodeLayout::kRow8:
            break;
    }
    return {128.0F, 1.0F, 255.0F};
}

CodePlaces::CodePlaces(CodeLayout layout, std::size_t head) noexcept
    : layout_(layout), head_(head), stride_(code_stride(layout, head)) {
    if (is_block(layout)) {
        groups_ = block_groups(head);
    } else {
        half_ = half_of_row(layout, stride_);
    }
}

std::size_t CodePlaces::bytes(std::size_t rows) const noexcept {
    const std::size_t units =
        is_block(layout_) ? (rows + simd::kBlockRows - 1) / simd::kBlockRows : rows;
    return units * stride_;
}

std::size_t CodePlaces::factors_at(std::size_t row) const noexcept {
    if (!is_block(layout_)) return (row + 1) * stride_ - simd::kFactorBytes;
    return row / simd::kBlockRows * stride_ + groups_ * 128 + 2 * (row % simd::kBlockRows);
}

std::size_t CodePlaces::factor_step() const noexcept {
    return is_block(layout_) ? 2 * simd::kBlockRows : 2;
}

std::size_t CodePlaces::level_at(std::size_t row, std::size_t d, bool& high) const noexcept {
    if (is_block(layout_)) {
        const std::size_t r = row % simd::kBlockRows;
        high = d % 8 >= 4;
        return row / simd::kBlockRows * stride_ + (2 * (d / 8) + r / 16) * 64 + 4 * (r % 16) +
               d % 4;
    }
    high = d >= half_;
    return row * stride_ + (high ? d - half_ : d);
}

void CodePlaces::write(std::uint8_t* base,
                       std::size_t row,
                       const std::uint8_t* levels,
                       const CodeFactors& factors) const noexcept {
    std::uint8_t* const at = base + factors_at(row);
    std::memcpy(at, &factors.norm, 2);
    std::memcpy(at + factor_step(), &factors.scale, 2);
    std::memcpy(at + 2 * factor_step(), &factors.error, 2);
    std::memcpy(at + 3 * factor_step(), &factors.tail, 2);
    if (layout_ == CodeLayout::kRow7 || layout_ == CodeLayout::kRow8) {
        std::memcpy(base + row * stride_, levels, head_);
        return;
    }
    for (std::size_t d = 0; d < head_; ++d) {
        bool high = false;
        std::uint8_t& byte = base[level_at(row, d, high)];
        byte = static_cast<std::uint8_t>(byte | (levels[d] & 15) << (high ? 4 : 0));
    }
    if (layout_ != CodeLayout::kRow5) return;
    std::uint8_t* const plane = base + row * stride_ + half_;
    for (std::size_t d = 0; d < head_; ++d)
        plane[d / 8] = static_cast<std::uint8_t>(plane[d / 8] | (levels[d] >> 4) << (d % 8));
}

void CodePlaces::read_levels(const std::uint8_t* base,
                             std::size_t row,
                             std::uint8_t* levels) const noexcept {
    if (layout_ == CodeLayout::kRow7 || layout_ == CodeLayout::kRow8) {
        std::memcpy(levels, base + row * stride_, head_);
        return;
    }
    const std::uint8_t* const plane = base + row * stride_ + half_;
    for (std::size_t d = 0; d < head_; ++d) {
        bool high = false;
        const std::uint8_t byte = base[level_at(row, d, high)];
        int level = high ? byte >> 4 : byte & 15;
        if (layout_ == CodeLayout::kRow5) level += 16 * ((plane[d / 8] >> (d % 8)) & 1);
        levels[d] = static_cast<std::uint8_t>(level);
    }
}

CodeFactors CodePlaces::read_factors(const std::uint8_t* base, std::size_t row) const noexcept {
    const std::uint8_t* const at = base + factors_at(row);
    CodeFactors factors;
    std::memcpy(&factors.norm, at, 2);
    std::memcpy(&factors.scale, at + factor_step(), 2);
    std::memcpy(&factors.error, at + 2 * factor_step(), 2);
    std::memcpy(&factors.tail, at + 3 * factor_step(), 2);
    return factors;
}

std::size_t CodePlaces::query_bytes() const noexcept {
    switch (layout_) {
        case CodeLayout::kBlock4:
            return groups_ * kBlockGroup;
        case CodeLayout::kRow4:
            return 2 * stride_;
        case CodeLayout::kRow5:
            return 2 * stride_ + 8 * stride_;
        case CodeLayout::kRow7:
        case CodeLayout::kRow8:
            break;
    }
    return stride_;
}

void CodePlaces::write_query(const std::int8_t* bytes, std::int8_t* levels) const noexcept {
    std::memset(levels, 0, query_bytes());
    const bool halves = layout_ == CodeLayout::kRow4 || layout_ == CodeLayout::kRow5;
    const std::size_t low = halves && half_ < head_ ? half_ : head_;
    std::memcpy(levels, bytes, low);
    if (low < head_) std::memcpy(levels + stride_, bytes + low, head_ - low);
    if (layout_ == CodeLayout::kRow5) std::memcpy(levels + 2 * stride_, bytes, head_);
}

}  // namespace vecdb::index
