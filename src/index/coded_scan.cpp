#include "index/coded_scan.h"

#include "check.h"
#include "index/coded_rescorer.h"
#include "index/exact.h"
#include "index/flat_batch.h"
#include "index/flat_scan.h"
#include "index/scored.h"
#include "simd/dispatch.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace vecdb::index {
namespace {

/// Rows of the first chunk, which gives the first threshold; multiples of 64.
constexpr std::size_t kFirstChunk = 512;
constexpr std::size_t kLargestChunk = 32'768;
/// Survivors wait until a fourth more rows have been seen: with the smallest bounds of all of them
/// compared first, most others need not be.
constexpr std::size_t kWaitShare = 4;
constexpr std::size_t kMostPending = 4'096;
/// Code rows asked for ahead of the one that is scored.
constexpr std::size_t kAhead = 32;
/// Listed rows scored together at most, and how fast the chunks grow to that.
constexpr std::size_t kListChunk = 8'192;
constexpr std::size_t kChunkGrowth = 8;
/// Codes are given up when more than a 20th of all the rows to search, and more than a few times k,
/// had to be compared by their floats. It is not the share of the rows seen that counts: the first
/// thresholds are far above the last, so most survivors come early.
constexpr std::size_t kHopelessShare = 20;
constexpr std::size_t kHopelessTimesK = 4;
/// Of listed rows a part is searched first, within these bounds and at least so many for each hit
/// wanted; codes are given up when they ruled out less than one in 24 of these, or than one in four
/// where so few rows are listed that there is little to be gained.
constexpr std::size_t kSamplePart = 32;
constexpr std::size_t kLeastSample = 128;
constexpr std::size_t kMostSample = 512;
constexpr std::size_t kSampleTimesK = 12;
constexpr std::size_t kSampleShare = 24;
constexpr std::size_t kShortList = 1'024;
constexpr std::size_t kShortSampleShare = 4;

/// What a query needs: itself prepared for the first stage and for the middle one, and the rows
/// that wait for being compared.
struct QueryMemory {
    PreparedQuery first;
    PreparedQuery middle;
    std::vector<Scored> pending;
};

/// Queries that go over a chunk together.
constexpr std::size_t kTogether = 64;
/// Bytes of codes that stay in the cache while all of them do.
constexpr std::size_t kChunkBytes = std::size_t{256} * 1'024;

/// Memory of scans, kept by each thread.
struct Scratch {
    std::vector<QueryMemory> queries;
    std::vector<std::uint32_t> rows[2];  ///< What the kernel kept, for one query or two.
    std::vector<float> bounds[2];
    std::vector<std::uint32_t> list;
    std::vector<const void*> given_up;  ///< Queries that leave now, and what they have.
    std::vector<TopK> given_up_best;

    /// Make room for a scan for `count` queries.
    void make_room(std::size_t count) {
        constexpr std::size_t kRoom = kLargestChunk + kMostListed;
        if (queries.size() < count) queries.resize(count);
        if (list.capacity() >= kRoom) return;
        for (auto& each : rows)
            each.resize(kRoom);
        for (auto& each : bounds)
            each.resize(kRoom);
        list.reserve(kRoom);
    }
    [[nodiscard]] simd::Kept kept(std::size_t i) noexcept {
        return {rows[i].data(), bounds[i].data()};
    }
};

Scratch& scratch() {
    thread_local Scratch memory;
    return memory;
}

/// The search for the k nearest of one query. Chunks of rows come in, hits go to `best`.
class NearestScan {
  public:
    /// \param to_search  how many rows there are to search
    // NOLINTNEXTLINE(readability-function-size): what to search, for what, and where to put it
    NearestScan(const CodedStages& stages,
                const IndexRows& rows,
                std::size_t to_search,
                const float* query,
                TopK& best,
                QueryMemory& memory)
        : stages_(stages),
          rows_(rows),
          to_search_(to_search),
          query_(query),
          best_(best),
          memory_(memory),
          rescorer_(stages, rows, query, memory.middle) {}

    /// Search the rows that `filter` allows, by stages.listed.
    void listed(const RowFilter& filter) {
        prepare(*stages_.listed);
        auto& waiting = scratch().list;
        waiting.clear();
        const std::size_t sample = std::clamp(to_search_ / kSamplePart, kLeastSample, kMostSample);
        std::size_t chunk =
            std::clamp(kSampleTimesK * best_.capacity(), sample, std::size_t{kListChunk});
        due_ = chunk;
        for_each_allowed(filter, 0, rows_.count, [&](std::span<const std::uint32_t> list) {
            while (!list.empty()) {
                if (hopeless() || sample_is_hopeless()) {
                    leave(list.size());
                    return offer_listed(rows_, rescorer_.distances(), query_, list, best_);
                }
                const auto part = list.first(std::min(list.size(), chunk - waiting.size()));
                waiting.insert(waiting.end(), part.begin(), part.end());
                list = list.subspan(part.size());
                if (waiting.size() < chunk) return;
                score_list();
                chunk = std::min(kChunkGrowth * chunk, kListChunk);
            }
        });
        if (!waiting.empty()) score_list();
        finish();
    }

    void prepare(const CodeTable& codes) {
        codes.prepare(*stages_.space, query_, 1.0F, memory_.first);
        memory_.pending.clear();
        memory_.pending.reserve(kMostPending);
        due_ = first_chunk();
    }
    [[nodiscard]] const simd::CodeQuery& query() const noexcept { return memory_.first.code; }
    [[nodiscard]] float threshold() const noexcept { return best_.threshold(); }
    /// Return how many rows the first chunk has.
    [[nodiscard]] std::size_t first_chunk() const noexcept {
        return std::clamp(4 * best_.capacity() / 64 * 64, kFirstChunk, kLargestChunk);
    }

    /// Take what a block kernel kept of rows [first, first + count).
    // NOLINTNEXTLINE(readability-function-size): what was kept of what
    void take(const simd::Kept& kept,
              std::size_t n,
              std::size_t first,
              std::size_t count,
              const RowFilter& filter) {
        for (std::size_t i = 0; i < n; ++i) {
            const std::uint32_t row = static_cast<std::uint32_t>(first) + kept.rows[i];
            if (filter.test(row)) hold({kept.distances[i], row});
        }
        saw(count);
    }
    /// Compare what is still open.
    void finish() { compare(); }

    /// Whether so many rows survive that the floats alone are faster.
    [[nodiscard]] bool hopeless() const noexcept {
        return rescorer_.cost() > kHopelessTimesK * best_.capacity() + to_search_ / kHopelessShare;
    }
    /// Whether the codes of the first listed rows ruled out few of them: listed rows may all be as
    /// far from the query, as those of a filter that has to do with the vectors are.
    [[nodiscard]] bool sample_is_hopeless() const noexcept {
        const std::size_t share = to_search_ <= kShortList ? kShortSampleShare : kSampleShare;
        return scored_ >= kSampleTimesK * best_.capacity() &&
               rescorer_.cost() * share > scored_ * (share - 1);
    }
    /// Note that `count` rows are compared by floats alone.
    void leave(std::size_t count) noexcept { left_ += count; }

    void count(SearchCounters* counters) const {
        if (counters == nullptr) return;
        counters->plan = SearchPlan::kCodes;
        counters->distances += scored_ + left_;
        counters->rescored += rescorer_.compared() + left_;
    }

  private:
    void score_list() {
        Scratch& memory = scratch();
        const simd::Kept kept = memory.kept(0);
        const std::size_t n =
            stages_.listed->row_kernel(simd::table_in_use())(query(),
                                                             stages_.listed->code_rows(),
                                                             memory.list.data(),
                                                             memory.list.size(),
                                                             kAhead,
                                                             best_.threshold(),
                                                             kept);
        for (std::size_t i = 0; i < n; ++i)
            hold({kept.distances[i], kept.rows[i]});
        saw(memory.list.size());
        memory.list.clear();
    }

    void hold(const Scored& survivor) {
        if (memory_.pending.size() == kMostPending) compare();
        memory_.pending.push_back(survivor);
    }

    void saw(std::size_t count) {
        scored_ += count;
        if (scored_ < due_) return;
        compare();
        due_ = scored_ + scored_ / kWaitShare;
    }

    /// Compare the survivors, those with the smallest bounds first.
    void compare() {
        auto& survivors = memory_.pending;
        bring_best_forward(survivors, std::max(kRescored, best_.capacity()));
        std::uint32_t list[kRescored];
        std::size_t n = 0;
        for (const Scored& survivor : survivors) {
            if (survivor.score > best_.threshold()) continue;
            list[n++] = survivor.row;
            if (n < kRescored) continue;
            flush({list, n});
            n = 0;
        }
        flush({list, n});
        survivors.clear();
    }

    void flush(std::span<const std::uint32_t> list) {
        std::uint32_t rows[kRescored];
        float distances[kRescored];
        const std::size_t kept = rescorer_.select(list, best_.threshold(), {rows, distances});
        for (std::size_t i = 0; i < kept; ++i)
            best_.offer(distances[i], rows_.ids[rows[i]]);
    }

    const CodedStages& stages_;
    const IndexRows& rows_;
    std::size_t to_search_;
    const float* query_;
    TopK& best_;
    QueryMemory& memory_;
    Rescorer rescorer_;
    std::size_t scored_ = 0;
    std::size_t due_ = 0;   ///< Compare when so many rows are scored.
    std::size_t left_ = 0;  ///< Rows compared by floats alone.
};

/// The searches of up to kTogether queries by stages.blocks: each chunk is scored for all of them
/// while its codes are in the cache, for two at a time. Those for which codes are hopeless leave.
class NearestScans {
  public:
    NearestScans(const CodedStages& stages,
                 const IndexRows& rows,
                 std::span<const void* const> queries,
                 std::span<TopK> best)
        : stages_(stages), rows_(rows), queries_(queries), best_(best) {
        scratch().make_room(queries.size());
        for (std::size_t q = 0; q < queries.size(); ++q) {
            scans_[q].emplace(stages,
                              rows,
                              rows.count,
                              static_cast<const float*>(queries[q]),
                              best[q],
                              scratch().queries[q]);
            scans_[q]->prepare(*stages.blocks);
            open_[open_count_++] = q;
        }
    }

    void all(const RowFilter& filter) {
        const std::size_t block_bytes = stages_.blocks->blocks(0).bytes();
        const std::size_t chunk =
            std::max<std::size_t>(kChunkBytes / block_bytes / 2, 1) * 2 * simd::kBlockRows;
        std::size_t count = scans_[0]->first_chunk();
        for (std::size_t first = 0; first < rows_.count && open_count_ > 0; count = chunk) {
            count = std::min(count, rows_.count - first);
            for (std::size_t i = 0; i < open_count_; i += 2)
                score(first, count, filter, {open_ + i, std::min<std::size_t>(2, open_count_ - i)});
            first += count;
            give_up(first, filter);
        }
        for (std::size_t i = 0; i < open_count_; ++i)
            scans_[open_[i]]->finish();
    }

    void count(SearchCounters* counters) const {
        for (std::size_t q = 0; q < queries_.size(); ++q)
            scans_[q]->count(counters);
    }

  private:
    /// Score rows [first, first + count) for one query or two.
    void score(std::size_t first,
               std::size_t count,
               const RowFilter& filter,
               std::span<const std::size_t> queries) {
        const auto& kernels = simd::table_in_use().codes;
        const simd::CodeBlocks blocks = stages_.blocks->blocks(first);
        const simd::Kept kept[2] = {scratch().kept(0), scratch().kept(1)};
        NearestScan& one = *scans_[queries.front()];
        if (queries.size() == 1) {
            const std::size_t n =
                kernels.block4(one.query(), blocks, count, one.threshold(), kept[0]);
            return one.take(kept[0], n, first, count, filter);
        }
        NearestScan& other = *scans_[queries[1]];
        simd::BlockScan scans[2] = {{&one.query(), one.threshold(), kept, 0},
                                    {&other.query(), other.threshold(), kept + 1, 0}};
        kernels.block4_pair(scans, blocks, count);
        one.take(kept[0], scans[0].count, first, count, filter);
        other.take(kept[1], scans[1].count, first, count, filter);
    }

    /// Serve the queries for which codes are hopeless by floats from row `first` on.
    void give_up(std::size_t first, const RowFilter& filter) {
        auto& queries = scratch().given_up;
        auto& best = scratch().given_up_best;
        queries.clear();
        best.clear();
        std::size_t still_open = 0;
        for (std::size_t i = 0; i < open_count_; ++i) {
            const std::size_t q = open_[i];
            open_[still_open] = q;
            if (!scans_[q]->hopeless()) {
                ++still_open;
                continue;
            }
            scans_[q]->finish();  // with the rows that wait
            queries.push_back(queries_[q]);
            best.push_back(best_[q]);
            given_up_[queries.size() - 1] = q;
        }
        open_count_ = still_open;
        if (queries.empty() || first == rows_.count) return;
        scan_rows(rows_, first, queries, filter, best);
        for (std::size_t i = 0; i < queries.size(); ++i) {
            best_[given_up_[i]] = best[i];
            scans_[given_up_[i]]->leave(rows_.count - first);
        }
    }

    const CodedStages& stages_;
    const IndexRows& rows_;
    std::span<const void* const> queries_;
    std::span<TopK> best_;
    std::optional<NearestScan> scans_[kTogether];
    std::size_t open_[kTogether];      ///< Queries that are served by codes.
    std::size_t given_up_[kTogether];  ///< Queries that leave now.
    std::size_t open_count_ = 0;
};

}  // namespace

void scan_all_coded(const CodedStages& stages,
                    const IndexRows& rows,
                    std::span<const void* const> queries,
                    const RowFilter& filter,
                    std::span<TopK> best,
                    SearchCounters* counters) {
    VECDB_ASSERT(stages.blocks->rows() == rows.count);
    for (std::size_t first = 0; first < queries.size(); first += kTogether) {
        const std::size_t count = std::min(kTogether, queries.size() - first);
        NearestScans scans(stages, rows, queries.subspan(first, count), best.subspan(first, count));
        scans.all(filter);
        scans.count(counters);
    }
}

// NOLINTNEXTLINE(readability-function-size): what to search, for what, and where to put it
void scan_listed_coded(const CodedStages& stages,
                       const IndexRows& rows,
                       const float* query,
                       const RowFilter& filter,
                       std::size_t allowed_rows,
                       TopK& best,
                       SearchCounters* counters) {
    VECDB_ASSERT(stages.listed->rows() == rows.count);
    scratch().make_room(1);
    NearestScan scan(stages, rows, allowed_rows, query, best, scratch().queries[0]);
    scan.listed(filter);
    scan.count(counters);
}

}  // namespace vecdb::index
