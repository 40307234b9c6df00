#include "index/encode.h"

#include "index/half.h"
#include "index/lengths.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace vecdb::index {
namespace {

/// Added and taken away again, this rounds a float below 2^22 to an integer.
constexpr float kRounder = 0x1.8p23F;
constexpr std::size_t kLanes = 8;
/// Where the range of levels ends, as parts of the largest element.
constexpr float kClips[] = {1.0F, 0.89F, 0.78F, 0.67F, 0.56F, 0.45F, 0.35F};

/// Return the level next to x.
inline float level_of(float x, const LevelRange& range) {
    float level = x + range.middle;
    level = level < range.highest ? level : range.highest;
    level = level > range.lowest ? level : range.lowest;
    return (level + kRounder) - kRounder;
}

/// The sums from which the best scale for given levels follows.
struct Fit {
    float product = 0.0F;  ///< Of head and levels.
    float square = 0.0F;   ///< Of the levels.
};

Fit fit_levels(const float* head, std::size_t count, float factor, const LevelRange& range) {
    float products[kLanes] = {};
    float squares[kLanes] = {};
    std::size_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
        for (std::size_t j = 0; j < kLanes; ++j) {
            const float level = level_of(head[i + j] * factor, range) - range.middle;
            products[j] += head[i + j] * level;
            squares[j] += level * level;
        }
    }
    for (std::size_t j = 0; i < count; ++i, ++j) {
        const float level = level_of(head[i] * factor, range) - range.middle;
        products[j] += head[i] * level;
        squares[j] += level * level;
    }
    Fit fit;
    for (std::size_t j = 0; j < kLanes; ++j) {
        fit.product += products[j];
        fit.square += squares[j];
    }
    return fit;
}

float largest_of(const float* head, std::size_t count) {
    float largest[kLanes] = {};
    std::size_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
        for (std::size_t j = 0; j < kLanes; ++j) {
            const float size = std::fabs(head[i + j]);
            largest[j] = size > largest[j] ? size : largest[j];
        }
    }
    for (; i < count; ++i)
        largest[0] = std::max(largest[0], std::fabs(head[i]));
    return *std::max_element(largest, largest + kLanes);
}

}  // namespace

RowCoder::RowCoder(CodeLayout layout, std::size_t head, double unit) noexcept
    : range_(LevelRange::of(layout)),
      clips_(layout != CodeLayout::kRow7 && layout != CodeLayout::kRow8),
      head_(head),
      unit_(unit) {}

double RowCoder::scale_value(std::uint16_t scale) const noexcept {
    return half_value(scale) * (unit_ * kFactorStep);
}

std::uint16_t RowCoder::choose_scale(const float* head, float largest) const {
    const float span = range_.highest - range_.middle;
    const std::size_t tries = clips_ ? std::size(kClips) : 1;
    std::uint16_t best = 0;
    double least = 0;  // the error less |h|^2, of scale 0
    for (std::size_t i = 0; i < tries; ++i) {
        const Fit fit = fit_levels(head, head_, span / (kClips[i] * largest), range_);
        const double product = fit.product;
        const double square = fit.square;
        const double wanted = product / square / (unit_ * kFactorStep);
        const std::uint16_t half = half_of(wanted, HalfRounding::kNearest);
        const double scale = scale_value(half);
        const double error = scale * (scale * square - 2 * product);
        if (error < least) {
            least = error;
            best = half;
        }
    }
    return best;
}

void RowCoder::code(const float* head,
                    const RowMeasures& measures,
                    std::uint8_t* levels,
                    CodeFactors& factors,
                    double& longest_hat) const {
    const float largest = largest_of(head, head_);
    // Below this every scale is nothing in halves, and factors could leave the range of floats.
    const bool codable = largest > unit_ * 0x1p-40 && largest > 0x1p-100F;
    factors.scale = codable ? choose_scale(head, largest) : std::uint16_t{0};
    const double scale = scale_value(factors.scale);
    const auto factor = scale > 0 ? static_cast<float>(1 / scale) : 0.0F;
    double error_sums[2] = {};
    double square_sums[2] = {};
    for (std::size_t d = 0; d < head_; ++d) {
        const float level = level_of(head[d] * factor, range_);
        levels[d] = static_cast<std::uint8_t>(level);
        const auto centred = static_cast<double>(level - range_.middle);
        const double error = static_cast<double>(head[d]) - scale * centred;
        error_sums[d % 2] += error * error;
        square_sums[d % 2] += centred * centred;
    }
    const double unit_step = unit_ * kFactorStep;
    const double error =
        std::sqrt(error_sums[0] + error_sums[1]) * (1 + kSumError) + measures.slack;
    factors.norm = measures.norm;
    factors.error = half_of(error / unit_step, HalfRounding::kUp);
    factors.tail = half_of(measures.tail / unit_step, HalfRounding::kUp);
    if (factors.scale != 0) {
        const double hat = std::sqrt(square_sums[0] + square_sums[1]) * (1 + kSumError);
        longest_hat = std::max(longest_hat, hat);
    }
}

}  // namespace vecdb::index
