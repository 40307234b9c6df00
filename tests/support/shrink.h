#pragma once

/// \file
/// Making a failing sequence short: delta debugging (Zeller and Hildebrandt, Simplifying and
/// Isolating Failure-Inducing Input, 2002), by leaving out ever smaller pieces.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace vecdb::test {

/// Return a part of a failing sequence that still fails; what is left over fails without any one
/// element only if `until` came first.
/// \param fails  (const std::vector<T>&) -> std::optional<std::size_t>: the place of the element at
///               which a sequence fails, or nothing; what follows it is cut off
template <class T, class Fails>
std::vector<T> shrink(std::vector<T> sequence,
                      Fails fails,
                      std::chrono::steady_clock::time_point until) {
    std::size_t piece = std::max<std::size_t>(sequence.size() / 2, 1);
    bool shorter = false;  // in this pass
    for (std::size_t begin = 0; std::chrono::steady_clock::now() < until;) {
        if (begin >= sequence.size()) {
            if (piece == 1 && !shorter) break;
            piece = std::max<std::size_t>(std::min(piece, sequence.size()) / 2, 1);
            begin = 0;
            shorter = false;
            continue;
        }
        const auto first = sequence.begin() + static_cast<std::ptrdiff_t>(begin);
        const auto last =
            first + static_cast<std::ptrdiff_t>(std::min(piece, sequence.size() - begin));
        std::vector<T> rest(sequence.begin(), first);
        rest.insert(rest.end(), last, sequence.end());
        if (const std::optional<std::size_t> place = fails(rest)) {
            rest.resize(std::min(rest.size(), *place + 1));
            sequence = std::move(rest);
            shorter = true;
        } else {
            begin += piece;
        }
    }
    return sequence;
}

}  // namespace vecdb::test
