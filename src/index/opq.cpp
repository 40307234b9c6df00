#include "index/opq.h"

#include "check.h"
#include "index/kmeans.h"
#include "index/product_codebooks.h"
#include "index/rotation.h"

#include <algorithm>
#include <cmath>

namespace vecdb::index {
namespace {

/// Turns of rotation and codebooks: more change the error by less than a hundredth.
constexpr std::size_t kTurns = 10;
/// Steps of k-means in the first turn, and in each of the others, which go on from the one before.
constexpr std::size_t kFirstSteps = 10;
constexpr std::size_t kSteps = 3;
/// Rows of the sample.
constexpr std::size_t kSampleRows = 8'192;
/// Part of the variance that the head should have, ...
constexpr double kHeadVariance = 0.92;
/// ... unless that needs more than this part of the dimensions: leaving out a few of them saves
/// less than it spoils.
constexpr double kMostOfDimensions = 0.6;
/// Dimensions of the head at most: a turn costs their third power.
constexpr std::size_t kMaxHead = 512;

/// Return what product codes make of vectors.
std::vector<float> coded(const ProductCodebooks& books, std::span<const float> vectors) {
    std::vector<float> result(vectors.size());
    std::vector<std::uint8_t> words(books.count());
    for (std::size_t at = 0; at < vectors.size(); at += books.dim()) {
        books.encode(&vectors[at], words.data());
        books.decode(words.data(), &result[at]);
    }
    return result;
}

/// Return the number of leading axes to see: whole pieces.
std::size_t head_of(const PrincipalAxes& axes, std::size_t dims) {
    double sum = 0;
    std::size_t head = 0;
    while (head < axes.variances.size() && sum < kHeadVariance * axes.variance)
        sum += axes.variances[head++];
    if (static_cast<double>(head) > kMostOfDimensions * static_cast<double>(axes.dim)) {
        head = axes.dim;
    }
    head = (std::max<std::size_t>(head, 1) + dims - 1) / dims * dims;
    return std::min({head, kMaxHead, axes.variances.size()});
}

/// Bring the largest element to between 1 and 2: no product leaves the range of floats.
void bring_into_range(std::vector<float>& vectors) {
    double largest = 0;
    for (const float x : vectors)
        largest = std::max(largest, std::abs(static_cast<double>(x)));
    if (!(largest > 0)) return;
    const double factor = std::ldexp(1.0, -std::ilogb(largest));
    for (float& x : vectors)
        x = static_cast<float>(x * factor);
}

}  // namespace

Result<std::vector<float>> learn_rotation(std::span<const float> vectors,
                                          std::size_t dim,
                                          std::size_t dims,
                                          const IndexBuild& how) {
    std::vector<float> rotation(dim * dim, 0.0F);
    for (std::size_t d = 0; d < dim; ++d)
        rotation[d * dim + d] = 1;
    std::vector<float> original(vectors.begin(), vectors.end());
    bring_into_range(original);
    std::vector<float> rotated = original;
    ProductCodebooks books;
    for (std::size_t turn = 0; turn < kTurns; ++turn) {
        const ProductCodebooks::Training training{.dims = dims,
                                                  .iterations = turn == 0 ? kFirstSteps : kSteps};
        const ProductCodebooks before = books;
        VECDB_ASSIGN(
            books,
            ProductCodebooks::train(rotated, dim, training, how, turn == 0 ? nullptr : &before));
        const auto next = rotation_between(rotated, coded(books, rotated), dim);
        if (next.empty()) break;
        rotation = turned_rows(next, rotation, dim);
        rotated = multiplied(rotation, original, dim);
        VECDB_TRY(how.check());
    }
    return rotation;
}

Result<CodeSpace> learn_product_space(const IndexRows& rows,
                                      std::size_t dims,
                                      const IndexBuild& how) {
    VECDB_ASSIGN(const PrincipalAxes axes, principal_axes(rows, how));
    if (axes.variances.empty()) return CodeSpace(rows.dim);
    const std::size_t head = head_of(axes, dims);
    // Turned at random, so that all pieces begin with the same variance.
    const std::vector<float> leading = turned_head(axes, head, how.seed);
    const CodeSpace start = CodeSpace::along(leading, rows.dim);
    const auto sample = draw_sample(rows.count, kSampleRows, how.seed);
    std::vector<float> heads(sample.size() * head);
    for (std::size_t i = 0; i < sample.size(); ++i)
        start.project(static_cast<const float*>(rows.row(sample[i])), &heads[i * head]);
    VECDB_ASSIGN(const std::vector<float> rotation, learn_rotation(heads, head, dims, how));
    return CodeSpace::along(turned_rows(rotation, leading, rows.dim), rows.dim);
}

}  // namespace vecdb::index
