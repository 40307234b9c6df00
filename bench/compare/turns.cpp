#include "compare/turns.h"

#include "timing.h"

#include <thread>
#include <utility>

namespace vecdb::bench {

double Turns::median_of(std::size_t contestant) const {
    return median(values[contestant]);
}

double Turns::median_ratio(std::size_t a, std::size_t b) const {
    std::vector<double> ratios;
    for (std::size_t round = 0; round < values[a].size(); ++round) {
        ratios.push_back(values[a][round] / values[b][round]);
    }
    return median(std::move(ratios));
}

Turns take_turns(const std::vector<Turn>& contestants,
                 std::size_t rounds,
                 std::chrono::milliseconds pause) {
    Turns turns;
    turns.values.resize(contestants.size());
    for (std::size_t round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < contestants.size(); ++i) {
            const std::size_t who = (i + round) % contestants.size();
            if (pause.count() != 0) std::this_thread::sleep_for(pause);
            turns.values[who].push_back(contestants[who]());
        }
    }
    return turns;
}

}  // namespace vecdb::bench
