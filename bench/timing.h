#pragma once

/// \file
/// Time and its summary.

#include <algorithm>
#include <chrono>
#include <vector>

namespace vecdb::bench {

/// Run `work` once; return the seconds it took.
template <class Work>
[[nodiscard]] double seconds_of(Work&& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Return the median (of an even number of values the mean of the two middle ones); 0 of none.
[[nodiscard]] inline double median(std::vector<double> values) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace vecdb::bench
