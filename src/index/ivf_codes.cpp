#include "index/ivf_codes.h"

#include "check.h"
#include "index/rotation.h"
#include "index/sections.h"

#include <algorithm>
#include <cmath>

namespace vecdb::index {
namespace {

/// Part of the variance that the head of the 4-bit code should have.
constexpr double kHeadVariance = 0.88;
/// From this many dimensions on a row of floats is so many cache lines that a fine code in between
/// pays, of so many leading components at most.
constexpr std::size_t kLongRow = 250;
constexpr std::size_t kFineDimensions = 120;
/// Fewer centroids than this are compared by their floats.
constexpr std::size_t kManyLists = 64;

}  // namespace

Result<CodeTable> coded_centroids(const CodeSpace& space,
                                  Metric metric,
                                  const IvfLists& lists,
                                  const IndexBuild& how) {
    if (lists.count() < kManyLists) return CodeTable();
    const IndexRows centroids{.base = lists.centroids(),
                              .stride = lists.dim() * sizeof(float),
                              .dim = lists.dim(),
                              .count = lists.count(),
                              .metric = metric};
    return CodeTable::build(centroids, space, CodeLayout::kRow8, how);
}

Result<IvfCodes> IvfCodes::build(const IndexRows& rows,
                                 const IvfLists& lists,
                                 const IndexBuild& how) {
    IvfCodes codes;
    if (rows.count == 0) return codes;
    VECDB_ASSIGN(const PrincipalAxes axes, principal_axes(rows, how));
    codes.space_ = CodeSpace::of(axes, {.variance = kHeadVariance}, how.seed);
    VECDB_ASSIGN(codes.rows_, CodeTable::build(rows, codes.space_, CodeLayout::kBlock4, how));
    if (rows.dim >= kLongRow) {
        const CodeSpace::Wish wish{.max_head = kFineDimensions, .variance = 1.0, .must_cut = true};
        codes.fine_space_ = CodeSpace::of(axes, wish, how.seed);
        VECDB_ASSIGN(codes.fine_rows_,
                     CodeTable::build(rows, codes.fine_space_, CodeLayout::kRow8, how));
    }
    VECDB_ASSIGN(codes.centroids_, coded_centroids(codes.space_, rows.metric, lists, how));
    return codes;
}

float IvfCodes::default_bound() const noexcept {
    // The bound is reached when error and query are parallel. The product of vectors in random
    // directions spreads by 1 / sqrt(dimensions) of that: believe in some of these spreads, more of
    // them when what a head leaves out, which is not random, counts too.
    const float spread = 1 / std::sqrt(static_cast<float>(space_.head()));
    return space_.rotates() ? std::clamp(3.2F * spread, 0.3F, 1.0F)
                            : std::clamp(2 * spread, 0.15F, 1.0F);
}

std::size_t IvfCodes::memory_bytes() const noexcept {
    return space_.memory_bytes() + rows_.memory_bytes() + fine_space_.memory_bytes() +
           fine_rows_.memory_bytes() + centroids_.memory_bytes();
}

Status IvfCodes::save(SectionWriter& to) const {
    if (empty()) return {};
    VECDB_TRY(space_.save(to));
    VECDB_TRY(rows_.save(to));
    if (fine_rows_.empty()) return {};
    PrefixedWriter fine("fine.", to);
    VECDB_TRY(fine_space_.save(fine));
    return fine_rows_.save(fine);
}

Result<IvfCodes> IvfCodes::load(SectionReader& from, const IndexRows& rows, const IvfLists& lists) {
    IvfCodes codes;
    if (rows.count == 0) return codes;
    VECDB_ASSIGN(codes.space_, CodeSpace::load(from, rows.dim));
    VECDB_ASSIGN(codes.rows_, CodeTable::load(from, rows, codes.space_));
    if (codes.rows_.layout() != CodeLayout::kBlock4) {
        return Status(StatusCode::kCorruption, "ivf index: its row codes are not in blocks");
    }
    if (rows.dim >= kLongRow) {
        PrefixedReader fine("fine.", from);
        VECDB_ASSIGN(codes.fine_space_, CodeSpace::load(fine, rows.dim));
        VECDB_ASSIGN(codes.fine_rows_, CodeTable::load(fine, rows, codes.fine_space_));
        if (codes.fine_rows_.layout() != CodeLayout::kRow8) {
            return Status(StatusCode::kCorruption, "ivf index: its fine codes are not of 8 bits");
        }
    }
    VECDB_ASSIGN(codes.centroids_, coded_centroids(codes.space_, rows.metric, lists, {}));
    return codes;
}

}  // namespace vecdb::index
