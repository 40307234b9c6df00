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
    RowMajor<double> turned = random_rotation(eigen(head), seed) * leading.cast<double>();
    // The axes are orthonormal to the rounding of floats; two steps make them so to that of
    // doubles.
    for (int step = 0; step < 2; ++step) {
        const Eigen::MatrixXd gram = turned * turned.transpose();
        const Eigen::MatrixXd correction =
            1.5 * Eigen::MatrixXd::Identity(eigen(head), eigen(head)) - 0.5 * gram;
        turned = (correction * turned).eval();
    }
    std::vector<float> matrix(head * axes.dim);
    Eigen::Map<RowMajor<float>>(matrix.data(), eigen(head), eigen(axes.dim)) = turned.cast<float>();
    return matrix;
}

double skew(std::span<const float> matrix, std::size_t rows, std::size_t dim) {
    const RowMajor<double> wide =
        Eigen::Map<const RowMajor<float>>(matrix.data(), eigen(rows), eigen(dim)).cast<double>();
    Eigen::MatrixXd gram = wide * wide.transpose();
    gram.diagonal().array() -= 1.0;
    return gram.norm() * (1 + 1e-9) + 1e-9;  // beyond the rounding of the sums
}

}  // namespace vecdb::index
