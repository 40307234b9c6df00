#include "index/rotation.h"

#include "check.h"

#include <algorithm>
#include <cmath>
#include <random>

// NOLINTBEGIN(readability-identifier-naming): names of Eigen
#define EIGEN_DONT_PARALLELIZE
#define EIGEN_MPL2_ONLY
// NOLINTEND(readability-identifier-naming)
#include <Eigen/Dense>

namespace vecdb::index {
namespace {

constexpr std::size_t kMinSample = 2'048;
constexpr std::size_t kMaxSample = 10'000;
constexpr std::size_t kSamplePerDimension = 8;

template <class Scalar>
using RowMajor = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::Index eigen(std::size_t n) {
    return static_cast<Eigen::Index>(n);
}

/// Gather evenly spaced rows.
RowMajor<float> sample_of(const IndexRows& rows) {
    const std::size_t wanted = std::clamp(rows.dim * kSamplePerDimension, kMinSample, kMaxSample);
    const std::size_t count = std::min(rows.count, wanted);
    RowMajor<float> sample(eigen(count), eigen(rows.dim));
    for (std::size_t i = 0; i < count; ++i) {
        const auto* row = static_cast<const float*>(rows.row(i * rows.count / count));
        std::copy_n(row, rows.dim, sample.row(eigen(i)).data());
    }
    return sample;
}

/// Centre the sample and bring its largest element to between 1 and 2, so that no square leaves the
/// range of floats. Returns the factor used, a power of two.
double centre(RowMajor<float>& sample, PrincipalAxes& axes) {
    Eigen::RowVectorXd mean = Eigen::RowVectorXd::Zero(sample.cols());
    for (Eigen::Index i = 0; i < sample.rows(); ++i)
        mean += sample.row(i).cast<double>();
    mean /= static_cast<double>(std::max<Eigen::Index>(1, sample.rows()));
    axes.mean.resize(axes.dim);
    for (std::size_t d = 0; d < axes.dim; ++d)
        axes.mean[d] = static_cast<float>(mean[eigen(d)]);
    double largest = 0;
    for (Eigen::Index i = 0; i < sample.rows(); ++i)
        largest = std::max(largest, (sample.row(i).cast<double>() - mean).cwiseAbs().maxCoeff());
    const double factor = largest > 0 ? std::ldexp(1.0, -std::ilogb(largest)) : 1.0;
    for (Eigen::Index i = 0; i < sample.rows(); ++i) {
        sample.row(i) = ((sample.row(i).cast<double>() - mean) * factor).cast<float>();
    }
    return factor;
}

/// Compute the axes of a centred sample.
void decompose(const RowMajor<float>& sample, PrincipalAxes& axes) {
    Eigen::MatrixXf covariance = Eigen::MatrixXf::Zero(sample.cols(), sample.cols());
    covariance.selfadjointView<Eigen::Lower>().rankUpdate(sample.transpose(),
                                                          1.0F / static_cast<float>(sample.rows()));
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXf> solver(covariance);
    if (solver.info() != Eigen::Success) return;  // no axes: nothing is cut
    axes.variances.resize(axes.dim);
    axes.axes.resize(axes.dim * axes.dim);
    for (std::size_t a = 0; a < axes.dim; ++a) {
        const Eigen::Index column = eigen(axes.dim - 1 - a);
        axes.variances[a] = std::max(0.0F, solver.eigenvalues()[column]);
        Eigen::Map<Eigen::RowVectorXf>(axes.axes.data() + a * axes.dim, eigen(axes.dim)) =
            solver.eigenvectors().col(column).transpose();
    }
}

Eigen::MatrixXd random_rotation(Eigen::Index n, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    // Not std::normal_distribution, whose numbers differ between standard libraries.
    const auto uniform = [&] {
        return (static_cast<double>(random() >> 11U) + 0.5) * 0x1p-53;
    };
    Eigen::MatrixXd normal(n, n);
    for (Eigen::Index i = 0; i < normal.size(); ++i) {
        constexpr double kTwoPi = 6.283185307179586;
        const double radius = std::sqrt(-2 * std::log(uniform()));
        normal.data()[i] = radius * std::cos(kTwoPi * uniform());
    }
    return Eigen::HouseholderQR<Eigen::MatrixXd>(normal).householderQ();
}

/// Make rows that are orthonormal to the rounding of floats so to that of doubles, and narrow them.
std::vector<float> orthonormal(RowMajor<double> rows) {
    for (int step = 0; step < 2; ++step) {
        const Eigen::MatrixXd gram = rows * rows.transpose();
        const Eigen::MatrixXd correction =
            1.5 * Eigen::MatrixXd::Identity(rows.rows(), rows.rows()) - 0.5 * gram;
        rows = (correction * rows).eval();
    }
    std::vector<float> matrix(static_cast<std::size_t>(rows.size()));
    Eigen::Map<RowMajor<float>>(matrix.data(), rows.rows(), rows.cols()) = rows.cast<float>();
    return matrix;
}

Eigen::Map<const RowMajor<float>> matrix_of(std::span<const float> elements, std::size_t columns) {
    return {elements.data(), eigen(elements.size() / columns), eigen(columns)};
}

}  // namespace

Result<PrincipalAxes> principal_axes(const IndexRows& rows, const IndexBuild& how) {
    VECDB_TRY(how.check());
    PrincipalAxes axes;
    axes.dim = rows.dim;
    RowMajor<float> sample = sample_of(rows);
    const double factor = centre(sample, axes);
    double squares = 0;
    for (Eigen::Index i = 0; i < sample.rows(); ++i)
        squares += sample.row(i).cast<double>().squaredNorm();
    axes.variance = squares / static_cast<double>(std::max<Eigen::Index>(1, sample.rows()));
    const bool affordable =
        rows.dim <= kMaxRotatedDim && rows.count >= kRowsPerDimension * rows.dim;
    if (affordable && axes.variance > 0) decompose(sample, axes);
    axes.variance /= factor * factor;
    for (double& variance : axes.variances)
        variance /= factor * factor;
    VECDB_TRY(how.check());
    return axes;
}

std::vector<float> turned_head(const PrincipalAxes& axes, std::size_t head, std::uint64_t seed) {
    VECDB_ASSERT(head >= 1 && head <= axes.variances.size());
    const Eigen::Map<const RowMajor<float>> leading(axes.axes.data(), eigen(head), eigen(axes.dim));
    return orthonormal(random_rotation(eigen(head), seed) * leading.cast<double>());
}

std::vector<float> rotation_between(std::span<const float> from,
                                    std::span<const float> to,
                                    std::size_t dim) {
    // The orthogonal factor of M = to' from is M (M' M)^-1/2.
    constexpr double kInertia = 1e-5;  // far above the rounding of M, far below what matters of it
    const RowMajor<float> narrow = matrix_of(to, dim).transpose() * matrix_of(from, dim);
    Eigen::MatrixXd cross = narrow.cast<double>();
    cross.diagonal().array() += kInertia * cross.norm();
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(cross.transpose() * cross);
    if (solver.info() != Eigen::Success) return {};
    const Eigen::VectorXd& squares = solver.eigenvalues();
    const Eigen::Index last = squares.size() - 1;
    constexpr double kRoundoff = 1e-14;
    if (!(squares[0] > kRoundoff * squares[last])) return {};
    const Eigen::MatrixXd& axes = solver.eigenvectors();
    const Eigen::MatrixXd scaled = axes * squares.cwiseSqrt().cwiseInverse().asDiagonal();
    return orthonormal(cross * (scaled * axes.transpose()));
}

std::vector<float> multiplied(std::span<const float> matrix,
                              std::span<const float> vectors,
                              std::size_t dim) {
    const std::size_t rows = matrix.size() / dim;
    std::vector<float> products(vectors.size() / dim * rows);
    Eigen::Map<RowMajor<float>>(products.data(), eigen(vectors.size() / dim), eigen(rows))
        .noalias() = matrix_of(vectors, dim) * matrix_of(matrix, dim).transpose();
    return products;
}

std::vector<float> turned_rows(std::span<const float> rotation,
                               std::span<const float> rows,
                               std::size_t dim) {
    const std::size_t n = rows.size() / dim;
    return orthonormal(matrix_of(rotation, n).cast<double>() * matrix_of(rows, dim).cast<double>());
}

double skew(std::span<const float> matrix, std::size_t rows, std::size_t dim) {
    const RowMajor<double> wide =
        Eigen::Map<const RowMajor<float>>(matrix.data(), eigen(rows), eigen(dim)).cast<double>();
    Eigen::MatrixXd gram = wide * wide.transpose();
    gram.diagonal().array() -= 1.0;
    return gram.norm() * (1 + 1e-9) + 1e-9;  // beyond the rounding of the sums
}

}  // namespace vecdb::index
