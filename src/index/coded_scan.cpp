#include "index/coded_scan.h"

#include "check.h"
#include "index/exact.h"
#include "index/flat_scan.h"
#include "simd/dispatch.h"

#include <algorithm>
#include <cstdint>
#include <span>

namespace vecdb::index {
namespace {

/// Rows of the first chunk, which gives the first threshold, at least; multiples of 64. Chunks
/// double up to the largest, so that a chunk never has much more survivors than it must.
constexpr std::size_t kFirstChunk = 2'048;
constexpr std::size_t kLargestChunk = 32'768;
/// Survivors compared together.
constexpr std::size_t kFlush = 32;
/// Code rows asked for ahead of the one that is scored.
constexpr std::size_t kAhead = 32;
constexpr std::size_t kMiddleAhead = 8;
/// Bytes of a row asked for before a flush; the kernel asks for the rest.
constexpr std::size_t kPrefetchBytes = 512;
/// Codes are given up when more than a 20th of the rows seen, and more than a few times k, had to
/// be compared by their floats.
constexpr std::size_t kHopelessShare = 20;
constexpr std::size_t kHopelessTimesK = 4;
/// Not before so many rows were seen: the first thresholds are far above the last.
constexpr std::size_t kEnoughRows = 6'000;
/// A comparison of the middle stage costs about this part of one by floats.
constexpr std::size_t kMiddleShare = 8;

struct Survivor {
    float bound;
    std::uint32_t row;
};

/// Memory of a scan, kept by each thread.
struct Scratch {
    PreparedQuery query;
    PreparedQuery middle;
    std::vector<std::uint32_t> rows;
    std::vector<float> bounds;
    std::vector<std::uint32_t> list;
    std::vector<Survivor> survivors;
};

Scratch& scratch() {
    thread_local Scratch memory;
    return memory;
}

/// Return the chunk to come after one of `chunk` rows.
std::size_t next_chunk(std::size_t chunk) {
    return std::max(chunk, std::min(2 * chunk, kLargestChunk));
}

/// Compare rows that survived the first stage: by the middle stage, if any, and by their floats.
class Rescorer {
  public:
    Rescorer(const CodedStages& stages, const IndexRows& rows, const float* query)
        : stages_(stages),
          rows_(rows),
          distances_(rows),
          query_(query),
          middle_kernel_(stages.middle != nullptr ? stages.middle->row_kernel(simd::table_in_use())
                                                  : nullptr) {}

    /// Write those of the listed rows that are at most threshold away, and their distances, to
    /// `kept`; list.size() <= kFlush.
    std::size_t select(std::span<const std::uint32_t> list,
                       float threshold,
                       const simd::Kept& kept) {
        std::uint32_t close[kFlush];
        float bounds[kFlush];
        if (middle_kernel_ != nullptr) {
            prepare_middle();
            middle_scored_ += list.size();
            const std::size_t n = middle_kernel_(scratch().middle.code,
                                                 stages_.middle->code_rows(),
                                                 list.data(),
                                                 list.size(),
                                                 kMiddleAhead,
                                                 threshold,
                                                 {close, bounds});
            list = {close, n};
        }
        prefetch(list);
        compared_ += list.size();
        return distances_.select(query_, list, threshold, kept);
    }

    /// Return the cost so far in comparisons by floats.
    [[nodiscard]] std::size_t cost() const noexcept {
        return compared_ + middle_scored_ / kMiddleShare;
    }
    [[nodiscard]] std::size_t compared() const noexcept { return compared_; }
    [[nodiscard]] const ListDistances& distances() const noexcept { return distances_; }

  private:
    void prepare_middle() {
        if (middle_scored_ > 0) return;
        stages_.middle->prepare(*stages_.middle_space, query_, 1.0F, scratch().middle);
    }

    void prefetch(std::span<const std::uint32_t> list) const {
        const std::size_t bytes = std::min(rows_.dim * sizeof(float), kPrefetchBytes);
        for (const std::uint32_t row : list) {
            const auto* const at = static_cast<const char*>(rows_.row(row));
            for (std::size_t byte = 0; byte < bytes; byte += simd::kCacheLine)
                __builtin_prefetch(at + byte);
        }
    }

    const CodedStages& stages_;
    const IndexRows& rows_;
    ListDistances distances_;
    const float* query_;
    simd::RowScoreKernel middle_kernel_;
    std::size_t compared_ = 0;
    std::size_t middle_scored_ = 0;
};

/// The search for the k nearest. Chunks of rows come in, hits go to `best`.
class NearestScan {
  public:
    NearestScan(const CodedStages& stages,
                const IndexRows& rows,
                const float* query,
                TopK& best,
                SearchCounters* counters)
        : stages_(stages),
          rows_(rows),
          query_(query),
          best_(best),
          counters_(counters),
          rescorer_(stages, rows, query),
          first_chunk_(std::clamp(4 * best.capacity() / 64 * 64, kFirstChunk, kLargestChunk)) {}

    void all(const RowFilter& filter) {
        prepare(*stages_.blocks);
        std::size_t chunk = first_chunk_;
        std::size_t first = 0;
        for (; first < rows_.count && !hopeless(); chunk = next_chunk(chunk)) {
            const std::size_t count = std::min(chunk, rows_.count - first);
            score_blocks(first, count, filter);
            compare();
            first += count;
        }
        if (first < rows_.count) scan_floats(first, filter);
        count(first);
    }

    void listed(const RowFilter& filter) {
        prepare(*stages_.listed);
        Scratch& memory = scratch();
        memory.list.clear();
        std::size_t chunk = first_chunk_;
        std::size_t seen = 0;
        for_each_allowed(filter, 0, rows_.count, [&](std::span<const std::uint32_t> list) {
            seen += list.size();
            if (hopeless()) {
                left_ += list.size();
                return offer_listed(rows_, rescorer_.distances(), query_, list, best_);
            }
            memory.list.insert(memory.list.end(), list.begin(), list.end());
            if (memory.list.size() + 2 * kListStep <= chunk) return;
            score_list();
            chunk = next_chunk(chunk);
        });
        if (!memory.list.empty()) score_list();
        count(seen - left_);
    }

  private:
    void prepare(const CodeTable& codes) {
        Scratch& memory = scratch();
        codes.prepare(*stages_.space, query_, 1.0F, memory.query);
        constexpr std::size_t kRoom = kLargestChunk + 64;
        if (memory.rows.size() >= kRoom) return;
        memory.rows.resize(kRoom);
        memory.bounds.resize(kRoom);
        memory.survivors.reserve(kRoom);
        memory.list.reserve(kRoom);
    }

    void score_blocks(std::size_t first, std::size_t count, const RowFilter& filter) {
        Scratch& memory = scratch();
        const std::size_t kept =
            simd::table_in_use().codes.block4(memory.query.code,
                                              stages_.blocks->blocks(first),
                                              count,
                                              best_.threshold(),
                                              {memory.rows.data(), memory.bounds.data()});
        scored_ += count;
        memory.survivors.clear();
        for (std::size_t i = 0; i < kept; ++i) {
            const std::uint32_t row = static_cast<std::uint32_t>(first) + memory.rows[i];
            if (filter.test(row)) memory.survivors.push_back({memory.bounds[i], row});
        }
    }

    void score_list() {
        Scratch& memory = scratch();
        const std::size_t kept = stages_.listed->row_kernel(simd::table_in_use())(
            memory.query.code,
            stages_.listed->code_rows(),
            memory.list.data(),
            memory.list.size(),
            kAhead,
            best_.threshold(),
            {memory.rows.data(), memory.bounds.data()});
        scored_ += memory.list.size();
        memory.list.clear();
        memory.survivors.clear();
        for (std::size_t i = 0; i < kept; ++i)
            memory.survivors.push_back({memory.bounds[i], memory.rows[i]});
        compare();
    }

    /// Compare the survivors, those with the smallest bounds first.
    void compare() {
        auto& survivors = scratch().survivors;
        const std::size_t first = std::min(survivors.size(), std::max(kFlush, best_.capacity()));
        if (first < survivors.size()) {
            std::nth_element(
                survivors.begin(),
                survivors.begin() + static_cast<std::ptrdiff_t>(first),
                survivors.end(),
                [](const Survivor& a, const Survivor& b) { return a.bound < b.bound; });
        }
        std::uint32_t list[kFlush];
        std::size_t n = 0;
        for (const Survivor& survivor : survivors) {
            if (survivor.bound > best_.threshold()) continue;
            list[n++] = survivor.row;
            if (n < kFlush) continue;
            flush({list, n});
            n = 0;
        }
        flush({list, n});
    }

    void flush(std::span<const std::uint32_t> list) {
        std::uint32_t rows[kFlush];
        float distances[kFlush];
        const std::size_t kept = rescorer_.select(list, best_.threshold(), {rows, distances});
        for (std::size_t i = 0; i < kept; ++i)
            best_.offer(distances[i], rows_.ids[rows[i]]);
    }

    [[nodiscard]] bool hopeless() const noexcept {
        return scored_ >= kEnoughRows &&
               rescorer_.cost() > kHopelessTimesK * best_.capacity() + scored_ / kHopelessShare;
    }

    /// Go on with the floats from row `first` on, a multiple of 64.
    void scan_floats(std::size_t first, const RowFilter& filter) {
        const auto kernels = simd::table_in_use().distances(rows_.metric, rows_.element_type);
        RowFilter rest = filter;
        if (rest.allowed != nullptr) rest.allowed += first / 64;
        if (rest.tombstones != nullptr) rest.tombstones += first / 64;
        const FlatBlock block{.rows = {rows_.row(first), rows_.stride, rows_.dim},
                              .ids = rows_.ids + first,
                              .norms = nullptr,
                              .count = rows_.count - first,
                              .filter = rest};
        const void* const queries[1] = {query_};
        left_ += block.count;
        scan_block(kernels, queries, block, {&best_, 1});
    }

    void count(std::size_t scored) const {
        if (counters_ == nullptr) return;
        counters_->distances += scored + left_;
        counters_->rescored += rescorer_.compared() + left_;
    }

    const CodedStages& stages_;
    const IndexRows& rows_;
    const float* query_;
    TopK& best_;
    SearchCounters* counters_;
    Rescorer rescorer_;
    std::size_t first_chunk_;
    std::size_t scored_ = 0;
    std::size_t left_ = 0;  ///< Rows compared by floats alone.
};

}  // namespace

void scan_all_coded(const CodedStages& stages,
                    const IndexRows& rows,
                    const float* query,
                    const RowFilter& filter,
                    TopK& best,
                    SearchCounters* counters) {
    VECDB_ASSERT(stages.blocks->rows() == rows.count);
    NearestScan(stages, rows, query, best, counters).all(filter);
}

void scan_listed_coded(const CodedStages& stages,
                       const IndexRows& rows,
                       const float* query,
                       const RowFilter& filter,
                       TopK& best,
                       SearchCounters* counters) {
    VECDB_ASSERT(stages.listed->rows() == rows.count);
    NearestScan(stages, rows, query, best, counters).listed(filter);
}

// NOLINTNEXTLINE(readability-function-size): what to search, for what, and where to put it
void range_coded(const CodedStages& stages,
                 const IndexRows& rows,
                 const float* query,
                 float radius,
                 const RowFilter& filter,
                 std::vector<Hit>& hits,
                 SearchCounters* counters) {
    Scratch& memory = scratch();
    stages.blocks->prepare(*stages.space, query, 1.0F, memory.query);
    memory.rows.resize(std::max(memory.rows.size(), kFirstChunk));
    memory.bounds.resize(std::max(memory.bounds.size(), kFirstChunk));
    Rescorer rescorer(stages, rows, query);
    std::uint32_t kept_rows[kFlush];
    float kept_distances[kFlush];
    const auto flush = [&](std::span<const std::uint32_t> list) {
        const std::size_t kept = rescorer.select(list, radius, {kept_rows, kept_distances});
        for (std::size_t i = 0; i < kept; ++i)
            hits.push_back({rows.ids[kept_rows[i]], kept_distances[i]});
    };
    for (std::size_t first = 0; first < rows.count; first += kFirstChunk) {
        const std::size_t count = std::min(kFirstChunk, rows.count - first);
        const std::size_t kept =
            simd::table_in_use().codes.block4(memory.query.code,
                                              stages.blocks->blocks(first),
                                              count,
                                              radius,
                                              {memory.rows.data(), memory.bounds.data()});
        std::uint32_t list[kFlush];
        std::size_t n = 0;
        for (std::size_t i = 0; i < kept; ++i) {
            const std::uint32_t row = static_cast<std::uint32_t>(first) + memory.rows[i];
            if (!filter.test(row)) continue;
            list[n++] = row;
            if (n < kFlush) continue;
            flush({list, n});
            n = 0;
        }
        flush({list, n});
    }
    if (counters == nullptr) return;
    counters->distances += rows.count;
    counters->rescored += rescorer.compared();
}

}  // namespace vecdb::index
