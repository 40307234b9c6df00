#include "progress_bar.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <unistd.h>

namespace vecdb::cli {
namespace {

constexpr std::uint64_t kWidth = 24;
constexpr std::chrono::milliseconds kRedraw{100};

}  // namespace

ProgressBar::ProgressBar(std::string label, std::uint64_t total, std::string unit)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      total_(total),
      terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
    if (begun_) std::fputc('\n', stderr);
}

void ProgressBar::advance_to(std::uint64_t done) {
    done_ = std::clamp(done, done_, total_);
    if (!terminal_) return;
    const auto now = Clock::now();
    if (begun_ && done_ < total_ && now - drawn_ < kRedraw) return;
    draw(now);
}

void ProgressBar::draw(Clock::time_point now) {
    const double seconds = std::max(std::chrono::duration<double>(now - start_).count(), 1e-6);
    const double rate = static_cast<double>(done_) / seconds;
    const double left = static_cast<double>(total_ - done_) / std::max(rate, 1e-6);
    const std::uint64_t filled = total_ == 0 ? kWidth : kWidth * done_ / total_;
    const std::uint64_t percent = total_ == 0 ? 100 : 100 * done_ / total_;
    const std::string bar =
        std::string(filled, '#') + std::string(static_cast<std::size_t>(kWidth - filled), '.');
    // The escape sequence clears what a longer earlier line left behind.
    std::fprintf(stderr,
                 "\r%s [%s] %3llu %%  %.0f %s/s  ETA %.0f s\033[K",
                 label_.c_str(),
                 bar.c_str(),
                 static_cast<unsigned long long>(percent),
                 rate,
                 unit_.c_str(),
                 left);
    std::fflush(stderr);
    begun_ = true;
    drawn_ = now;
}

}  // namespace vecdb::cli
