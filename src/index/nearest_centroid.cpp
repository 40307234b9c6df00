#include "index/nearest_centroid.h"

#include "check.h"
#include "index/flat_batch.h"
#include "index/flat_scan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace vecdb::index {
namespace {

/// Bytes of packed centroids that should stay in the second-level cache beside a tile of queries.
constexpr std::size_t kGroupBytes = std::size_t{96} << 10U;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Return a bound of the length of a vector from its square, which may have lost small products.
double length_bound(float square, std::size_t dim) noexcept {
    return 1.001 * std::sqrt(static_cast<double>(square) + static_cast<double>(dim) * 0x1p-147);
}

}  // namespace

/// The best centroid of a row so far.
struct NearestCentroid::Nearest {
    float distance = kInfinity;
    std::uint32_t centroid = 0;
};

NearestCentroid::NearestCentroid(const simd::KernelTable& table,
                                 Metric metric,
                                 const float* centroids,
                                 std::size_t count,
                                 std::size_t dim)
    : table_(table),
      metric_(metric == Metric::kL2 ? Metric::kL2 : Metric::kInnerProduct),
      centroids_{centroids, dim, dim},
      count_(count),
      list_(table.distances(metric_, ElementType::kFloat32).list),
      group_panels_(
          std::max<std::size_t>(1, kGroupBytes / (table.tile_rows * dim * sizeof(float)))) {
    VECDB_ASSERT(count > 0 && dim > 0);
    const std::size_t panels = (count + table.tile_rows - 1) / table.tile_rows;
    panels_ = simd::AlignedBuffer<float>(panels * table.tile_rows * dim);
    starts_ = simd::AlignedBuffer<float>(panels * table.tile_rows);
    table.pack(centroids_, count, panels_.data());
    std::vector<float> squares(panels * table.tile_rows, 0.0F);
    table.float32.squared_norms(centroids_, count, squares.data());
    for (std::size_t i = 0; i < squares.size(); ++i)
        starts_[i] = metric_ == Metric::kL2 ? -0.5F * squares[i] : 0.0F;
    const std::size_t step = group_panels_ * table.tile_rows;
    for (std::size_t first = 0; first < count; first += step) {
        const auto begin = squares.begin() + static_cast<std::ptrdiff_t>(first);
        const auto end =
            squares.begin() + static_cast<std::ptrdiff_t>(std::min(count, first + step));
        longest_.push_back(length_bound(*std::max_element(begin, end), dim));
    }
}

void NearestCentroid::assign(const simd::Rows& rows,
                             std::span<std::uint32_t> labels,
                             Scratch& scratch) const {
    for (std::size_t first = 0; first < labels.size(); first += kRows) {
        const std::size_t count = std::min(kRows, labels.size() - first);
        const simd::Rows part = rows.from(first);
        Nearest nearest[kRows];
        for (std::size_t i = 0; i < count; ++i)
            nearest[i] = start(part.row<float>(i), labels[first + i]);
        pack_queries(part, count, scratch);
        for (std::size_t g = 0; g < longest_.size(); ++g)
            run_group(part, g, {nearest, count}, scratch);
        for (std::size_t i = 0; i < count; ++i)
            labels[first + i] = nearest[i].centroid;
    }
}

NearestCentroid::Nearest NearestCentroid::start(const float* row, std::uint32_t guess) const {
    VECDB_ASSERT(guess < count_);
    std::uint32_t kept = 0;
    Nearest nearest{kInfinity, guess};
    list_(row, centroids_, &guess, 1, kInfinity, {&kept, &nearest.distance});
    return nearest;
}

void NearestCentroid::pack_queries(const simd::Rows& rows,
                                   std::size_t count,
                                   Scratch& scratch) const {
    const std::size_t width = table_.tile_queries;
    const std::size_t tiles = (count + width - 1) / width;
    if (scratch.queries.size() < tiles * width * rows.dim)
        scratch.queries = simd::AlignedBuffer<float>(tiles * width * rows.dim);
    scratch.norms.resize(kRows);
    scratch.hits.resize(group_panels_ * width);
    for (std::size_t q = 0; q < tiles * width; ++q) {
        float* out = scratch.queries.data() + (q / width) * width * rows.dim + q % width;
        const auto* in = rows.row<float>(std::min(q, count - 1));
        double square = 0;
        for (std::size_t d = 0; d < rows.dim; ++d) {
            out[d * width] = in[d];
            square += static_cast<double>(in[d]) * static_cast<double>(in[d]);
        }
        if (q < count) scratch.norms[q] = std::sqrt(square);
    }
}

void NearestCentroid::run_group(const simd::Rows& rows,
                                std::size_t group,
                                std::span<Nearest> nearest,
                                Scratch& scratch) const {
    const std::size_t width = table_.tile_queries;
    const std::size_t first_panel = group * group_panels_;
    const std::size_t panels = panels_.size() / (table_.tile_rows * rows.dim);
    const std::size_t first_row = first_panel * table_.tile_rows;
    float floors[simd::kMaxTileQueries];
    for (std::size_t first = 0; first < nearest.size(); first += width) {
        for (std::size_t i = 0; i < width; ++i) {
            const std::size_t q = first + i;
            floors[i] = q < nearest.size() ? tile_floor(metric_,
                                                        rows.dim,
                                                        scratch.norms[q],
                                                        longest_[group],
                                                        nearest[q].distance)
                                           : kInfinity;  // no query: keep nothing
        }
        const simd::Tile tile{.panels = panels_.data() + first_row * rows.dim,
                              .panel_count = std::min(group_panels_, panels - first_panel),
                              .starts = starts_.data() + first_row,
                              .queries = scratch.queries.data() + first * rows.dim,
                              .floors = floors,
                              .dim = rows.dim};
        const std::size_t hits = table_.tile(tile, scratch.hits.data());
        for (std::size_t h = 0; h < hits; ++h) {
            simd::TileHit hit = scratch.hits[h];
            hit.first_row += static_cast<std::uint32_t>(first_row);
            const std::size_t q = first + hit.query;
            if (q < nearest.size()) take(rows, hit, q, nearest[q]);
        }
    }
}

void NearestCentroid::take(const simd::Rows& rows,
                           const simd::TileHit& hit,
                           std::size_t row,
                           Nearest& best) const {
    std::uint32_t list[simd::kMaxTileRows];
    std::uint32_t kept_rows[simd::kMaxTileRows];
    float distances[simd::kMaxTileRows];
    std::size_t count = 0;
    for (std::uint64_t left = hit.rows; left != 0; left &= left - 1) {
        const auto c = hit.first_row + static_cast<std::uint32_t>(std::countr_zero(left));
        if (c < count_) list[count++] = c;
    }
    const std::size_t kept =
        list_(rows.row(row), centroids_, list, count, best.distance, {kept_rows, distances});
    for (std::size_t i = 0; i < kept; ++i) {
        const bool nearer = distances[i] < best.distance ||
                            (distances[i] == best.distance && kept_rows[i] < best.centroid);
        if (nearer) best = {distances[i], kept_rows[i]};
    }
}

}  // namespace vecdb::index
