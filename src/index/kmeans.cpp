#include "index/kmeans.h"

#include "check.h"
#include "index/nearest_centroid.h"
#include "index/parallel.h"
#include "index/row_floats.h"
#include "simd/dispatch.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <random>
#include <string>

namespace vecdb::index {
namespace {

/// Rows of one task of an assignment.
constexpr std::size_t kTaskRows = 4 * NearestCentroid::kRows;

/// Return a number below `bound`, the same on every machine, unlike the standard's distributions.
std::size_t below(std::mt19937_64& random, std::size_t bound) {
    return static_cast<std::size_t>(random() % bound);
}

/// Bring [0, wanted) of `numbers` into a random order of a random selection.
void shuffle_front(std::vector<std::uint32_t>& numbers, std::size_t wanted, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (std::size_t i = 0; i < wanted; ++i)
        std::swap(numbers[i], numbers[i + below(random, numbers.size() - i)]);
}

std::vector<std::uint32_t> numbers_below(std::size_t count) {
    std::vector<std::uint32_t> numbers(count);
    std::iota(numbers.begin(), numbers.end(), 0U);
    return numbers;
}

/// The measure in which k-means assigns.
Metric assigning_metric(Metric metric) noexcept {
    return metric == Metric::kCosine ? Metric::kCosine : Metric::kL2;
}

/// Run body(first, count, worker) over parts of [0, rows), until how.check() fails.
template <class Body>
Status for_parts(std::size_t rows, const IndexBuild& how, Body&& body) {
    std::atomic<bool> stop{false};
    parallel_for(
        (rows + kTaskRows - 1) / kTaskRows, how.threads, [&](std::size_t task, std::size_t worker) {
            if (stop.load(std::memory_order_relaxed)) return;
            if (!how.check().ok()) {
                stop.store(true, std::memory_order_relaxed);
                return;
            }
            const std::size_t first = task * kTaskRows;
            body(first, std::min(kTaskRows, rows - first), worker);
        });
    return how.check();
}

bool all_finite(std::span<const float> values) {
    return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
}

/// Scale to length 1; what has no direction stays.
void normalise(std::span<float> vector) {
    double square = 0;
    for (const float x : vector)
        square += static_cast<double>(x) * static_cast<double>(x);
    if (!(square > 0)) return;
    const double factor = 1 / std::sqrt(square);
    for (float& x : vector)
        x = static_cast<float>(x * factor);
}

/// One run of k-means.
class Training {
  public:
    Training(const simd::Rows& rows,
             std::size_t count,
             const KmeansOptions& options,
             const IndexBuild& how)
        : rows_(rows), options_(options), how_(how), labels_(count), scratch_(how.threads) {}

    Result<std::vector<float>> run() {
        start();
        if (labels_.size() == options_.clusters) return std::move(centroids_);
        for (std::size_t i = 0; i < options_.iterations; ++i) {
            const std::vector<std::uint32_t> before = labels_;
            VECDB_TRY(assign());
            if (i > 0 && labels_ == before) break;
            VECDB_TRY(move());
        }
        return std::move(centroids_);
    }

  private:
    /// Take random rows for centroids. First guesses are spread over them.
    void start() {
        std::vector<std::uint32_t> chosen = numbers_below(labels_.size());
        shuffle_front(chosen, options_.clusters, how_.seed);
        chosen.resize(options_.clusters);
        std::sort(chosen.begin(), chosen.end());
        centroids_.resize(options_.clusters * rows_.dim);
        for (std::size_t c = 0; c < chosen.size(); ++c) {
            std::copy_n(rows_.row<float>(chosen[c]), rows_.dim, centroids_.data() + c * rows_.dim);
            if (options_.metric == Metric::kCosine) normalise(centroid(c));
        }
        for (std::size_t i = 0; i < labels_.size(); ++i)
            labels_[i] = static_cast<std::uint32_t>(i % options_.clusters);
    }

    Status assign() {
        const NearestCentroid nearest(simd::table_in_use(),
                                      assigning_metric(options_.metric),
                                      centroids_.data(),
                                      options_.clusters,
                                      rows_.dim);
        return for_parts(
            labels_.size(), how_, [&](std::size_t first, std::size_t count, std::size_t worker) {
                const simd::Rows part = rows_.from(first);
                nearest.assign(part, std::span(labels_).subspan(first, count), scratch_[worker]);
            });
    }

    Status move() {
        const std::vector<float> before = centroids_;
        const AssignedRows assigned{rows_.row<float>(0), rows_.dim, labels_};
        VECDB_TRY(move_to_means(assigned, centroids_));
        for (std::size_t c = 0; c < options_.clusters; ++c) {
            const auto moved = centroid(c);
            if (options_.metric == Metric::kCosine) normalise(moved);
            // Sums of very large elements may leave the range of a float.
            if (!all_finite(moved)) std::copy_n(&before[c * rows_.dim], rows_.dim, moved.begin());
        }
        return {};
    }

    std::span<float> centroid(std::size_t c) {
        return std::span(centroids_).subspan(c * rows_.dim, rows_.dim);
    }

    simd::Rows rows_;
    KmeansOptions options_;
    const IndexBuild& how_;
    std::vector<std::uint32_t> labels_;
    std::vector<float> centroids_;
    std::vector<NearestCentroid::Scratch> scratch_;
};

}  // namespace

std::vector<std::uint32_t> draw_sample(std::size_t count, std::size_t wanted, std::uint64_t seed) {
    std::vector<std::uint32_t> numbers = numbers_below(count);
    if (wanted >= count) return numbers;
    shuffle_front(numbers, wanted, seed);
    numbers.resize(wanted);
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

Result<std::vector<float>> train_kmeans(const simd::Rows& rows,
                                        std::size_t count,
                                        const KmeansOptions& options,
                                        const IndexBuild& how) {
    VECDB_ASSERT(options.clusters > 0 && rows.stride == rows.dim * sizeof(float));
    if (count < options.clusters) {
        return Status(StatusCode::kFailedPrecondition,
                      std::to_string(count) + " rows are too few to train " +
                          std::to_string(options.clusters) + " clusters");
    }
    VECDB_TRY(how.check());
    return Training(rows, count, options, how).run();
}

Status assign_clusters(const IndexRows& rows,
                       std::span<const float> centroids,
                       const IndexBuild& how,
                       std::span<std::uint32_t> labels) {
    const NearestCentroid nearest(simd::table_in_use(),
                                  assigning_metric(rows.metric),
                                  centroids.data(),
                                  centroids.size() / rows.dim,
                                  rows.dim);
    std::vector<NearestCentroid::Scratch> scratch(how.threads);
    std::vector<std::vector<float>> converted(how.threads);
    return for_parts(
        labels.size(), how, [&](std::size_t first, std::size_t count, std::size_t worker) {
            simd::Rows part{rows.row(first), rows.stride, rows.dim};
            if (rows.element_type != ElementType::kFloat32) {
                std::vector<float>& floats = converted[worker];
                floats.resize(count * rows.dim);
                for (std::size_t i = 0; i < count; ++i) {
                    to_floats(rows.element_type,
                              rows.row(first + i),
                              rows.dim,
                              floats.data() + i * rows.dim);
                }
                part = {floats.data(), rows.dim, rows.dim};
            }
            nearest.assign(part, labels.subspan(first, count), scratch[worker]);
        });
}

namespace {

/// Give each cluster without rows a place beside one with many: the two differ by a little in every
/// dimension. As Faiss' split_clusters().
void split_clusters(std::size_t rows,
                    std::size_t dim,
                    std::vector<float>& sizes,
                    float* centroids) {
    constexpr double kApart = 1 / 1024.0;
    std::mt19937 random(1234);
    const auto spare = static_cast<float>(rows - sizes.size());
    for (std::size_t empty = 0; empty < sizes.size(); ++empty) {
        if (sizes[empty] != 0) continue;
        std::size_t full = 0;
        for (;; full = (full + 1) % sizes.size()) {
            const auto p = static_cast<float>((sizes[full] - 1.0) / spare);
            const float r = static_cast<float>(random()) / static_cast<float>(std::mt19937::max());
            if (r < p) break;
        }
        float* to = centroids + empty * dim;
        float* from = centroids + full * dim;
        std::copy_n(from, dim, to);
        for (std::size_t d = 0; d < dim; ++d) {
            const double sign = d % 2 == 0 ? 1 : -1;
            to[d] = static_cast<float>(to[d] * (1 + sign * kApart));
            from[d] = static_cast<float>(from[d] * (1 - sign * kApart));
        }
        sizes[empty] = sizes[full] / 2;
        sizes[full] -= sizes[empty];
    }
}

}  // namespace

Status move_to_means(const AssignedRows& assigned, std::span<float> centroids) {
    if (has_faiss()) return faiss_move_centroids(assigned, centroids);
    move_centroids(assigned, centroids);
    return {};
}

void move_centroids(const AssignedRows& assigned, std::span<float> centroids) {
    const std::size_t dim = assigned.dim;
    std::vector<float> sizes(centroids.size() / dim, 0.0F);
    std::fill(centroids.begin(), centroids.end(), 0.0F);
    for (std::size_t i = 0; i < assigned.labels.size(); ++i) {
        float* sum = &centroids[assigned.labels[i] * dim];
        sizes[assigned.labels[i]] += 1;
        for (std::size_t d = 0; d < dim; ++d)
            sum[d] += assigned.rows[i * dim + d];
    }
    for (std::size_t c = 0; c < sizes.size(); ++c) {
        if (sizes[c] == 0) continue;
        const float factor = 1 / sizes[c];
        for (std::size_t d = 0; d < dim; ++d)
            centroids[c * dim + d] *= factor;
    }
    split_clusters(assigned.labels.size(), dim, sizes, centroids.data());
}

}  // namespace vecdb::index
