#include "collection/query/search.h"

#include "collection/query/scratch.h"
#include "index/coded_scan.h"
#include "index/crossovers.h"
#include "index/flat_batch.h"
#include "index/flat_scan.h"
#include "index/parallel.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace vecdb::collection {
namespace {

using index::FlatBlock;
using index::TopK;
using Stage = SearchRecorder::Stage;

/// Queries searched together: their packed form should stay in the last-level cache, and the hits
/// of all threads within bounds.
constexpr std::size_t kQueryBytes = std::size_t{8} << 20U;
constexpr std::size_t kHitBytes = std::size_t{64} << 20U;
constexpr std::size_t kMinQueries = 16;

/// Groups of queries for each thread that searches indexes: enough to even out.
constexpr std::size_t kGroupsPerThread = 4;

/// Turn distances into scores, count, pad.
std::size_t finish(Metric metric, TopK& best, std::span<Hit> hits) {
    const std::size_t count = best.sort().size();
    to_scores(metric, hits.first(count));
    pad(metric, hits.subspan(count));
    return count;
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

bool is_indexed(const SegmentTarget& target) {
    return target.index != nullptr;
}

/// Search the segments of one partition that have an index. `best` is empty, so that the later ones
/// need only look for what beats the hits of those before.
void search_partition(const SearchTarget& target,
                      std::span<const SegmentTarget> segments,
                      std::span<const void* const> queries,
                      std::span<TopK> best) {
    bool narrowed = false;
    for (const SegmentTarget& segment : segments) {
        if (!is_indexed(segment)) continue;
        const FlatBlock block = segment.block(0);
        IndexSearch how = target.index_search(segment, block);
        how.narrowed = std::exchange(narrowed, true);
        SegmentNote note(target.recorder, *segment.segment);
        how.counters = note.counters();
        segment.index->search(index_rows(target.field, block), queries, how, best);
    }
}

/// The same where `best` may hold hits of other partitions: what is found in one does not depend on
/// the others.
void search_next_partition(const SearchTarget& target,
                           std::span<const SegmentTarget> segments,
                           std::span<const void* const> queries,
                           std::span<TopK> best) {
    const std::size_t k = best.front().capacity();
    Scratch<Hit> slots;
    slots->resize(queries.size() * k);
    Scratch<TopK> own;
    for (std::size_t q = 0; q < queries.size(); ++q)
        own->emplace_back(std::span(*slots).subspan(q * k, k));
    search_partition(target, segments, queries, *own);
    for (std::size_t q = 0; q < queries.size(); ++q)
        best[q].merge((*own)[q]);
}

/// Return how many segments at the beginning are of one partition.
std::size_t of_one_partition(std::span<const SegmentTarget> segments) {
    const auto other = std::find_if(segments.begin(), segments.end(), [&](const auto& segment) {
        return segment.partition != segments.front().partition;
    });
    return static_cast<std::size_t>(other - segments.begin());
}

/// Search the segments that have an index, one after the other. For each query this comes before
/// any scan and in one thread, as what an index finds may depend on the hits found before.
void search_indexes(const SearchTarget& target,
                    std::span<const void* const> queries,
                    std::span<TopK> best) {
    bool empty = true;
    for (std::span<const SegmentTarget> left = target.segments; !left.empty();) {
        const auto segments = left.first(of_one_partition(left));
        left = left.subspan(segments.size());
        if (std::none_of(segments.begin(), segments.end(), is_indexed)) continue;
        if (std::exchange(empty, false)) {
            search_partition(target, segments, queries, best);
        } else {
            search_next_partition(target, segments, queries, best);
        }
    }
}

/// The same for many queries, in groups split over threads.
void search_indexes(const SearchTarget& target,
                    std::span<const void* const> queries,
                    std::size_t threads,
                    std::span<TopK> best) {
    if (std::none_of(target.segments.begin(), target.segments.end(), is_indexed)) return;
    const std::size_t tasks =
        threads == 1 ? 1 : std::min(queries.size(), threads * kGroupsPerThread);
    const std::size_t group = (queries.size() + tasks - 1) / tasks;
    index::parallel_for(tasks, threads, [&](std::size_t task, std::size_t) {
        const std::size_t first = std::min(task * group, queries.size());
        const std::size_t count = std::min(group, queries.size() - first);
        if (count == 0) return;
        search_indexes(target, queries.subspan(first, count), best.subspan(first, count));
    });
}

/// Compare the rows of a growing segment with one query, by their codes where they have some.
void scan_coded(const SearchTarget& target,
                const SegmentTarget& segment,
                std::span<const void* const> queries,
                std::span<TopK> best,
                SearchCounters* counters) {
    const auto kernels = target.kernels.distances(target.field.metric, target.field.element_type);
    const FieldCodes& codes = *segment.segment->field_codes(segment.field);
    auto piece = codes.pieces.begin();
    for (std::size_t b = 0; b < segment.segment->block_count(); ++b) {
        const FlatBlock block = segment.block(b);
        std::size_t done = 0;
        while (done < block.count) {
            const std::size_t row = b * segment.segment->rows_per_block + done;
            const bool coded = piece != codes.pieces.end() && (*piece)->first == row;
            const std::size_t count = coded ? (*piece)->codes.rows() : block.count - done;
            const FlatBlock part = block.slice(done, count);
            if (coded && (*piece)->codes.bounds()) {
                const index::CodedStages stages{.space = &codes.space, .blocks = &(*piece)->codes};
                index::scan_all_coded(
                    stages, index_rows(target.field, part), queries, part.filter, best, counters);
            } else {
                if (counters != nullptr) counters->add_compared(SearchPlan::kCodes, count);
                index::scan_block(kernels, queries, part, best);
            }
            if (coded) ++piece;
            done += count;
        }
    }
}

/// Tell whether most rows of a growing segment are to be compared, and have codes.
bool goes_by_codes(const SearchTarget& target, const SegmentTarget& segment) {
    return segment.segment->field_codes(segment.field) != nullptr && !target.options.exact &&
           segment.live >= segment.segment->rows / index::kListedShare;
}

/// Search a few queries, or queries that have no tiles, by scans: one pass over the rows for all.
void scan(const SearchTarget& target,
          std::span<const void* const> queries,
          std::size_t threads,
          Tops& tops) {
    const auto kernels = target.kernels.distances(target.field.metric, target.field.element_type);
    const std::vector<FlatBlock> parts = scanned_slices(target);
    target.note_scanned(queries.size());
    index::parallel_for(
        parts.size(),
        threads,
        [&](std::size_t part, std::size_t thread) {
            index::scan_block(kernels, queries, parts[part], tops.of_thread(thread));
        },
        index::Team::kThreads);
}

/// Search many queries of floats, which follow each other, by tiles.
void scan_tiles(const SearchTarget& target,
                std::span<const void* const> queries,
                std::size_t threads,
                Tops& tops) {
    const std::vector<FlatBlock> parts = scanned_slices(target);
    if (parts.empty()) return;
    target.note_scanned(queries.size());
    const index::QueryTiles tiles(target.kernels,
                                  target.field.metric,
                                  static_cast<const float*>(queries.front()),
                                  queries.size(),
                                  target.field.dim);
    std::vector<index::BatchScan> scans;
    scans.reserve(threads);
    for (std::size_t t = 0; t < threads; ++t)
        scans.emplace_back(tiles, tops.of_thread(t));
    index::parallel_for(parts.size(), threads, [&](std::size_t part, std::size_t thread) {
        scans[thread].scan(parts[part]);
    });
}

/// Search some of the queries of a matrix, which follow each other, together.
void search_group(const SearchTarget& target,
                  std::span<const void* const> queries,
                  std::size_t threads,
                  std::span<Hit> slots,
                  std::span<std::size_t> counts) {
    const std::size_t count = queries.size();
    Tops tops(slots, count, threads);
    target.enter(Stage::kIndex);
    search_indexes(target, queries, threads, tops.of_thread(0));
    target.enter(Stage::kScan);
    const bool has_tiles = target.field.element_type == ElementType::kFloat32;
    if (!has_tiles || count < index::kMinBatchQueries) {
        scan(target, queries, threads, tops);
    } else {
        scan_tiles(target, queries, threads, tops);
    }
    target.enter(Stage::kFinish);
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

void to_scores(Metric metric, std::span<Hit> hits) noexcept {
    if (!larger_is_nearer(metric)) return;
    for (Hit& hit : hits)
        hit.score = 0.0F - hit.score;  // never -0
}

void sort_by_score(Metric metric, std::span<Hit> hits) noexcept {
    to_scores(metric, hits);  // back to distances
    std::sort(hits.begin(), hits.end(), index::nearer);
    to_scores(metric, hits);
}

std::size_t search_one(const SearchTarget& target,
                       const void* query,
                       std::size_t threads,
                       std::span<Hit> hits) {
    if (threads > 1) {
        const void* const queries[1] = {query};
        Tops tops(hits, 1, threads);
        target.enter(Stage::kIndex);
        search_indexes(target, queries, tops.of_thread(0));
        target.enter(Stage::kScan);
        scan(target, queries, threads, tops);
        target.enter(Stage::kFinish);
        return finish(target.field.metric, tops.merged(0), hits);
    }
    TopK best(hits);
    search_one(target, query, best);
    target.enter(Stage::kFinish);
    return finish(target.field.metric, best, hits);
}

void search_one(const SearchTarget& target, const void* query, TopK& best) {
    const void* const queries[1] = {query};
    target.enter(Stage::kIndex);
    search_indexes(target, queries, {&best, 1});
    target.enter(Stage::kScan);
    const auto kernels = target.kernels.distances(target.field.metric, target.field.element_type);
    for (const SegmentTarget& segment : target.segments) {
        if (is_indexed(segment)) continue;
        SegmentNote note(target.recorder, *segment.segment);
        if (goes_by_codes(target, segment)) {
            scan_coded(target, segment, queries, {&best, 1}, note.counters());
            continue;
        }
        if (note.counters() != nullptr)
            note.counters()->add_compared(SearchPlan::kRows, segment.live);
        for (std::size_t b = 0; b < segment.segment->block_count(); ++b) {
            index::scan_block(kernels, queries, segment.block(b), {&best, 1});
        }
    }
}

void search_many(const SearchTarget& target,
                 const void* queries,
                 std::size_t threads,
                 SearchResult& result) {
    const std::size_t bytes = vector_bytes(target.field.element_type, target.field.dim);
    const std::size_t k = result.k();
    const std::size_t group = std::max(
        kMinQueries, std::min(kQueryBytes / bytes, kHitBytes / (k * threads * sizeof(Hit))));
    std::vector<std::size_t> counts(std::min(group, result.queries()));
    std::vector<const void*> rows;
    for (std::size_t first = 0; first < result.queries(); first += group) {
        const std::size_t count = std::min(group, result.queries() - first);
        const std::span<Hit> slots(result.slots(first).data(), count * k);
        rows.resize(count);
        for (std::size_t q = 0; q < count; ++q)
            rows[q] = static_cast<const std::byte*>(queries) + (first + q) * bytes;
        search_group(target, rows, threads, slots, counts);
        for (std::size_t q = 0; q < count; ++q)
            result.set_count(first + q, counts[q]);
    }
}

}  // namespace vecdb::collection
