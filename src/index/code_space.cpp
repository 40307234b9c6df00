#include "check.h"
#include "index/codes.h"
#include "index/lengths.h"
#include "simd/dispatch.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

namespace vecdb::index {
namespace {

/// Rows whose heads are computed together: their parts stay in the first-level cache.
constexpr std::size_t kGroupRows = 16;
/// Dimensions of one sum in float. Short sums round less.
constexpr std::size_t kPartDims = 256;
/// Where more of the dimensions are needed a rotation does not pay.
constexpr double kMostOfDimensions = 0.6;
constexpr std::size_t kHeadStep = 8;
/// A mean whose square is below this part of the variance is not worth taking off.
constexpr double kIdleMean = 0.01;
/// A rotation that rounding made is far nearer to orthonormal.
constexpr double kLargestSkew = 1e-3;
constexpr double kRoundoff = 0x1p-24;

/// Return memory for the centred rows of project_group, kept from call to call.
float* centred_memory(std::size_t size) {
    thread_local std::vector<float> memory;
    if (memory.size() < size) memory.resize(size);
    return memory.data();
}

std::size_t parts_of(std::size_t dim) {
    return (dim + kPartDims - 1) / kPartDims;
}

/// Return how many leading axes have the wished part of the variance.
std::size_t axes_needed(const PrincipalAxes& axes, double part) {
    double sum = 0;
    std::size_t count = 0;
    while (count < axes.variances.size() && sum < part * axes.variance)
        sum += axes.variances[count++];
    return (count + kHeadStep - 1) / kHeadStep * kHeadStep;
}

/// Return the dimensions of the head, or axes.dim for all of them unrotated.
std::size_t head_of(const PrincipalAxes& axes, const CodeSpace::Wish& wish) {
    if (axes.variances.empty()) return axes.dim;
    const std::size_t needed = axes_needed(axes, wish.variance);
    if (wish.must_cut && wish.max_head > 0 && wish.max_head < axes.dim) {
        return std::min(needed, wish.max_head);
    }
    const auto most = static_cast<std::size_t>(kMostOfDimensions * static_cast<double>(axes.dim));
    const std::size_t limit = wish.max_head == 0 ? most : std::min(most, wish.max_head);
    return needed > 0 && needed <= limit ? needed : axes.dim;
}

std::span<const std::byte> bytes_of(std::span<const float> floats) {
    return std::as_bytes(floats);
}

/// What CodeSpace::save writes first.
struct About {
    std::uint32_t version = 1;
    std::uint32_t dim = 0;
    std::uint32_t head = 0;
    std::uint32_t centred = 0;
    std::uint32_t rotated = 0;
};

Status corrupt(const std::string& what) {
    return {StatusCode::kCorruption, "code space: " + what};
}

/// Read `count` finite floats.
Result<std::vector<float>> read_floats(SectionReader& from, const char* name, std::size_t count) {
    VECDB_ASSIGN(const std::span<const std::byte> bytes, from.read(name));
    if (bytes.size() != count * sizeof(float)) {
        return corrupt("section " + std::string(name) + " has " + std::to_string(bytes.size()) +
                       " bytes instead of " + std::to_string(count * sizeof(float)));
    }
    std::vector<float> floats(count);
    std::memcpy(floats.data(), bytes.data(), bytes.size());
    for (const float value : floats) {
        if (!std::isfinite(value)) return corrupt(std::string(name) + " is not finite");
    }
    return floats;
}

Status check_about(const About& about, std::size_t dim) {
    if (about.version != 1) {
        return corrupt("version " + std::to_string(about.version) + "; this library reads 1");
    }
    if (about.dim != dim || about.head == 0 || about.head > about.dim || about.centred > 1 ||
        about.rotated > 1 || (about.rotated == 0 && about.head != about.dim)) {
        return corrupt("head of " + std::to_string(about.head) + " of " +
                       std::to_string(about.dim) + " dimensions for vectors of " +
                       std::to_string(dim));
    }
    return {};
}

/// Bound what the head leaves out: with y the vector, M the rotation, and r the part of y in the
/// span of M's rows, |h| <= |M y| + head_error |y| and |M y|^2 <= (1 + skew) |r|^2. The term at the
/// end covers products that were too small for floats.
double tail_of(double whole_square, double head_square, double head_error, double skew) {
    const double in_span =
        std::max(0.0, std::sqrt(head_square) - head_error * std::sqrt(whole_square));
    const double left = whole_square - in_span * in_span / (1 + skew);
    return std::sqrt(std::max(0.0, left) + 2 * kSumError * whole_square) * (1 + kSumError) +
           kLeastLength;
}

}  // namespace

void CodeSpace::set_mean(std::vector<float> mean) {
    mean_ = std::move(mean);
    mean_length_ = std::sqrt(square_sum(mean_.data(), mean_.size()));
}

std::size_t CodeSpace::panels() const noexcept {
    return (head_ + simd::kPanelRows - 1) / simd::kPanelRows;
}

std::size_t CodeSpace::panel_at(std::size_t from, std::size_t panel) const noexcept {
    const std::size_t dims = std::min(kPartDims, dim_ - from);
    return (panels() * from + panel * dims) * simd::kPanelRows;
}

/// Return where in panels_ element d of row h is.
std::size_t CodeSpace::element_at(std::size_t h, std::size_t d) const noexcept {
    return panel_at(d / kPartDims * kPartDims, h / simd::kPanelRows) +
           d % kPartDims * simd::kPanelRows + h % simd::kPanelRows;
}

void CodeSpace::set_matrix(std::span<const float> matrix) {
    VECDB_ASSERT(matrix.size() == head_ * dim_);
    skew_ = index::skew(matrix, head_, dim_);
    simd::AlignedBuffer<float> panels(this->panels() * simd::kPanelRows * dim_);
    std::fill_n(panels.data(), panels.size(), 0.0F);
    for (std::size_t h = 0; h < head_; ++h) {
        for (std::size_t d = 0; d < dim_; ++d)
            panels[element_at(h, d)] = matrix[h * dim_ + d];
    }
    panels_ = std::make_shared<const simd::AlignedBuffer<float>>(std::move(panels));
}

std::vector<float> CodeSpace::matrix() const {
    std::vector<float> matrix(head_ * dim_);
    for (std::size_t h = 0; h < head_; ++h) {
        for (std::size_t d = 0; d < dim_; ++d)
            matrix[h * dim_ + d] = (*panels_)[element_at(h, d)];
    }
    return matrix;
}

CodeSpace CodeSpace::of(const PrincipalAxes& axes, const Wish& wish, std::uint64_t seed) {
    CodeSpace space(axes.dim);
    const double mean_square = square_sum(axes.mean.data(), axes.mean.size());
    const std::size_t head = head_of(axes, wish);
    const bool cuts = head < axes.dim;
    if (cuts || mean_square > kIdleMean * axes.variance) space.set_mean(axes.mean);
    if (!cuts) return space;
    space.head_ = head;
    space.set_matrix(turned_head(axes, head, seed));
    return space;
}

CodeSpace CodeSpace::along(std::vector<float> matrix, std::size_t dim) {
    CodeSpace space(dim);
    space.head_ = matrix.size() / dim;
    space.set_matrix(matrix);
    return space;
}

Result<CodeSpace> CodeSpace::choose(const IndexRows& rows,
                                    const Wish& wish,
                                    const IndexBuild& how) {
    VECDB_ASSERT(rows.element_type == ElementType::kFloat32);
    VECDB_ASSIGN(const PrincipalAxes axes, principal_axes(rows, how));
    return of(axes, wish, how.seed);
}

// A product of the kernel has an error of (length + 16) u of the absolute terms, adding up the
// parts one of u each. The absolute terms of row i are at most |M_i| |y|, so the root of their
// squares over all rows at most sqrt(head) (1 + skew) |y|.
double CodeSpace::head_error() const noexcept {
    if (!rotates()) return 0;
    const auto roundings = static_cast<double>(std::min(dim_, kPartDims) + 18 + parts_of(dim_));
    return roundings * kRoundoff * std::sqrt(static_cast<double>(head_)) * 1.01;
}

CodeSpace::Measures CodeSpace::project(const float* vector, float* head) const {
    Measures measures;
    project_group(&vector, 1, head, &measures);
    return measures;
}

void CodeSpace::project(const IndexRows& rows,
                        std::size_t first,
                        std::size_t count,
                        float* heads,
                        Measures* measures) const {
    const float* group[kGroupRows];
    for (std::size_t done = 0; done < count; done += kGroupRows) {
        const std::size_t n = std::min(kGroupRows, count - done);
        for (std::size_t i = 0; i < n; ++i)
            group[i] = static_cast<const float*>(rows.row(first + done + i));
        project_group(group, n, heads + done * head_, measures + done);
    }
}

void CodeSpace::project_group(const float* const* rows,
                              std::size_t count,
                              float* heads,
                              Measures* measures) const {
    float* centred = heads;
    if (rotates()) centred = centred_memory(count * dim_);
    for (std::size_t r = 0; r < count; ++r) {
        float* const y = centred + r * dim_;
        if (mean_.empty()) {
            std::copy_n(rows[r], dim_, y);
        } else {
            for (std::size_t d = 0; d < dim_; ++d)
                y[d] = rows[r][d] - mean_[d];
            measures[r].along_mean = product_sum(y, mean_.data(), dim_);
        }
        measures[r].length = std::sqrt(square_sum(y, dim_));
    }
    if (!rotates()) return;

    multiply(centred, count, heads);
    for (std::size_t r = 0; r < count; ++r) {
        const double head_square = square_sum(heads + r * head_, head_);
        const double length = measures[r].length;
        measures[r].tail = tail_of(length * length, head_square, head_error(), skew_);
    }
}

/// Multiply the matrix with vectors: a part of the dimensions of a panel with all of them, while it
/// is in the first-level cache.
void CodeSpace::multiply(const float* centred, std::size_t count, float* heads) const {
    const simd::MultiplyKernel product = simd::table_in_use().multiply;
    std::fill_n(heads, count * head_, 0.0F);
    float sums[simd::kPanelRows];
    for (std::size_t from = 0; from < dim_; from += kPartDims) {
        const std::size_t dims = std::min(kPartDims, dim_ - from);
        for (std::size_t panel = 0; panel < panels(); ++panel) {
            const float* const elements = panels_->data() + panel_at(from, panel);
            const std::size_t first = panel * simd::kPanelRows;
            const std::size_t rows = std::min(simd::kPanelRows, head_ - first);
            for (std::size_t r = 0; r < count; ++r) {
                product(elements, dims, centred + r * dim_ + from, sums);
                for (std::size_t h = 0; h < rows; ++h)
                    heads[r * head_ + first + h] += sums[h];
            }
        }
    }
}

std::size_t CodeSpace::memory_bytes() const noexcept {
    const std::size_t elements = rotates() ? panels_->size() : 0;
    return (mean_.size() + elements) * sizeof(float);
}

Status CodeSpace::save(SectionWriter& to) const {
    About about;
    about.dim = static_cast<std::uint32_t>(dim_);
    about.head = static_cast<std::uint32_t>(head_);
    about.centred = mean_.empty() ? 0 : 1;
    about.rotated = rotates() ? 1 : 0;
    VECDB_TRY(to.write("space", std::as_bytes(std::span(&about, 1))));
    if (!mean_.empty()) VECDB_TRY(to.write("space.mean", bytes_of(mean_)));
    if (rotates()) VECDB_TRY(to.write("space.matrix", bytes_of(matrix())));
    return {};
}

Result<CodeSpace> CodeSpace::load(SectionReader& from, std::size_t dim) {
    VECDB_ASSIGN(const std::span<const std::byte> bytes, from.read("space"));
    About about;
    if (bytes.size() != sizeof(about)) return corrupt("a heading of another size");
    std::memcpy(&about, bytes.data(), sizeof(about));
    VECDB_TRY(check_about(about, dim));
    CodeSpace space(dim);
    space.head_ = about.head;
    if (about.centred != 0) {
        VECDB_ASSIGN(std::vector<float> mean, read_floats(from, "space.mean", dim));
        space.set_mean(std::move(mean));
    }
    if (about.rotated != 0) {
        VECDB_ASSIGN(const std::vector<float> matrix,
                     read_floats(from, "space.matrix", dim * about.head));
        space.set_matrix(matrix);
        if (!(space.skew_ <= kLargestSkew)) return corrupt("the rotation is not orthonormal");
    }
    return space;
}

}  // namespace vecdb::index
