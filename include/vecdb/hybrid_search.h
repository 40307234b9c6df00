#pragma once

/// \file
/// One question asked in several vector fields, or in several ways.

#include <vecdb/fusion.h>
#include <vecdb/search.h>
#include <vecdb/views.h>

#include <cstddef>
#include <variant>

namespace vecdb {

/// Most parts of a hybrid search.
inline constexpr std::size_t kMaxFieldQueries = 64;

/// One part of a hybrid search.
struct FieldQuery {
    VectorView query;
    /// How it is searched: SearchOptions::field names the vector field, k is the number of
    /// candidates that this part brings.
    SearchOptions options = {};
};

/// How the answers to the parts become one, each part being a list; `weights` has one for each.
/// The kinds of scores are known from the fields: WeightedFusionOptions::kinds stays empty.
using FusionOptions = std::variant<RankFusionOptions, WeightedFusionOptions>;

}  // namespace vecdb
