#pragma once

/// \file
/// Whether two exact searches found the same.

#include "compare/dataset.h"
#include "compare/engine.h"

#include <cstddef>
#include <string>

namespace vecdb::bench {

/// How the answers of two engines to the same queries relate.
struct Agreement {
    std::size_t queries = 0;
    /// Same ids in the same order.
    std::size_t identical = 0;
    /// Other ids or another order, and every difference is a tie.
    std::size_t tied = 0;
    /// Anything else: one of the two is wrong.
    std::size_t different = 0;
    /// Tells of the first query that differs.
    std::string first_difference;
};

/// Compare the answers to the first queries of `set`. Scores at the same place must agree to 1e-4
/// of their value plus 1e-6 of the query's squared length (what an engine loses that computes a
/// distance as |x|^2 + |q|^2 - 2 x.q in float); an id that only one of the two has must be
/// as near as that to the last place of the other, and no id may stand twice in an answer.
[[nodiscard]] Agreement compare_answers(const Dataset& set, const Answers& a, const Answers& b);

}  // namespace vecdb::bench
