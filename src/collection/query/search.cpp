#include "collection/query/search.h"

#include "index/flat_batch.h"
#include "index/flat_scan.h"
#include "index/parallel.h"
#include "index/top_k.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace vecdb::collection {
namespace {

using index::FlatBlock;
using index::TopK;

/// Rows a thread takes at a time.
constexpr std::size_t kTaskRows = 8'192;
static_assert(kTaskRows % 64 == 0);

/// Multiply-adds that are worth a thread: several times what starting one costs.
constexpr std::size_t kThreadWork = std::size_t{2} << 20U;

/// Queries searched together: their packed form should stay in the last-level cache, and the hits
/// of all threads within bounds.
constexpr std::size_t kQueryBytes = std::size_t{8} << 20U;
constexpr std::size_t kHitBytes = std::size_t{64} << 20U;
constexpr std::size_t kMinQueries = 16;

/// Turn distances into scores, count, pad.
std::size_t finish(Metric metric, TopK& best, std::span<Hit> hits) {
    const std::size_t count = best.sort().size();
    if (larger_is_nearer(metric)) {
        for (Hit& hit : hits.first(count))
            hit.score = 0.0F - hit.score;  // never -0
    }
    pad(metric, hits.subspan(count));
    return count;
}

/// Cut the rows into pieces for parallel work.
std::vector<FlatBlock> slices(const SearchTarget& target) {
    std::vector<FlatBlock> parts;
    for (std::size_t b = 0; b < target.version.block_count(); ++b) {
        const FlatBlock block = target.block(b);
        for (std::size_t first = 0; first < block.count; first += kTaskRows) {
            parts.push_back(block.slice(first, std::min(kTaskRows, block.count - first)));
        }
    }
    return parts;
}

/// The top-k of every query on every thread. The first thread's are the caller's slots.
class Tops {
  public:
    /// \param own  queries x k slots
    Tops(std::span<Hit> own, std::size_t queries, std::size_t threads)
        : queries_(queries), others_(own.size() * (threads - 1)) {
        const std::size_t k = own.size() / queries;
        tops_.reserve(queries * threads);
        for (std::size_t q = 0; q < queries; ++q)
            tops_.emplace_back(own.subspan(q * k, k));
        for (std::size_t i = 0; i < queries * (threads - 1); ++i) {
            tops_.emplace_back(std::span(others_).subspan(i * k, k));
        }
    }

    [[nodiscard]] std::span<TopK> of_thread(std::size_t thread) {
        return std::span(tops_).subspan(thread * queries_, queries_);
    }

    /// Gather all threads' hits of one query in the caller's slots.
    TopK& merged(std::size_t query) {
        for (std::size_t i = queries_ + query; i < tops_.size(); i += queries_) {
            tops_[query].merge(tops_[i]);
        }
        return tops_[query];
    }

  private:
    std::size_t queries_;
    std::vector<Hit> others_;
    std::vector<TopK> tops_;
};

/// Search a few queries by scans: one pass over the rows for all of them.
void scan(const SearchTarget& target,
          std::span<const void* const> queries,
          std::size_t threads,
          Tops& tops) {
    const auto kernels = target.kernels.distances(target.field.metric, target.field.element_type);
    const std::vector<FlatBlock> parts = slices(target);
    index::parallel_for(
        parts.size(),
        threads,
        [&](std::size_t part, std::size_t thread) {
            index::scan_block(kernels, queries, parts[part], tops.of_thread(thread));
        },
        index::Team::kThreads);
}

/// Search many queries by tiles.
void scan_tiles(const SearchTarget& target,
                const float* queries,
                std::size_t count,
                std::size_t threads,
                Tops& tops) {
    const index::QueryTiles tiles(
        target.kernels, target.field.metric, queries, count, target.field.dim);
    std::vector<index::BatchScan> scans;
    scans.reserve(threads);
    for (std::size_t t = 0; t < threads; ++t)
        scans.emplace_back(tiles, tops.of_thread(t));
    const std::vector<FlatBlock> parts = slices(target);
    index::parallel_for(parts.size(), threads, [&](std::size_t part, std::size_t thread) {
        scans[thread].scan(parts[part]);
    });
}

/// Search some of the queries of a matrix together.
void search_group(const SearchTarget& target,
                  const float* queries,
                  std::size_t count,
                  std::size_t threads,
                  std::span<Hit> slots,
                  std::span<std::size_t> counts) {
    Tops tops(slots, count, threads);
    if (count < index::kMinBatchQueries) {
        std::vector<const void*> rows;
        for (std::size_t q = 0; q < count; ++q)
            rows.push_back(queries + q * target.field.dim);
        scan(target, rows, threads, tops);
    } else {
        scan_tiles(target, queries, count, threads, tops);
    }
    const std::size_t k = slots.size() / count;
    for (std::size_t q = 0; q < count; ++q) {
        counts[q] = finish(target.field.metric, tops.merged(q), slots.subspan(q * k, k));
    }
}

}  // namespace

void pad(Metric metric, std::span<Hit> hits) noexcept {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const float worst = larger_is_nearer(metric) ? -kInfinity : kInfinity;
    std::fill(hits.begin(), hits.end(), Hit{kNoId, worst});
}

std::size_t useful_threads(const Version& version, std::size_t queries) noexcept {
    return version.rows * version.dim * queries / kThreadWork + 1;
}

std::size_t search_one(const SearchTarget& target,
                       const float* query,
                       std::size_t threads,
                       std::span<Hit> hits) {
    const void* const queries[1] = {query};
    if (threads > 1) {
        Tops tops(hits, 1, threads);
        scan(target, queries, threads, tops);
        return finish(target.field.metric, tops.merged(0), hits);
    }
    const auto kernels = target.kernels.distances(target.field.metric, target.field.element_type);
    TopK best(hits);
    for (std::size_t b = 0; b < target.version.block_count(); ++b) {
        index::scan_block(kernels, queries, target.block(b), {&best, 1});
    }
    return finish(target.field.metric, best, hits);
}

void search_many(const SearchTarget& target,
                 const float* queries,
                 std::size_t threads,
                 SearchResult& result) {
    const std::size_t dim = target.field.dim;
    const std::size_t k = result.k();
    const std::size_t group = std::max(
        kMinQueries,
        std::min(kQueryBytes / (dim * sizeof(float)), kHitBytes / (k * threads * sizeof(Hit))));
    std::vector<std::size_t> counts(std::min(group, result.queries()));
    for (std::size_t first = 0; first < result.queries(); first += group) {
        const std::size_t count = std::min(group, result.queries() - first);
        const std::span<Hit> slots(result.slots(first).data(), count * k);
        search_group(target, queries + first * dim, count, threads, slots, counts);
        for (std::size_t q = 0; q < count; ++q)
            result.set_count(first + q, counts[q]);
    }
}

}  // namespace vecdb::collection
