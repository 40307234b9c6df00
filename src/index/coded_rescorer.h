#pragma once

/// \file
/// The later stages of a scan by codes, for the rows that the first one could not rule out.

#include "index/coded_scan.h"
#include "index/codes.h"
#include "index/exact.h"
#include "simd/aligned_buffer.h"
#include "simd/dispatch.h"
#include "simd/prefetches.h"

#include <vecdb/index.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace vecdb::index {

/// Survivors compared together.
inline constexpr std::size_t kRescored = 32;

/// Compares rows that survived the first stage: by the middle stage, if any, and by their floats.
/// Threads: single-threaded.
class Rescorer {
  public:
    /// `memory` is for the query of the middle stage; everything is kept by reference.
    Rescorer(const CodedStages& stages,
             const IndexRows& rows,
             const float* query,
             PreparedQuery& memory)
        : stages_(stages),
          rows_(rows),
          distances_(rows),
          query_(query),
          middle_(memory),
          middle_kernel_(stages.middle != nullptr ? stages.middle->row_kernel(simd::table_in_use())
                                                  : nullptr) {}

    /// Write those of the listed rows that are at most threshold away, and their distances, to
    /// `kept`; list.size() <= kRescored.
    std::size_t select(std::span<const std::uint32_t> list,
                       float threshold,
                       const simd::Kept& kept) {
        std::uint32_t close[kRescored];
        float bounds[kRescored];
        if (middle_kernel_ != nullptr) {
            prepare_middle();
            middle_scored_ += list.size();
            const std::size_t n = middle_kernel_(middle_.code,
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
    static constexpr std::size_t kMiddleAhead = 8;
    /// A comparison of the middle stage costs about this part of one by floats.
    static constexpr std::size_t kMiddleShare = 8;
    /// Bytes of a row asked for before it is compared; the kernel asks for the rest.
    static constexpr std::size_t kPrefetchBytes = 512;

    void prepare_middle() {
        if (middle_scored_ > 0) return;
        stages_.middle->prepare(*stages_.middle_space, query_, 1.0F, middle_);
    }

    VECDB_PREFETCHES void prefetch(std::span<const std::uint32_t> list) const {
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
    PreparedQuery& middle_;
    simd::RowScoreKernel middle_kernel_;
    std::size_t compared_ = 0;
    std::size_t middle_scored_ = 0;
};

}  // namespace vecdb::index
