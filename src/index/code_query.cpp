#include "check.h"
#include "index/codes.h"
#include "index/encode.h"
#include "index/half.h"
#include "index/lengths.h"

#include <algorithm>
#include <cmath>
#include <limits>

// Why no score is above the distance
// ----------------------------------
// Exact numbers: q and x are query and row, m the mean (0 without one), p = q - m, y = x - m.
// u = 2^-24. M is the rotation, its rows orthonormal but for `skew`.
//
// 1. From vectors to heads. Floats p' and y' are computed for p and y, each element off by a factor
//    of 1 +- u, and heads g and h of them, off from M p' and M y' by at most eta = head_error times
//    their lengths. Split p' and y' into the span of M's rows and the rest. Then
//        |p.y - p'.y'|              <= 2.1 u |p| |y|
//        |p'.y' - M p'.M y'|        <= |rest of p'| |rest of y'| + skew |p'| |y'|
//        |M p'.M y' - g.h|          <= 2.1 eta |p'| |y'|
//    so with zeta = 1.1 (2 u + 2 eta + skew), q_tail and T at least the lengths of the rests,
//        p.y <= g.h + q_tail T + zeta |p| |y|.
//    Without a rotation g = p', h = y', eta = skew = q_tail = T = 0. Products below the smallest
//    float are covered by kLeastLength, which stands in every length of a rotated space.
// 2. From heads to codes, with x^ = s (c - middle), E >= |h - x^|, L >= |x^| / s for every row, and
//    D >= |g - t Q|:
//        g.h = t Q.x^ + (g - t Q).x^ + g.(h - x^) <= t s (raw - middle sum Q) + D L s + |g| E.
// 3. l2: the distance is |p|^2 + |y|^2 - 2 p.y, and 2 |p| |y| <= |p|^2 + |y|^2, so it is at least
//        (1 - zeta) (|p|^2 + |y|^2) - 2 (t s (raw - middle sum Q) + D L s + |g| E + q_tail T).
//    The kernel's value is at least the distance times 1 - rho, rho = (dim + 16) u, less
//    dim 2^-148, and the distance at most 2 (|p|^2 + |y|^2): another 2 rho of these squares.
// 4. ip and cosine: the distance is -q.m - m.y - p.y, N >= m.y, and the kernel's value at least the
//    distance less rho |q| |x| and dim 2^-148. |x| <= |m| + unit, |p| <= |q| + |m|, and all slack
//    is in kappa (|q| + |m|) (|m| + unit), that of 5. for q.m and m.y included.
// 5. The score is computed from constants in float: at most 8 roundings on the way of any term,
//    which change it by 12 u of the sum of absolute terms at most. For the squares this stands in
//    their factor 1 - kappa (N <= |y|^2 may stand for |y|^2 there, as it does elsewhere), for e, t
//    and the D L s in c in a factor of 1 + 16 u, for the product s (b raw + middle part) in c.
// 6. What denormals lose is below kTiny, as all lengths lie between 2^-50 and 2^50: |s b raw| is
//    computed from b >= 2^-60 2^-50 2^-15, s <= 2^15, with an error of 2^-134 beyond the relative
//    one.

namespace vecdb::index {
namespace {

constexpr double kU = 0x1p-24;
constexpr double kTiny = 0x1p-120;
constexpr double kUp = 1 + 16 * kU;
constexpr float kRounder = 0x1.8p23F;
constexpr int kMostByte = 127;
/// Heads shorter than this have no bytes, and those with a smaller step than kLeastBoundStep none
/// that bounds can use: all of the head is error.
constexpr float kLeastByteStep = 0x1p-118F;
constexpr double kLeastBoundStep = 0x1p-60;
constexpr double kLongestQuery = 0x1p50;
/// Floats of queries longer than this may overflow on the way.
constexpr double kLongestHead = 0x1p120;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

float round_down(double x) noexcept {
    const auto nearest = static_cast<float>(x);
    return static_cast<double>(nearest) <= x ? nearest : std::nextafter(nearest, -kInfinity);
}

float round_up(double x) noexcept {
    return -round_down(-x);
}

/// Return a power of two near 1 / x.
double inverse_power(double x) noexcept {
    return x > 0 ? std::ldexp(1.0, -std::ilogb(x)) : 1.0;
}

float* scratch(std::size_t size) {
    thread_local std::vector<float> memory;
    if (memory.size() < size) memory.resize(size);
    return memory.data();
}

/// The bytes of a head.
struct Bytes {
    double step = 0.0;   ///< t
    double error = 0.0;  ///< At least |g - t Q|.
    double sum = 0.0;    ///< Of Q.
    double size = 0.0;   ///< Sum of |Q|.
};

float largest_of(const float* head, std::size_t count) {
    float largest[4] = {};
    for (std::size_t d = 0; d < count; ++d)
        largest[d % 4] = std::max(largest[d % 4], std::fabs(head[d]));
    return std::max(std::max(largest[0], largest[1]), std::max(largest[2], largest[3]));
}

/// Round a head to bytes.
Bytes round_head(const float* head, std::size_t count, std::int8_t* bytes) {
    const float step = largest_of(head, count) / kMostByte;
    Bytes result;
    if (!(step >= kLeastByteStep)) {
        std::fill_n(bytes, count, std::int8_t{0});
        result.error = std::sqrt(square_sum(head, count)) * (1 + kSumError);
        return result;
    }
    const float factor = 1.0F / step;
    std::int32_t sum = 0;
    std::int32_t size = 0;
    double squares[2] = {};
    for (std::size_t d = 0; d < count; ++d) {
        const float byte = (head[d] * factor + kRounder) - kRounder;
        const auto number = static_cast<std::int32_t>(byte);
        bytes[d] = static_cast<std::int8_t>(number);
        sum += number;
        size += std::abs(number);
        const double error =
            static_cast<double>(head[d]) - static_cast<double>(step) * static_cast<double>(byte);
        squares[d % 2] += error * error;
    }
    result.step = static_cast<double>(step);
    result.error = std::sqrt(squares[0] + squares[1]) * (1 + kSumError);
    result.sum = sum;
    result.size = size;
    return result;
}

}  // namespace

/// What the constants of a query follow from, in double precision.
struct CodeTable::QueryFacts {
    double length = 0.0;  ///< |p|
    double head = 0.0;    ///< |g|
    double tail = 0.0;
    double mean_product = 0.0;  ///< q.m, 0 under l2.
    double step = 0.0;          ///< t
    double dot = 0.0;           ///< What one of raw stands for in q.x for a stored scale of 1.
    double middle = 0.0;        ///< What middle sum Q is in raw.
    double raw = 0.0;           ///< No |raw| is above this.
    double byte_error = 0.0;
};

void CodeTable::prepare(const CodeSpace& space,
                        const float* query,
                        float bound,
                        PreparedQuery& prepared) const {
    if (prepared.head.size() < head_) prepared.head.resize(head_);
    prepared.measures = space.project(query, prepared.head.data());
    prepare_head(space, query, bound, prepared);
}

void CodeTable::prepare_again(const CodeSpace& space,
                              const float* query,
                              float bound,
                              const PreparedQuery& same,
                              PreparedQuery& prepared) const {
    if (prepared.head.size() < head_) prepared.head.resize(head_);
    std::copy_n(same.head.data(), head_, prepared.head.data());
    prepared.measures = same.measures;
    prepare_head(space, query, bound, prepared);
}

void CodeTable::prepare_head(const CodeSpace& space,
                             const float* query,
                             float bound,
                             PreparedQuery& prepared) const {
    VECDB_ASSERT(space.head() == head_ && space.dim() == dim_);
    const std::size_t room = places_.query_bytes();
    if (prepared.levels.size() < room) prepared.levels = simd::AlignedBuffer<std::int8_t>(room);
    const bool l2 = metric_ == Metric::kL2;
    const CodeSpace::Measures measures = prepared.measures;
    if (!(measures.length <= kLongestHead)) std::fill_n(prepared.head.data(), head_, 0.0F);

    auto* const bytes = reinterpret_cast<std::int8_t*>(scratch(head_));
    const Bytes rounded = round_head(prepared.head.data(), head_, bytes);
    places_.write_query(bytes, prepared.levels.data());

    const LevelRange range = LevelRange::of(layout_);
    const bool centred_levels = layout_ == CodeLayout::kRow8;  // raw has its middle taken off
    const double slack = space.rotates() ? kLeastLength : 0.0;
    QueryFacts facts;
    facts.length = measures.length;
    facts.head = std::sqrt(square_sum(prepared.head.data(), head_)) * (1 + kSumError) + slack;
    facts.tail = measures.tail;
    if (!l2 && !space.mean().empty()) {
        facts.mean_product = product_sum(query, space.mean().data(), dim_);
    }
    facts.step = rounded.step;
    facts.dot = rounded.step * unit_ * kFactorStep;
    facts.middle = centred_levels ? 0.0 : static_cast<double>(range.middle) * rounded.sum;
    facts.raw = rounded.size * (centred_levels ? 127.0 : static_cast<double>(range.highest));
    facts.byte_error = rounded.error + slack;
    set_bounds(space, facts, bound, prepared);
    set_estimates(space, facts, prepared);
}

void CodeTable::set_bounds(const CodeSpace& space,
                           const QueryFacts& query,
                           float bound,
                           PreparedQuery& to) const {
    to.code = {to.levels.data(), -kInfinity, 0, 0, 0, 0, 0};
    if (!bounds() || !(query.length <= kLongestQuery) || !(space.mean_length() <= kLongestQuery)) {
        return;
    }
    const bool l2 = metric_ == Metric::kL2;
    const double times = l2 ? 2.0 : 1.0;
    const double rho = (static_cast<double>(dim_) + 16) * kU;
    const double zeta = 1.1 * (2 * kU + 2 * space.head_error() + space.skew());
    const double kappa = 2 * rho + zeta + 16 * kU + 10 * kSumError;
    const double step = unit_ * kFactorStep;
    if (l2) {
        to.code.a = round_down(query.length * query.length * (1 - kappa) - kTiny);
        to.code.w = round_down(norm_step(space) * (1 - kappa));
    } else {
        const double mean = space.mean_length() * kUp;
        const double slack = kappa * (query.length + 2 * mean) * (mean + unit_);
        to.code.a = round_down(-query.mean_product - slack - kTiny);
        to.code.w = static_cast<float>(-norm_step(space));
    }
    const bool has_bytes = query.step >= kLeastBoundStep;
    const double byte_error = has_bytes ? query.byte_error : query.head;
    to.code.b = has_bytes ? static_cast<float>(times * query.dot) : 0.0F;
    const auto b = static_cast<double>(to.code.b);
    const double roundings = 12 * kU * b * (query.raw + std::fabs(query.middle));
    const double believed = times * step * static_cast<double>(bound) * kUp;
    to.code.c = round_up(-b * query.middle + roundings + believed * byte_error * longest_hat_);
    to.code.e = round_up(believed * query.head);
    to.code.t = round_up(believed * query.tail);
}

/// The same without error terms. What is left out of the heads is taken to be parallel: of
/// row and neighbour it nearly is, and lengths alone would prefer rows that are near their heads.
void CodeTable::set_estimates(const CodeSpace& space,
                              const QueryFacts& query,
                              PreparedQuery& to) const {
    to.estimate = {to.levels.data(), 0, 0, 0, 0, 0, 0};
    if (unit_ == 0) return;
    const bool l2 = metric_ == Metric::kL2;
    const double times = l2 ? 2.0 : 1.0;
    const double step = unit_ * kFactorStep;
    double power = 1.0;
    if (!bounds() || !(query.length <= kLongestQuery)) {
        const double one = inverse_power(std::max(unit_, query.length));
        power = one * (l2 ? one : inverse_power(std::min(unit_, query.length)));
    }
    if (l2) {
        to.estimate.a = static_cast<float>(power * query.length * query.length);
        to.estimate.w = static_cast<float>(power * norm_step(space));
    } else {
        to.estimate.a = static_cast<float>(-power * query.mean_product);
        to.estimate.w = static_cast<float>(-power * norm_step(space));
    }
    if (metric_ != Metric::kInnerProduct) {
        to.estimate.t = static_cast<float>(power * times * step * query.tail);
    }
    to.estimate.b = static_cast<float>(power * times * query.dot);
    to.estimate.c = static_cast<float>(-power * times * query.dot * query.middle);
}

void CodeTable::prepare_row(std::size_t row, PreparedQuery& prepared) const {
    VECDB_ASSERT(layout_ != CodeLayout::kBlock4 && row < rows_);
    const std::size_t room = places_.query_bytes();
    if (prepared.levels.size() < room) prepared.levels = simd::AlignedBuffer<std::int8_t>(room);
    auto* const levels = reinterpret_cast<std::uint8_t*>(scratch(head_));
    auto* const bytes = reinterpret_cast<std::int8_t*>(levels) + head_;
    places_.read_levels(bytes_.data(), row, levels);
    // Levels of 8 bits less their middle fit a byte, the others twice: their middles are halves.
    const bool wide = layout_ == CodeLayout::kRow8;
    const int middle = static_cast<int>((wide ? 1.0F : 2.0F) * LevelRange::of(layout_).middle);
    std::int32_t sum = 0;
    for (std::size_t d = 0; d < head_; ++d) {
        const int byte = (wide ? 1 : 2) * levels[d] - middle;
        bytes[d] = static_cast<std::int8_t>(byte);
        sum += byte;
    }
    places_.write_query(bytes, prepared.levels.data());

    prepared.estimate = {prepared.levels.data(), 0, 0, 0, 0, 0, 0};
    prepared.code = prepared.estimate;
    if (unit_ == 0) return;
    const double step = (bounds() ? unit_ : 1.0) * kFactorStep;
    const double scale = half_value(places_.read_factors(bytes_.data(), row).scale) * step;
    const double dot = scale * step * (wide ? 1.0 : 0.5);
    prepared.estimate.b = static_cast<float>(dot);
    if (wide) return;
    const auto off = static_cast<double>(LevelRange::of(layout_).middle) * sum;
    prepared.estimate.c = static_cast<float>(-static_cast<double>(prepared.estimate.b) * off);
}

}  // namespace vecdb::index
