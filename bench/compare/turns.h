#pragma once

/// \file
/// Taking turns: what is compared runs within the same second, so that a machine that changes its
/// speed, or a neighbour on it, hits all alike.

#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

namespace vecdb::bench {

/// Do a fixed piece of work and return what was measured, for example seconds a query.
using Turn = std::function<double()>;

/// What was measured: values[contestant][round].
struct Turns {
    std::vector<std::vector<double>> values;

    /// Return the median over the rounds of one contestant.
    [[nodiscard]] double median_of(std::size_t contestant) const;
    /// Return the median over the rounds of a's value divided by b's value of the same round.
    [[nodiscard]] double median_ratio(std::size_t a, std::size_t b) const;
};

/// Let each of `contestants` have one turn a round, in an order that rotates from round to round,
/// with a pause before each turn in which waiting threads of the one before go to sleep.
[[nodiscard]] Turns take_turns(const std::vector<Turn>& contestants,
                               std::size_t rounds,
                               std::chrono::milliseconds pause);

}  // namespace vecdb::bench
