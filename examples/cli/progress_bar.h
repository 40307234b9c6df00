#pragma once

/// \file
/// How far a long job is, on standard error when that is a terminal; otherwise silent.

#include <chrono>
#include <cstdint>
#include <string>

namespace vecdb::cli {

/// Draw one line: label, bar, percentage, rate and time left. At most ten drawings a second.
/// Threads: needs exclusive access.
class ProgressBar {
  public:
    /// `total` and the steps are in `unit`, for example "rows".
    ProgressBar(std::string label, std::uint64_t total, std::string unit);
    /// End the line if one was begun.
    ~ProgressBar();
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    /// Count `steps` more as done.
    void advance(std::uint64_t steps) { advance_to(done_ + steps); }
    /// Say that `done` steps are done; fewer than before change nothing.
    void advance_to(std::uint64_t done);

  private:
    using Clock = std::chrono::steady_clock;

    void draw(Clock::time_point now);

    std::string label_;
    std::string unit_;
    std::uint64_t total_;
    std::uint64_t done_ = 0;
    bool terminal_;
    bool begun_ = false;
    Clock::time_point start_ = Clock::now();
    Clock::time_point drawn_;
};

}  // namespace vecdb::cli
