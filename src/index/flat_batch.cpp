#include "index/flat_batch.h"

#include "simd/dispatch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>

namespace vecdb::index {
namespace {

/// Bytes of packed rows that should stay in the second-level cache beside a tile of queries.
constexpr std::size_t kPanelBytes = std::size_t{192} << 10U;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Rows first compared one by one, so that every threshold is finite before tiles are used.
constexpr std::size_t kSeedRows = 64;

/// When more than this share of pairs had to be compared again the bound is of no use here.
constexpr std::size_t kHopelessShare = 4;
constexpr std::size_t kEnoughPairs = 1U << 14U;

/// Return the largest float <= x.
float round_down(double x) noexcept {
    constexpr double kLargest = std::numeric_limits<float>::max();
    if (x > kLargest) return std::numeric_limits<float>::max();
    if (x < -kLargest) return -std::numeric_limits<float>::infinity();
    const auto nearest = static_cast<float>(x);
    return static_cast<double>(nearest) <= x
               ? nearest
               : std::nextafter(nearest, -std::numeric_limits<float>::infinity());
}

/// Return the start of a row's sum: L2 sums q.x - |x|^2 / 2, which is (|q|^2 - distance) / 2.
float start_of(Metric metric, float norm) noexcept {
    return metric == Metric::kL2 ? -0.5F * norm : 0.0F;
}

/// Return a bound of a row's length from what the collection keeps of it: the square, which may
/// have lost products below the smallest float, or under cosine the length before it was made a
/// unit row.
double row_length(Metric metric, std::size_t dim, float norm) noexcept {
    constexpr double kSlack = 1.001;
    if (metric == Metric::kCosine) return kSlack;
    return kSlack * std::sqrt(static_cast<double>(norm) + static_cast<double>(dim) * 0x1p-147);
}

/// Make packed copies of the queries unless they already follow each other.
const float* packed(std::span<const void* const> queries,
                    std::size_t dim,
                    std::vector<float>& copies) {
    const auto* const first = static_cast<const float*>(queries.front());
    bool follow = true;
    for (std::size_t q = 0; q < queries.size(); ++q)
        follow = follow && queries[q] == first + q * dim;
    if (follow) return first;
    copies.resize(queries.size() * dim);
    for (std::size_t q = 0; q < queries.size(); ++q)
        std::copy_n(static_cast<const float*>(queries[q]), dim, copies.data() + q * dim);
    return copies.data();
}

}  // namespace

float tile_floor(
    Metric metric, std::size_t dim, double query_norm, double row_norm, float threshold) noexcept {
    constexpr double kU = 0x1p-24;
    const auto d = static_cast<double>(dim);
    const double product = query_norm * row_norm;
    const double tiny = (2 * d + 64) * 0x1p-146;
    double floor = 0;
    if (metric == Metric::kL2) {
        // The distance is at most the threshold by the single-row kernel, so exactly at most
        // `exact`.
        const double exact = threshold * (1 + 2 * (d + 16) * kU) + tiny;
        const double error = (2 * d + 40) * kU * (row_norm * row_norm + product) + tiny;
        floor = (query_norm * query_norm - exact) / 2 - error;
    } else {
        // Sums that may overflow on the way do so in one order of addition and not in another.
        constexpr double kNoOverflow = 1e38;
        if (!(product < kNoOverflow)) return -std::numeric_limits<float>::infinity();
        floor = -static_cast<double>(threshold) - (2 * d + 40) * kU * product - tiny;
    }
    return floor > -kInfinity ? round_down(floor) : -std::numeric_limits<float>::infinity();
}

QueryTiles::QueryTiles(const simd::KernelTable& table,
                       Metric metric,
                       const float* queries,
                       std::size_t count,
                       std::size_t dim)
    : table_(table), metric_(metric), queries_(queries), count_(count), dim_(dim) {
    const std::size_t width = table.tile_queries;
    packed_ = simd::AlignedBuffer<float>(tiles() * width * dim);
    for (std::size_t q = 0; q < tiles() * width; ++q) {
        float* out = packed_.data() + (q / width) * width * dim + q % width;
        for (std::size_t d = 0; d < dim; ++d)
            out[d * width] = q < count ? query(q)[d] : 0.0F;
    }
    norms_.reserve(count);
    for (std::size_t q = 0; q < count; ++q) {
        const float* x = query(q);
        norms_.push_back(std::sqrt(std::inner_product(
            x, x + dim, x, 0.0, std::plus<>(), [](float a, float b) { return double{a} * b; })));
    }
}

/// The rows now packed, and where they came from.
struct BatchScan::Panels {
    const FlatBlock& block;
    const std::uint32_t*
        list;  ///< Row of the block for each packed row; null: packed row i is row i.
    std::size_t count;
    std::size_t panel_count;
    double row_norm;  ///< Length of the longest.

    [[nodiscard]] std::uint32_t row(std::size_t packed) const noexcept {
        return list != nullptr ? list[packed] : static_cast<std::uint32_t>(packed);
    }
};

BatchScan::BatchScan(const QueryTiles& tiles, std::span<TopK> best)
    : tiles_(tiles),
      kernels_(tiles.table().distances(tiles.metric(), ElementType::kFloat32)),
      best_(best) {
    const simd::KernelTable& table = tiles.table();
    const std::size_t fitting = kPanelBytes / (tiles.dim() * sizeof(float));
    const std::size_t panel_count = std::max<std::size_t>(1, fitting / table.tile_rows);
    panel_rows_ = panel_count * table.tile_rows;
    panels_ = simd::AlignedBuffer<float>(panel_rows_ * tiles.dim());
    starts_ = simd::AlignedBuffer<float>(panel_rows_);
    list_.resize(panel_rows_);
    hits_.resize(panel_count * table.tile_queries);
    for (std::size_t q = 0; q < tiles.count(); ++q)
        query_rows_.push_back(tiles.query(q));
}

void BatchScan::scan(const FlatBlock& block) {
    const std::size_t seed =
        best_.front().threshold() < kInfinity ? 0 : std::min(kSeedRows, block.count);
    if (seed > 0) scan_plainly(block.slice(0, seed));
    if (seed == block.count) return;
    const FlatBlock rest = block.slice(seed, block.count - seed);
    const bool hopeless = pairs_ >= kEnoughPairs && rescored_ > pairs_ / kHopelessShare;
    if (hopeless) {
        scan_plainly(rest);
    } else if (rest.filter.allows_all()) {
        scan_all(rest);
    } else {
        scan_allowed(rest);
    }
}

void BatchScan::scan_all(const FlatBlock& block) {
    for (std::size_t first = 0; first < block.count; first += panel_rows_) {
        const std::size_t count = std::min(panel_rows_, block.count - first);
        const FlatBlock part{.rows = block.rows.from(first),
                             .ids = block.ids + first,
                             .norms = block.norms + first,
                             .count = count,
                             .filter = {}};
        scan_rows(part, nullptr, count);
    }
}

void BatchScan::scan_allowed(const FlatBlock& block) {
    std::size_t listed = 0;
    for (std::size_t w = 0; w * 64 < block.count; ++w) {
        for (std::uint64_t left = block.allowed_word(w); left != 0; left &= left - 1) {
            list_[listed++] = static_cast<std::uint32_t>(
                w * 64 + static_cast<std::size_t>(std::countr_zero(left)));
            if (listed == panel_rows_) {
                scan_rows(block, list_.data(), listed);
                listed = 0;
            }
        }
    }
    if (listed > 0) scan_rows(block, list_.data(), listed);
}

void BatchScan::scan_plainly(const FlatBlock& block) {
    scan_block(kernels_, query_rows_, block, best_);
}

void BatchScan::scan_rows(const FlatBlock& block, const std::uint32_t* list, std::size_t count) {
    const simd::KernelTable& table = tiles_.table();
    Panels panels{block, list, count, (count + table.tile_rows - 1) / table.tile_rows, 0.0};
    float longest = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const float norm = block.norms[panels.row(i)];
        starts_[i] = start_of(tiles_.metric(), norm);
        longest = std::max(longest, norm);
    }
    std::fill(starts_.data() + count, starts_.data() + panels.panel_count * table.tile_rows, 0.0F);
    panels.row_norm = row_length(tiles_.metric(), tiles_.dim(), longest);
    const simd::Rows rows =
        list == nullptr ? block.rows
                        : simd::Rows{gather(block, list, count), tiles_.dim(), tiles_.dim()};
    table.pack(rows, count, panels_.data());
    for (std::size_t t = 0; t < tiles_.tiles(); ++t)
        run_tile(t, panels);
    pairs_ += count * tiles_.count();
}

const float* BatchScan::gather(const FlatBlock& block,
                               const std::uint32_t* list,
                               std::size_t count) {
    const std::size_t dim = tiles_.dim();
    if (gathered_.size() == 0) gathered_ = simd::AlignedBuffer<float>(panel_rows_ * dim);
    for (std::size_t i = 0; i < count; ++i) {
        std::memcpy(gathered_.data() + i * dim, block.rows.row(list[i]), dim * sizeof(float));
    }
    return gathered_.data();
}

void BatchScan::run_tile(std::size_t tile, const Panels& panels) {
    const simd::KernelTable& table = tiles_.table();
    const std::size_t first = tile * table.tile_queries;
    float floors[simd::kMaxTileQueries];
    for (std::size_t i = 0; i < table.tile_queries; ++i) {
        const std::size_t q = first + i;
        floors[i] = q < tiles_.count()
                        ? tile_floor(tiles_.metric(),
                                     tiles_.dim(),
                                     tiles_.norm(q),
                                     panels.row_norm,
                                     best_[q].threshold())
                        : std::numeric_limits<float>::infinity();  // no query: keep nothing
    }
    const std::size_t hits = table.tile({.panels = panels_.data(),
                                         .panel_count = panels.panel_count,
                                         .starts = starts_.data(),
                                         .queries = tiles_.tile(tile),
                                         .floors = floors,
                                         .dim = tiles_.dim()},
                                        hits_.data());
    for (std::size_t h = 0; h < hits; ++h)
        rescore(first + hits_[h].query, panels, hits_[h]);
}

void BatchScan::rescore(std::size_t query, const Panels& panels, const simd::TileHit& hit) {
    std::uint32_t rows[simd::kMaxTileRows];
    std::uint32_t kept_rows[simd::kMaxTileRows];
    float distances[simd::kMaxTileRows];
    std::size_t count = 0;
    for (std::uint64_t left = hit.rows; left != 0; left &= left - 1) {
        const std::size_t packed = hit.first_row + static_cast<std::size_t>(std::countr_zero(left));
        if (packed < panels.count) rows[count++] = panels.row(packed);
    }
    TopK& best = best_[query];
    const float threshold = best.threshold();
    if (threshold < kInfinity) rescored_ += count;
    const std::size_t kept = kernels_.list(
        tiles_.query(query), panels.block.rows, rows, count, threshold, {kept_rows, distances});
    for (std::size_t i = 0; i < kept; ++i) {
        best.offer(distances[i], panels.block.ids[kept_rows[i]]);
    }
}

void scan_rows(const IndexRows& rows,
               std::size_t first,
               std::span<const void* const> queries,
               const RowFilter& filter,
               std::span<TopK> best) {
    const simd::KernelTable& table = simd::table_in_use();
    RowFilter rest = filter;
    if (rest.allowed != nullptr) rest.allowed += first / 64;
    if (rest.tombstones != nullptr) rest.tombstones += first / 64;
    const FlatBlock block{.rows = {rows.row(first), rows.stride, rows.dim},
                          .ids = rows.ids + first,
                          .norms = rows.norms != nullptr ? rows.norms + first : nullptr,
                          .count = rows.count - first,
                          .filter = rest};
    const bool has_tiles = rows.element_type == ElementType::kFloat32 && rows.norms != nullptr;
    if (has_tiles && queries.size() >= kMinBatchQueries) {
        std::vector<float> copies;
        const float* const matrix = packed(queries, rows.dim, copies);
        const QueryTiles tiles(table, rows.metric, matrix, queries.size(), rows.dim);
        BatchScan(tiles, best).scan(block);
        return;
    }
    scan_block(table.distances(rows.metric, rows.element_type), queries, block, best);
}

}  // namespace vecdb::index
