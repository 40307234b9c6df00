#pragma once

/// \file
/// A right index with one thing broken at a time: what the conformance checks must notice.

#include "index/conformance/plain_index.h"

#include <vecdb/index.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace vecdb::test {

enum class Fault : std::uint8_t {
    kNone,
    kReturnsMaskedRow,
    kReturnsRemovedRow,
    kReturnsRowTwice,
    kReturnsWrongDistance,
    kReturnsWrongId,
    kReturnsTooFew,
    kMissesNearest,
    kRecallTooLow,
    kIgnoresOccupiedTopK,
    kBatchSkipsLast,
    kCountsNothing,
    kSharesScratch,
    kRangeLeavesOutEdge,
    kRangeIgnoresMask,
    kRangeClearsHits,
    kKeepsIds,  ///< As they were before they were put in order.
    kOrderIsNoPermutation,
    kAcceptsShortSection,
    kRefusesWithWrongCode,
    kBrokenAfterFailedLoad,
    kForgetsOnSave,
    kDependsOnThreads,
    kDependsOnChance,
    kIgnoresCancel,
    kIgnoresDeadline,
    kBrokenAfterCancel,
    kFallingProgress,
    kForgetsAddedRows,
    kChangedByCancelledAdd,
    kClaimsGrowth,
    kInvalid,
    kFailsOnOneRow,
    kUnderstatesMemory,
    kOverstatesMemory,
    kAllocatesInSearch,
    kCursorLeavesRowOut,
    kCursorBringsRowTwice,
    kCursorMixesOrder,
    kCursorEndsEarly,
};

/// Threads: as Index, but for the fault that is about threads.
class FaultyIndex : public Index {
  public:
    explicit FaultyIndex(Fault fault) : fault_(fault) {}

    [[nodiscard]] IndexCapabilities capabilities() const noexcept override {
        return inner_.capabilities();
    }
    [[nodiscard]] Result<std::vector<std::uint32_t>> build(const IndexRows& rows,
                                                           const IndexBuild& how) override;
    [[nodiscard]] Status add(const IndexRows& rows,
                             std::size_t first,
                             const IndexBuild& how) override;
    void search(const IndexRows& rows,
                std::span<const void* const> queries,
                const IndexSearch& how,
                std::span<TopK> best) const override;
    void range_search(const IndexRows& rows,
                      const void* query,
                      float radius,
                      const IndexSearch& how,
                      std::vector<Hit>& hits) const override;
    [[nodiscard]] std::unique_ptr<IndexCursor> cursor(const IndexRows& rows,
                                                      const void* query,
                                                      const IndexSearch& how) const override;
    [[nodiscard]] Status validate(const IndexRows& rows) const override;
    [[nodiscard]] Status save(SectionWriter& to) const override;
    [[nodiscard]] Status load(SectionReader& from, const IndexRows& rows) override;
    [[nodiscard]] std::size_t memory_bytes() const noexcept override;

  private:
    /// Return the k nearest rows as the fault has them.
    [[nodiscard]] std::vector<Hit> wrong_hits(const IndexRows& rows,
                                              const void* query,
                                              IndexSearch how,
                                              std::size_t k) const;
    [[nodiscard]] bool is(Fault fault) const noexcept { return fault_ == fault; }

    Fault fault_;
    PlainIndex inner_;
    bool broken_ = false;
    std::uint32_t stamp_ = 0;                                 ///< Saved with the marks.
    std::vector<Id> ids_;                                     ///< Of build(), for kKeepsIds.
    mutable std::atomic<const void*> shared_query_{nullptr};  ///< For kSharesScratch.
};

}  // namespace vecdb::test
