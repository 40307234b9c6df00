#include "check.h"
#include "index/codes.h"
#include "index/encode.h"
#include "index/flat_scan.h"
#include "index/half.h"
#include "index/lengths.h"
#include "index/parallel.h"
#include "simd/dispatch.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

namespace vecdb::index {
namespace {

/// Rows of one task, a multiple of those of a block.
constexpr std::size_t kTaskRows = 1'024;
constexpr double kLargestUnit = 0x1p101;
constexpr double kLeastUnit = 0x1p-100;

/// Call body(first, count, task) for all rows, kTaskRows at a time, and stop when the build should.
template <class Body>
Status for_all_tasks(std::size_t rows, const IndexBuild& how, Body&& body) {
    const std::size_t tasks = (rows + kTaskRows - 1) / kTaskRows;
    std::atomic<bool> stopped{false};
    parallel_for(tasks, how.threads, [&](std::size_t task, std::size_t) {
        if (stopped.load(std::memory_order_relaxed)) return;
        if (!how.check().ok()) {
            stopped.store(true, std::memory_order_relaxed);
            return;
        }
        const std::size_t first = task * kTaskRows;
        body(first, std::min(kTaskRows, rows - first), task);
    });
    return stopped ? how.check() : Status();
}

/// Return the length of a row less the mean, rounded up; for any finite floats.
double exact_length(const float* row, std::span<const float> mean, std::size_t dim) {
    double sum = 0;
    for (std::size_t d = 0; d < dim; ++d) {
        const double y = static_cast<double>(row[d]) - (mean.empty() ? 0.0 : mean[d]);
        sum += y * y;
    }
    return std::sqrt(sum) * 1.0001;
}

/// Return a length that no centred row of [first, first + count) exceeds.
double longest_of(const IndexRows& rows,
                  const CodeSpace& space,
                  std::size_t first,
                  std::size_t count) {
    // Outside of these squares float sums may have lost or overflowed.
    constexpr float kLeastSquare = 1e-30F;
    constexpr float kLargestSquare = 1e37F;
    std::vector<float> squares(count);
    std::vector<std::uint32_t> numbers(count);
    const std::vector<float> origin(space.mean().empty() ? rows.dim : 0);
    const float* const from = origin.empty() ? space.mean().data() : origin.data();
    const simd::Rows part{rows.row(first), rows.stride, rows.dim};
    simd::table_in_use().float32.l2.range(from,
                                          part,
                                          count,
                                          std::numeric_limits<float>::infinity(),
                                          {numbers.data(), squares.data()});
    double longest = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const bool sound = squares[i] >= kLeastSquare && squares[i] <= kLargestSquare;
        const double length =
            sound ? std::sqrt(static_cast<double>(squares[i])) * 1.01
                  : exact_length(
                        static_cast<const float*>(rows.row(first + i)), space.mean(), rows.dim);
        longest = std::max(longest, length);
    }
    return longest;
}

Status corrupt(const std::string& what) {
    return {StatusCode::kCorruption, "codes: " + what};
}

/// What CodeTable::save writes first.
struct About {
    std::uint32_t version = 1;
    std::uint8_t layout = 0;
    std::uint8_t metric = 0;
    std::uint16_t unused = 0;
    std::uint32_t dim = 0;
    std::uint32_t head = 0;
    std::uint64_t rows = 0;
    double unit = 0.0;
    double longest_hat = 0.0;
};

bool is_unit(double unit) {
    if (unit == 0) return true;
    int exponent = 0;
    return unit >= kLeastUnit && unit <= kLargestUnit && std::frexp(unit, &exponent) == 0.5;
}

Status check_about(const About& about, const IndexRows& rows, const CodeSpace& space) {
    if (about.version != 1) {
        return corrupt("version " + std::to_string(about.version) + "; this library reads 1");
    }
    const auto layout = static_cast<CodeLayout>(about.layout);
    if (layout < CodeLayout::kBlock4 || layout > CodeLayout::kRow8) {
        return corrupt("layout " + std::to_string(about.layout) + " is none");
    }
    if (about.metric != static_cast<std::uint8_t>(rows.metric) || about.dim != rows.dim ||
        about.head != space.head() || about.rows != rows.count) {
        return corrupt(std::to_string(about.rows) + " rows of " + std::to_string(about.head) +
                       " of " + std::to_string(about.dim) + " dimensions, of metric " +
                       std::to_string(about.metric) + "; the segment has " +
                       std::to_string(rows.count) + " of " + std::to_string(space.head()) + " of " +
                       std::to_string(rows.dim));
    }
    const double most = 128.0 * std::sqrt(static_cast<double>(about.head)) * 1.001;
    if (!is_unit(about.unit) || !(about.longest_hat >= 0 && about.longest_hat <= most)) {
        return corrupt("unit or longest code out of range");
    }
    return {};
}

}  // namespace

Result<CodeTable> CodeTable::build(const IndexRows& rows,
                                   const CodeSpace& space,
                                   CodeLayout layout,
                                   const IndexBuild& how) {
    VECDB_ASSERT(rows.element_type == ElementType::kFloat32 && rows.dim == space.dim());
    CodeTable table;
    table.layout_ = layout;
    table.metric_ = rows.metric;
    table.dim_ = rows.dim;
    table.head_ = space.head();
    table.rows_ = rows.count;
    table.places_ = CodePlaces(layout, space.head());
    table.bytes_ = simd::AlignedBuffer<std::uint8_t>(table.places_.bytes(rows.count));
    VECDB_TRY(table.measure(rows, space, how));
    std::vector<double> hats((rows.count + kTaskRows - 1) / kTaskRows);
    VECDB_TRY(
        for_all_tasks(rows.count, how, [&](std::size_t first, std::size_t count, std::size_t task) {
            hats[task] = table.code_rows_of(rows, space, first, count);
        }));
    for (const double hat : hats)
        table.longest_hat_ = std::max(table.longest_hat_, hat);
    return table;
}

Status CodeTable::measure(const IndexRows& rows, const CodeSpace& space, const IndexBuild& how) {
    std::vector<double> lengths((rows.count + kTaskRows - 1) / kTaskRows);
    VECDB_TRY(
        for_all_tasks(rows.count, how, [&](std::size_t first, std::size_t count, std::size_t task) {
            lengths[task] = longest_of(rows, space, first, count);
        }));
    double longest = 0;
    for (const double length : lengths)
        longest = std::max(longest, length);
    const bool in_range = longest >= kLeastUnit && longest <= kLargestUnit / 2;
    if (longest == 0) {
        unit_ = 1.0;
    } else {
        unit_ = in_range ? std::ldexp(1.0, std::ilogb(longest) + 1) : 0.0;
    }
    return {};
}

double CodeTable::norm_step(const CodeSpace& space) const noexcept {
    const double step = unit_ * kFactorStep;
    if (metric_ == Metric::kL2) return step * unit_;
    const double mean = space.mean_length();
    return mean > 0 ? step * std::ldexp(1.0, std::ilogb(mean) + 1) : 0.0;
}

std::uint16_t CodeTable::norm_of(const CodeSpace& space,
                                 const CodeSpace::Measures& row) const noexcept {
    constexpr double kRoundings = 1e-6;  // of floats: centring
    const double step = norm_step(space);
    if (metric_ == Metric::kL2) {
        return half_of(row.length * row.length * (1 - kRoundings) / step, HalfRounding::kDown);
    }
    if (step == 0) return 0;
    const double most = row.along_mean + kRoundings * row.length * space.mean_length();
    return half_of(most / step, HalfRounding::kUp);
}

double CodeTable::code_rows_of(const IndexRows& rows,
                               const CodeSpace& space,
                               std::size_t first,
                               std::size_t count) {
    const std::size_t begin = places_.bytes(first);
    std::memset(bytes_.data() + begin, 0, places_.bytes(first + count) - begin);
    const bool coded = unit_ > 0;
    constexpr std::size_t kGroup = 64;
    std::vector<float> heads(kGroup * head_);
    std::vector<CodeSpace::Measures> measures(kGroup);
    std::vector<std::uint8_t> levels(head_, layout_ == CodeLayout::kRow8 ? 128 : 0);
    const RowCoder coder(layout_, head_, coded ? unit_ : 1.0);
    double longest_hat = 0;
    for (std::size_t row = first; row < first + count; ++row) {
        const std::size_t i = (row - first) % kGroup;
        const std::size_t n = std::min(kGroup, first + count - row);
        if (coded && i == 0) space.project(rows, row, n, heads.data(), measures.data());
        CodeFactors factors;
        if (coded) {
            const RowMeasures known{.norm = norm_of(space, measures[i]),
                                    .slack = space.rotates() ? kLeastLength : 0.0,
                                    .tail = measures[i].tail};
            coder.code(heads.data() + i * head_, known, levels.data(), factors, longest_hat);
        }
        places_.write(bytes_.data(), row, levels.data(), factors);
    }
    return longest_hat;
}

bool CodeTable::bounds() const noexcept {
    return unit_ >= 0x1p-50 && unit_ <= 0x1p50;
}

simd::RowScoreKernel CodeTable::row_kernel(const simd::KernelTable& table) const noexcept {
    switch (layout_) {
        case CodeLayout::kRow4:
            return table.codes.row4;
        case CodeLayout::kRow5:
            return table.codes.row5;
        case CodeLayout::kRow7:
            return table.codes.row7;
        case CodeLayout::kRow8:
            return table.codes.row8;
        case CodeLayout::kBlock4:
            break;
    }
    return nullptr;
}

CodeTable CodeTable::reordered(std::span<const std::uint32_t> order) const {
    VECDB_ASSERT(layout_ != CodeLayout::kBlock4 && order.size() == rows_);
    CodeTable table;
    table.layout_ = layout_;
    table.metric_ = metric_;
    table.dim_ = dim_;
    table.head_ = head_;
    table.rows_ = rows_;
    table.places_ = places_;
    table.unit_ = unit_;
    table.longest_hat_ = longest_hat_;
    table.bytes_ = simd::AlignedBuffer<std::uint8_t>(bytes_.size());
    const std::size_t stride = places_.stride();
    for (std::size_t i = 0; i < rows_; ++i) {
        std::memcpy(table.bytes_.data() + i * stride, bytes_.data() + order[i] * stride, stride);
    }
    return table;
}

Status CodeTable::save(SectionWriter& to) const {
    About about;
    about.layout = static_cast<std::uint8_t>(layout_);
    about.metric = static_cast<std::uint8_t>(metric_);
    about.dim = static_cast<std::uint32_t>(dim_);
    about.head = static_cast<std::uint32_t>(head_);
    about.rows = rows_;
    about.unit = unit_;
    about.longest_hat = longest_hat_;
    VECDB_TRY(to.write("codes", std::as_bytes(std::span(&about, 1))));
    return to.write("codes.rows", std::as_bytes(std::span(bytes_.data(), bytes_.size())));
}

Result<CodeTable> CodeTable::load(SectionReader& from,
                                  const IndexRows& rows,
                                  const CodeSpace& space) {
    VECDB_ASSIGN(const std::span<const std::byte> heading, from.read("codes"));
    About about;
    if (heading.size() != sizeof(about)) return corrupt("a heading of another size");
    std::memcpy(&about, heading.data(), sizeof(about));
    VECDB_TRY(check_about(about, rows, space));
    CodeTable table;
    table.layout_ = static_cast<CodeLayout>(about.layout);
    table.metric_ = rows.metric;
    table.dim_ = about.dim;
    table.head_ = about.head;
    table.rows_ = about.rows;
    table.places_ = CodePlaces(table.layout_, table.head_);
    table.unit_ = about.unit;
    table.longest_hat_ = about.longest_hat;
    VECDB_ASSIGN(const std::span<const std::byte> bytes, from.read("codes.rows"));
    const std::size_t wanted = table.places_.bytes(table.rows_);
    if (bytes.size() != wanted) {
        return corrupt(std::to_string(bytes.size()) + " bytes of rows instead of " +
                       std::to_string(wanted));
    }
    table.bytes_ = simd::AlignedBuffer<std::uint8_t>(wanted);
    std::memcpy(table.bytes_.data(), bytes.data(), wanted);
    VECDB_TRY(table.check_codes());
    return table;
}

/// Check what kernels and bounds rest on: factors are finite, lengths not negative, levels in
/// range.
Status CodeTable::check_codes() const {
    std::vector<std::uint8_t> levels(head_);
    const LevelRange range = LevelRange::of(layout_);
    const bool any_level = layout_ != CodeLayout::kRow7 && layout_ != CodeLayout::kRow8;
    for (std::size_t row = 0; row < rows_; ++row) {
        const CodeFactors factors = places_.read_factors(bytes_.data(), row);
        const std::array halves{factors.norm, factors.scale, factors.error, factors.tail};
        for (const std::uint16_t& half : halves) {
            const bool signed_norm = metric_ != Metric::kL2 && &half == halves.begin();
            if (half_is_finite(half) && (signed_norm || (half & 0x8000U) == 0)) continue;
            return corrupt("row " + std::to_string(row) + " has a factor out of range");
        }
        if (any_level) continue;
        places_.read_levels(bytes_.data(), row, levels.data());
        for (const std::uint8_t level : levels) {
            if (level >= range.lowest && level <= range.highest) continue;
            return corrupt("row " + std::to_string(row) + " has level " + std::to_string(level));
        }
    }
    return {};
}

}  // namespace vecdb::index
