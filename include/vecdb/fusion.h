#pragma once

/// \file
/// One ranking of several: for programs that answer a query in several ways, by vectors, by full
/// text, by different fields, and want one list.

#include <vecdb/export.h>
#include <vecdb/search.h>
#include <vecdb/status.h>
#include <vecdb/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecdb {

/// How fuse_reciprocal_rank is to run.
struct RankFusionOptions {
    /// Most hits returned, 0 to 16,384.
    std::size_t k = 10;
    /// What is added to every rank, 0 to 1,000,000. More: the first ranks count less beside the
    /// next.
    double rank_constant = 60.0;
    /// One for each list, 0 to 1,000,000; all 1 when empty.
    std::vector<double> weights = {};

    /// Check against that many lists.
    /// Returns kInvalidArgument naming the field, its value and its limit.
    [[nodiscard]] VECDB_EXPORT Status validate(std::size_t lists) const;
};

/// Fuse lists by ranks alone, whatever their scores mean: reciprocal rank fusion (Cormack, Clarke,
/// Büttcher 2009), as Elasticsearch, OpenSearch and Milvus have it. The score of an id is the sum
/// of
///
///     weight / (rank_constant + rank)
///
/// over the lists that have it, rank from 1 in the order of the list.
///
/// \param lists  each nearest first, from this library or another; a hit with id kNoId, as padding
///               has, ends its list
/// Returns the k best ids: larger scores are nearer, equal ones by ascending id. Sums are doubles,
/// in the order of the lists, rounded to float before they are compared.
/// Returns kInvalidArgument for options that are wrong, a negative id, a score that is NaN and an
/// id that stands twice in one list; kOutOfMemory. Threads: any. Cost: a look-up for each hit.
[[nodiscard]] VECDB_EXPORT Result<Hits> fuse_reciprocal_rank(
    std::span<const std::span<const Hit>> lists, const RankFusionOptions& options = {});

/// What the scores of a list are.
enum class ScoreKind : std::uint8_t {
    kDistance = 1,      ///< Smaller is nearer, 0 or more: l2, hamming, jaccard.
    kInnerProduct = 2,  ///< Larger is nearer, any number.
    kCosine = 3,        ///< Larger is nearer, -1 to 1.
    kRelevance = 4,     ///< Larger is nearer, 0 or more: bm25.
};

/// Return what the scores of a search under a metric are.
[[nodiscard]] constexpr ScoreKind score_kind(Metric metric) noexcept {
    if (metric == Metric::kCosine) return ScoreKind::kCosine;
    return metric == Metric::kInnerProduct ? ScoreKind::kInnerProduct : ScoreKind::kDistance;
}

/// How scores s of a list are brought to one scale, on which larger is nearer.
///
/// | kind           | kNone   | kMinMax               | kArctan           |
/// |----------------|---------|-----------------------|-------------------|
/// | kDistance      | refused | (max - s)/(max - min) | 1 - 2 atan(s)/pi  |
/// | kInnerProduct  | s       | (s - min)/(max - min) | 1/2 + atan(s)/pi  |
/// | kCosine        | s       | (s - min)/(max - min) | (1 + s)/2         |
/// | kRelevance     | s       | (s - min)/(max - min) | 2 atan(s)/pi      |
///
/// kMinMax is that of OpenSearch's normalization processor; min and max are those of the list, and
/// where they are equal all of its hits get 1. The worst hit of a list gets 0, as an id does that
/// the list lacks. kArctan is that of Milvus's WeightedRanker with norm_score: it does not depend
/// on the other hits. Distances cannot be added up as they are, because an id that a list lacks
/// would be nearest.
enum class Normalisation : std::uint8_t { kNone = 0, kMinMax = 1, kArctan = 2 };

/// How fuse_weighted is to run.
struct WeightedFusionOptions {
    /// Most hits returned, 0 to 16,384.
    std::size_t k = 10;
    /// One for each list.
    std::vector<ScoreKind> kinds = {};
    /// One for each list, 0 to 1,000,000; all 1 when empty.
    std::vector<double> weights = {};
    Normalisation normalisation = Normalisation::kMinMax;

    /// Check against that many lists.
    /// Returns kInvalidArgument naming the field, its value and its limit.
    [[nodiscard]] VECDB_EXPORT Status validate(std::size_t lists) const;
};

/// Fuse lists by their scores. The score of an id is the sum of
///
///     weight * normalised score
///
/// over the lists that have it; see Normalisation. The sum is not divided by the weights.
///
/// \param lists  in any order, from this library or another; a hit with id kNoId ends its list
/// Returns the k best ids as fuse_reciprocal_rank does; sums past the range of a float are its
/// ends.
/// Returns kInvalidArgument for options that are wrong, a negative id, a score that is NaN or
/// infinite and an id that stands twice in one list; kOutOfMemory. Threads: any. Cost: a look-up
/// for each hit.
[[nodiscard]] VECDB_EXPORT Result<Hits> fuse_weighted(std::span<const std::span<const Hit>> lists,
                                                      const WeightedFusionOptions& options);

}  // namespace vecdb
