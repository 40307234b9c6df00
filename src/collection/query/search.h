#pragma once

/// \file
/// Search of one version of a collection.

#include "collection/query/filter_state.h"
#include "collection/version.h"
#include "simd/kernel_table.h"

#include <vecdb/schema.h>
#include <vecdb/search.h>
#include <vecdb/status.h>

#include <cstddef>
#include <span>

namespace vecdb::collection {

/// What a search runs on. References must outlive it.
struct SearchTarget {
    const simd::KernelTable& kernels;
    const VectorField& field;
    const Version& version;
    const FilterRows* allowed;  ///< Null: every row.

    [[nodiscard]] index::FlatBlock block(std::size_t i) const noexcept {
        return version.block(i, allowed != nullptr ? allowed->allowed.words().data() : nullptr);
    }
};

/// Return the number of threads, at least 1, above which starting another costs more than it saves.
[[nodiscard]] std::size_t useful_threads(const Version& version, std::size_t queries) noexcept;

/// Search one query of field.dim floats (a unit vector under cosine) with k = hits.size() >= 1 on
/// `threads` >= 1 threads. Writes the hits as the user sees them, padded; returns their true
/// number. Allocates nothing when threads is 1.
std::size_t search_one(const SearchTarget& target,
                       const float* query,
                       std::size_t threads,
                       std::span<Hit> hits);

/// Search result.queries() packed queries, k = result.k() >= 1.
void search_many(const SearchTarget& target,
                 const float* queries,
                 std::size_t threads,
                 SearchResult& result);

/// Fill `hits` with kNoId and the metric's worst score.
void pad(Metric metric, std::span<Hit> hits) noexcept;

}  // namespace vecdb::collection
