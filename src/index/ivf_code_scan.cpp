#include "index/ivf_code_scan.h"

#include "check.h"
#include "index/block_runs.h"
#include "simd/dispatch.h"

#include <algorithm>
#include <limits>

namespace vecdb::index {
namespace {

constexpr std::size_t kBlock = simd::kBlockRows;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Rows collected before there is a threshold, at least; more of them where the first threshold
/// saves long rows.
constexpr std::size_t kSeeds = 100;
constexpr std::size_t kSeedsOfLongRows = 400;
/// Of these so many more than there are places are compared in full...
constexpr std::size_t kSpareSeeds = 6;
/// ...or by fine codes first, where there are any.
constexpr std::size_t kFineSeeds = 4;
/// Fine codes asked for ahead of the one being scored.
constexpr std::size_t kAhead = 8;

}  // namespace

CodeListScan::CodeListScan(const IndexRows& rows,
                           const IvfCodes& codes,
                           const void* query,
                           const IndexSearch& how,
                           TopK& best,
                           CodeScanScratch& scratch)
    : rows_(rows),
      codes_(codes),
      query_(query),
      how_(how),
      best_(best),
      scratch_(scratch),
      distances_(rows),
      block_kernel_(simd::table_in_use().codes.block4),
      fine_kernel_(codes.fine_rows().empty() ? nullptr
                                             : codes.fine_rows().row_kernel(simd::table_in_use())),
      seeding_(best.size() < best.capacity()),
      seeds_needed_(
          std::max(fine_kernel_ == nullptr ? kSeeds : kSeedsOfLongRows, 2 * best.capacity())) {
    scratch_.seeds.clear();
}

void CodeListScan::scan(std::size_t first, std::size_t last) {
    if (first == last) return;
    for_block_runs(how_.filter,
                   first / kBlock,
                   (last + kBlock - 1) / kBlock,
                   (seeding_ ? kSeedChunk : kChunk) / kBlock,
                   [&](std::size_t begin, std::size_t end) { score(begin, end, first, last); });
}

void CodeListScan::score(std::size_t first_block,
                         std::size_t last_block,
                         std::size_t first,
                         std::size_t last) {
    const std::size_t base = first_block * kBlock;
    const std::size_t end = std::min(last_block * kBlock, last);
    compared_ += end - std::max(base, first);
    const std::size_t kept = block_kernel_(scratch_.coarse.code,
                                           codes_.rows().blocks(base),
                                           end - base,
                                           seeding_ ? kInfinity : best_.threshold(),
                                           {kept_, scores_});
    for (std::size_t i = 0; i < kept; ++i) {
        const std::size_t row = base + kept_[i];
        // The first block may begin with rows of the list before.
        if (row < first || !how_.filter.test(row)) continue;
        if (seeding_) {
            scratch_.seeds.push_back({scores_[i], static_cast<std::uint32_t>(row)});
        } else {
            take(static_cast<std::uint32_t>(row));
        }
    }
    if (seeding_ && scratch_.seeds.size() >= seeds_needed_) end_seeding();
}

void CodeListScan::take(std::uint32_t row) {
    prefetch(row);
    pending_[pending_count_++] = row;
    if (pending_count_ < kFlush) return;
    pending_count_ = 0;
    compare(pending_);
}

void CodeListScan::prefetch(std::uint32_t row) const {
    const auto* first = static_cast<const char*>(
        fine_kernel_ == nullptr
            ? rows_.row(row)
            : codes_.fine_rows().code_rows().base + row * codes_.fine_rows().code_rows().stride);
    __builtin_prefetch(first);
    __builtin_prefetch(first + simd::kCacheLine);
}

void CodeListScan::flush() {
    if (seeding_) end_seeding();
    compare({pending_, pending_count_});
    pending_count_ = 0;
}

void CodeListScan::end_seeding() {
    seeding_ = false;
    const std::span<Scored> seeds = scratch_.seeds;
    const std::size_t places = best_.capacity() - best_.size();
    const std::size_t wanted = std::min(seeds.size(), places + std::max(kSpareSeeds, places / 2));
    std::size_t candidates = seeds.size();
    if (fine_kernel_ != nullptr) {
        candidates = std::min(candidates, kFineSeeds * wanted);
        bring_best_forward(seeds, candidates);
        refine(seeds.first(candidates));
    }
    bring_best_forward(seeds.first(candidates), wanted);
    for (const Scored& seed : seeds.first(wanted))
        prefetch(seed.row);
    for (const Scored& seed : seeds.first(wanted))
        take(seed.row);
    compare({pending_, pending_count_});
    pending_count_ = 0;
    for (const Scored& seed : seeds.subspan(wanted)) {
        if (seed.score <= best_.threshold()) take(seed.row);
    }
}

void CodeListScan::refine(std::span<Scored> seeds) {
    for (std::size_t done = 0; done < seeds.size(); done += kFlush) {
        std::uint32_t list[kFlush];
        const std::size_t count = std::min(kFlush, seeds.size() - done);
        for (std::size_t i = 0; i < count; ++i)
            list[i] = seeds[done + i].row;
        const std::size_t kept = fine_kernel_(scratch_.fine.code,
                                              codes_.fine_rows().code_rows(),
                                              list,
                                              count,
                                              kAhead,
                                              kInfinity,
                                              {kept_, scores_});
        VECDB_ASSERT(kept == count);
        for (std::size_t i = 0; i < kept; ++i)
            seeds[done + i].score = scores_[i];
    }
}

void CodeListScan::compare(std::span<const std::uint32_t> list) {
    std::uint32_t sifted[kFlush];
    std::uint32_t kept[kFlush];
    float distances[kFlush];
    if (fine_kernel_ != nullptr && best_.size() == best_.capacity()) {
        const std::size_t n = fine_kernel_(scratch_.fine.code,
                                           codes_.fine_rows().code_rows(),
                                           list.data(),
                                           list.size(),
                                           kAhead,
                                           best_.threshold(),
                                           {sifted, distances});
        list = {sifted, n};
    }
    if (list.empty()) return;
    rescored_ += list.size();
    const std::size_t n = distances_.select(query_, list, best_.threshold(), {kept, distances});
    for (std::size_t i = 0; i < n; ++i)
        best_.offer(distances[i], rows_.ids[kept[i]]);
}

}  // namespace vecdb::index
